/* item_methods.c - crm.item.{list,get,add,update,delete,fields}: every entity by its number (facts
 * sections 4.4, 6, 8). */
#include "call.h"

#include "base/mem.h"
#include "data/hash.h"
#include "item_ask.h"
#include "item_name.h"
#include "json_out.h"
#include "params.h"
#include "write.h"

static enum api_error find_type(const struct call *c, enum which *ret)
{
    const json_t *type = params_get(c->params, "entityTypeId");
    const int w = type != NULL ? item_which(params_int(type)) : -1;

    *ret = w < 0 ? DEAL : (enum which)w;
    return type == NULL ? API_TYPE_MISSING : w < 0 ? API_TYPE_UNKNOWN : API_OK;
}

static enum api_error find_item(const struct call *c, enum which *ret_w, uint32_t *ret_n)
{
    const json_t *id = params_get(c->params, "id");
    const enum api_error e = find_type(c, ret_w);
    const struct crm *crm = &c->portal->store.crm[*ret_w];

    if (e != API_OK)
        return e;
    if (id == NULL)
        return API_ITEM_ID_MISSING;
    if (params_int(id) <= 0 || !crm_find(crm, (uint64_t)params_int(id), ret_n) ||
        crm->flags[*ret_n] & RECORD_DELETED)
        return API_ITEM_MISSING;
    return crm->flags[*ret_n] & RECORD_HIDDEN ? call_denied(c->portal, API_ITEM_ACCESS) : API_OK;
}

static struct item_wire wire_of(const struct call *c)
{
    const struct portal *p = c->portal;

    return (struct item_wire){ .ascii = portal_has(p, QUIRK_ASCII),
        .original = item_ask_original(c),
        .null_links = portal_has(p, QUIRK_ITEM_LINK_NULL),
        .texts = portal_has(p, QUIRK_ITEM_TEXT),
        .local_midnight = portal_has(p, QUIRK_LOCAL_MIDNIGHT),
        .address = p->events.address,
        .tls = p->events.tls };
}

static void out_item(struct call *c, enum which w, uint32_t n, const struct item_select *select)
{
    const struct item_wire wire = wire_of(c);
    struct arena arena = { 0 };
    struct record r;

    record_open(&r, &c->portal->store, w, n, &arena);
    item_render(c->out, &wire, &r, select);
    arena_fini(&arena);
    c->portal->stats.records_served++;
}

static void out_one(struct call *c, enum which w, uint32_t n)
{
    buf_str(c->out, "{\"item\":");
    out_item(c, w, n, &(struct item_select){ .all = true });
    buf_char(c->out, '}');
}

/* ---- reading ---- */

static void out_page(struct call *c, enum which w, const struct list_page *page)
{
    struct item_select select;

    item_ask_select(c, &c->portal->store.crm[w], &select);
    buf_str(c->out, "{\"items\":[");
    for (int i = 0; i < page->count; i++) {
        if (i > 0)
            buf_char(c->out, ',');
        if (!select.all && select.count == 0)
            buf_str(c->out, "[]");
        else
            out_item(c, w, page->n[i], &select);
    }
    buf_str(c->out, "]}");
}

static void take_page(struct call *c, const struct list_query *q, const struct list_page *page)
{
    c->listed = q->start >= 0 || !portal_has(c->portal, QUIRK_TOTAL_ABSENT);
    c->total = page->total;
    if (q->start >= 0 && page->count > 0 && (uint64_t)q->start + (uint64_t)page->count < page->total)
        c->next = q->start + page->count;
    c->cost_s = COST_CALL_S + COST_ROW_S * page->count;
    if (q->start >= 0)
        c->cost_s += COST_COUNTED_S * page->total + COST_SKIPPED_S * (double)q->start;
}

enum api_error run_item_list(struct call *c)
{
    const json_t *filter = params_get(c->params, "filter"), *order = params_get(c->params, "order");
    const json_t *start = params_get(c->params, "start");
    struct portal *p = c->portal;
    json_t *by_filter = NULL, *by_order = NULL;
    struct list_page page;
    enum which w;
    enum api_error e = find_type(c, &w);
    const struct crm *crm = &p->store.crm[w];
    struct list_query q = { .w = w,
        .counted = portal_has(p, QUIRK_TOTAL_TRUE),
        .hidden_counted = portal_has(p, QUIRK_TOTAL_HIDDEN),
        .lot = hash_mix(p->serial * 64 + p->stats.records_served) };

    if (e == API_OK && filter != NULL && !params_is_array(filter))
        e = API_FILTER_TYPE;
    if (e == API_OK)
        e = item_ask_filter(c, crm, filter, &by_filter);
    if (e == API_OK)
        e = item_ask_order(c, crm, params_is_array(order) ? order : NULL, &by_order);
    if (e == API_OK) {
        q.start = start != NULL ? params_int(start) : 0;
        q.start = q.start < 0 ? -1 : q.start;
        filter_parse_item(&q.filter, by_filter, crm, &p->arena);
        list_parse_order(&q, by_order, crm);
        list_run(&q, &p->store, &page);
        out_page(c, w, &page);
        take_page(c, &q, &page);
    }
    json_decref(by_filter);
    json_decref(by_order);
    return e;
}

enum api_error run_item_get(struct call *c)
{
    enum which w;
    uint32_t n;
    const enum api_error e = find_item(c, &w, &n);

    if (e == API_OK)
        out_one(c, w, n);
    c->cost_s = COST_CALL_S + COST_ROW_S;
    return e;
}

/* ---- writing ---- */

static const json_t *fields_of(const struct call *c)
{
    const json_t *fields = params_get(c->params, "fields");

    return params_is_array(fields) ? fields : NULL;
}

/* A record as `fields` say: a new one, or the one that is there. */
static enum api_error write_fields(struct call *c, enum which w, uint32_t n, bool is_new)
{
    if (fields_of(c) == NULL)
        return API_FIELDS_MISSING;
    json_t *fields = item_ask_fields(c, &c->portal->store.crm[w], fields_of(c));
    enum api_error e =
        is_new ? write_add(c, w, fields, WRITE_ITEM, &n) : write_update(c, w, n, fields, WRITE_ITEM);

    json_decref(fields);
    if (e == API_OK)
        out_one(c, w, n);
    return e;
}

enum api_error run_item_add(struct call *c)
{
    enum which w;
    enum api_error e = find_type(c, &w);

    c->cost_s = COST_WRITE_S;
    if (e == API_OK && w == SMART && portal_has(c->portal, QUIRK_SMART_RESTRICTED))
        return API_SMART_ADD;
    return e == API_OK ? write_fields(c, w, 0, true) : e;
}

enum api_error run_item_update(struct call *c)
{
    enum which w;
    uint32_t n;
    enum api_error e = find_item(c, &w, &n);

    c->cost_s = COST_WRITE_S;
    if (e == API_OK && w == SMART && portal_has(c->portal, QUIRK_SMART_RESTRICTED))
        return API_SMART_UPDATE;
    return e == API_OK ? write_fields(c, w, n, false) : e;
}

enum api_error run_item_delete(struct call *c)
{
    enum which w;
    uint32_t n;
    enum api_error e = find_item(c, &w, &n);

    c->cost_s = COST_WRITE_S;
    if (e == API_OK)
        e = write_delete(c, w, n);
    buf_str(c->out, "[]");
    return e;
}
