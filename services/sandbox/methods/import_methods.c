/* import_methods.c - crm.item.import and crm.item.batchImport (facts sections 2.4, 8). */
#include "call.h"

#include "base/mem.h"
#include "item_ask.h"
#include "item_name.h"
#include "params.h"
#include "write.h"

#define IMPORT_MOST 20

static enum api_error find_type(const struct call *c, enum which *ret)
{
    const json_t *type = params_get(c->params, "entityTypeId");
    const int w = type != NULL ? item_which(params_int(type)) : -1;

    *ret = w < 0 ? DEAL : (enum which)w;
    if (type == NULL)
        return API_TYPE_MISSING;
    if (w == SMART && portal_has(c->portal, QUIRK_SMART_RESTRICTED))
        return API_SMART_ADD;
    return w < 0 ? API_TYPE_UNKNOWN : API_OK;
}

/* One item; of it the number alone is told. */
static enum api_error import(struct call *c, enum which w, const json_t *given)
{
    const struct crm *crm = &c->portal->store.crm[w];
    json_t *fields = item_ask_fields(c, crm, given);
    struct journal *j = &c->portal->store.journal;
    const bool told = j->on;
    uint32_t n;

    j->on &= !portal_has(c->portal, QUIRK_IMPORT_SILENT);
    const enum api_error e = write_add(c, w, fields, WRITE_IMPORT, &n);
    j->on = told;

    json_decref(fields);
    c->cost_s += COST_WRITE_S;
    if (e == API_OK)
        buf_fmt(c->out, "{\"item\":{\"id\":%u}}", crm->ids[n]);
    return e;
}

enum api_error run_item_import(struct call *c)
{
    const json_t *fields = params_get(c->params, "fields");
    enum which w;
    const enum api_error e = find_type(c, &w);

    if (e == API_OK && !params_is_array(fields))
        return API_FIELDS_MISSING;
    return e == API_OK ? import(c, w, fields) : e;
}

/* Each for itself: what is wrong with one stands in its place. */
enum api_error run_item_batch_import(struct call *c)
{
    json_t *data = params_get(c->params, "data"), *one;
    struct params_walk walk = { .of = data };
    enum which w;
    const enum api_error e = find_type(c, &w);
    const char *key;
    int count = 0;

    if (e != API_OK)
        return e;
    if (!params_is_array(data))
        return API_DATA_MISSING;
    while (params_next(&walk, &key, &one))
        count++;
    if (count > IMPORT_MOST)
        return API_IMPORT_SIZE;
    buf_str(c->out, "{\"items\":[");
    walk = (struct params_walk){ .of = data };
    for (int i = 0; params_next(&walk, &key, &one); i++) {
        if (i > 0)
            buf_char(c->out, ',');
        const enum api_error wrong = import(c, w, one);
        if (wrong != API_OK)
            call_out_error(c->portal, c->out, wrong, c->portal->detail, false);
        c->portal->detail[0] = '\0';
    }
    buf_str(c->out, "]}");
    return API_OK;
}
