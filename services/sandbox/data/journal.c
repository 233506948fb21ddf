#include "journal.h"

#include <stdlib.h>

#include "base/mem.h"

static struct deed *append(struct journal *j)
{
    if (j->count == j->cap) {
        j->cap = j->cap * 2 + 16;
        j->list = xrealloc(j->list, j->cap * sizeof(*j->list));
    }
    return &j->list[j->count++];
}

static bool is_last(const struct journal *j, const struct crm *c, uint32_t n)
{
    const struct deed *d = j->count > 0 ? &j->list[j->count - 1] : NULL;

    return d != NULL && d->field == NULL && d->which == c->which && d->n == n && d->kind != DEED_DELETE;
}

void journal_record(struct journal *j, const struct crm *c, uint32_t n, enum deed_kind kind, bool joins)
{
    if (!j->on || (joins && is_last(j, c, n)))
        return;
    *append(j) = (struct deed){ .kind = kind,
        .which = c->which,
        .n = n,
        .id = c->ids[n],
        .flags = kind == DEED_ADD ? RECORD_DELETED : c->flags[n],
        .patch = kind == DEED_ADD ? NULL : patch_copy(c->patches[n]) };
}

void journal_moved(struct journal *j)
{
    if (j->on && j->count > 0 && j->list[j->count - 1].kind == DEED_UPDATE)
        j->list[j->count - 1].kind = DEED_MOVE;
}

void journal_field(struct journal *j, enum which w, uint32_t id, const char *name, enum deed_kind kind)
{
    if (j->on)
        *append(j) = (struct deed){ .kind = kind, .which = w, .id = id, .field = xstrdup(name) };
}

void journal_clear(struct journal *j)
{
    for (size_t i = 0; i < j->count; i++) {
        patch_free(j->list[i].patch);
        free(j->list[i].field);
    }
    j->count = 0;
}

void journal_fini(struct journal *j)
{
    journal_clear(j);
    free(j->list);
    *j = (struct journal){ 0 };
}
