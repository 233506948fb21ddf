#include "veil.h"

#include <stdlib.h>

#include "base/mem.h"

void veils_add(struct veils *v, struct deed *d, uint64_t now_ms)
{
    if (v->lag_ms[d->which] == 0 || d->field != NULL)
        return;
    if (v->count == v->cap) {
        v->cap = v->cap * 2 + 16;
        v->list = xrealloc(v->list, v->cap * sizeof(*v->list));
    }
    v->list[v->count++] = (struct veil){ .which = d->which,
        .n = d->n,
        .until_ms = now_ms + v->lag_ms[d->which],
        .flags = d->flags,
        .patch = d->patch };
    d->patch = NULL;
}

static void drop_where(struct veils *v, int which, uint64_t now_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < v->count; i++) {
        const struct veil *one = &v->list[i];
        if ((int)one->which == which || one->until_ms <= now_ms)
            patch_free(one->patch);
        else
            v->list[kept++] = *one;
    }
    v->count = kept;
}

static void exchange(struct veil *one, struct crm *c)
{
    struct patch *patch = c->patches[one->n];
    const uint8_t flags = c->flags[one->n];

    c->patches[one->n] = one->patch;
    crm_flag(c, one->n, one->flags);
    one->patch = patch;
    one->flags = flags;
}

/* From the newest change back to the oldest that is not yet seen: that one's state before is what is left. */
void veils_draw(struct veils *v, struct crm crm[static KINDS], uint64_t now_ms)
{
    if (v->drawn)
        return;
    drop_where(v, -1, now_ms);
    for (size_t i = v->count; i-- > 0;)
        exchange(&v->list[i], &crm[v->list[i].which]);
    v->drawn = true;
}

void veils_lift(struct veils *v, struct crm crm[static KINDS])
{
    for (size_t i = 0; v->drawn && i < v->count; i++)
        exchange(&v->list[i], &crm[v->list[i].which]);
    v->drawn = false;
}

void veils_forget(struct veils *v, enum which w)
{
    drop_where(v, (int)w, 0);
}

void veils_fini(struct veils *v)
{
    for (size_t i = 0; i < v->count; i++)
        patch_free(v->list[i].patch);
    free(v->list);
    *v = (struct veils){ 0 };
}
