/* item_describe.c - crm.item.fields and crm.type.list (facts sections 4.5, 6.1). */
#include "call.h"

#include "describe.h"
#include "item_ask.h"
#include "item_name.h"
#include "json_out.h"
#include "params.h"

/* Phones and the like are one field here. */
static void out_fm(struct buf *out)
{
    buf_str(out,
        ",\"fm\":{\"type\":\"crm_multifield\",\"isRequired\":false,\"isReadOnly\":false,\"isImmutable\":"
        "false,"
        "\"isMultiple\":true,\"isDynamic\":false,\"title\":\"Контактные данные\",\"upperName\":\"FM\"}");
}

enum api_error run_item_fields(struct call *c)
{
    const json_t *type = params_get(c->params, "entityTypeId");
    const int w = type != NULL ? item_which(params_int(type)) : -1;
    const bool original = item_ask_original(c);
    bool comms = false;

    if (type == NULL || w < 0)
        return type == NULL ? API_TYPE_MISSING : API_TYPE_UNKNOWN;
    const struct attr_list *attrs = &c->portal->store.crm[w].attrs;
    buf_str(c->out, "{\"fields\":{");
    for (int i = 0; i < attrs->count; i++) {
        char name[ITEM_NAME_MAX];
        comms |= attr_is_multifield(attrs->list[i]);
        if (item_name(attrs, attrs->list[i], original, name)[0] == '\0')
            continue;
        if (i > 0)
            buf_char(c->out, ',');
        json_out_cstr(c->out, name);
        buf_char(c->out, ':');
        describe_field(c->out, attrs->list[i], attrs->list[i]->name);
    }
    if (comms)
        out_fm(c->out);
    buf_str(c->out, "}}");
    c->cost_s = COST_CALL_S;
    return API_OK;
}

/* The one smart process there is, for an administrator of the CRM. */
enum api_error run_types(struct call *c)
{
    const json_t *filter = params_get(c->params, "filter"), *id = NULL;
    const bool wanted = filter == NULL || (id = params_get(filter, "entityTypeId")) == NULL ||
                        params_int(id) == WHICH[SMART].type_id;

    if (c->portal->app && portal_has(c->portal, QUIRK_NO_ADMIN))
        return API_ITEM_ACCESS;

    buf_str(c->out, "{\"types\":[");
    if (wanted)
        buf_fmt(c->out,
            "{\"id\":3,\"title\":\"Заявки \\u0022на "
            "сервис\\u0022\",\"code\":\"\",\"createdBy\":1,\"entityTypeId\":%d,"
            "\"customSectionId\":null,\"isCategoriesEnabled\":\"Y\",\"isStagesEnabled\":\"Y\","
            "\"isBeginCloseDatesEnabled\":\"Y\",\"isClientEnabled\":\"Y\",\"isUseInUserfieldEnabled\":\"Y\","
            "\"isLinkWithProductsEnabled\":\"Y\",\"isMycompanyEnabled\":\"Y\",\"isDocumentsEnabled\":\"N\","
            "\"isSourceEnabled\":\"Y\",\"isObserversEnabled\":\"Y\",\"isRecyclebinEnabled\":\"N\","
            "\"isAutomationEnabled\":\"Y\",\"isBizProcEnabled\":\"N\",\"isSetOpenPermissions\":\"Y\","
            "\"isPaymentsEnabled\":\"N\",\"isCountersEnabled\":\"N\","
            "\"createdTime\":\"2021-02-01T10:00:00+03:00\",\"updatedTime\":\"2024-03-01T10:00:00+03:00\","
            "\"updatedBy\":1}",
            WHICH[SMART].type_id);
    buf_str(c->out, "]}");
    c->listed = true;
    c->total = wanted;
    c->cost_s = COST_CALL_S;
    return API_OK;
}
