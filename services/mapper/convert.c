#include "convert.h"

#include "base/mem.h"
#include "decimal.h"
#include "instant.h"
#include "json_string.h"

#include <assert.h>

/* Types whose rule does not follow from the column kind alone. */
static const struct {
    const char *type;
    enum rule one, many;
} TYPE_RULES[] = {
    { "money", RULE_MONEY, RULE_LIST },
    { "file", RULE_FILE, RULE_LIST_FILE },
    { "crm_multifield", RULE_LIST, RULE_LIST },
    { "resourcebooking", RULE_LIST, RULE_LIST },
    { "date", RULE_DATE, RULE_LIST_DATE },
    { "datetime", RULE_TIME, RULE_LIST_TIME },
    { "integer", RULE_INT, RULE_LIST },
    { "crm_category", RULE_INT, RULE_LIST },
};

static const enum rule KIND_RULES[COL_KINDS] = {
    [COL_TEXT] = RULE_TEXT,
    [COL_INT] = RULE_LINK, /* every other integer is the id of something */
    [COL_DECIMAL] = RULE_DECIMAL,
    [COL_BOOL] = RULE_BOOL,
    [COL_DATE] = RULE_DATE,
    [COL_TIME] = RULE_TIME,
    [COL_JSON] = RULE_JSON,
};

enum rule rule_of(struct str type, bool multiple)
{
    for (size_t i = 0; i < ARRAY_SIZE(TYPE_RULES); i++) {
        if (str_is(type, TYPE_RULES[i].type))
            return multiple ? TYPE_RULES[i].many : TYPE_RULES[i].one;
    }
    return multiple ? RULE_LIST : KIND_RULES[col_kind_of(type, false)];
}

enum rule rule_of_field(const struct field *f)
{
    enum rule rule = rule_of(f->type, f->multiple);
    bool user = f->name.n > 3 && memcmp(f->name.p, "UF_", 3) == 0;

    return rule == RULE_TEXT && user ? RULE_TEXT_USER : rule;
}

void convert_init(struct convert *c, size_t max_bytes)
{
    buf_init(&c->scratch, max_bytes);
}

void convert_fini(struct convert *c)
{
    buf_fini(&c->scratch);
}

void convert_clear(struct convert *c)
{
    buf_clear(&c->scratch);
}

struct str value_text(const struct convert *c, const struct value *v)
{
    return v->made && v->s.n > 0 ? (struct str){ c->scratch.p + v->at, v->s.n } : v->s;
}

static void set_view(struct value *ret, struct str s)
{
    *ret = (struct value){ .type = VALUE_TEXT, .s = s };
}

static void set_made(struct convert *c, struct value *ret, const char *p, size_t n)
{
    *ret = (struct value){ .type = VALUE_TEXT, .made = true, .at = c->scratch.n, .s = { NULL, n } };
    buf_add(&c->scratch, p, n);
}

static const char *set_json(struct convert *c, struct wire *w, wire_on_string *on_string, struct value *ret)
{
    size_t at = c->scratch.n;

    wire_json_back(w, on_string, &c->scratch);
    *ret = (struct value){ .type = VALUE_TEXT, .made = true, .at = at, .s = { NULL, c->scratch.n - at } };
    return NULL;
}

/* Numbers and strings of one look: "410", 410, 999.90. False: the cursor is untouched, it is something else.
 */
struct token {
    struct str s;
    char room[24];
};

static void integer_print(struct token *t, uint64_t magnitude, bool negative)
{
    char *end = t->room + sizeof(t->room), *p = end;

    do
        *--p = (char)('0' + magnitude % 10);
    while ((magnitude /= 10) > 0);
    if (negative)
        *--p = '-';
    t->s = (struct str){ p, (size_t)(end - p) };
}

static bool token_read(struct wire *w, struct token *ret)
{
    int64_t i;

    switch (wire_peek(w)) {
    case WIRE_STR:
        ret->s = wire_str(w);
        return true;
    case WIRE_NUM:
        ret->s = wire_number(w);
        return true;
    case WIRE_INT:
        i = wire_i64(w);
        integer_print(ret, i < 0 ? 0 - (uint64_t)i : (uint64_t)i, i < 0);
        return true;
    case WIRE_UINT:
        integer_print(ret, wire_u64(w), false);
        return true;
    default:
        return false;
    }
}

/* null, false, [] and {}: what the portal sends for "nothing" in fields of every type. */
static bool nothing_read(struct wire *w)
{
    struct wire at = *w;
    bool nothing;

    switch (wire_peek(w)) {
    case WIRE_NIL:
        wire_nil(w);
        return true;
    case WIRE_BOOL:
        nothing = !wire_bool(&at);
        break;
    case WIRE_ARRAY:
        nothing = wire_array(&at) == 0;
        break;
    case WIRE_MAP:
        nothing = wire_map(&at) == 0;
        break;
    default:
        return false;
    }
    if (nothing)
        *w = at;
    return nothing;
}

static const char *text_value(struct convert *c, struct wire *w, struct value *ret)
{
    struct token t;

    if (wire_peek(w) == WIRE_STR) {
        set_view(ret, wire_str(w));
        return NULL;
    }
    if (nothing_read(w))
        return NULL;
    if (!token_read(w, &t))
        return set_json(c, w, buf_json, ret); /* true, an object, an array */
    set_made(c, ret, t.s.p, t.s.n);
    return NULL;
}

static const char *user_text_value(struct convert *c, struct wire *w, struct value *ret)
{
    const char *reason = text_value(c, w, ret);

    if (ret->type == VALUE_TEXT && ret->s.n == 0)
        *ret = (struct value){ .type = VALUE_NULL };
    return reason;
}

/* What the remaining rules share: nothing and "" are NULL, structures do not fit. 1 = a token, 0 = no value.
 */
static int scalar_read(struct wire *w, struct token *ret, const char **ret_reason)
{
    *ret_reason = NULL;
    if (token_read(w, ret))
        return ret->s.n > 0;
    if (nothing_read(w))
        return 0;
    wire_skip(w);
    *ret_reason = "neither a number nor text";
    return 0;
}

static const char *int_value(struct convert *c, struct wire *w, struct value *ret)
{
    char canon[DECIMAL_SIZE];
    const char *reason;
    struct token t;
    int64_t i;

    if (scalar_read(w, &t, &reason) == 0)
        return reason;
    if (!str_i64(t.s, &i)) {
        int n = decimal_canon(t.s, canon);

        if (n == DECIMAL_NOT_A_NUMBER)
            return "not a number";
        if (n > 0 && strchr(canon, '.') != NULL)
            return "not a whole number";
        if (n < 0 || !str_i64((struct str){ canon, (size_t)n }, &i))
            return "beyond 64 bits";
    }
    *ret = (struct value){ .type = VALUE_INT, .i = i };
    return NULL;
}

static const char *link_value(struct convert *c, struct wire *w, struct value *ret)
{
    const char *reason = int_value(c, w, ret);

    if (ret->type == VALUE_INT && ret->i == 0)
        *ret = (struct value){ .type = VALUE_NULL };
    return reason;
}

static const char *decimal_set(struct convert *c, struct str s, struct value *ret)
{
    char canon[DECIMAL_SIZE];
    int n = decimal_canon(s, canon);

    if (n == DECIMAL_NOT_A_NUMBER)
        return "not a number";
    if (n == DECIMAL_TOO_LONG)
        return "more than 1000 digits";
    set_made(c, ret, canon, (size_t)n);
    return NULL;
}

static const char *decimal_value(struct convert *c, struct wire *w, struct value *ret)
{
    const char *reason;
    struct token t;

    if (scalar_read(w, &t, &reason) == 0)
        return reason;
    return decimal_set(c, t.s, ret);
}

static const char *money_value(
    struct convert *c, struct wire *w, struct value *ret, struct value *ret_currency)
{
    bool view = wire_peek(w) == WIRE_STR;
    const char *reason, *bar;
    struct token t;

    if (scalar_read(w, &t, &reason) == 0)
        return reason;
    bar = view ? memchr(t.s.p, '|', t.s.n) : NULL;
    if (bar != NULL) {
        struct str currency = { bar + 1, (size_t)(t.s.p + t.s.n - bar) - 1 };

        t.s.n = (size_t)(bar - t.s.p);
        if (currency.n > 0)
            set_view(ret_currency, currency);
    }
    return t.s.n == 0 ? NULL : decimal_set(c, t.s, ret);
}

static const char *bool_value(struct convert *c, struct wire *w, struct value *ret)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = { { "Y", true }, { "N", false }, { "1", true }, { "0", false }, { "true", true },
        { "false", false } };
    const char *reason;
    struct token t;

    if (wire_peek(w) == WIRE_BOOL) {
        *ret = (struct value){ .type = VALUE_BOOL, .i = wire_bool(w) };
        return NULL;
    }
    if (scalar_read(w, &t, &reason) == 0)
        return reason;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (str_case_eq(t.s, str_of(words[i].word))) {
            *ret = (struct value){ .type = VALUE_BOOL, .i = words[i].value };
            return NULL;
        }
    }
    return "neither yes nor no";
}

static const char *date_value(struct convert *c, struct wire *w, struct value *ret)
{
    bool view = wire_peek(w) == WIRE_STR;
    const char *reason;
    struct token t;

    if (scalar_read(w, &t, &reason) == 0)
        return reason;
    if (!view || !date_is(t.s))
        return "not a date";
    set_view(ret, (struct str){ t.s.p, 10 });
    return NULL;
}

static const char *time_value(struct convert *c, struct wire *w, struct value *ret)
{
    char utc[INSTANT_SIZE];
    bool view = wire_peek(w) == WIRE_STR;
    const char *reason;
    struct token t;
    int n;

    if (scalar_read(w, &t, &reason) == 0)
        return reason;
    n = view ? instant_utc(t.s, utc) : 0;
    if (n <= 0)
        return n == INSTANT_TOO_FINE ? "finer than a millisecond" : "not an instant with an offset";
    set_made(c, ret, utc, (size_t)n);
    return NULL;
}

/* Where a list is expected, and "" as well as nothing is an empty one. */
static bool empty_read(struct wire *w)
{
    struct wire at = *w;

    if (wire_peek(w) != WIRE_STR)
        return nothing_read(w);
    if (wire_str(&at).n > 0)
        return false;
    *w = at;
    return true;
}

static const char *json_value(struct convert *c, struct wire *w, wire_on_string *on_string, struct value *ret)
{
    return empty_read(w) ? NULL : set_json(c, w, on_string, ret);
}

static const char *list_value(struct convert *c, struct wire *w, wire_on_string *on_string, struct value *ret)
{
    enum wire_type type = wire_peek(w);
    size_t at = c->scratch.n;

    if (empty_read(w))
        return NULL;
    if (type == WIRE_ARRAY || type == WIRE_MAP)
        return set_json(c, w, on_string, ret);
    buf_char(&c->scratch, '[');
    wire_json_back(w, on_string, &c->scratch);
    buf_char(&c->scratch, ']');
    *ret = (struct value){ .type = VALUE_TEXT, .made = true, .at = at, .s = { NULL, c->scratch.n - at } };
    return NULL;
}

typedef const char *scalar_rule(struct convert *c, struct wire *w, struct value *ret);
typedef const char *json_rule(
    struct convert *c, struct wire *w, wire_on_string *on_string, struct value *ret);

static const struct {
    scalar_rule *scalar;
    json_rule *json;
    wire_on_string *on_string;
} RULES[RULE_COUNT] = {
    [RULE_TEXT] = { text_value, NULL, NULL },
    [RULE_TEXT_USER] = { user_text_value, NULL, NULL },
    [RULE_INT] = { int_value, NULL, NULL },
    [RULE_LINK] = { link_value, NULL, NULL },
    [RULE_DECIMAL] = { decimal_value, NULL, NULL },
    [RULE_MONEY] = { NULL, NULL, NULL },
    [RULE_BOOL] = { bool_value, NULL, NULL },
    [RULE_DATE] = { date_value, NULL, NULL },
    [RULE_TIME] = { time_value, NULL, NULL },
    [RULE_JSON] = { NULL, json_value, buf_json },
    [RULE_LIST] = { NULL, list_value, buf_json },
    [RULE_LIST_DATE] = { NULL, list_value, json_date },
    [RULE_LIST_TIME] = { NULL, list_value, json_time },
    [RULE_FILE] = { NULL, json_value, json_address },
    [RULE_LIST_FILE] = { NULL, list_value, json_address },
};

const char *convert_value(
    struct convert *c, enum rule rule, struct wire *w, struct value *ret, struct value *ret_2)
{
    assert(rule < RULE_COUNT);
    *ret = (struct value){ .type = VALUE_NULL };
    if (rule == RULE_MONEY)
        return money_value(c, w, ret, ret_2);
    if (RULES[rule].json != NULL)
        return RULES[rule].json(c, w, RULES[rule].on_string, ret);
    return RULES[rule].scalar(c, w, ret);
}
