/* link_methods.c - crm.deal.contact.*, crm.contact.company.* and their like (facts sections 2.4, 8). */
#include "call.h"

#include <stdio.h>

#include "base/clock.h"
#include "json_out.h"
#include "data/links.h"
#include "params.h"

/* One request about the links of an owner. */
struct link {
    struct call *call;
    enum which owner, target;
    uint32_t n;
    json_t *rows;    /* as they are, then as they become */
    int64_t primary; /* before */
};

/* Pages of .add and .delete quote the name, those of .items.* do not. */
static bool is_of_one(const struct call *c)
{
    return c->method->run == run_link_add || c->method->run == run_link_delete;
}

static enum api_error owner_gone(const struct call *c)
{
    if (c->method->which == LEAD && portal_has(c->portal, QUIRK_NOT_FOUND_OWN))
        return API_OWNER_CODED;
    return portal_has(c->portal, QUIRK_NOT_FOUND_DOT) ? API_NOT_FOUND : API_OWNER_MISSING;
}

static enum api_error open_link(struct link *l, struct call *c)
{
    const json_t *id = params_get(c->params, "id");
    const int64_t number = id != NULL && !params_is_array(id) ? params_int(id) : 0;

    *l = (struct link){
        .call = c, .owner = (enum which)c->method->which, .target = (enum which)c->method->target
    };
    const struct crm *crm = &c->portal->store.crm[l->owner];
    if (number <= 0)
        return is_of_one(c) ? API_OWNER_QUOTED : API_OWNER_INVALID;
    if (!crm_find(crm, (uint64_t)number, &l->n) || crm->flags[l->n] & RECORD_DELETED)
        return owner_gone(c);
    if (crm->flags[l->n] & RECORD_HIDDEN)
        return call_denied(c->portal, API_ACCESS);
    l->rows = links_rows(&c->portal->store, l->owner, l->n, l->target);
    l->primary = links_primary(l->rows, l->target);
    c->cost_s = COST_CALL_S;
    return API_OK;
}

static json_t *find_row(const struct link *l, int64_t id, size_t *ret_at)
{
    for (size_t i = 0; i < json_array_size(l->rows); i++) {
        json_t *row = json_array_get(l->rows, i);
        if (json_integer_value(json_object_get(row, links_id(l->target))) == id) {
            if (ret_at != NULL)
                *ret_at = i;
            return row;
        }
    }
    return NULL;
}

static int64_t greatest_sort(const json_t *rows)
{
    int64_t greatest = 0;

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const int64_t sort = json_integer_value(json_object_get(json_array_get(rows, i), "SORT"));
        greatest = sort > greatest ? sort : greatest;
    }
    return greatest;
}

static bool is_yes(const json_t *of, const char *name)
{
    const json_t *v = params_get(of, name);
    char room[40];

    return v != NULL && str_case_eq(params_text(v, room), STR("Y"));
}

static void add_row(struct link *l, json_t *into, int64_t id, int64_t sort)
{
    json_array_append_new(into, json_pack("{s:I, s:I, s:i, s:s}", links_id(l->target), (json_int_t)id, "SORT",
                                    (json_int_t)sort, "ROLE_ID", 0, "IS_PRIMARY", "N"));
}

/* The record names its first link; when that is another now, the record has changed. */
static int keep(struct link *l, struct err *err)
{
    struct store *s = &l->call->portal->store;
    const struct attr *a = attr_find(&s->crm[l->owner].attrs, str_of(links_id(l->target)));
    const int64_t primary = links_primary(l->rows, l->target), now_s = (int64_t)(clock_wall_ms() / 1000);
    char text[32];

    if (store_begin(s, err) < 0)
        return -1;
    int result = links_keep(s, l->owner, l->n, l->target, l->rows, err);
    snprintf(text, sizeof(text), primary > 0 ? "=\"%lld\"" : "=", (long long)primary);
    const bool touched = primary != l->primary || portal_has(l->call->portal, QUIRK_LINK_TOUCHES);
    if (result == 0 && touched && a != NULL && !(a->flags & ATTR_UNSEEN))
        result = store_set(s, l->owner, l->n, a, str_of(text), now_s, err);
    struct err at_commit;
    if (store_commit(s, &at_commit) < 0) {
        *err = at_commit;
        return -1;
    }
    return result;
}

/* Writes the rows, prints what the method says, and ends the request. */
static enum api_error close_link(struct link *l, enum api_error e, bool changed, const char *answer)
{
    struct portal *p = l->call->portal;
    struct err err;

    if (e == API_OK && changed) {
        veils_lift(&p->store.veils, p->store.crm);
        if (keep(l, &err) < 0)
            e = call_broken(&err);
        veils_draw(&p->store.veils, p->store.crm, clock_mono_ms());
    }
    if (e == API_OK)
        buf_str(l->call->out, answer);
    json_decref(l->rows);
    return e;
}

/* A deletion calls them `item`, but for a contact's companies. */
static enum api_error no_fields(const struct link *l)
{
    return l->call->method->run == run_link_delete && l->owner != CONTACT ? API_LINK_ITEM : API_LINK_FIELDS;
}

/* The id in `fields`; 0: what is wrong is in *ret. */
static int64_t field_id(const struct link *l, enum api_error *ret)
{
    const json_t *fields = params_get(l->call->params, "fields");
    const json_t *id = params_is_array(fields) ? params_get(fields, links_id(l->target)) : NULL;
    const int64_t number = id != NULL && !params_is_array(id) ? params_int(id) : 0;

    if (*ret == API_OK && !params_is_array(fields))
        *ret = no_fields(l);
    else if (*ret == API_OK && number <= 0)
        *ret = API_LINK_INVALID;
    return *ret == API_OK ? number : 0;
}

enum api_error run_link_add(struct call *c)
{
    struct link l;
    enum api_error e = open_link(&l, c);
    const int64_t id = field_id(&l, &e);
    const json_t *fields = params_get(c->params, "fields");
    bool added = false;

    if (e == API_OK && find_row(&l, id, NULL) == NULL) {
        const json_t *sort = params_get(fields, "SORT");
        const bool first = json_array_size(l.rows) == 0;
        add_row(&l, l.rows, id, sort != NULL ? params_int(sort) : greatest_sort(l.rows) + 10);
        if (first || is_yes(fields, "IS_PRIMARY"))
            links_set_primary(l.rows, l.target, id);
        added = true;
    }
    return close_link(&l, e, added, added ? "true" : "false");
}

enum api_error run_link_delete(struct call *c)
{
    struct link l;
    size_t at = 0;
    enum api_error e = open_link(&l, c);
    const int64_t id = field_id(&l, &e);
    const bool found = e == API_OK && find_row(&l, id, &at) != NULL;

    if (found) {
        json_array_remove(l.rows, at);
        if (links_primary(l.rows, l.target) == 0 && json_array_size(l.rows) > 0)
            links_set_primary(l.rows, l.target,
                json_integer_value(json_object_get(json_array_get(l.rows, 0), links_id(l.target))));
    }
    return close_link(&l, e, found, found ? "true" : "false");
}

enum api_error run_link_get(struct call *c)
{
    struct link l;
    const enum api_error e = open_link(&l, c);

    if (e == API_OK)
        json_out_value(c->out, l.rows, false);
    return close_link(&l, e, false, "");
}

enum api_error run_link_clear(struct call *c)
{
    struct link l;
    const enum api_error e = open_link(&l, c);

    if (e == API_OK)
        json_array_clear(l.rows);
    return close_link(&l, e, true, "true");
}

/* SORT where none was sent: by place in the list; of a contact's companies its old one, else past all others.
 */
static int64_t sort_of(const struct link *l, const json_t *item, int64_t id, const json_t *rows)
{
    const json_t *sort = params_get(item, "SORT");
    const json_t *old = find_row(l, id, NULL);

    if (sort != NULL)
        return params_int(sort);
    if (l->owner != CONTACT)
        return ((int64_t)json_array_size(rows) + 1) * 10;
    if (old != NULL)
        return json_integer_value(json_object_get(old, "SORT"));
    const int64_t was = greatest_sort(l->rows), is = greatest_sort(rows);
    return (was > is ? was : is) + 10;
}

enum api_error run_link_set(struct call *c)
{
    struct link l;
    enum api_error e = open_link(&l, c);
    json_t *items = params_get(c->params, "items"), *rows = json_array(), *item;
    struct params_walk walk = { .of = items };
    int64_t primary = 0, first = 0;
    const char *key;

    if (e == API_OK && !params_is_array(items))
        e = API_LINK_ITEMS;
    while (e == API_OK && params_next(&walk, &key, &item)) {
        const json_t *value = params_is_array(item) ? params_get(item, links_id(l.target)) : NULL;
        const int64_t id = value != NULL ? params_int(value) : 0;
        if (id <= 0)
            continue;
        add_row(&l, rows, id, sort_of(&l, item, id, rows));
        first = first == 0 ? id : first;
        primary = primary == 0 && is_yes(item, "IS_PRIMARY") ? id : primary;
    }
    if (e == API_OK) {
        json_decref(l.rows);
        l.rows = json_incref(rows);
        links_set_primary(l.rows, l.target, primary != 0 ? primary : first);
    }
    json_decref(rows);
    return close_link(&l, e, true, "true");
}
