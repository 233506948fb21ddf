/* item_describe.c - crm.item.fields and crm.type.list (facts sections 4.5, 6.1). */
#include "table.h"

#include <stdio.h>

#include "base/mem.h"
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

static uint32_t count_types(const struct call *c)
{
    return 1;
}

static json_t *type_row(const struct call *c, uint32_t n)
{
    static const struct {
        const char *name, *flag;
    } flags[] = { { "Categories", "Y" }, { "Stages", "Y" }, { "BeginCloseDates", "Y" }, { "Client", "Y" },
        { "LinkWithProducts", "Y" }, { "Mycompany", "Y" }, { "Documents", "N" }, { "Source", "Y" },
        { "Observers", "Y" }, { "Recyclebin", "N" }, { "Automation", "Y" }, { "BizProc", "N" },
        { "Payments", "N" }, { "Counters", "N" }, { "UseInUserfield", "Y" } };
    json_t *row = json_pack("{s:i, s:s, s:s, s:i, s:i, s:i, s:n}", "id", 3, "title", "Заявки \"на сервис\"",
        "code", "", "createdBy", 1, "updatedBy", 1, "entityTypeId", WHICH[SMART].type_id, "customSectionId");
    char name[40];

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        snprintf(name, sizeof(name), "is%sEnabled", flags[i].name);
        table_text(row, name, "%s", flags[i].flag);
    }
    table_text(row, "isSetOpenPermissions", "Y");
    table_text(row, "createdTime", "2021-02-01T10:00:00+03:00");
    table_text(row, "updatedTime", "2024-03-01T10:00:00+03:00");
    return row;
}

/* The one smart process there is, for an administrator of the CRM. */
enum api_error run_types(struct call *c)
{
    static const struct table t = { .wrapper = "types",
        .id = "id",
        .operators = TABLE_COMPARE TABLE_LIKE TABLE_UNLIKE,
        .flags = TABLE_LOUD | TABLE_NO_SELECT,
        .count = count_types,
        .row = type_row };

    if (c->portal->app && portal_has(c->portal, QUIRK_NO_ADMIN))
        return API_ITEM_ACCESS;
    return table_run(c, &t, NULL);
}
