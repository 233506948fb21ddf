/* classic_write.c - crm.X.add, crm.X.update and crm.X.delete (facts sections 2.4, 8). */
#include "call.h"

#include "params.h"
#include "write.h"

static enum api_error check_arguments(const struct call *c, const json_t **ret_fields)
{
    const json_t *params = params_get(c->params, "params");

    *ret_fields = params_get(c->params, "fields");
    if (!params_is_array(*ret_fields))
        return API_FIELDS_TYPE;
    return params != NULL && !params_is_array(params) ? API_PARAMS_TYPE : API_OK;
}

/* What pages of single methods have for "Not found"; the general form is that of all the others. */
static enum api_error gone(const struct call *c)
{
    static const struct {
        method_run *run;
        enum which w;
        enum api_error e;
    } own[] = {
        { run_update, CONTACT, API_CONTACT_GONE },
        { run_delete, CONTACT, API_ELEMENT_GONE },
        { run_update, COMPANY, API_COMPANY_GONE },
        { run_delete, COMPANY, API_COMPANY_GONE },
    };

    for (size_t i = 0; portal_has(c->portal, QUIRK_NOT_FOUND_OWN) && i < sizeof(own) / sizeof(own[0]); i++)
        if (own[i].run == c->method->run && own[i].w == (enum which)c->method->which)
            return own[i].e;
    return portal_has(c->portal, QUIRK_NOT_FOUND_DOT) ? API_NOT_FOUND_DOT : API_NOT_FOUND;
}

enum api_error call_record(const struct call *c, enum which w, uint32_t *ret_n)
{
    const json_t *id = params_get(c->params, "id");
    const struct crm *crm = &c->portal->store.crm[w];
    const int64_t number = id != NULL && !params_is_array(id) ? params_int(id) : 0;

    if (number <= 0)
        return API_ID_INVALID;
    if (!crm_find(crm, (uint64_t)number, ret_n) || crm->flags[*ret_n] & RECORD_DELETED)
        return gone(c);
    return crm->flags[*ret_n] & RECORD_HIDDEN ? call_denied(c->portal, API_ACCESS) : API_OK;
}

enum api_error run_add(struct call *c)
{
    const enum which w = (enum which)c->method->which;
    const json_t *fields;
    uint32_t n;
    enum api_error e = check_arguments(c, &fields);

    c->cost_s = COST_WRITE_S;
    if (e == API_OK)
        e = write_add(c, w, fields, WRITE_CLASSIC, &n);
    if (e == API_OK)
        buf_fmt(c->out, "%u", c->portal->store.crm[w].ids[n]);
    return e;
}

enum api_error run_update(struct call *c)
{
    const enum which w = (enum which)c->method->which;
    const json_t *fields;
    uint32_t n;
    enum api_error e = call_record(c, w, &n);

    c->cost_s = COST_WRITE_S;
    if (e == API_OK)
        e = check_arguments(c, &fields);
    if (e == API_OK)
        e = write_update(c, w, n, fields, WRITE_CLASSIC);
    buf_str(c->out, "true");
    return e;
}

enum api_error run_delete(struct call *c)
{
    const enum which w = (enum which)c->method->which;
    uint32_t n;
    enum api_error e = call_record(c, w, &n);

    c->cost_s = COST_WRITE_S;
    if (e == API_OK)
        e = write_delete(c, w, n);
    buf_str(c->out, "true");
    return e;
}
