#include "wire_value.h"

#include <ctype.h>
#include <stdlib.h>

#include "calendar.h"

bool wire_is_decimal(struct str s)
{
    size_t i = 0, digits = 0, points = 0;

    if (s.n == 0 || s.n > 1000)
        return false;
    if (s.p[i] == '-' || s.p[i] == '+')
        i++;
    for (; i < s.n && (isdigit((unsigned char)s.p[i]) || s.p[i] == '.'); i++)
        s.p[i] == '.' ? points++ : digits++;
    if (digits == 0 || points > 1)
        return false;
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        int64_t exponent;
        struct str rest = { s.p + i + 1, s.n - i - 1 };
        if (rest.n > 0 && rest.p[0] == '+')
            rest = (struct str){ rest.p + 1, rest.n - 1 };
        return str_i64(rest, &exponent) && exponent > -500 && exponent < 500;
    }
    return i == s.n;
}

/* The text of a scalar: of a string itself, of a number its token. */
static bool scalar_text(const json_t *j, struct arena *arena, struct str *ret)
{
    if (json_is_string(j)) {
        *ret = arena_copy(arena, (struct str){ json_string_value(j), json_string_length(j) });
    } else if (json_is_number(j)) {
        char *token = json_dumps(j, JSON_ENCODE_ANY);
        *ret = arena_copy(arena, str_of(token));
        free(token);
    } else {
        return false;
    }
    return true;
}

static bool parse_int(const struct attr *a, struct str s, struct value *ret)
{
    int64_t i;

    if (!str_i64(s, &i))
        return false;
    ret->kind = i == 0 && a->type->link ? VALUE_NULL : VALUE_INT;
    ret->i = i;
    return true;
}

static bool parse_bool(struct str s, struct value *ret)
{
    const bool yes = str_is(s, "1") || str_is(s, "Y"), no = str_is(s, "0") || str_is(s, "N");

    ret->kind = VALUE_BOOL;
    ret->i = yes;
    return yes || no;
}

static bool parse_time(struct str s, enum truth_kind truth, struct value *ret)
{
    int64_t unix_s, days;

    if (!calendar_parse(s, &unix_s, &days))
        return false;
    ret->kind = truth == TRUTH_DATE ? VALUE_DATE : VALUE_TIME;
    ret->i = truth == TRUTH_DATE ? days : unix_s;
    return true;
}

static bool parse_money(struct str s, struct value *ret)
{
    const char *bar = memchr(s.p, '|', s.n);
    struct str amount = { s.p, bar ? (size_t)(bar - s.p) : s.n };

    if (!wire_is_decimal(amount))
        return false;
    ret->kind = VALUE_MONEY;
    ret->text = amount;
    ret->extra = bar ? (struct str){ bar + 1, s.n - amount.n - 1 } : STR("");
    return true;
}

static bool parse_scalar(const struct attr *a, struct str s, struct value *ret)
{
    const enum truth_kind truth = a->type->truth;

    if (truth != TRUTH_TEXT && s.n == 0)
        return true; /* empty: NULL */
    switch (truth) {
    case TRUTH_INT:
        return parse_int(a, s, ret);
    case TRUTH_BOOL:
        return parse_bool(s, ret);
    case TRUTH_DATE:
    case TRUTH_TIME:
        return parse_time(s, truth, ret);
    case TRUTH_MONEY:
        return parse_money(s, ret);
    case TRUTH_DECIMAL:
        ret->kind = VALUE_DECIMAL;
        ret->text = s;
        return wire_is_decimal(s);
    default:
        ret->kind = VALUE_TEXT;
        ret->text = s;
        return true;
    }
}

static struct str dump(const json_t *j, struct arena *arena)
{
    char *text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);
    const struct str copy = arena_copy(arena, str_of(text));

    free(text);
    return copy;
}

static bool is_empty(const json_t *j)
{
    return json_is_null(j) || json_is_false(j) || (json_is_array(j) && json_array_size(j) == 0) ||
           (json_is_object(j) && json_object_size(j) == 0) ||
           (json_is_string(j) && json_string_length(j) == 0);
}

static void parse_element(const struct attr *a, const json_t *j, struct arena *arena, struct value *ret)
{
    const enum truth_kind truth = a->type->truth;
    struct str s;

    *ret = (struct value){ .kind = VALUE_JSON, .raw = dump(j, arena) };
    if ((truth == TRUTH_DATE || truth == TRUTH_TIME) && scalar_text(j, arena, &s))
        parse_time(s, truth, ret);
}

static bool parse_multiple(const struct attr *a, const json_t *j, struct arena *arena, struct value *ret)
{
    if (is_empty(j))
        return true;
    const size_t count = json_is_array(j) ? json_array_size(j) : 1;
    struct value *items = arena_get(arena, count * sizeof(*items));
    for (size_t i = 0; i < count; i++)
        parse_element(a, json_is_array(j) ? json_array_get(j, i) : j, arena, &items[i]);
    ret->kind = VALUE_LIST;
    ret->items = items;
    ret->count = (int)count;
    return true;
}

static bool parse(const struct attr *a, const json_t *j, struct arena *arena, struct value *ret)
{
    struct str s;

    if (a->flags & ATTR_MULTIPLE)
        return parse_multiple(a, j, arena, ret);
    if (json_is_boolean(j) && a->type->truth == TRUTH_BOOL) {
        ret->kind = VALUE_BOOL;
        ret->i = json_is_true(j);
        return true;
    }
    if (is_empty(j) && !json_is_string(j))
        return true;
    if (a->type->truth == TRUTH_JSON) {
        *ret = (struct value){ .kind = VALUE_JSON, .raw = dump(j, arena) };
        return true;
    }
    if (scalar_text(j, arena, &s))
        return parse_scalar(a, s, ret);
    if (a->type->truth != TRUTH_TEXT)
        return false;
    ret->kind = VALUE_TEXT; /* a structure in a text field: its JSON */
    ret->text = dump(j, arena);
    return true;
}

bool wire_value_parse(const struct attr *a, struct str raw, struct arena *arena, struct value *ret)
{
    const uint32_t form = ret->form;
    json_t *j = json_loadb(raw.p, raw.n, JSON_DECODE_ANY, NULL);
    struct value v = { .form = form };

    const bool fits = j != NULL && parse(a, j, arena, &v);
    json_decref(j);
    *ret = fits ? v : (struct value){ .form = form };
    return fits;
}
