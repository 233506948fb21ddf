#include "crm.h"

#include <stdlib.h>

#include "base/mem.h"
#include "hash.h"

static void crm_grow(struct crm *c, uint32_t cap)
{
    c->ids = xrealloc(c->ids, cap * sizeof(*c->ids));
    c->flags = xrealloc(c->flags, cap);
    c->patches = xrealloc(c->patches, cap * sizeof(*c->patches));
    memset(c->flags + c->cap, 0, cap - c->cap);
    memset(c->patches + c->cap, 0, (cap - c->cap) * sizeof(*c->patches));
    c->cap = cap;
}

uint32_t crm_append(struct crm *c, uint32_t id)
{
    if (c->count == c->cap)
        crm_grow(c, c->cap * 2 + 16);
    c->ids[c->count] = id;
    c->visible++;
    return c->count++;
}

/* Mostly the next id, now and then a few deleted long ago, rarely a hole of hundreds. */
static uint32_t id_step(uint64_t h)
{
    const uint32_t lot = hash_below(h, 1000);

    if (lot < 850)
        return 1;
    return lot < 997 ? 2 + (uint32_t)(h % 5) : 100 + (uint32_t)(h % 500);
}

void crm_init(struct crm *c, enum which w, uint64_t seed, uint32_t count)
{
    uint32_t id = (uint32_t)(hash_two(seed, w) % 7);

    *c = (struct crm){ .which = w };
    attrs_init(&c->attrs, w);
    crm_grow(c, count + 16);
    for (uint32_t n = 0; n < count; n++) {
        id += id_step(hash_two(hash_two(seed, w + 11u), n));
        crm_append(c, id);
    }
    c->base_count = count;
}

uint32_t crm_lower_bound(const struct crm *c, uint64_t id)
{
    uint32_t low = 0, high = c->count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (c->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool crm_find(const struct crm *c, uint64_t id, uint32_t *ret_n)
{
    const uint32_t n = crm_lower_bound(c, id);

    if (n == c->count || c->ids[n] != id)
        return false;
    *ret_n = n;
    return true;
}

struct patch *crm_patch(struct crm *c, uint32_t n)
{
    if (c->patches[n] == NULL)
        c->patches[n] = xcalloc(1, sizeof(struct patch));
    return c->patches[n];
}

void patch_set(struct patch *p, const struct attr *a, struct str raw)
{
    const bool typed = raw.n > 0 && raw.p[0] == '=';

    if (typed)
        raw = (struct str){ raw.p + 1, raw.n - 1 };
    for (int i = 0; i < p->value_count; i++) {
        if (p->values[i].attr == a) {
            free(p->values[i].raw);
            p->values[i].raw = str_dup(raw);
            p->values[i].typed = typed;
            return;
        }
    }
    p->values = xrealloc(p->values, (size_t)(p->value_count + 1) * sizeof(*p->values));
    p->values[p->value_count++] = (struct patch_value){ a, str_dup(raw), typed };
}

void patch_forget(struct patch *p, const struct attr *a)
{
    for (int i = 0; i < p->value_count; i++) {
        if (p->values[i].attr != a)
            continue;
        free(p->values[i].raw);
        p->values[i] = p->values[--p->value_count];
        return;
    }
}

struct patch *patch_copy(const struct patch *p)
{
    if (p == NULL)
        return NULL;
    struct patch *copy = xmalloc(sizeof(*copy));
    *copy = *p;
    copy->values = NULL;
    if (p->value_count > 0)
        copy->values = xmalloc((size_t)p->value_count * sizeof(*copy->values));
    for (int i = 0; i < p->value_count; i++) {
        copy->values[i] = p->values[i];
        copy->values[i].raw = xstrdup(p->values[i].raw);
    }
    return copy;
}

void patch_free(struct patch *p)
{
    for (int i = 0; p != NULL && i < p->value_count; i++)
        free(p->values[i].raw);
    if (p != NULL)
        free(p->values);
    free(p);
}

void crm_flag(struct crm *c, uint32_t n, uint8_t flags)
{
    c->visible -= c->flags[n] == 0;
    c->flags[n] = flags;
    c->visible += flags == 0;
}

void crm_fini(struct crm *c)
{
    for (uint32_t n = 0; n < c->count; n++)
        patch_free(c->patches[n]);
    free(c->ids);
    free(c->flags);
    free(c->patches);
    attrs_fini(&c->attrs);
}
