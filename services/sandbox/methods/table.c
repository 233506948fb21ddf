#include "table_match.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/calendar.h"
#include "data/hash.h"
#include "data/record.h"
#include "json_out.h"
#include "params.h"

uint64_t table_chance(const struct call *c, uint64_t kind, uint32_t n)
{
    return hash_two(hash_two(c->portal->options.store.seed ^ 0x7461626c65, kind), n);
}

void table_text(json_t *row, const char *key, const char *format, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    json_object_set_new(row, key, json_string(text));
}

void table_time(json_t *row, const char *key, int64_t unix_s)
{
    char text[CALENDAR_ISO + 1];

    calendar_iso(unix_s, text);
    text[CALENDAR_ISO] = '\0';
    json_object_set_new(row, key, json_string(text));
}

void table_nothing(json_t *row, const char *key)
{
    json_object_set_new(row, key, json_null());
}

bool table_there(const struct call *c, enum which w, uint32_t n)
{
    return n < c->portal->store.crm[w].count && c->portal->store.crm[w].flags[n] == 0;
}

char *table_text_of(const struct record *r, const char *name)
{
    const struct attr *a = attr_find(&r->crm->attrs, str_of(name));
    struct value v = { 0 };

    if (a != NULL)
        record_value(r, a, &v);
    if (v.kind == VALUE_INT)
        return str_dup(arena_int(r->arena, v.i));
    return str_dup(v.kind == VALUE_TEXT ? v.text : STR(""));
}

const char *table_type_name(const struct call *c)
{
    static const struct {
        int id;
        const char *name;
    } types[] = { { 1, "LEAD" }, { 2, "DEAL" }, { 3, "CONTACT" }, { 4, "COMPANY" }, { 5, "INVOICE" },
        { 7, "QUOTE" }, { 8, "REQUISITE" }, { 14, "ORDER" }, { 15, "SHIPMENT_DOCUMENT" },
        { 31, "SMART_INVOICE" } };
    const json_t *type = params_get(c->params, "entityTypeId");

    for (size_t i = 0; type != NULL && i < ARRAY_SIZE(types); i++)
        if (params_int(type) == types[i].id)
            return types[i].name;
    return NULL;
}

/* ---- one request ---- */

struct ask {
    struct call *call;
    const struct table *table;
    const json_t *filter, *more, *select;
    const char *orders[8];
    bool descending[8];
    int order_count;
    char room[8][128];
    int64_t start;
};

/* A list of values is well, a list in it is none. */
static bool is_value(const json_t *v)
{
    struct params_walk walk = { .of = (json_t *)v };
    const char *key;
    json_t *one;

    while (params_next(&walk, &key, &one))
        if (params_is_array(one))
            return false;
    return true;
}

static enum api_error check_filter(struct ask *a, const json_t *sample, const json_t *filter)
{
    struct params_walk walk = { .of = (json_t *)filter };
    enum api_error e = API_OK;
    const char *key;
    json_t *v;
    char room[128];

    while (e == API_OK && sample != NULL && params_next(&walk, &key, &v)) {
        const char *name = key + table_prefix_of(key);
        if (table_is_group(key, v))
            e = check_filter(a, sample, v);
        else if (strcasecmp(key, "logic") == 0)
            continue;
        else if (table_member_of(a->table, sample, name, room, sizeof(room)) == NULL)
            e = call_refuse(
                a->call, API_INVALID_ARG, "Invalid filter: field '%.100s' is not allowed in filter", name);
        else if (!is_value(v))
            e = call_refuse(
                a->call, API_INVALID_ARG, "Invalid filter: field '%.100s' has invalid value", name);
    }
    return e;
}

static enum api_error check_order(
    struct call *c, const char *name, const char *member, const json_t *direction)
{
    char room[40];
    const struct str text = params_is_array(direction) ? STR("Array") : params_text(direction, room);

    if (member == NULL)
        return call_refuse(c, API_INVALID_ARG, "Invalid order: field '%.100s' is not allowed in order", name);
    if (str_case_eq(text, STR("ASC")) || str_case_eq(text, STR("DESC")))
        return API_OK;
    return call_refuse(c, API_INVALID_ARG,
        "Invalid order: allowed sort directions are ASC, DESC. But got '%.*s' for field '%.100s'",
        (int)(text.n < 40 ? text.n : 40), text.p, name);
}

static enum api_error add_order(
    struct ask *a, const json_t *sample, const char *name, const json_t *direction)
{
    char room[40];
    const char *member = table_member_of(a->table, sample, name, a->room[a->order_count], sizeof(a->room[0]));

    const enum api_error e =
        a->table->flags & TABLE_LOUD ? check_order(a->call, name, member, direction) : API_OK;

    if (e != API_OK || member == NULL)
        return e != API_OK ? e : a->table->bad_order;
    snprintf(a->room[a->order_count], sizeof(a->room[0]), "%s", member);
    a->orders[a->order_count] = a->room[a->order_count];
    a->descending[a->order_count++] =
        direction != NULL && str_case_eq(params_text(direction, room), STR("DESC"));
    return API_OK;
}

static enum api_error read_order(struct ask *a, const json_t *sample)
{
    const json_t *order = params_get(a->call->params, "order"),
                 *sort = json_object_get(a->call->params, "sort");
    struct params_walk walk = { .of = (json_t *)order };
    enum api_error e = API_OK;
    const char *key;
    json_t *v;
    char room[40];

    if (sample == NULL || a->table->flags & TABLE_NO_ORDER)
        return API_OK;
    if (sort ==
        NULL) /* of departments `SORT` is a field, and the word in small letters is how they are sorted */
        sort = params_get(a->call->params, "sort");
    if (a->table->flags & TABLE_FLAT_ORDER) {
        if (sort == NULL || params_is_array(sort) || params_is_array(order))
            return API_OK;
        char name[64];
        snprintf(name, sizeof(name), STR_FMT, STR_ARG(params_text(sort, room)));
        return add_order(a, sample, name, order);
    }
    while (e == API_OK && a->order_count < 8 && params_next(&walk, &key, &v))
        e = add_order(a, sample, key, v);
    if (a->order_count == 0 && a->table->default_order != NULL)
        e = add_order(a, sample, a->table->default_order, NULL);
    return e;
}

static int compare_rows(const void *left, const void *right, void *ask)
{
    const struct ask *sorting = ask;
    const json_t *a = *(json_t *const *)left, *b = *(json_t *const *)right;
    struct table_side x, y;

    for (int i = 0; i < sorting->order_count; i++) {
        table_read_side(&x, json_object_get(a, sorting->orders[i]));
        table_read_side(&y, json_object_get(b, sorting->orders[i]));
        const int order = table_order_of(&x, &y);
        if (order != 0)
            return sorting->descending[i] ? -order : order;
    }
    table_read_side(&x, json_object_get(a, sorting->table->id));
    table_read_side(&y, json_object_get(b, sorting->table->id));
    return table_order_of(&x, &y);
}

/* Once for each of the alternatives it fits: a row may come several times. */
static uint32_t take(const struct ask *a, json_t *row, json_t **rows)
{
    struct params_walk walk = { .of = (json_t *)a->more };
    uint32_t count = 0;
    const char *key;
    json_t *one;

    if (row == NULL || !table_matches(a->table, row, a->filter))
        return 0;
    if (a->more == NULL)
        rows[count++] = json_incref(row);
    while (params_next(&walk, &key, &one)) {
        if (table_matches(a->table, row, one))
            rows[count++] = json_incref(row);
    }
    return count;
}

static json_t **collect(const struct ask *a, uint32_t *ret_count)
{
    const uint32_t count = a->table->count(a->call);
    const size_t times = json_is_array(a->more)    ? json_array_size(a->more)
                         : json_is_object(a->more) ? json_object_size(a->more)
                                                   : 1;
    json_t **rows = xmalloc((count * times + 1) * sizeof(json_t *));

    *ret_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        json_t *row = a->table->row(a->call, a->table->flags & TABLE_DESCENDING ? count - 1 - i : i);
        *ret_count += take(a, row, rows + *ret_count);
        json_decref(row);
    }
    if (a->order_count > 0)
        qsort_r(rows, *ret_count, sizeof(*rows), compare_rows, (void *)a);
    return rows;
}

static bool is_chosen(const json_t *select, const char *name)
{
    struct params_walk walk = { .of = (json_t *)select };
    bool any = false;
    const char *key;
    char room[40], as_camel[128], text[128];
    json_t *v;

    while (params_next(&walk, &key, &v)) {
        snprintf(text, sizeof(text), STR_FMT, STR_ARG(params_text(v, room)));
        table_camel(text, as_camel, sizeof(as_camel));
        if (strcmp(text, "*") == 0 || strcasecmp(text, name) == 0 || strcmp(as_camel, name) == 0 ||
            (strcasecmp(text, "UF_*") == 0 && strncmp(name, "UF_", 3) == 0))
            return true;
        any = true;
    }
    return !any;
}

static void out_row(const struct ask *a, const json_t *row)
{
    const bool always = !(a->table->flags & TABLE_STRICT_SELECT);
    json_t *shown = json_object(), *v;
    const char *key;

    json_object_foreach((json_t *)row, key, v) {
        if (a->table->untold != NULL && a->table->untold(row, key))
            continue;
        if (is_chosen(a->select, key) || (always && strcmp(key, a->table->id) == 0))
            json_object_set(shown, key, v);
    }
    json_out_value(a->call->out, shown, portal_has(a->call->portal, QUIRK_ASCII));
    json_decref(shown);
}

static void out_rows(const struct ask *a, json_t **rows, uint32_t count)
{
    struct call *c = a->call;
    const bool whole = a->table->flags & TABLE_WHOLE;
    const uint32_t from = whole || a->start < 0 ? 0 : (uint32_t)a->start;
    uint32_t shown = 0;

    if (a->table->wrapper != NULL)
        buf_fmt(c->out, "{\"%s\":", a->table->wrapper);
    buf_char(c->out, '[');
    for (uint32_t i = from; i < count && (whole || shown < LIST_PAGE); i++, shown++) {
        if (shown > 0)
            buf_char(c->out, ',');
        out_row(a, rows[i]);
    }
    buf_str(c->out, a->table->wrapper != NULL ? "]}" : "]");
    c->listed = whole || a->start >= 0 || !portal_has(c->portal, QUIRK_TOTAL_ABSENT);
    const bool uncounted = a->start < 0 && !whole && !portal_has(c->portal, QUIRK_TOTAL_TRUE);
    c->total = a->table->flags & TABLE_TOTAL_ZERO   ? 0
               : a->table->flags & TABLE_TOTAL_PAGE ? (a->start < 0 ? count : shown)
               : uncounted                          ? 0
                                                    : count;
    if (!whole && a->start >= 0 && from + shown < count && shown > 0)
        c->next = from + shown;
    c->cost_s = COST_CALL_S + COST_ROW_S * shown;
}

enum api_error table_run(struct call *c, const struct table *t, const json_t *more)
{
    const json_t *filter = params_get(c->params, "filter"), *start = params_get(c->params, "start"),
                 *order = params_get(c->params, "order");
    struct ask a = { .call = c,
        .table = t,
        .more = more,
        .select = t->flags & TABLE_NO_SELECT ? NULL : params_get(c->params, "select") };
    json_t *sample = NULL, *flat;
    uint32_t count;

    if (filter != NULL && !params_is_array(filter) && !(t->flags & TABLE_FLAT_FILTER))
        return t->no_list != API_OK && t->no_list != API_ORDER_TYPE ? t->no_list : API_FILTER_TYPE;
    if (order != NULL && !params_is_array(order) && t->no_list != API_OK)
        return t->no_list;
    flat = t->flags & TABLE_FLAT_FILTER ? json_copy((json_t *)c->params) : NULL;
    json_object_del(flat, "sort");
    a.filter = params_is_array(filter) ? filter : flat;
    a.start = start != NULL ? params_int(start) : 0;
    a.start = a.start < 0 ? -1 : a.start > UINT32_MAX ? UINT32_MAX : a.start;
    for (uint32_t n = 0; sample == NULL && n < t->count(c); n++)
        sample = t->row(c, n);
    enum api_error e = t->flags & TABLE_LOUD ? check_filter(&a, sample, a.filter) : API_OK;
    if (e == API_OK)
        e = read_order(&a, sample);
    json_decref(sample);
    if (e == API_OK) {
        json_t **rows = collect(&a, &count);
        out_rows(&a, rows, count);
        for (uint32_t i = 0; i < count; i++)
            json_decref(rows[i]);
        free(rows);
    }
    json_decref(flat);
    return e;
}
