/* describe.c - crm.X.fields, crm.X.userfield.list and crm.userfield.types (facts sections 6.1, 6.4). */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "describe.h"
#include "json_out.h"
#include "params.h"

#define DESCRIPTION_BYTES (1u << 20)

static void out_flag(struct buf *out, const char *name, bool value)
{
    buf_fmt(out, ",\"%s\":%s", name, value ? "true" : "false");
}

static void out_items(struct buf *out, const struct attr *a)
{
    buf_str(out, ",\"items\":[");
    for (int i = 0, shown = 0; i < a->item_count; i++) {
        if (a->items[i].text == NULL)
            continue;
        buf_fmt(out, "%s{\"ID\":\"%d\",\"VALUE\":", shown++ > 0 ? "," : "", a->items[i].id);
        json_out_cstr(out, a->items[i].text);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

#define IBLOCK \
    "{\"DISPLAY\":\"LIST\",\"LIST_HEIGHT\":1,\"IBLOCK_ID\":0,\"DEFAULT_VALUE\":\"\",\"ACTIVE_FILTER\":" \
    "\"N\"}"

/* What SETTINGS hold, by type; who has none has an empty map, which is a list. */
static const struct {
    const char *type, *json;
} settings[] = {
    { "string",
        "{\"SIZE\":20,\"ROWS\":1,\"REGEXP\":\"\",\"MIN_LENGTH\":0,\"MAX_LENGTH\":0,\"DEFAULT_VALUE\":\"\"}" },
    { "integer", "{\"SIZE\":20,\"MIN_VALUE\":0,\"MAX_VALUE\":0,\"DEFAULT_VALUE\":null}" },
    { "double", "{\"PRECISION\":4,\"SIZE\":20,\"MIN_VALUE\":0,\"MAX_VALUE\":0,\"DEFAULT_VALUE\":null}" },
    { "boolean",
        "{\"DEFAULT_VALUE\":0,\"DISPLAY\":\"CHECKBOX\",\"LABEL\":[\"нет\",\"да\"],\"LABEL_CHECKBOX\":\"\"}" },
    { "enumeration",
        "{\"DISPLAY\":\"UI\",\"LIST_HEIGHT\":1,\"CAPTION_NO_VALUE\":\"\",\"SHOW_NO_VALUE\":\"Y\"}" },
    { "date", "{\"DEFAULT_VALUE\":{\"TYPE\":\"NONE\",\"VALUE\":\"\"}}" },
    { "datetime", "{\"DEFAULT_VALUE\":{\"TYPE\":\"NONE\",\"VALUE\":\"\"},\"USE_SECOND\":\"Y\",\"USE_"
                  "TIMEZONE\":\"N\"}" },
    { "url",
        "{\"POPUP\":\"Y\",\"SIZE\":20,\"MIN_LENGTH\":0,\"MAX_LENGTH\":0,\"DEFAULT_VALUE\":\"\",\"ROWS\":1}" },
    { "address", "{\"SHOW_MAP\":\"Y\"}" },
    { "employee", "[]" },
    { "iblock_section", IBLOCK },
    { "iblock_element", IBLOCK },
    { "resourcebooking",
        "{\"USE_USERS\":\"N\",\"USE_RESOURCES\":\"Y\",\"RESOURCES\":{\"resource\":{\"XML_ID\":\"resource\","
        "\"NAME\":\"resource\",\"SECTIONS\":[{\"ID\":\"7\",\"CAL_TYPE\":\"resource\",\"NAME\":\"Зал\"}]}},"
        "\"RESOURCE_LIMIT\":-1,\"SELECTED_RESOURCES\":[{\"id\":\"7\",\"type\":\"resource\",\"title\":\"Зал\"}"
        "],"
        "\"SELECTED_USERS\":[],\"FULL_DAY\":\"N\",\"ALLOW_OVERBOOKING\":\"Y\",\"USE_SERVICES\":\"N\","
        "\"SERVICE_LIST\":[],\"TIMEZONE\":\"\",\"USE_USER_TIMEZONE\":\"Y\"}" },
    { "money", "{\"DEFAULT_VALUE\":\"\"}" },
    { "crm_status", "{\"ENTITY_TYPE\":\"SOURCE\"}" },
    { "file", "{\"SIZE\":20,\"LIST_WIDTH\":0,\"LIST_HEIGHT\":0,\"MAX_SHOW_SIZE\":0,\"MAX_ALLOWED_SIZE\":0,"
              "\"EXTENSIONS\":[],\"TARGET_BLANK\":\"Y\"}" },
};

/* As the values are (generate_user.c). */
static const char *const ONE_BINDING =
    "{\"LEAD\":\"N\",\"CONTACT\":\"Y\",\"COMPANY\":\"N\",\"DEAL\":\"N\",\"DYNAMIC_156\":\"N\"}";
static const char *const BINDINGS =
    "{\"LEAD\":\"Y\",\"CONTACT\":\"Y\",\"COMPANY\":\"Y\",\"DEAL\":\"Y\",\"DYNAMIC_156\":\"Y\"}";

static const char *settings_of(const struct attr *a)
{
    if (strcmp(a->type_name, "crm") == 0)
        return a->flags & ATTR_MULTIPLE ? BINDINGS : ONE_BINDING;
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        if (strcmp(settings[i].type, a->type_name) == 0)
            return settings[i].json;
    }
    return "{\"DEFAULT_VALUE\":\"\"}";
}

static void out_user_part(struct buf *out, const struct attr *a)
{
    static const char *const labels[] = { "listLabel", "formLabel", "filterLabel" };

    for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
        buf_fmt(out, ",\"%s\":", labels[i]);
        json_out_cstr(out, a->label);
    }
    buf_fmt(out, ",\"settings\":%s", settings_of(a));
    if (strcmp(a->type_name, "enumeration") == 0)
        out_items(out, a);
}

/* Classic methods name a user field by its code, whatever people called it (facts section 6.1). */
static const char *title_of(const struct attr *a, bool item)
{
    return a->label != NULL && (item || !(a->flags & ATTR_USER)) ? a->label : a->name;
}

/* Where a link of the system leads: not those of contacts, of many, or deprecated (as in the dumps). */
static int parent_of(const struct attr *a)
{
    static const enum which links[] = { COMPANY, LEAD, QUOTE, DEAL };

    if (strncmp(a->name, "PARENT_ID_", 10) == 0)
        return atoi(a->name + 10);
    for (size_t i = 0; i < ARRAY_SIZE(links) && !(a->flags & (ATTR_MULTIPLE | ATTR_DEPRECATED)); i++) {
        if (strncmp(a->type_name, "crm_", 4) == 0 && strcmp(a->type_name + 4, WHICH[links[i]].singular) == 0)
            return WHICH[links[i]].type_id;
    }
    return 0;
}

static void out_parent(struct buf *out, const struct attr *a)
{
    const bool mine = strcmp(a->name, "MYCOMPANY_ID") == 0;

    if (parent_of(a) == 0)
        return;
    buf_fmt(out, ",\"settings\":{%s\"parentEntityTypeId\":%d%s}", mine ? "\"isMyCompany\":true," : "",
        parent_of(a), mine ? ",\"isEmbeddedEditorEnabled\":true" : "");
}

/* Long texts are of a type of their own in crm.item.fields. */
static const char *type_of(const struct attr *a, bool item)
{
    static const char *const texts = " COMMENTS SOURCE_DESCRIPTION STATUS_DESCRIPTION ADDRESS ADDRESS_LEGAL ";
    char spaced[64];

    snprintf(spaced, sizeof(spaced), " %.60s ", a->name);
    if (item && strcmp(a->type_name, "char") == 0)
        return "boolean";
    return item && strstr(texts, spaced) != NULL ? "text" : a->type_name;
}

void describe_field(struct buf *out, const struct attr *a, const char *upper)
{
    buf_str(out, "{\"type\":");
    json_out_cstr(out, type_of(a, upper != NULL));
    out_flag(out, "isRequired", a->flags & ATTR_REQUIRED);
    out_flag(out, "isReadOnly", a->flags & ATTR_READ_ONLY);
    out_flag(out, "isImmutable", a->flags & ATTR_IMMUTABLE);
    out_flag(out, "isMultiple", a->flags & ATTR_MULTIPLE);
    out_flag(out, "isDynamic", a->flags & ATTR_USER);
    if (a->flags & ATTR_DEPRECATED)
        out_flag(out, "isDeprecated", true);
    if (a->dictionary != NULL)
        buf_fmt(out, ",\"statusType\":\"%s\"", a->dictionary);
    buf_str(out, ",\"title\":");
    json_out_cstr(out, title_of(a, upper != NULL));
    if (a->flags & ATTR_USER)
        out_user_part(out, a);
    else
        out_parent(out, a);
    if (upper != NULL) {
        buf_str(out, ",\"upperName\":");
        json_out_cstr(out, upper);
    }
    buf_char(out, '}');
}

enum api_error run_fields(struct call *c)
{
    const struct attr_list *attrs = &c->portal->store.crm[c->method->which].attrs;

    buf_char(c->out, '{');
    for (int i = 0; i < attrs->count; i++) {
        if (attrs->list[i]->flags & ATTR_ITEM)
            continue;
        if (i > 0)
            buf_char(c->out, ',');
        buf_add(c->out, attrs->list[i]->key, attrs->list[i]->key_n);
        describe_field(c->out, attrs->list[i], NULL);
    }
    buf_char(c->out, '}');
    c->cost_s = COST_CALL_S;
    return API_OK;
}

static void out_enum_list(struct buf *out, const struct attr *a)
{
    buf_str(out, ",\"LIST\":[");
    for (int i = 0, shown = 0; i < a->item_count; i++) {
        if (a->items[i].text == NULL)
            continue;
        buf_fmt(out, "%s{\"ID\":\"%d\",\"SORT\":\"%d\",\"VALUE\":", shown++ > 0 ? "," : "", a->items[i].id,
            (i + 1) * 10);
        json_out_cstr(out, a->items[i].text);
        buf_fmt(out, ",\"DEF\":\"N\",\"XML_ID\":\"x%d\"}", a->items[i].id);
    }
    buf_char(out, ']');
}

/* The five labels are there only when a language was asked for. */
static void out_labels(struct buf *out, const struct attr *a, bool by_language)
{
    static const char *const labels[] = { "EDIT_FORM_LABEL", "LIST_COLUMN_LABEL", "LIST_FILTER_LABEL",
        "ERROR_MESSAGE", "HELP_MESSAGE" };

    for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
        buf_fmt(out, ",\"%s\":%s", labels[i], by_language ? "{\"ru\":" : "");
        json_out_cstr(out, i < 3 ? a->label : "");
        if (by_language)
            buf_char(out, '}');
    }
}

void describe_userfield(struct buf *out, const struct attr *a, const char *entity, enum labels labels)
{
    buf_fmt(out, "{\"ID\":\"%d\",\"ENTITY_ID\":\"%s\",\"FIELD_NAME\":\"%s\",\"USER_TYPE_ID\":", a->user_id,
        entity, a->name);
    json_out_cstr(out, a->type_name);
    buf_fmt(out,
        ",\"XML_ID\":null,\"SORT\":\"%d\",\"MULTIPLE\":\"%s\",\"MANDATORY\":\"N\",\"SHOW_FILTER\":\"E\","
        "\"SHOW_IN_LIST\":\"Y\",\"EDIT_IN_LIST\":\"Y\",\"IS_SEARCHABLE\":\"N\",\"SETTINGS\":%s",
        100 + a->place, a->flags & ATTR_MULTIPLE ? "Y" : "N", settings_of(a));
    if (labels != LABELS_NONE)
        out_labels(out, a, labels == LABELS_BY_LANGUAGE);
    if (strcmp(a->type_name, "enumeration") == 0)
        out_enum_list(out, a);
    buf_char(out, '}');
}

static uint32_t count_userfields(const struct call *c)
{
    return (uint32_t)c->portal->store.crm[c->method->which].attrs.count;
}

static json_t *userfield_row(const struct call *c, uint32_t n)
{
    const struct attr *a = c->portal->store.crm[c->method->which].attrs.list[n];
    const json_t *filter = params_get(c->params, "filter");
    const bool labels = filter != NULL && params_get(filter, "LANG") != NULL;
    struct buf text;

    if (!(a->flags & ATTR_USER))
        return NULL;
    buf_init(&text, DESCRIPTION_BYTES);
    describe_userfield(&text, a, WHICH[c->method->which].uf_entity, labels ? LABELS_TEXT : LABELS_NONE);
    json_t *row = json_loads(buf_cstr(&text), 0, NULL);
    buf_fini(&text);
    return row;
}

/* LANG is no field: it says that labels are wanted, and is left out as any other that there is none of. Those
 * of contacts are for administrators. */
enum api_error run_userfields(struct call *c)
{
    static const struct table t = { .id = "ID",
        .default_order = "SORT",
        .operators = " = ",
        .flags = TABLE_WHOLE | TABLE_NO_SELECT,
        .count = count_userfields,
        .row = userfield_row,
        .no_list = API_ORDER_TYPE };

    if (c->method->which == CONTACT && c->portal->app && portal_has(c->portal, QUIRK_NO_ADMIN))
        return API_ACCESS;
    return table_run(c, &t, NULL);
}

static const struct {
    const char *id, *title;
} types[] = {
    { "string", "Строка" },
    { "integer", "Целое число" },
    { "double", "Число" },
    { "boolean", "Да/Нет" },
    { "enumeration", "Список" },
    { "datetime", "Дата со временем" },
    { "date", "Дата" },
    { "money", "Деньги" },
    { "url", "Ссылка" },
    { "address", "Адрес" },
    { "file", "Файл" },
    { "employee", "Привязка к пользователю" },
    { "crm_status", "Привязка к справочникам CRM" },
    { "iblock_section", "Привязка к разделам инф. блоков" },
    { "iblock_element", "Привязка к элементам инф. блоков" },
    { "crm", "Привязка к элементам CRM" },
};

bool describe_is_type(struct str name)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (str_is(name, types[i].id))
            return true;
    return false;
}

enum api_error run_userfield_types(struct call *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        buf_fmt(c->out, "%c{\"ID\":\"%s\",\"title\":", i == 0 ? '[' : ',', types[i].id);
        json_out_cstr(c->out, types[i].title);
        buf_char(c->out, '}');
    }
    buf_char(c->out, ']');
    c->cost_s = COST_CALL_S;
    return API_OK;
}
