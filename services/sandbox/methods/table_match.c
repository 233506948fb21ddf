#include "table_match.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/calendar.h"
#include "data/fold.h"
#include "params.h"

/* ---- names and operators ---- */

size_t table_prefix_of(const char *key)
{
    return strspn(key, "!=<>@%?");
}

static bool works(const struct table *t, const char *key, size_t prefix)
{
    char wanted[12];

    if (prefix == 0)
        return true;
    snprintf(wanted, sizeof(wanted), " %.*s ", (int)(prefix < 8 ? prefix : 8), key);
    return strstr(t->operators, wanted) != NULL;
}

/* CREATED_BY -> createdBy. */
void table_camel(const char *name, char *ret, size_t size)
{
    size_t n = 0;

    for (bool upper = false; *name != '\0' && n + 1 < size; name++) {
        if (*name != '_')
            ret[n++] = (char)(upper ? toupper((unsigned char)*name) : tolower((unsigned char)*name));
        upper = *name == '_';
    }
    ret[n] = '\0';
}

/* The member a name of a request means; NULL: none. */
const char *table_member_of(
    const struct table *t, const json_t *row, const char *name, char *room, size_t size)
{
    const char *key;
    json_t *v;

    if (t->flags & TABLE_UPPER) {
        for (const char *p = name; *p != '\0'; p++) {
            if (islower((unsigned char)*p))
                return NULL;
        }
        table_camel(name, room, size);
        name = room;
    }
    json_object_foreach((json_t *)row, key, v) {
        if (t->flags & TABLE_UPPER ? strcmp(key, name) == 0 : strcasecmp(key, name) == 0)
            return key;
    }
    return NULL;
}

/* ---- comparing ---- */

void table_read_side(struct table_side *ret, const json_t *v)
{
    char room[40], *end;
    int64_t days;
    const struct str text = v == NULL || params_is_array(v) ? STR("") : params_text(v, room);

    *ret = (struct table_side){ .is_flag = json_is_boolean(v) };
    snprintf(ret->text, sizeof(ret->text), STR_FMT, STR_ARG(text));
    ret->number = strtold(ret->text, &end);
    ret->is_number = end != ret->text && *end == '\0';
    ret->is_time = calendar_parse(str_of(ret->text), &ret->unix_s, &days);
}

int table_order_of(const struct table_side *a, const struct table_side *b)
{
    if (a->is_number && b->is_number)
        return a->number < b->number ? -1 : a->number > b->number;
    if (a->is_time && b->is_time)
        return a->unix_s < b->unix_s ? -1 : a->unix_s > b->unix_s;
    return strcasecmp(a->text, b->text);
}

static bool is_like(const char *text, const char *part, bool pattern)
{
    struct arena arena = { 0 };
    const struct str whole = fold(str_of(text), &arena);
    const struct str wanted =
        pattern ? fold(str_of(part), &arena) : fold(arena_join(&arena, "%", part, "%"), &arena);
    const bool ret = fold_like(whole, wanted);

    arena_fini(&arena);
    return ret;
}

static bool is_yes(const char *text)
{
    return strcasecmp(text, "Y") == 0 || strcmp(text, "1") == 0 || strcasecmp(text, "true") == 0;
}

static bool one_holds(const char *op, const json_t *member, const json_t *operand)
{
    struct table_side a, b;

    table_read_side(&a, member);
    table_read_side(&b, operand);
    if (a.is_flag)
        return json_is_true(member) == is_yes(b.text);
    if (strchr(op, '%') != NULL || op[0] == '?')
        return is_like(a.text, b.text, strchr(op, '=') != NULL);
    if (a.is_time && b.text[0] != '\0' && !b.is_time) /* a date that cannot be read matches nothing */
        return false;
    const int order = table_order_of(&a, &b);
    if (op[0] == '>')
        return op[1] == '=' ? order >= 0 : order > 0;
    if (op[0] == '<')
        return op[1] == '=' ? order <= 0 : order < 0;
    return order == 0;
}

static bool is_between(const json_t *member, const json_t *range)
{
    struct params_walk walk = { .of = (json_t *)range };
    const char *key;
    json_t *low, *high;

    return params_next(&walk, &key, &low) && params_next(&walk, &key, &high) &&
           one_holds(">=", member, low) && one_holds("<=", member, high);
}

static bool holds(const char *key, size_t prefix, const json_t *member, const json_t *operand)
{
    struct params_walk walk = { .of = (json_t *)operand };
    const bool negated = key[0] == '!';
    const char *index;
    char op[8];
    json_t *one;
    bool any = false;

    snprintf(op, sizeof(op), "%.*s", (int)prefix - negated, key + negated);
    if (strcmp(op, "><") == 0)
        return is_between(member, operand) != negated;
    if (!params_is_array(operand))
        return one_holds(op, member, operand) != negated;
    while (params_next(&walk, &index, &one))
        any |= one_holds(op, member, one);
    return any != negated;
}

bool table_is_group(const char *key, const json_t *v)
{
    return isdigit((unsigned char)key[0]) && params_is_array(v);
}

static bool is_any(const struct table *t, const json_t *filter)
{
    const json_t *logic =
        t->flags & TABLE_LOUD && params_is_array(filter) ? params_get(filter, "logic") : NULL;
    char room[40];

    return logic != NULL && str_case_eq(params_text(logic, room), STR("OR"));
}

/* Of one condition; what means no member, or works nowhere, is left out. */
static bool fits(
    const struct table *t, const json_t *row, const char *key, const json_t *operand, bool *ret_left_out)
{
    char room[128];
    const size_t prefix = table_prefix_of(key);
    const char *member = table_member_of(t, row, key + prefix, room, sizeof(room));

    *ret_left_out = false;
    if (t->flags & TABLE_LOUD && table_is_group(key, operand))
        return table_matches(t, row, operand);
    *ret_left_out = member == NULL || !works(t, key, prefix);
    return !*ret_left_out && holds(key, prefix, json_object_get(row, member), operand);
}

bool table_matches(const struct table *t, const json_t *row, const json_t *filter)
{
    struct params_walk walk = { .of = (json_t *)filter };
    const bool any = is_any(t, filter);
    bool ret = true, left_out;
    const char *key;
    json_t *operand;

    while (params_next(&walk, &key, &operand)) {
        const bool fit = fits(t, row, key, operand, &left_out);
        if (left_out)
            continue;
        if (fit == any)
            return fit;
        ret = fit;
    }
    return ret;
}
