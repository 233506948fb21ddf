/* userfield_methods.c - crm.X.userfield.{add,get,update,delete} (facts section 6.4): the settings of user
 * fields. */
#include "call.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "describe.h"
#include "params.h"

#define NAME_MAX_BYTES 50

static struct str text_of(const json_t *of, const char *name, char room[static 40])
{
    const json_t *v = of != NULL ? params_get(of, name) : NULL;

    return v != NULL && !params_is_array(v) ? params_text(v, room) : STR("");
}

static struct attr_list *fields_of(const struct call *c)
{
    return &c->portal->store.crm[c->method->which].attrs;
}

/* The user field that the parameter id names. */
static const struct attr *find_field(const struct call *c)
{
    const json_t *id = params_get(c->params, "id");
    const struct attr_list *l = fields_of(c);

    for (int i = 0; id != NULL && !params_is_array(id) && i < l->count; i++) {
        if (l->list[i]->flags & ATTR_USER && l->list[i]->user_id == params_int(id))
            return l->list[i];
    }
    return NULL;
}

static bool is_elsewhere(const struct call *c, int64_t id)
{
    for (int w = 0; w < KINDS; w++) {
        const struct attr_list *l = &c->portal->store.crm[w].attrs;
        for (int i = 0; i < l->count; i++)
            if (l->list[i]->flags & ATTR_USER && l->list[i]->user_id == id)
                return true;
    }
    return false;
}

/* Who is no administrator changes no settings, and of contacts sees none (the vendor's pages). */
static bool is_kept_from(const struct call *c, bool writes)
{
    return c->portal->app && portal_has(c->portal, QUIRK_NO_ADMIN) && (writes || c->method->which == CONTACT);
}

/* No number, another entity's field, or none at all. */
static enum api_error not_found(struct call *c)
{
    const json_t *id = params_get(c->params, "id");
    const int64_t number = id != NULL && !params_is_array(id) ? params_int(id) : 0;

    if (number <= 0)
        return API_ID_INVALID;
    if (is_elsewhere(c, number))
        return API_ACCESS;
    return call_refuse(c, API_FIELD_MISSING, "The entity with ID '%lld' is not found", (long long)number);
}

/* With the prefix, in capitals. */
static enum api_error read_name(const json_t *fields, char ret[static NAME_MAX_BYTES + 1])
{
    char room[40];
    const struct str given = text_of(fields, "FIELD_NAME", room);
    const char *prefix = given.n >= 7 && strncasecmp(given.p, "UF_CRM_", 7) == 0 ? "" : "UF_CRM_";

    if (given.n == 0)
        return API_FIELD_NAMELESS;
    if (given.n + strlen(prefix) > NAME_MAX_BYTES)
        return API_FIELD_LONG;
    snprintf(ret, NAME_MAX_BYTES + 1, "%s" STR_FMT, prefix, STR_ARG(given));
    for (char *p = ret; *p != '\0'; p++) {
        *p = (char)toupper((unsigned char)*p);
        if (!isalnum((unsigned char)*p) && *p != '_')
            return API_FIELD_SIGNS;
    }
    return API_OK;
}

/* Those of crm.userfield.types, of old lists, and what applications register. */
static bool is_type(struct str type)
{
    return describe_is_type(type) || str_is(type, "resourcebooking") ||
           (type.n > 5 && memcmp(type.p, "rest_", 5) == 0);
}

/* External codes of items differ. */
static enum api_error judge_items(struct call *c, const json_t *fields)
{
    struct params_walk walk = { .of = params_get(fields, "LIST") };
    json_t *seen = json_object(), *one;
    enum api_error e = API_OK;
    const char *key;
    char room[40], code[256];

    while (e == API_OK && params_next(&walk, &key, &one)) {
        const struct str xml = params_is_array(one) ? text_of(one, "XML_ID", room) : STR("");
        snprintf(code, sizeof(code), STR_FMT, STR_ARG(xml));
        if (xml.n > 0 && json_object_get(seen, code) != NULL)
            e = call_refuse(c, API_FIELD_ITEM, "List item with value XML_ID=%s already exists.", code);
        json_object_set_new(seen, code, json_true());
    }
    json_decref(seen);
    return e;
}

/* What is wrong with a new field. */
static enum api_error judge_new(
    struct call *c, const json_t *fields, char ret_name[static NAME_MAX_BYTES + 1])
{
    char room[40];
    const struct str type = text_of(fields, "USER_TYPE_ID", room);
    enum api_error e = type.n == 0 ? API_FIELD_TYPELESS : read_name(fields, ret_name);

    if (e == API_OK && !is_type(type))
        e = API_FIELD_TYPE;
    if (e == API_OK && attr_find(fields_of(c), str_of(ret_name)) != NULL)
        e = API_FIELD_WRONG;
    return e != API_OK ? e : judge_items(c, fields);
}

/* A text, or texts by language: the Russian one, else the first. */
static json_t *label_of(const json_t *fields)
{
    const json_t *label = params_get(fields, "EDIT_FORM_LABEL");
    struct params_walk walk = { .of = (json_t *)label };
    char room[40];
    const char *key;
    json_t *one = NULL;

    if (label == NULL)
        return NULL;
    if (params_is_array(label)) {
        if (params_get(label, "ru") != NULL)
            one = params_get(label, "ru");
        else if (!params_next(&walk, &key, &one))
            return NULL;
    }
    const struct str text = params_text(one != NULL ? one : label, room);
    return text.n > 0 ? json_stringn(text.p, text.n) : NULL;
}

/* Items sent: an ID changes or, with DEL, deletes one; others are new. `all`: those there are go first. */
static json_t *items_of(const json_t *fields, const struct attr *a, bool all)
{
    const json_t *list = params_get(fields, "LIST");
    struct params_walk walk = { .of = (json_t *)list };
    json_t *added = json_array(), *renamed = json_object(), *deleted = json_array(), *one;
    const char *key;
    char room[40], id[40];

    for (int i = 0; all && i < a->item_count; i++) {
        snprintf(id, sizeof(id), "%d", a->items[i].id);
        json_array_append_new(deleted, json_string(id));
    }
    while (params_next(&walk, &key, &one)) {
        const struct str number = json_is_object(one) ? text_of(one, "ID", id) : STR("");
        const struct str value = json_is_object(one) ? text_of(one, "VALUE", room) : STR("");
        json_t *name = json_stringn(number.p, number.n);
        if (number.n > 0 && str_is(text_of(one, "DEL", room), "Y"))
            json_array_append(deleted, name);
        else if (number.n > 0 && value.n > 0)
            json_object_set_new(renamed, json_string_value(name), json_stringn(value.p, value.n));
        else if (value.n > 0)
            json_array_append_new(added, json_stringn(value.p, value.n));
        json_decref(name);
    }
    return json_pack("{s:o, s:o, s:o}", "add", added, "rename", renamed, "delete", deleted);
}

/* One edit of the settings, inside a transaction; takes args over. */
static int edit(struct call *c, const char *what, const char *name, json_t *args, struct err *err)
{
    char *text = json_dumps(args, JSON_COMPACT);
    const int result = text == NULL ? err_set(err, ERR_PERM, "not UTF-8")
                                    : store_edit_field(&c->portal->store, (enum which)c->method->which,
                                          str_of(what), name, str_of(text), err);

    json_decref(args);
    free(text);
    return result;
}

/* What may be told of a field besides its type. */
static int edit_rest(struct call *c, const char *name, const json_t *fields, bool new_field, struct err *err)
{
    const struct attr *a = attr_find(fields_of(c), str_of(name));
    json_t *label = label_of(fields);

    if (label != NULL && edit(c, "rename", name, json_pack("{s:o}", "label", label), err) < 0)
        return -1;
    if (a == NULL || a->item_count == 0 || !params_is_array(params_get(fields, "LIST")))
        return 0;
    return edit(c, "items", name, items_of(fields, a, new_field), err);
}

static void begin(struct call *c)
{
    veils_lift(&c->portal->store.veils, c->portal->store.crm);
}

static enum api_error end(struct call *c, int result, struct err *err)
{
    struct err at_commit;

    if (store_commit(&c->portal->store, &at_commit) < 0) {
        *err = at_commit;
        result = -1;
        err->kind = ERR_CONF;
    }
    veils_draw(&c->portal->store.veils, c->portal->store.crm, clock_mono_ms());
    if (result == 0)
        return API_OK;
    return err->kind == ERR_PERM ? API_FIELD_WRONG : call_broken(err);
}

enum api_error run_userfield_add(struct call *c)
{
    const json_t *fields = params_get(c->params, "fields");
    char name[NAME_MAX_BYTES + 1], room[40], flag[40];
    struct err err = { 0 };

    if (is_kept_from(c, true))
        return API_ACCESS;
    c->cost_s = COST_WRITE_S;
    if (!params_is_array(fields))
        return API_FIELDS_TYPE;
    enum api_error e = judge_new(c, fields, name);
    if (e != API_OK)
        return e;
    const struct str type = text_of(fields, "USER_TYPE_ID", room);
    const bool multiple = str_is(text_of(fields, "MULTIPLE", flag), "Y");
    json_t *args = json_pack("{s:o, s:b, s:i}", "type", json_stringn(type.p, type.n), "multiple",
        multiple && !str_is(type, "boolean"), "fill", 0);
    begin(c);
    int result = store_begin(&c->portal->store, &err);
    if (result < 0)
        json_decref(args);
    else if ((result = edit(c, "add", name, args, &err)) == 0)
        result = edit_rest(c, name, fields, true, &err);
    e = end(c, result, &err);
    if (e == API_OK)
        buf_fmt(c->out, "%d", attr_find(fields_of(c), str_of(name))->user_id);
    return e;
}

enum api_error run_userfield_get(struct call *c)
{
    const struct attr *a = find_field(c);

    if (is_kept_from(c, false))
        return API_ACCESS;
    if (a == NULL)
        return not_found(c);
    describe_userfield(c->out, a, WHICH[c->method->which].uf_entity, LABELS_BY_LANGUAGE);
    c->cost_s = COST_CALL_S;
    return API_OK;
}

enum api_error run_userfield_update(struct call *c)
{
    const json_t *fields = params_get(c->params, "fields");
    const struct attr *a = find_field(c);
    struct err err = { 0 };

    if (is_kept_from(c, true))
        return API_ACCESS;
    c->cost_s = COST_WRITE_S;
    if (a == NULL)
        return not_found(c);
    if (!params_is_array(fields))
        return API_FIELDS_TYPE;
    enum api_error e = judge_items(c, fields);
    if (e != API_OK)
        return e;
    begin(c);
    int result = store_begin(&c->portal->store, &err);
    if (result == 0)
        result = edit_rest(c, a->name, fields, false, &err);
    e = end(c, result, &err);
    buf_str(c->out, "true");
    return e;
}

enum api_error run_userfield_delete(struct call *c)
{
    const struct attr *a = find_field(c);
    struct err err = { 0 };

    if (is_kept_from(c, true))
        return API_ACCESS;
    c->cost_s = COST_WRITE_S;
    if (a == NULL)
        return not_found(c);
    char *name = xstrdup(a->name);
    begin(c);
    int result = store_begin(&c->portal->store, &err);
    if (result == 0)
        result = edit(c, "delete", name, json_object(), &err);
    free(name);
    const enum api_error e = end(c, result, &err);
    buf_str(c->out, "true");
    return e;
}
