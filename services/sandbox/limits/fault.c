#include "fault.h"

#include "base/mem.h"

static const char *const names[FAULT_KINDS] = {
#define FAULT(id, name, about) [FAULT_##id] = name,
#include "faults.def"
#undef FAULT
};

enum fault_kind fault_of(struct str name)
{
    for (unsigned k = FAULT_NONE + 1; k < FAULT_KINDS; k++) {
        if (str_is(name, names[k]))
            return k;
    }
    return FAULT_NONE;
}

bool fault_add(struct faults *f, const struct fault *fault)
{
    if (f->count == FAULTS_MAX)
        return false;
    if (fault->times > 0)
        f->list[f->count++] = *fault;
    return true;
}

/* Whole requests are struck by all kinds; commands inside a batch by those that a batch can show. */
static bool strikes(const struct fault *f, const char *method, bool nested)
{
    const bool in_batch = f->kind == FAULT_LIMIT429 || f->kind == FAULT_COMMAND || f->kind == FAULT_COMMITTED;

    if (nested && (f->method[0] == '\0' || !in_batch))
        return false;
    if (f->method[0] == '\0') /* the OAuth server is another host: only by name */
        return strncmp(method, "oauth.", 6) != 0;
    return strcmp(f->method, method) == 0;
}

enum fault_kind fault_take(struct faults *f, const char *method, bool nested, struct fault *ret)
{
    for (int i = 0; i < f->count; i++) {
        if (!strikes(&f->list[i], method, nested))
            continue;
        *ret = f->list[i];
        if (--f->list[i].times == 0) {
            f->count--;
            memmove(&f->list[i], &f->list[i + 1], (size_t)(f->count - i) * sizeof(f->list[0]));
        }
        return ret->kind;
    }
    return FAULT_NONE;
}
