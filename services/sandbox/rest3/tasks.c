/* tasks.c - tasks.task.get and tasks.task.list of REST 3.0: the tasks that the classic method lists
 * (facts section 13). */
#include "rest3.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "methods/json_out.h"
#include "methods/params.h"
#include "methods/table.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MOST    1000
#define GROUPS_DEEP   16

/* ---- a task as it is told here: numbers as numbers, words instead of codes ---- */

static json_t *word(const json_t *row, const char *key, const char *const *words, int count)
{
    const int at = (int)params_int(json_object_get(row, key));

    return json_string(words[at >= 0 && at < count ? at : 0]);
}

static json_t *number(const json_t *row, const char *key)
{
    const json_t *v = json_object_get(row, key);
    const int64_t i = v != NULL && !json_is_null(v) ? params_int(v) : 0;

    return i != 0 ? json_integer(i) : json_null();
}

static json_t *person(const json_t *row, const char *key)
{
    const json_t *who = json_object_get(row, key);

    return json_pack("{s:O, s:s}", "name", json_object_get(who, "name"), "email", "mail@example.ru");
}

/* Of a constant the second is its JSON: what no task of the sandbox has otherwise. */
static const struct {
    const char *name, *classic;
    enum { WORD_PRIORITY, WORD_STATUS, NUMBER, AS_IT_IS, PERSON, CONSTANT } kind;
    bool sortable;
} fields[] = {
#define TASK_FIELD(name, classic, kind, sortable) { name, classic, kind, sortable },
#include "task_fields.def"
#undef TASK_FIELD
};

static json_t *field_of(const json_t *row, size_t f)
{
    static const char *const priorities[] = { "low", "average", "high" };
    static const char *const statuses[] = { "pending", "pending", "pending", "in_progress",
        "supposedly_completed", "completed", "deferred", "declined" };

    switch (fields[f].kind) {
    case WORD_PRIORITY:
        return word(row, fields[f].classic, priorities, ARRAY_SIZE(priorities));
    case WORD_STATUS:
        return word(row, fields[f].classic, statuses, ARRAY_SIZE(statuses));
    case NUMBER:
        return number(row, fields[f].classic);
    case PERSON:
        return person(row, fields[f].classic);
    case CONSTANT:
        return json_loads(fields[f].classic, JSON_DECODE_ANY, NULL);
    default:
        return json_incref(json_object_get(row, fields[f].classic));
    }
}

static int field_at(const char *name)
{
    for (size_t f = 0; f < ARRAY_SIZE(fields); f++) {
        if (strcmp(fields[f].name, name) == 0)
            return (int)f;
    }
    return -1;
}

/* ---- select ---- */

/* "responsible.name": what related objects do not have is refused, what the task does not have is left out.
 */
static enum rest3_error add_selected(struct rest3 *r, const json_t *row, const char *name, json_t *into)
{
    const char *dot = strchr(name, '.');
    char own[64];

    snprintf(own, sizeof(own), "%.*s", (int)(dot != NULL ? dot - name : 63), name);
    const int f = field_at(own);
    if (f < 0 || (dot != NULL && fields[f].kind != PERSON)) /* nothing, or nothing that is related */
        return dot != NULL ? rest3_wrong(r, REST3_PROPERTY, own) : REST3_OK;
    if (dot == NULL) {
        json_object_set_new(into, own, field_of(row, (size_t)f));
        return REST3_OK;
    }
    json_t *whole = field_of(row, (size_t)f);
    json_t *part = json_object_get(whole, dot + 1);
    if (part != NULL && json_object_get(into, own) == NULL)
        json_object_set_new(into, own, json_object());
    if (part != NULL)
        json_object_set(json_object_get(into, own), dot + 1, part);
    json_decref(whole);
    return part != NULL ? REST3_OK : rest3_wrong(r, REST3_RELATED, dot + 1);
}

static enum rest3_error out_task(struct rest3 *r, const json_t *row, const json_t *select, bool whole)
{
    json_t *shown = json_object(), *name;
    enum rest3_error e = REST3_OK;
    size_t i;

    for (size_t f = 0; !json_is_array(select) && f < (whole ? ARRAY_SIZE(fields) : 1); f++) {
        if (fields[f].kind != PERSON)
            json_object_set_new(shown, fields[f].name, field_of(row, f));
    }
    json_array_foreach(select, i, name) {
        if (e == REST3_OK)
            e = json_is_string(name) ? add_selected(r, row, json_string_value(name), shown) : REST3_SELECT;
    }
    json_out_value(r->call.out, shown, portal_has(r->call.portal, QUIRK_ASCII));
    json_decref(shown);
    return e;
}

/* ---- filter: of tasks by id alone ---- */

enum operator{ EQUAL, UNEQUAL, GREATER, NOT_LESS, LESS, NOT_GREATER, AMONG, BETWEEN, OPERATORS };
static const char *const operators[OPERATORS] = { "=", "!=", ">", ">=", "<", "<=", "in", "between" };

static enum rest3_error read_condition(
    struct rest3 *r, const json_t *c, enum operator* ret, const json_t **ret_value)
{
    const char *field = json_string_value(json_array_get(c, 0)),
               *sign = json_string_value(json_array_get(c, 1));
    const bool brief = json_array_size(c) == 2;

    *ret_value = json_array_get(c, brief ? 1 : 2);
    *ret = json_is_array(*ret_value) ? AMONG : EQUAL;
    if (field == NULL || json_array_size(c) < 2)
        return rest3_invalid(r, "filter", "Unable to recognize the filter parameter");
    if (field_at(field) < 0)
        return rest3_wrong(r, REST3_PROPERTY, field);
    if (strcmp(field, "id") != 0) {
        char text[128];
        snprintf(text, sizeof(text),
            "In DTO `TaskDto`, the `%.40s` field requires the `Filterable` attribute for such a request",
            field);
        return rest3_invalid(r, field, text);
    }
    if (brief)
        return REST3_OK;
    for (*ret = 0; *ret < OPERATORS && (sign == NULL || strcmp(sign, operators[*ret]) != 0);)
        ++*ret;
    if (*ret == OPERATORS)
        return rest3_wrong(r, REST3_OPERATOR, sign != NULL ? sign : "");
    if ((*ret >= AMONG) != json_is_array(*ret_value) || (*ret < AMONG && !json_is_integer(*ret_value)))
        return rest3_invalid(r, "id", "Field `id` requires data type `int` for this request");
    return REST3_OK;
}

static bool holds(enum operator o, int64_t id, const json_t *value)
{
    const int64_t v = json_integer_value(value), low = json_integer_value(json_array_get(value, 0)),
                  high = json_integer_value(json_array_get(value, 1));
    const bool simple[] = { id == v, id != v, id > v, id >= v, id < v, id <= v };
    json_t *one;
    size_t i;

    if (o == BETWEEN)
        return id >= low && id <= high;
    if (o < AMONG)
        return simple[o];
    json_array_foreach(value, i, one) {
        if (json_integer_value(one) == id)
            return true;
    }
    return false;
}

/* All of them, or one of them for a group with "logic": "or". */
static enum rest3_error matches(
    struct rest3 *r, const json_t *list, bool any, int64_t id, int depth, bool *ret)
{
    json_t *c;
    size_t i;

    *ret = !any || json_array_size(list) == 0;
    json_array_foreach(list, i, c) {
        const char *logic = json_string_value(json_object_get(c, "logic"));
        enum rest3_error e;
        bool fits = false;
        if (json_is_object(c) && depth < GROUPS_DEEP) {
            e = matches(r, json_object_get(c, "conditions"), logic != NULL && strcasecmp(logic, "or") == 0,
                id, depth + 1, &fits);
        } else {
            enum operator o;
            const json_t *value;
            e = read_condition(r, c, &o, &value);
            fits = e == REST3_OK && holds(o, id, value);
        }
        if (e != REST3_OK)
            return e;
        *ret = any ? *ret || fits : *ret && fits;
    }
    return REST3_OK;
}

/* ---- order and pages ---- */

struct page {
    int64_t offset, limit;
    int field; /* by which; the first is the id */
    bool descending;
};

static bool take_number(const json_t *from, const char *name, int64_t *ret)
{
    const json_t *v = json_object_get(from, name);

    if (v != NULL)
        *ret = json_integer_value(v);
    return v == NULL || (json_is_integer(v) && *ret >= 0);
}

static enum rest3_error read_page(struct rest3 *r, struct page *ret)
{
    const json_t *pages = json_object_get(r->call.params, "pagination");
    json_t *order = json_object_get(r->call.params, "order"), *v;
    int64_t number = 0;
    const char *key;

    *ret = (struct page){ .limit = LIMIT_DEFAULT };
    if (!take_number(pages, "limit", &ret->limit) || !take_number(pages, "offset", &ret->offset) ||
        !take_number(pages, "page", &number) || ret->limit == 0) {
        char *text = json_dumps(pages, JSON_COMPACT);
        rest3_wrong(r, REST3_PAGINATION, text != NULL ? text : "");
        free(text);
        return REST3_PAGINATION;
    }
    ret->limit = ret->limit > LIMIT_MOST ? LIMIT_MOST : ret->limit;
    if (number > 0)
        ret->offset = (number - 1) * ret->limit;
    json_object_foreach(order, key, v) {
        const char *direction = json_is_string(v) ? json_string_value(v) : "";
        ret->field = field_at(key);
        ret->descending = strcasecmp(direction, "DESC") == 0;
        if (ret->field < 0 || !fields[ret->field].sortable ||
            (!ret->descending && strcasecmp(direction, "ASC") != 0))
            return rest3_wrong(r, REST3_ORDER, key);
    }
    return REST3_OK;
}

static int compare(const void *left, const void *right, void *page)
{
    const struct page *p = page;
    json_t *a = field_of(*(json_t *const *)left, (size_t)p->field),
           *b = field_of(*(json_t *const *)right, (size_t)p->field);
    const int64_t x = json_integer_value(a), y = json_integer_value(b);
    int order = x < y ? -1 : x > y;

    if (json_is_string(a) && json_is_string(b))
        order = strcmp(json_string_value(a), json_string_value(b));
    json_decref(a);
    json_decref(b);
    return p->descending ? -order : order;
}

/* ---- the methods ---- */

enum rest3_error rest3_task_get(struct rest3 *r)
{
    const json_t *id = json_object_get(r->call.params, "id");
    char text[24];

    if (id == NULL)
        return rest3_invalid(r, "id", "Required field `id` is not specified");
    if (!json_is_integer(id))
        return rest3_invalid(r, "id", "Field `id` requires data type `int` for this request");
    const int64_t number = json_integer_value(id);
    json_t *row = number > 0 && number <= TABLE_TASKS ? table_task(&r->call, (uint32_t)number - 1) : NULL;
    if (row == NULL) {
        snprintf(text, sizeof(text), "%lld", (long long)number);
        return rest3_wrong(r, REST3_MISSING, text);
    }
    buf_str(r->call.out, "{\"item\":");
    const enum rest3_error e = out_task(r, row, json_object_get(r->call.params, "select"), true);
    buf_char(r->call.out, '}');
    json_decref(row);
    return e;
}

static enum rest3_error out_page(struct rest3 *r, json_t **rows, uint32_t count, const struct page *page)
{
    enum rest3_error e = REST3_OK;
    uint32_t shown = 0;

    buf_str(r->call.out, "{\"items\":[");
    for (int64_t i = page->offset; e == REST3_OK && i < count && shown < page->limit; i++) {
        if (shown++ > 0)
            buf_char(r->call.out, ',');
        e = out_task(r, rows[i], json_object_get(r->call.params, "select"), false);
    }
    buf_str(r->call.out, "]}");
    return e;
}

enum rest3_error rest3_task_list(struct rest3 *r)
{
    const json_t *filter = json_object_get(r->call.params, "filter");
    json_t *rows[TABLE_TASKS];
    struct page page;
    uint32_t count = 0;
    enum rest3_error e = read_page(r, &page);

    for (uint32_t n = 0; e == REST3_OK && n < TABLE_TASKS; n++) {
        bool fits = false;
        json_t *row = table_task(&r->call, n);
        if (row != NULL)
            e = matches(r, filter, false, n + 1, 0, &fits);
        if (fits)
            rows[count++] = row;
        else
            json_decref(row);
    }
    qsort_r(rows, count, sizeof(*rows), compare, &page);
    if (e == REST3_OK)
        e = out_page(r, rows, count, &page);
    for (uint32_t i = 0; i < count; i++)
        json_decref(rows[i]);
    return e;
}
