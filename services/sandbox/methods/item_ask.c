#include "item_ask.h"

#include <ctype.h>
#include <stdio.h>

#include "base/mem.h"
#include "data/calendar.h"
#include "filter.h"
#include "item_name.h"
#include "params.h"

bool item_ask_original(const struct call *c)
{
    const json_t *flag = params_get(c->params, "useOriginalUfNames");
    char room[40];

    return flag != NULL && str_case_eq(params_text(flag, room), STR("Y"));
}

static bool is_time(const struct attr *a)
{
    return a->type->truth == TRUTH_DATE || a->type->truth == TRUTH_TIME;
}

/* ---- filter ---- */

/* Y and N of a user field are not taken: they count as 0 (facts section 4.2). */
static json_t *operand_of(
    const struct call *c, const struct attr *a, json_t *v, bool *ret_wrong, bool *ret_ignored)
{
    char room[40];
    int64_t unix_s, days;
    const struct str text = params_text(v, room);

    if (a->flags & ATTR_USER && a->type->truth == TRUTH_BOOL && (str_is(text, "Y") || str_is(text, "N")))
        return json_string("0");
    if (is_time(a) && text.n > 0) {
        *ret_wrong |= !calendar_parse(text, &unix_s, &days);
        *ret_ignored |= portal_has(c->portal, QUIRK_ITEM_TIME_PLAIN) && memchr(text.p, 'T', text.n) != NULL;
    }
    return json_incref(v);
}

static enum api_error add_condition(
    struct call *c, const struct crm *crm, const char *key, json_t *v, json_t *into)
{
    const size_t prefix = filter_prefix(key);
    const struct attr *a = item_attr(&crm->attrs, str_of(key + prefix), item_ask_original(c));
    struct params_walk walk = { .of = v };
    bool wrong = false, ignored = false;
    char name[160];
    const char *index;
    json_t *one;

    if (a == NULL)
        return call_refuse(
            c, API_INVALID_ARG, "Invalid filter: field '%.100s' is not allowed in filter", key + prefix);
    json_t *operands = params_is_array(v) ? json_array() : operand_of(c, a, v, &wrong, &ignored);
    while (params_next(&walk, &index, &one)) {
        wrong |= params_is_array(one);
        if (!params_is_array(one))
            json_array_append_new(operands, operand_of(c, a, one, &wrong, &ignored));
    }
    snprintf(name, sizeof(name), "%.*s%s", (int)prefix, key, a->name);
    if (!wrong && !ignored)
        json_object_set_nocheck(into, name, operands);
    json_decref(operands);
    return wrong ? call_refuse(
                       c, API_INVALID_ARG, "Invalid filter: field '%.100s' has invalid value", key + prefix)
                 : API_OK;
}

static enum api_error add_group(
    struct call *c, const struct crm *crm, const json_t *group, int depth, json_t *into)
{
    struct params_walk walk = { .of = (json_t *)group };
    enum api_error e = API_OK;
    const char *key;
    json_t *v;

    while (e == API_OK && params_next(&walk, &key, &v)) {
        if (strcasecmp(key, "logic") == 0) {
            json_object_set_nocheck(into, "logic", v);
        } else if (isdigit((unsigned char)key[0]) && params_is_array(v) && depth < 32) {
            json_t *inner = json_object();
            json_object_set_new_nocheck(into, key, inner);
            e = add_group(c, crm, v, depth + 1, inner);
        } else {
            e = add_condition(c, crm, key, v, into);
        }
    }
    return e;
}

enum api_error item_ask_filter(struct call *c, const struct crm *crm, const json_t *filter, json_t **ret)
{
    *ret = filter != NULL ? json_object() : NULL;
    return filter != NULL ? add_group(c, crm, filter, 0, *ret) : API_OK;
}

/* ---- order, select ---- */

enum api_error item_ask_order(struct call *c, const struct crm *crm, const json_t *order, json_t **ret)
{
    struct params_walk walk = { .of = (json_t *)order };
    const char *key;
    json_t *v;
    char room[40];

    *ret = order != NULL ? json_object() : NULL;
    while (params_next(&walk, &key, &v)) {
        const struct attr *a = item_attr(&crm->attrs, str_of(key), item_ask_original(c));
        const struct str direction = params_is_array(v) ? STR("Array") : params_text(v, room);
        if (a == NULL || a->flags & ATTR_MULTIPLE)
            return call_refuse(
                c, API_INVALID_ARG, "Invalid order: field '%.100s' is not allowed in order", key);
        if (!str_case_eq(direction, STR("ASC")) && !str_case_eq(direction, STR("DESC")))
            return call_refuse(c, API_INVALID_ARG,
                "Invalid order: allowed sort directions are ASC, DESC. But got '%.*s' for field '%.100s'",
                (int)(direction.n < 40 ? direction.n : 40), direction.p, key);
        json_object_set_nocheck(*ret, a->name, v);
    }
    return API_OK;
}

static bool is_selected(
    const struct call *c, const struct crm *crm, const struct attr *a, const json_t *select)
{
    const bool original = item_ask_original(c);
    struct params_walk walk = { .of = (json_t *)select };
    char name[ITEM_NAME_MAX], room[40];
    const char *key;
    json_t *v;

    item_name(&crm->attrs, a, original, name);
    while (name[0] != '\0' && params_next(&walk, &key, &v)) {
        const struct str wanted = params_text(v, room);
        if (str_is(wanted, name) || (a->flags & ATTR_USER && str_case_eq(wanted, STR("uf_*"))))
            return true;
    }
    return false;
}

/* With useOriginalUfNames=Y a select loses all but user fields, so that rows come without an id, or empty
 * (4.3). */
void item_ask_select(struct call *c, const struct crm *crm, struct item_select *ret)
{
    const json_t *select = params_get(c->params, "select");
    const bool broken = item_ask_original(c) && !portal_has(c->portal, QUIRK_ITEM_NAMES_FINE);
    struct params_walk walk = { .of = (json_t *)select };
    char room[40];
    const char *key;
    json_t *v;

    *ret = (struct item_select){ .all = !params_is_array(select) };
    bool any = false;
    while (params_next(&walk, &key, &v)) {
        ret->all |= str_is(params_text(v, room), "*");
        any = true;
    }
    ret->all |= !any;
    if (ret->all)
        return;
    if (!broken) {
        walk = (struct params_walk){ .of = (json_t *)select };
        while (params_next(&walk, &key, &v))
            ret->extras |= item_extra(crm->which, params_text(v, room));
    }
    ret->attrs = arena_get(&c->portal->arena, (size_t)(crm->attrs.count + 1) * sizeof(*ret->attrs));
    for (int i = 0; i < crm->attrs.count; i++) {
        const struct attr *a = crm->attrs.list[i];
        if (broken ? a->flags & ATTR_USER && is_selected(c, crm, a, select)
                   : a->place == 0 || is_selected(c, crm, a, select))
            ret->attrs[ret->count++] = a;
    }
}

/* ---- fields ---- */

static struct str text_of(const json_t *of, const char *name, char room[static 40])
{
    const json_t *v = params_get(of, name);

    return v != NULL && !params_is_array(v) ? params_text(v, room) : STR("");
}

/* The key says which row it is; without a typeId nothing happens (facts section 8). */
static void add_comm(const struct crm *crm, const char *key, const json_t *row, json_t *into)
{
    char room[40], name[24];
    const struct str type = text_of(row, "typeId", room);
    const json_t *value = params_get(row, "value"), *kind = params_get(row, "valueType");

    if (type.n == 0 || type.n >= sizeof(name))
        return;
    snprintf(name, sizeof(name), STR_FMT, STR_ARG(type));
    const struct attr *a = attr_find(&crm->attrs, str_of(name));
    if (a == NULL || !attr_is_multifield(a))
        return;
    if (json_object_get(into, a->name) == NULL)
        json_object_set_new_nocheck(into, a->name, json_array());
    json_t *one = json_object();
    if (isdigit((unsigned char)key[0]))
        json_object_set_new_nocheck(one, "ID", json_string(key));
    if (value != NULL)
        json_object_set_nocheck(one, "VALUE", (json_t *)value);
    if (kind != NULL)
        json_object_set_nocheck(one, "VALUE_TYPE", (json_t *)kind);
    json_array_append_new(json_object_get(into, a->name), one);
}

static bool clears_kinds(const struct attr *a, const json_t *v)
{
    return strcmp(a->type_name, "enumeration") == 0 && a->flags & ATTR_MULTIPLE && json_is_array(v) &&
           json_array_size(v) == 0;
}

json_t *item_ask_fields(struct call *c, const struct crm *crm, const json_t *fields)
{
    struct params_walk walk = { .of = (json_t *)fields }, rows;
    const bool original = item_ask_original(c);
    json_t *ret = json_object(), *v, *row;
    const char *key, *row_key;

    while (params_next(&walk, &key, &v)) {
        const struct attr *a = item_attr(&crm->attrs, str_of(key), original);
        if (a != NULL && clears_kinds(a, v) && !portal_has(c->portal, QUIRK_ITEM_CLEARS))
            continue;
        if (a != NULL)
            json_object_set_nocheck(ret, a->name, v);
        rows = (struct params_walk){ .of = v };
        while (strcmp(key, "fm") == 0 && params_next(&rows, &row_key, &row))
            add_comm(crm, row_key, row, ret);
    }
    return ret;
}
