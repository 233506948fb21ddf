#include "record.h"

#include "data/generate.h"
#include "data/hash.h"
#include "data/calendar.h"
#include "data/wire_value.h"

/* The base was made within these: nothing generated lies in the future. */
#define BASE_FIRST_S INT64_C(1609491600) /* 2021-01-01T12:00:00+03:00 */
#define BASE_SPAN_S  (INT64_C(4) * 365 * DAY_S)

void record_open(struct record *ret, const struct store *s, enum which w, uint32_t n, struct arena *arena)
{
    const struct crm *c = &s->crm[w];

    *ret = (struct record){
        .store = s, .crm = c, .arena = arena, .patch = c->patches[n], .n = n, .id = c->ids[n]
    };
    ret->hash = hash_two(hash_two(s->seed, w + 1), n);
    for (unsigned f = 0; f < FACETS; f++) {
        const unsigned version = ret->patch ? ret->patch->version[f] : 0;
        ret->facet[f] = hash_mix(ret->hash + f * 256 + version);
    }
}

static const struct patch_value *set_by_hand(const struct record *r, const struct attr *a)
{
    for (int i = 0; r->patch != NULL && i < r->patch->value_count; i++) {
        if (r->patch->values[i].attr == a)
            return &r->patch->values[i];
    }
    return NULL;
}

/* Lists and structures are printed as they stand there, everything else by its kind. */
static void take_set(
    const struct record *r, const struct attr *a, const struct patch_value *set, struct value *ret)
{
    const struct str raw = str_of(set->raw);

    if (set->typed && raw.n == 0)
        return;
    wire_value_parse(a, raw, r->arena, ret);
    if (!set->typed || ret->kind == VALUE_LIST || ret->kind == VALUE_JSON)
        ret->raw = raw;
}

/* Of a record made through the API: its own number and times alone, unless people have edited the facet
 * since. */
static bool is_bare(const struct record *r, const struct attr *a)
{
    return r->patch != NULL && r->patch->version[FACET_FIXED] == PATCH_BARE &&
           (a->facet == FACET_FIXED || r->patch->version[a->facet] == 0) && a->make != make_id &&
           a->make != make_created && a->make != make_modified && a->make != make_moved &&
           a->make != make_activity_time;
}

/* NULL or, in a text, "": both stand for "empty" on a portal and are told apart by nobody but a database. */
static void make_empty(const struct attr *a, uint64_t h, struct value *ret)
{
    if (a->type->truth == TRUTH_TEXT && !(a->flags & ATTR_MULTIPLE) && a->dictionary == NULL &&
        (h >> 20) % 3 == 0) {
        ret->kind = VALUE_TEXT;
        ret->text = STR("");
    }
}

void record_value(const struct record *r, const struct attr *a, struct value *ret)
{
    const uint64_t h = hash_two(r->facet[a->facet], (uint64_t)a->place + 1);
    const struct patch_value *set = set_by_hand(r, a);

    *ret = (struct value){ .form = (uint32_t)(h >> 13) };
    if (set != NULL) {
        take_set(r, a, set, ret);
    } else if (is_bare(r, a)) {
        return;
    } else if (a->fill == 100 || (int)hash_below(h, 100) < a->fill) {
        a->make(r, a, hash_mix(h), ret);
    } else {
        make_empty(a, h, ret);
    }
}

int64_t record_created_s(const struct record *r)
{
    if (r->patch != NULL && r->patch->created_s != 0)
        return r->patch->created_s;
    const uint64_t step = (uint64_t)BASE_SPAN_S / (r->crm->base_count + 1);
    return BASE_FIRST_S + (int64_t)(step * r->n + r->hash % (step + 1));
}

/* Last change before anybody worked in this sandbox. */
static int64_t base_modified_s(const struct record *r)
{
    return record_created_s(r) + (int64_t)(hash_mix(r->hash) % (90 * DAY_S));
}

int64_t record_modified_s(const struct record *r)
{
    return r->patch != NULL && r->patch->modified_s != 0 ? r->patch->modified_s : base_modified_s(r);
}

int64_t record_moved_s(const struct record *r)
{
    if (r->patch != NULL && r->patch->moved_s != 0)
        return r->patch->moved_s;
    const int64_t created_s = record_created_s(r);
    return created_s + (base_modified_s(r) - created_s) / 2;
}

int64_t record_funnel(const struct store *s, uint32_t n)
{
    struct arena arena = { 0 };
    struct record r;
    struct value v;

    record_open(&r, s, DEAL, n, &arena);
    record_value(&r, attr_find(&r.crm->attrs, STR("CATEGORY_ID")), &v);
    arena_fini(&arena);
    return v.i;
}
