#include "list.h"

#include "base/json_walk.h"
#include "base/mem.h"
#include "methods/params.h"

enum test { TEST_IN, TEST_NOT, TEST_MORE, TEST_LEAST, TEST_LESS, TEST_MOST };

#define TESTS_MAX 8

struct asked {
    struct {
        enum test test;
        const json_t *value;
    } tests[TESTS_MAX];
    int count;
    bool descending;
    int64_t start;
    const json_t *select; /* NULL: all there is */
};

/* ---- the request ---- */

static bool read_condition(struct asked *a, const char *name, const json_t *value)
{
    static const struct {
        const char *prefix;
        enum test test;
    } prefixes[] = { { "ID", TEST_IN }, { "=ID", TEST_IN }, { "@ID", TEST_IN }, { "!ID", TEST_NOT },
        { "!=ID", TEST_NOT }, { "!@ID", TEST_NOT }, { ">ID", TEST_MORE }, { ">=ID", TEST_LEAST },
        { "<ID", TEST_LESS }, { "<=ID", TEST_MOST } };

    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        if (strcasecmp(name, prefixes[i].prefix) != 0 || a->count == TESTS_MAX)
            continue;
        a->tests[a->count].test = prefixes[i].test;
        a->tests[a->count++].value = value;
        return true;
    }
    return false;
}

static bool read_filter(struct asked *a, const json_t *filter)
{
    struct params_walk walk = { .of = (json_t *)filter };
    const char *name;
    json_t *value;

    while (params_next(&walk, &name, &value))
        if (!read_condition(a, name, value))
            return false;
    return params_is_array(filter);
}

static bool read_order(struct asked *a, const json_t *order)
{
    struct params_walk walk = { .of = (json_t *)order };
    const char *name;
    json_t *value;
    char room[40];

    while (params_next(&walk, &name, &value)) {
        if (strcasecmp(name, "ID") != 0)
            return false;
        a->descending = str_case_eq(params_text(value, room), STR("DESC"));
    }
    return params_is_array(order);
}

/* With a mask in it everything is given: what the records hold is what the recorder selected. */
static void read_select(struct asked *a, const json_t *select)
{
    struct params_walk walk = { .of = (json_t *)select };
    const char *name;
    json_t *value;
    char room[40];

    a->select = select;
    while (params_next(&walk, &name, &value)) {
        const struct str text = params_text(value, room);
        if (memchr(text.p, '*', text.n) != NULL)
            a->select = NULL;
    }
}

static bool read_request(struct asked *a, const json_t *params)
{
    const char *name;
    json_t *value;

    *a = (struct asked){ .start = 0 };
    json_object_foreach((json_t *)params, name, value) {
        bool good = true;
        if (strcasecmp(name, "filter") == 0)
            good = read_filter(a, value);
        else if (strcasecmp(name, "order") == 0)
            good = read_order(a, value);
        else if (strcasecmp(name, "select") == 0)
            read_select(a, value);
        else if (strcasecmp(name, "start") == 0)
            a->start = params_int(value);
        else
            good = strcasecmp(name, "auth") == 0 || strcasecmp(name, "bx24_request_id") == 0;
        if (!good)
            return false;
    }
    return true;
}

/* ---- the records ---- */

static bool is_among(const json_t *value, int64_t id)
{
    struct params_walk walk = { .of = (json_t *)value };
    const char *name;
    json_t *one;

    if (!params_is_array(value))
        return params_int(value) == id;
    while (params_next(&walk, &name, &one))
        if (params_int(one) == id)
            return true;
    return false;
}

static bool matches(const struct asked *a, int64_t id)
{
    bool good = true;

    for (int i = 0; i < a->count && good; i++) {
        const json_t *value = a->tests[i].value;
        const bool in = a->tests[i].test <= TEST_NOT && is_among(value, id);
        const int64_t bound = a->tests[i].test > TEST_NOT ? params_int(value) : 0;
        const bool results[] = { [TEST_IN] = in,
            [TEST_NOT] = !in,
            [TEST_MORE] = id > bound,
            [TEST_LEAST] = id >= bound,
            [TEST_LESS] = id < bound,
            [TEST_MOST] = id <= bound };
        good = results[a->tests[i].test];
    }
    return good;
}

static bool is_selected(const json_t *select, struct str key)
{
    struct params_walk walk = { .of = (json_t *)select };
    const char *name;
    json_t *value;
    char room[40];

    if (str_is(key, "ID"))
        return true;
    while (params_next(&walk, &name, &value))
        if (str_case_eq(params_text(value, room), key))
            return true;
    return false;
}

/* The members that were selected, each as it is written. */
static void out_some(struct str record, const json_t *select, struct buf *out)
{
    struct json_walk w;
    struct err err;
    struct str value;
    bool first = true;

    json_walk_init(&w, record);
    buf_char(out, '{');
    if (json_walk_next(&w, &err) <= 0)
        return;
    while (json_walk_next(&w, &err) > 0 && w.is_key) {
        const struct str key = w.token;
        if (json_walk_next(&w, &err) <= 0 || json_walk_value(&w, &value, &err) < 0)
            break;
        if (!is_selected(select, (struct str){ key.p + 1, key.n - 2 }))
            continue;
        if (!first)
            buf_char(out, ',');
        buf_add(out, key.p, key.n);
        buf_char(out, ':');
        buf_add(out, value.p, value.n);
        first = false;
    }
    buf_char(out, '}');
}

static void out_record(
    const struct asked *a, const struct replay_record *record, struct buf *out, struct replay_page *page)
{
    if (page->count > 0)
        buf_char(out, ',');
    if (a->select != NULL)
        out_some(record->text, a->select, out);
    else
        buf_add(out, record->text.p, record->text.n);
    page->ids_fit &= record->id <= UINT32_MAX;
    page->ids[page->count++] = (uint32_t)record->id;
}

bool replay_list(const struct replay_shelf *s, const json_t *params, struct buf *out, struct replay_page *ret)
{
    struct asked a;

    if (!read_request(&a, params))
        return false;
    *ret = (struct replay_page){ .counted = a.start >= 0, .next = -1, .ids_fit = true };
    const uint64_t skip = a.start > 0 ? (uint64_t)a.start : 0;
    buf_char(out, '[');
    for (int i = 0; i < s->count; i++) {
        const struct replay_record *record = &s->records[a.descending ? s->count - 1 - i : i];
        if (!matches(&a, (int64_t)record->id))
            continue;
        if (ret->total++ >= skip && ret->count < REPLAY_PAGE)
            out_record(&a, record, out, ret);
        if (!ret->counted && ret->count == REPLAY_PAGE)
            break;
    }
    buf_char(out, ']');
    if (ret->counted && ret->total > skip + REPLAY_PAGE)
        ret->next = (int64_t)(skip + REPLAY_PAGE);
    return true;
}
