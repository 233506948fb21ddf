#include "filter.h"

#include <stdlib.h>

#include "base/mem.h"
#include "data/calendar.h"
#include "data/fold.h"
#include "params.h"

struct prefix {
    const char *text;
    enum filter_op op;
    bool lead_only; /* of the classic lists only crm.lead.list knows it */
    bool pattern;   /* the value has its own % signs */
};

static const struct prefix prefixes[] = {
    /* longer ones first */
    { "!=%", OP_NOT_LIKE, true, true },
    { "!%=", OP_NOT_LIKE, true, true },
    { "!%", OP_NOT_LIKE, true, false },
    { "!@", OP_NE, false, false },
    { "!=", OP_NE, false, false },
    { ">=", OP_GE, false, false },
    { "<=", OP_LE, false, false },
    { "=%", OP_LIKE, false, true },
    { "%=", OP_LIKE, false, true },
    { ">", OP_GT, false, false },
    { "<", OP_LT, false, false },
    { "=", OP_EQ, false, false },
    { "@", OP_EQ, false, false },
    { "%", OP_LIKE, false, false },
    { "!", OP_NE, false, false },
    { "", OP_EQ, false, false },
};

static const struct prefix *prefix_of(const char *key)
{
    for (size_t i = 0;; i++) {
        if (strncmp(key, prefixes[i].text, strlen(prefixes[i].text)) == 0)
            return &prefixes[i];
    }
}

static void parse_operand(struct operand *ret, const json_t *v, bool like, struct arena *arena)
{
    char room[40];
    const struct str text = params_text(v, room);

    *ret = (struct operand){ .empty = text.n == 0 };
    ret->text =
        like ? fold(arena_join(arena, "%", arena_copy(arena, text).p, "%"), arena) : fold(text, arena);
    ret->number = strtold(ret->text.p, NULL);
    ret->time_ok = calendar_parse(text, &ret->unix_s, &ret->days);
}

static int parse_operands(struct condition *c, json_t *v, bool like, struct arena *arena)
{
    struct params_walk walk = { .of = v };
    const char *key;
    json_t *item;
    const size_t room = json_is_object(v) ? json_object_size(v) : json_is_array(v) ? json_array_size(v) : 1;

    c->operands = arena_get(arena, (room + 1) * sizeof(*c->operands));
    if (!params_is_array(v))
        parse_operand(&c->operands[c->count++], v, like, arena);
    while (params_next(&walk, &key, &item)) {
        if (!params_is_array(item))
            parse_operand(&c->operands[c->count++], item, like, arena);
    }
    return c->count;
}

static uint64_t id_of(const struct operand *o)
{
    const long long i = strtoll(o->text.p, NULL, 10); /* garbage is 0: intval() */

    return i < 0 ? 0 : (uint64_t)i;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static bool has_id(const struct filter *f, uint32_t id)
{
    return bsearch(&id, f->ids, (size_t)f->id_count, sizeof(id), by_number) != NULL;
}

/* ID = or @: candidates; a second such condition leaves those that are in both. */
static void take_ids(struct filter *f, const struct condition *c, struct arena *arena)
{
    uint32_t *ids = arena_get(arena, (size_t)(c->count + 1) * sizeof(*ids));
    int count = 0;

    for (int i = 0; i < c->count; i++) {
        const uint64_t id = id_of(&c->operands[i]);
        if (id <= UINT32_MAX && (!f->has_ids || has_id(f, (uint32_t)id)))
            ids[count++] = (uint32_t)id;
    }
    qsort(ids, (size_t)count, sizeof(*ids), by_number);
    f->id_count = 0;
    for (int i = 0; i < count; i++) {
        if (i == 0 || ids[i] != ids[i - 1])
            ids[f->id_count++] = ids[i];
    }
    f->ids = ids;
    f->has_ids = true;
}

/* Conditions on ID become bounds and candidates; the others stay conditions. */
static bool take_id_condition(struct filter *f, const struct condition *c, struct arena *arena)
{
    const uint64_t id = id_of(&c->operands[0]);

    switch (c->op) {
    case OP_EQ:
        take_ids(f, c, arena);
        return true;
    case OP_GT:
    case OP_GE:
        if (id + (c->op == OP_GT) > f->id_first)
            f->id_first = id + (c->op == OP_GT);
        return true;
    case OP_LT:
    case OP_LE:
        if (c->op == OP_LT && id == 0)
            f->id_first = UINT64_MAX; /* below 0: none */
        else if (id - (c->op == OP_LT) < f->id_last)
            f->id_last = id - (c->op == OP_LT);
        return true;
    default:
        return false;
    }
}

size_t filter_prefix(const char *key)
{
    return strlen(prefix_of(key)->text);
}

/* "LIKE does not work" for dictionaries and links, and multifields are found by exact value alone. */
static bool op_works(const struct prefix *p, const struct attr *a, enum which w)
{
    if (p->lead_only && w != LEAD)
        return false;
    if (p->op == OP_LIKE || p->op == OP_NOT_LIKE)
        return a->dictionary == NULL && !a->type->link && !attr_is_multifield(a);
    return p->op == OP_EQ || p->op == OP_NE || !attr_is_multifield(a);
}

/* false: nothing the portal takes notice of. */
static bool parse_condition(
    struct condition *ret, const char *key, json_t *v, const struct crm *c, bool item, struct arena *arena)
{
    const struct prefix *p = prefix_of(key);

    *ret = (struct condition){ .op = p->op, .attr = attr_find(&c->attrs, str_of(key + strlen(p->text))) };
    if (ret->attr == NULL || (!item && ret->attr->flags & ATTR_UNSEEN) ||
        (!item && !op_works(p, ret->attr, c->which)))
        return false;
    if (ret->attr->flags & ATTR_UNSEEN &&
        !(ret->attr->flags & ATTR_ITEM)) /* contactIds: the one that a record knows */
        ret->attr = attr_find(&c->attrs, c->which == CONTACT ? STR("COMPANY_ID") : STR("CONTACT_ID"));
    const bool like = (p->op == OP_LIKE || p->op == OP_NOT_LIKE) && !p->pattern;
    return ret->attr != NULL && parse_operands(ret, v, like, arena) > 0;
}

static struct filter parse_room(const json_t *filter, struct arena *arena)
{
    const size_t room = json_is_object(filter) ? json_object_size(filter) : 0;

    return (struct filter){ .id_last = UINT64_MAX,
        .conditions = arena_get(arena, (room + 1) * sizeof(struct condition)),
        .groups = arena_get(arena, (room + 1) * sizeof(struct filter_group)) };
}

void filter_parse(struct filter *ret, const json_t *filter, const struct crm *c, struct arena *arena)
{
    struct params_walk walk = { .of = (json_t *)filter };
    struct condition one;
    const char *key;
    json_t *v;

    *ret = parse_room(filter, arena);
    while (json_is_object(filter) && params_next(&walk, &key, &v)) {
        if (!parse_condition(&one, key, v, c, false, arena) ||
            (one.attr->place == 0 && take_id_condition(ret, &one, arena)))
            continue;
        ret->conditions[ret->count++] = one;
    }
}

static bool is_or(const json_t *group)
{
    const json_t *logic = params_get(group, "logic");
    char room[40];

    return logic != NULL && str_case_eq(params_text(logic, room), STR("OR"));
}

static bool is_group(const char *key, const json_t *v)
{
    return params_is_array(v) && key[0] >= '0' && key[0] <= '9';
}

static void parse_group(
    struct filter_group *ret, const json_t *group, const struct crm *c, int depth, struct arena *arena)
{
    const struct filter room = parse_room(group, arena);
    struct params_walk walk = { .of = (json_t *)group };
    const char *key;
    json_t *v;

    *ret = (struct filter_group){ .any = is_or(group), .conditions = room.conditions, .groups = room.groups };
    while (depth < 32 && json_is_object(group) && params_next(&walk, &key, &v)) {
        if (is_group(key, v))
            parse_group(&ret->groups[ret->group_count++], v, c, depth + 1, arena);
        else
            ret->count += parse_condition(&ret->conditions[ret->count], key, v, c, true, arena);
    }
}

void filter_parse_item(struct filter *ret, const json_t *filter, const struct crm *c, struct arena *arena)
{
    struct params_walk walk = { .of = (json_t *)filter };
    struct condition one;
    const char *key;
    json_t *v;

    *ret = parse_room(filter, arena);
    if (is_or(filter)) {
        parse_group(&ret->groups[ret->group_count++], filter, c, 0, arena);
        return;
    }
    while (json_is_object(filter) && params_next(&walk, &key, &v)) {
        if (is_group(key, v))
            parse_group(&ret->groups[ret->group_count++], v, c, 0, arena);
        else if (parse_condition(&one, key, v, c, true, arena) &&
                 !(one.attr->place == 0 && take_id_condition(ret, &one, arena)))
            ret->conditions[ret->count++] = one;
    }
}

static bool is_empty(const struct value *v)
{
    return v->kind == VALUE_NULL || (v->kind == VALUE_TEXT && v->text.n == 0);
}

/* -1, 0, 1, or 2: not comparable. */
static int order_of(long double a, long double b)
{
    return a < b ? -1 : a > b;
}

static int compare_text(struct str value, const struct operand *o, struct arena *scratch)
{
    const struct str folded = fold(value, scratch);
    const size_t n = folded.n < o->text.n ? folded.n : o->text.n;
    const int order = n > 0 ? memcmp(folded.p, o->text.p, n) : 0;

    if (order != 0)
        return order < 0 ? -1 : 1;
    return order_of((long double)folded.n, (long double)o->text.n);
}

static int compare(const struct value *v, const struct operand *o, struct arena *scratch)
{
    switch (v->kind) {
    case VALUE_INT:
        return order_of((long double)v->i, o->number);
    case VALUE_FILE:
        return order_of((long double)v->i, o->number);
    case VALUE_DECIMAL:
        return order_of(strtold(arena_copy(scratch, v->text).p, NULL), o->number);
    case VALUE_BOOL:
        return order_of((long double)v->i, str_is(o->text, "y") || str_is(o->text, "1"));
    case VALUE_DATE:
        return o->time_ok ? order_of((long double)v->i, (long double)o->days) : 2;
    case VALUE_TIME:
        return o->time_ok ? order_of((long double)v->i, (long double)o->unix_s) : 2;
    case VALUE_MONEY:
        return compare_text(
            arena_fmt(scratch, STR_FMT "|" STR_FMT, STR_ARG(v->text), STR_ARG(v->extra)), o, scratch);
    default:
        return compare_text(v->text, o, scratch);
    }
}

static bool holds(enum filter_op op, const struct value *v, const struct operand *o, struct arena *scratch)
{
    if (op == OP_LIKE)
        return fold_like(fold(v->text, scratch), o->text);
    const int order = compare(v, o, scratch);
    switch (op) {
    case OP_EQ:
        return order == 0;
    case OP_GT:
        return order == 1;
    case OP_GE:
        return order == 1 || order == 0;
    case OP_LT:
        return order == -1;
    default:
        return order == -1 || order == 0;
    }
}

/* An element of a list that was written is JSON: its number, its text, the value of a row of multifields. */
static struct value comparable(const struct value *v, struct arena *scratch)
{
    struct value ret = *v;

    if (v->kind != VALUE_JSON)
        return ret;
    json_t *j = json_loadb(v->raw.p, v->raw.n, JSON_DECODE_ANY, NULL);
    const json_t *scalar = json_is_object(j) ? json_object_get(j, "VALUE") : j;
    ret = (struct value){ .kind = json_is_number(scalar) ? VALUE_DECIMAL : VALUE_TEXT };
    if (json_is_number(scalar))
        ret.text = v->raw;
    else if (json_is_string(scalar))
        ret.text = arena_copy(scratch, (struct str){ json_string_value(scalar), json_string_length(scalar) });
    json_decref(j);
    return ret;
}

/* Any element of a multiple value against any of the operands. */
static bool any_holds(
    enum filter_op op, const struct value *v, const struct condition *c, struct arena *scratch)
{
    const struct value *items = v->kind == VALUE_LIST ? v->items : v;
    const int count = v->kind == VALUE_LIST ? v->count : 1;

    for (int i = 0; i < c->count; i++) {
        if (op == OP_EQ && c->operands[i].empty) {
            if (is_empty(v))
                return true;
            continue;
        }
        for (int k = 0; !is_empty(v) && k < count; k++) {
            const struct value item = comparable(&items[k], scratch);
            if (holds(op, &item, &c->operands[i], scratch))
                return true;
        }
    }
    return false;
}

static bool condition_holds(const struct condition *c, const struct record *r, struct arena *scratch)
{
    const bool negated = c->op == OP_NE || c->op == OP_NOT_LIKE;
    const enum filter_op op = c->op == OP_NE ? OP_EQ : c->op == OP_NOT_LIKE ? OP_LIKE : c->op;
    struct value v;

    record_value(r, c->attr, &v);
    return any_holds(op, &v, c, scratch) != negated;
}

/* Of an empty group nothing is asked. */
static bool group_holds(const struct filter_group *g, const struct record *r, struct arena *scratch)
{
    for (int i = 0; i < g->count; i++) {
        if (condition_holds(&g->conditions[i], r, scratch) == g->any)
            return g->any;
    }
    for (int i = 0; i < g->group_count; i++) {
        if (group_holds(&g->groups[i], r, scratch) == g->any)
            return g->any;
    }
    return !g->any || g->count + g->group_count == 0;
}

bool filter_match(
    const struct filter *f, const struct store *s, enum which w, uint32_t n, struct arena *scratch)
{
    struct record r;

    if (f->count + f->group_count == 0)
        return true;
    record_open(&r, s, w, n, scratch);
    for (int i = 0; i < f->count; i++) {
        if (!condition_holds(&f->conditions[i], &r, scratch))
            return false;
    }
    for (int i = 0; i < f->group_count; i++) {
        if (!group_holds(&f->groups[i], &r, scratch))
            return false;
    }
    return true;
}
