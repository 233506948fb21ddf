#include "list.h"

#include <stdlib.h>

#include "base/mem.h"
#include "params.h"

void list_parse_order(struct list_query *q, const json_t *order, const struct crm *c)
{
    struct params_walk walk = { .of = (json_t *)order };
    const char *key;
    json_t *v;
    char room[40];

    while (q->order_count < LIST_ORDERS_MAX && params_next(&walk, &key, &v)) {
        const struct attr *a = attr_find(&c->attrs, str_of(key));
        if (a == NULL || a->flags & (ATTR_UNSEEN | ATTR_MULTIPLE))
            continue;
        q->orders[q->order_count].attr = a;
        q->orders[q->order_count++].descending = str_case_eq(params_text(v, room), STR("DESC"));
    }
}

/* Whether a select entry takes the field; masks leave out what has to be named (section 4.3). */
static bool takes(const struct list_query *q, struct str entry, const struct attr *a)
{
    if (a->flags & ATTR_UNSEEN)
        return false;
    if (str_is(entry, "*"))
        return !(a->flags & ATTR_USER) && !attr_is_multifield(a);
    if (str_case_eq(entry, STR("UF_*")))
        return a->flags & ATTR_USER && (q->whole_mask || !(a->flags & ATTR_MULTIPLE));
    return str_case_eq(entry, str_of(a->name));
}

static bool takes_unasked(const struct list_query *q, const struct attr *a)
{
    return takes(q, STR("*"), a) || (!q->standard && takes(q, STR("UF_*"), a));
}

void list_parse_select(struct list_query *q, const json_t *select, const struct crm *c, struct arena *arena)
{
    const int count = c->attrs.count;
    bool *taken = arena_get(arena, (size_t)count);
    struct params_walk walk = { .of = (json_t *)select };
    const char *key;
    json_t *v;
    char room[40];
    bool any = false;

    memset(taken, 0, (size_t)count);
    while (params_next(&walk, &key, &v)) {
        const struct str entry = params_text(v, room);
        for (int i = 0; i < count; i++)
            taken[i] |= takes(q, entry, c->attrs.list[i]);
        any = any || entry.n > 0;
    }
    q->select = arena_get(arena, (size_t)count * sizeof(*q->select));
    q->select_count = 0;
    for (int i = 0; i < count; i++) {
        const struct attr *a = c->attrs.list[i];
        if (taken[i] || (i == 0 && !q->strict) || (!any && takes_unasked(q, a)))
            q->select[q->select_count++] = a;
    }
}

/* Records inside the filter's bounds, one after another in the order of ids. */
struct walk {
    const struct list_query *q;
    const struct store *s;
    const struct crm *c;
    struct arena scratch;
    bool descending;
    uint8_t flags;   /* of the records: 0 = those that may be read */
    int64_t at, end; /* positions, of records or of candidate ids */
    int64_t step;
};

static void walk_init(struct walk *k, const struct list_query *q, const struct store *s, bool descending)
{
    const struct filter *f = &q->filter;
    int64_t first = 0, last = f->id_count;

    *k = (struct walk){ .q = q, .s = s, .c = &s->crm[q->w], .descending = descending };
    if (!f->has_ids) {
        first = crm_lower_bound(k->c, f->id_first);
        last = f->id_last == UINT64_MAX ? k->c->count : crm_lower_bound(k->c, f->id_last + 1);
    }
    if (last < first)
        last = first;
    k->at = descending ? last - 1 : first;
    k->end = descending ? first - 1 : last;
    k->step = descending ? -1 : 1;
}

static bool walk_next(struct walk *k, uint32_t *ret_n)
{
    const struct filter *f = &k->q->filter;

    while (k->at != k->end) {
        uint32_t n = (uint32_t)k->at;
        const int64_t at = k->at;
        k->at += k->step;
        if (f->has_ids &&
            (f->ids[at] < f->id_first || f->ids[at] > f->id_last || !crm_find(k->c, f->ids[at], &n)))
            continue;
        if (k->c->flags[n] != k->flags)
            continue;
        if (f->count + f->group_count > 0) {
            arena_reset(&k->scratch);
            if (!filter_match(f, k->s, k->q->w, n, &k->scratch))
                continue;
        }
        *ret_n = n;
        return true;
    }
    return false;
}

/* `shown` of them may be read; 0 where nothing is counted. */
static uint32_t total_of(const struct list_query *q, const struct store *s, int64_t shown)
{
    struct walk k;
    uint32_t n;

    if (q->start < 0 && !q->counted)
        return 0;
    if (!q->hidden_counted)
        return (uint32_t)shown;
    walk_init(&k, q, s, false);
    for (k.flags = RECORD_HIDDEN; walk_next(&k, &n);)
        shown++;
    arena_fini(&k.scratch);
    return (uint32_t)shown;
}

static void run_by_id(const struct list_query *q, const struct store *s, struct list_page *ret)
{
    struct walk k;
    uint32_t n;
    const int64_t skip = q->start > 0 ? q->start : 0;
    int64_t seen = 0;

    walk_init(&k, q, s, q->orders[0].descending);
    while (walk_next(&k, &n)) {
        if (seen++ >= skip && ret->count < LIST_PAGE)
            ret->n[ret->count++] = n;
        if (q->start < 0 && !q->counted && ret->count == LIST_PAGE)
            break;
    }
    ret->total = total_of(q, s, seen);
    arena_fini(&k.scratch);
}

static uint32_t *collect(const struct list_query *q, const struct store *s, uint32_t *ret_count)
{
    struct walk k;
    uint32_t n, count = 0, cap = 1024, *list = xmalloc(cap * sizeof(*list));

    walk_init(&k, q, s, false);
    while (walk_next(&k, &n)) {
        if (count == cap) {
            cap *= 2;
            list = xrealloc(list, cap * sizeof(*list));
        }
        list[count++] = n;
    }
    arena_fini(&k.scratch);
    *ret_count = count;
    return list;
}

struct sort_row {
    uint32_t n;
    const struct value *keys;
    const struct list_query *q;
};

static int compare_values(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind)
        return a->kind == VALUE_NULL ? -1 : b->kind == VALUE_NULL ? 1 : (int)a->kind - (int)b->kind;
    if (a->kind == VALUE_DECIMAL) {
        const long double x = strtold(a->text.p, NULL), y = strtold(b->text.p, NULL);
        return x < y ? -1 : x > y;
    }
    if (a->kind != VALUE_TEXT)
        return a->i < b->i ? -1 : a->i > b->i;
    const size_t least = a->text.n < b->text.n ? a->text.n : b->text.n;
    const int order = least > 0 ? memcmp(a->text.p, b->text.p, least) : 0;
    return order != 0 ? order : a->text.n < b->text.n ? -1 : a->text.n > b->text.n;
}

static int compare_rows(const void *left, const void *right)
{
    const struct sort_row *a = left, *b = right;

    for (int i = 0; i < a->q->order_count; i++) {
        const int order = compare_values(&a->keys[i], &b->keys[i]);
        if (order != 0)
            return a->q->orders[i].descending ? -order : order;
    }
    return a->n < b->n ? -1 : a->n > b->n;
}

static void sort_all(const struct list_query *q, const struct store *s, uint32_t *list, uint32_t count)
{
    struct arena keep = { 0 };
    struct sort_row *rows = xmalloc((count + 1) * sizeof(*rows));

    for (uint32_t i = 0; i < count; i++) {
        struct value *keys = arena_get(&keep, (size_t)q->order_count * sizeof(*keys));
        struct record r;
        record_open(&r, s, q->w, list[i], &keep);
        for (int k = 0; k < q->order_count; k++)
            record_value(&r, q->orders[k].attr, &keys[k]);
        rows[i] = (struct sort_row){ list[i], keys, q };
    }
    qsort(rows, count, sizeof(*rows), compare_rows);
    for (uint32_t i = 0; i < count; i++)
        list[i] = rows[i].n;
    free(rows);
    arena_fini(&keep);
}

/* No order was asked for: each request gets another one, so that offset pages overlap and miss rows
 * (section 4.1). */
static uint32_t order_of_the_day(uint64_t lot, uint64_t i, uint32_t count)
{
    return (uint32_t)((i + lot % count) % count);
}

void list_run(const struct list_query *q, const struct store *s, struct list_page *ret)
{
    uint32_t count;

    *ret = (struct list_page){ 0 };
    if (q->order_count > 0 && q->orders[0].attr->place == 0) {
        run_by_id(q, s, ret);
        return;
    }
    uint32_t *list = collect(q, s, &count);
    if (q->order_count > 0)
        sort_all(q, s, list, count);
    for (uint64_t i = q->start > 0 ? (uint64_t)q->start : 0; i < count && ret->count < LIST_PAGE; i++)
        ret->n[ret->count++] = q->order_count > 0 ? list[i] : list[order_of_the_day(q->lot, i, count)];
    ret->total = total_of(q, s, count);
    free(list);
}
