#include "change.h"

#include "base/mem.h"
#include "hash.h"

static const char *const names[CHANGE_KINDS] = { "update", "create", "delete", "mix" };

int change_kind_of(struct str name)
{
    for (unsigned k = 0; k < CHANGE_KINDS; k++) {
        if (str_is(name, names[k]))
            return (int)k;
    }
    return -1;
}

/* A record people still see; false: there is none. */
static bool pick_record(const struct crm *c, uint64_t h, uint32_t *ret_n)
{
    if (c->visible == 0)
        return false;
    uint32_t n = hash_below(h, c->count);
    while (c->flags[n] != 0)
        n = (n + 1) % c->count;
    *ret_n = n;
    return true;
}

/* One to three facets, FACET_FIXED never among them. */
static unsigned pick_facets(uint64_t h)
{
    unsigned facets = 0;

    for (int i = 0; i < 1 + (int)(h % 3); i++)
        facets |= 1u << (FACET_FIXED + 1 + (h >> (8 + i * 8)) % (FACETS - 1));
    return facets;
}

static int change_one(struct store *s, int which, enum change_kind kind, int64_t now_s,
    struct change_counts *ret, struct err *err)
{
    const uint64_t h = hash_two(s->seed ^ 0xC0FFEE, s->changes++);
    const enum which w = which < 0 ? (enum which)(h % WHICHES) : (enum which)which;
    const uint32_t lot = (uint32_t)(h >> 8) % 10;
    uint32_t n;

    if (kind == CHANGE_MIX)
        kind = lot < 7 ? CHANGE_UPDATE : lot < 9 ? CHANGE_CREATE : CHANGE_DELETE;
    if (kind == CHANGE_CREATE) {
        ret->created++;
        return store_create(s, w, now_s, &n, err);
    }
    if (!pick_record(&s->crm[w], hash_mix(h), &n))
        return 0;
    if (kind == CHANGE_DELETE) {
        ret->deleted++;
        return store_flag(s, w, n, s->crm[w].flags[n] | RECORD_DELETED, err);
    }
    ret->updated++;
    return store_update(s, w, n, pick_facets(hash_mix(h + 1)), now_s, err);
}

int change_make(struct store *s, int which, enum change_kind kind, uint64_t count, int64_t now_s,
    struct change_counts *ret, struct err *err)
{
    *ret = (struct change_counts){ 0 };
    if (store_begin(s, err) < 0)
        return -1;
    for (uint64_t i = 0; i < count; i++) {
        if (change_one(s, which, kind, now_s, ret, err) < 0)
            return -1;
    }
    if (store_keep_counter(s, err) < 0)
        return -1;
    return store_commit(s, err);
}

void change_start(struct changes *c, double per_s, double seconds, uint64_t now_ms)
{
    *c =
        (struct changes){ .per_s = per_s, .begin_ms = now_ms, .end_ms = now_ms + (uint64_t)(seconds * 1000) };
}

bool change_going(const struct changes *c, uint64_t now_ms)
{
    return c->per_s > 0 &&
           (now_ms < c->end_ms || c->done < (uint64_t)(c->per_s * (double)(c->end_ms - c->begin_ms) / 1000));
}

int change_tick(struct changes *c, struct store *s, uint64_t now_ms, int64_t now_s, struct err *err)
{
    struct change_counts ignored;

    if (c->per_s <= 0)
        return 0;
    const uint64_t until_ms = now_ms < c->end_ms ? now_ms : c->end_ms;
    const uint64_t due = (uint64_t)(c->per_s * (double)(until_ms - c->begin_ms) / 1000);
    if (due > c->done && change_make(s, -1, CHANGE_MIX, due - c->done, now_s, &ignored, err) < 0)
        return -1;
    if (due > c->done)
        c->done = due;
    return 0;
}
