/* duplicate.c - crm.duplicate.findbycomm: whose number or address it is (facts sections 2.4, 8). */
#include "call.h"

#include <stdlib.h>

#include "params.h"
#include "data/record.h"

#define VALUES_MOST 20
#define FOUND_MOST  20

/* One of the values, letter by letter: whether a portal makes numbers alike first is not said. */
static bool is_wanted(const json_t *values, struct str text)
{
    struct params_walk walk = { .of = (json_t *)values };
    const char *key;
    char room[40];
    json_t *one;

    for (int i = 0; i < VALUES_MOST && params_next(&walk, &key, &one); i++) {
        if (str_case_eq(params_text(one, room), text))
            return true;
    }
    return false;
}

static struct str text_of(const struct value *v, json_t **ret_tree)
{
    *ret_tree = NULL;
    if (v->kind == VALUE_COMM)
        return v->text;
    *ret_tree = v->kind == VALUE_JSON ? json_loadb(v->raw.p, v->raw.n, 0, NULL) : NULL;
    return str_of(json_string_value(json_object_get(*ret_tree, "VALUE")));
}

static bool has_it(const struct call *c, enum which w, uint32_t n, const struct attr *a, const json_t *values)
{
    struct arena arena = { 0 };
    struct record r;
    struct value v;
    bool found = false;

    record_open(&r, &c->portal->store, w, n, &arena);
    record_value(&r, a, &v);
    for (int i = 0; !found && v.kind == VALUE_LIST && i < v.count; i++) {
        json_t *tree;
        const struct str text = text_of(&v.items[i], &tree);
        found = text.n > 0 && is_wanted(values, text);
        json_decref(tree);
    }
    arena_fini(&arena);
    return found;
}

static int out_type(
    struct call *c, enum which w, const char *name, const char *type, const json_t *values, bool first)
{
    const struct crm *crm = &c->portal->store.crm[w];
    const struct attr *a = attr_find(&crm->attrs, str_of(type));
    int found = 0;

    for (uint32_t n = 0; n < crm->count && found < FOUND_MOST; n++) {
        if (crm->flags[n] != 0 || !has_it(c, w, n, a, values))
            continue;
        if (found++ == 0)
            buf_fmt(c->out, "%s\"%s\":[%u", first ? "{" : ",", name, crm->ids[n]);
        else
            buf_fmt(c->out, ",%u", crm->ids[n]);
    }
    if (found > 0)
        buf_char(c->out, ']');
    return found;
}

enum wrong { TYPE_NONE, TYPE_OTHER, VALUES_NONE };

/* The text is the code, and what follows is one more sentence; or there is no code at all. */
static enum api_error refuse(struct call *c, enum wrong what, const char *type)
{
    static const enum api_error errors[] = { API_COMM_TYPE, API_COMM_OTHER, API_COMM_VALUES };
    static const struct {
        const char *before, *after;
    } texts[] = { { "Communication type is not defined", "" },
        { "Communication type '", "' is not supported in current context" },
        { "Communication values is not defined", "" } };

    return call_refuse(c, portal_has(c->portal, QUIRK_COMM_CLASSIC) ? API_COMM_CLASSIC : errors[what],
        "%s%.80s%s", texts[what].before, what == TYPE_OTHER ? type : "", texts[what].after);
}

enum api_error run_duplicates(struct call *c)
{
    static const struct {
        enum which w;
        const char *name;
    } order[] = { { LEAD, "LEAD" }, { CONTACT, "CONTACT" }, { COMPANY, "COMPANY" } };
    const json_t *values = params_get(c->params, "values"), *wanted = params_get(c->params, "entity_type");
    char *type = call_text(c, "type"), room[40];
    const bool known = strcasecmp(type, "PHONE") == 0 || strcasecmp(type, "EMAIL") == 0;
    enum api_error e = type[0] == '\0'  ? refuse(c, TYPE_NONE, type)
                       : !known         ? refuse(c, TYPE_OTHER, type)
                       : values == NULL ? refuse(c, VALUES_NONE, type)
                                        : API_OK;
    bool any = false, full = false;

    for (size_t i = 0; e == API_OK && i < sizeof(order) / sizeof(order[0]) && !full; i++) {
        if (wanted != NULL && params_text(wanted, room).n > 0 &&
            !str_case_eq(params_text(wanted, room), str_of(order[i].name)))
            continue;
        const int found = out_type(c, order[i].w, order[i].name, type, values, !any);
        any |= found > 0;
        full = found >= FOUND_MOST; /* what comes after is left out */
    }
    buf_str(c->out, any ? "}" : "[]");
    c->cost_s = COST_CALL_S;
    free(type);
    return e;
}
