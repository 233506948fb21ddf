/* dictionaries.c - crm.status.list and crm.category.list (facts section 4.5). */
#include "call.h"

#include "data/dictionary.h"
#include "json_out.h"
#include "params.h"

static void out_status(struct call *c, const struct dictionary *d, int n)
{
    const struct status *s = &d->list[n];
    const bool staged = d->type_id != 0;
    const char *semantics = s->semantics == NULL ? "process" : *s->semantics == 'S' ? "success" : "failure";

    buf_fmt(c->out, "%s{\"ID\":\"%llu\",\"ENTITY_ID\":\"%s\",\"STATUS_ID\":\"", c->total > 0 ? "," : "",
        (unsigned long long)c->total * 2 + 1, d->entity);
    c->total++;
    if (d->category > 0)
        buf_fmt(c->out, "C%d:", d->category);
    buf_fmt(c->out, "%s\",\"NAME\":", s->id);
    json_out_cstr(c->out, s->name);
    buf_str(c->out, ",\"NAME_INIT\":");
    json_out_cstr(c->out, n % 2 ? "" : s->name);
    buf_fmt(c->out, ",\"SORT\":\"%d\",\"SYSTEM\":\"%s\",\"CATEGORY_ID\":", (n + 1) * 10, n % 3 ? "N" : "Y");
    if (d->type_id == 2)
        buf_fmt(c->out, "\"%d\"", d->category);
    else
        buf_str(c->out, "null");
    buf_fmt(c->out, ",\"COLOR\":%s,\"SEMANTICS\":", staged ? "\"#22B9FF\"" : "null");
    if (s->semantics != NULL)
        json_out_cstr(c->out, s->semantics);
    else
        buf_str(c->out, "null");
    if (staged)
        buf_fmt(c->out, ",\"EXTRA\":{\"SEMANTICS\":\"%s\",\"COLOR\":\"#22B9FF\"}", semantics);
    buf_char(c->out, '}');
}

enum api_error run_statuses(struct call *c)
{
    const json_t *filter = params_get(c->params, "filter");
    char room[40];

    if (filter != NULL && !params_is_array(filter))
        return API_FILTER_TYPE;
    const json_t *entity = filter ? params_get(filter, "ENTITY_ID") : NULL;
    buf_char(c->out, '[');
    for (int i = 0; dictionary_at(i) != NULL; i++) {
        const struct dictionary *d = dictionary_at(i);
        if (entity != NULL && !str_is(params_text(entity, room), d->entity))
            continue;
        for (int n = 0; n < d->count; n++)
            out_status(c, d, n);
    }
    buf_char(c->out, ']');
    c->listed = true;
    c->cost_s = COST_CALL_S;
    return API_OK;
}

/* The only one a smart process or the invoices have. */
static void out_category(struct call *c, int id, int type)
{
    buf_fmt(c->out,
        "{\"categories\":[{\"id\":%d,\"name\":\"Общая\",\"sort\":500,\"entityTypeId\":%d,\"isDefault\":\"Y\","
        "\"originId\":\"\",\"originatorId\":\"\"}]}",
        id, type);
    c->listed = true;
    c->total = 1;
    c->cost_s = COST_CALL_S;
}

enum api_error run_categories(struct call *c)
{
    const json_t *type = params_get(c->params, "entityTypeId");

    if (type != NULL &&
        (params_int(type) == WHICH[SMART].type_id || params_int(type) == WHICH[INVOICE].type_id)) {
        out_category(c, params_int(type) == WHICH[SMART].type_id ? 10 : 5, (int)params_int(type));
        return API_OK;
    }
    if (type == NULL || params_int(type) != WHICH[DEAL].type_id)
        return API_ENTITY_TYPE;
    buf_str(c->out, "{\"categories\":[");
    for (int i = 0; i < FUNNELS; i++) {
        buf_fmt(c->out, "%s{\"id\":%d,\"name\":", i > 0 ? "," : "", i);
        json_out_cstr(c->out, FUNNEL_NAMES[i]);
        buf_fmt(c->out, ",\"sort\":%d,\"entityTypeId\":2,\"isDefault\":\"%s\"", 100 * (i + 1),
            i == 0 ? "Y" : "N");
        buf_str(c->out, i == 0 ? "}" : ",\"originId\":\"\",\"originatorId\":\"\"}");
    }
    buf_str(c->out, "]}");
    c->listed = true;
    c->total = FUNNELS;
    c->cost_s = COST_CALL_S;
    return API_OK;
}
