/* records.c - crm.X.list and crm.X.get (facts sections 4 and 6). */
#include "call.h"

#include <stdio.h>

#include "data/hash.h"
#include "json_out.h"
#include "kept.h"
#include "params.h"
#include "render.h"

static void wire_init(struct wire *ret, const struct call *c, bool get)
{
    const struct portal *p = c->portal;

    *ret = (struct wire){ .get = get,
        .lead = c->method->which == LEAD,
        .ascii = portal_has(p, QUIRK_ASCII),
        .numbers = portal_has(p, QUIRK_NUMBERS),
        .local_midnight = portal_has(p, QUIRK_LOCAL_MIDNIGHT) };
    snprintf(ret->token, sizeof(ret->token), "%016llx%016llx", (unsigned long long)hash_mix(p->serial),
        (unsigned long long)hash_mix(p->serial + 1));
}

static void out_row(
    struct call *c, const struct list_query *q, const struct wire *wire, uint32_t n, struct arena *arena)
{
    struct kept *kept = c->portal->store.crm[q->w].patches[n] == NULL ? c->portal->kept : NULL;
    const size_t from = c->out->n;
    struct record r;

    if (kept != NULL && kept_get(kept, n, wire, c->out))
        return;
    record_open(&r, &c->portal->store, q->w, n, arena);
    render_row(c->out, wire, &r, q->select, q->select_count);
    if (kept != NULL && !c->out->failed)
        kept_put(kept, n, wire, (struct str){ c->out->p + from, c->out->n - from });
    arena_reset(arena);
}

static void out_rows(struct call *c, const struct list_query *q, const struct list_page *page)
{
    struct arena arena = { 0 }; /* of one row; the query stays in the call's */
    struct wire wire;

    wire_init(&wire, c, false);
    if (c->portal->kept != NULL)
        kept_choose(c->portal->kept, q, &c->portal->store.crm[q->w], &wire);
    buf_char(c->out, '[');
    for (int i = 0; i < page->count; i++) {
        if (i > 0)
            buf_char(c->out, ',');
        out_row(c, q, &wire, page->n[i], &arena);
        c->ids[c->id_count++] = c->portal->store.crm[q->w].ids[page->n[i]];
    }
    buf_char(c->out, ']');
    arena_fini(&arena);
}

enum api_error run_list(struct call *c)
{
    const json_t *filter = params_get(c->params, "filter"), *order = params_get(c->params, "order");
    const json_t *start = params_get(c->params, "start");
    struct portal *p = c->portal;
    const struct crm *crm = &p->store.crm[c->method->which];
    struct list_query q = { .w = crm->which,
        .counted = portal_has(p, QUIRK_TOTAL_TRUE),
        .hidden_counted = portal_has(p, QUIRK_TOTAL_HIDDEN),
        .strict = portal_has(p, QUIRK_SELECT_STRICT),
        .standard = portal_has(p, QUIRK_SELECT_STANDARD),
        .whole_mask = portal_has(p, QUIRK_MASK_MULTIPLE),
        .lot = hash_mix(p->serial * 64 + (uint64_t)p->stats.records_served) };
    struct list_page page;

    if (filter != NULL && !params_is_array(filter))
        return API_FILTER_TYPE;
    if (order != NULL && !params_is_array(order))
        return API_ORDER_TYPE;
    q.start = start ? params_int(start) : 0;
    if (q.start < 0)
        q.start = -1;
    filter_parse(&q.filter, filter, crm, &p->arena);
    list_parse_order(&q, order, crm);
    list_parse_select(&q, params_get(c->params, "select"), crm, &p->arena);
    list_run(&q, &p->store, &page);
    out_rows(c, &q, &page);

    c->listed = q.start >= 0 || !portal_has(p, QUIRK_TOTAL_ABSENT);
    c->total = page.total;
    if (q.start >= 0 && (uint64_t)q.start + (uint64_t)page.count < page.total && page.count > 0)
        c->next = q.start + page.count;
    c->cost_s = COST_CALL_S + COST_ROW_S * page.count;
    if (q.start >= 0)
        c->cost_s += COST_COUNTED_S * page.total + COST_SKIPPED_S * (double)q.start;
    p->stats.records_served += (uint64_t)page.count;
    return API_OK;
}

static void out_record(struct call *c, uint32_t n)
{
    const struct crm *crm = &c->portal->store.crm[c->method->which];
    const struct attr **attrs = arena_get(&c->portal->arena, (size_t)crm->attrs.count * sizeof(*attrs));
    struct wire wire;
    struct record r;
    int count = 0;

    for (int i = 0; i < crm->attrs.count; i++) {
        if (!(crm->attrs.list[i]->flags & ATTR_UNSEEN))
            attrs[count++] = crm->attrs.list[i];
    }
    wire_init(&wire, c, true);
    record_open(&r, &c->portal->store, crm->which, n, &c->portal->arena);
    render_row(c->out, &wire, &r, attrs, count);
    if (crm->which == CONTACT) { /* shown, but described nowhere (section 6.2) */
        c->out->n--;
        buf_str(c->out, ",\"FACE_ID\":null}");
    }
}

enum api_error run_get(struct call *c)
{
    uint32_t n;
    const enum api_error e = call_record(c, (enum which)c->method->which, &n);

    if (e != API_OK)
        return e;
    out_record(c, n);
    c->cost_s = COST_CALL_S + COST_ROW_S;
    c->portal->stats.records_served++;
    return API_OK;
}
