#include "services/sandbox/data/truth.h"

#include "unit/sandbox/ask.h"

/* Sets a field of one deal to a wire value and reads its column in truth. */
static void check_set(
    struct portal *p, const char *field, const char *wire, const char *column, const char *want)
{
    char path[128], body[1024];
    const uint32_t id = p->store.crm[DEAL].ids[3];

    snprintf(path, sizeof(path), "set?entity=deals&id=%u&raw=1", id);
    snprintf(body, sizeof(body), "{\"%s\":%s}", field, wire);
    ask_admin(p, path, body);
    snprintf(path, sizeof(path), "/__admin/truth/deals?after=%u&limit=1", id - 1);
    char *text = ask_raw(p, path, NULL, "", NULL);
    json_t *row = json_loads(text, 0, NULL);
    json_t *value = json_object_get(json_object_get(row, "values"), column);
    char *got = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : xstrdup("(none)");
    CHECK_STR(got, want);
    free(got);
    free(text);
    json_decref(row);
}

TEST(a_wire_value_has_one_truth)
{
    static const struct {
        const char *field, *wire, *column, *want;
    } cases[] = {
        { "TITLE", "\"x/y\"", "title", "\"x/y\"" },
        { "TITLE", "\"\"", "title", "\"\"" },
        { "TITLE", "null", "title", "(none)" },
        { "TITLE", "false", "title", "(none)" },
        { "TITLE", "[]", "title", "(none)" },
        { "TITLE", "15", "title", "\"15\"" },
        { "TITLE", "{\"a\":1}", "title", "\"{\\\"a\\\":1}\"" },
        { "OPPORTUNITY", "\"1000000.00\"", "opportunity", "\"1000000\"" },
        { "OPPORTUNITY", "\"12345678901234567.89\"", "opportunity", "\"12345678901234567.89\"" },
        { "OPPORTUNITY", "\"-0.00\"", "opportunity", "\"0\"" },
        { "OPPORTUNITY", "\"007.50\"", "opportunity", "\"7.5\"" },
        { "OPPORTUNITY", "\".5\"", "opportunity", "\"0.5\"" },
        { "OPPORTUNITY", "\"-12.340\"", "opportunity", "\"-12.34\"" },
        { "OPPORTUNITY", "\"1.0E+25\"", "opportunity", "\"10000000000000000000000000\"" },
        { "OPPORTUNITY", "\"12.5e-3\"", "opportunity", "\"0.0125\"" },
        { "OPPORTUNITY", "\"много\"", "opportunity", "(none)" },
        { "OPPORTUNITY", "\"\"", "opportunity", "(none)" },
        { "PROBABILITY", "\"0\"", "probability", "0" },
        { "PROBABILITY", "\"99999999999999999999\"", "probability", "(none)" },
        { "PROBABILITY", "7", "probability", "7" },
        { "COMPANY_ID", "\"0\"", "company_id", "(none)" },
        { "COMPANY_ID", "\"12\"", "company_id", "12" },
        { "CLOSED", "\"Y\"", "closed", "true" },
        { "CLOSED", "\"maybe\"", "closed", "(none)" },
        { "UF_CRM_FLAG", "false", "uf_crm_flag", "false" },
        { "BEGINDATE", "\"2024-08-30T03:00:00+03:00\"", "begindate", "\"2024-08-30\"" },
        { "BEGINDATE", "\"не дата\"", "begindate", "(none)" },
        { "DATE_CREATE", "\"2024-08-30T14:29:00+03:00\"", "date_create", "\"2024-08-30T11:29:00Z\"" },
        { "UF_CRM_MONEY", "\"300.10|EUR\"", "uf_crm_money", "\"300.1\"" },
        { "UF_CRM_MONEY", "\"300.10|EUR\"", "uf_crm_money_currency", "\"EUR\"" },
        { "UF_CRM_MONEY", "\"\"", "uf_crm_money_currency", "(none)" },
        { "UF_CRM_ENUM_M", "[188,209]", "uf_crm_enum_m", "[188,209]" },
        { "UF_CRM_ENUM_M", "false", "uf_crm_enum_m", "(none)" },
        { "UF_CRM_STRING_M", "\"one\"", "uf_crm_string_m", "[\"one\"]" },
        { "UF_CRM_DATE_M", "[\"2024-08-30T00:00:00+03:00\"]", "uf_crm_date_m", "[\"2024-08-30\"]" },
        { "UF_CRM_DATETIME_M", "[\"2024-08-30T14:29:00+03:00\"]", "uf_crm_datetime_m",
            "[\"2024-08-30T11:29:00Z\"]" },
    };
    struct portal *p = ask_open();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        check_set(p, cases[i].field, cases[i].wire, cases[i].column, cases[i].want);
    ask_close(p);
}

TEST(columns_follow_from_types)
{
    static const struct {
        const char *column, *kind;
    } cases[] = {
        { "title", "text" },
        { "category_id", "int" },
        { "company_id", "int" },
        { "opportunity", "decimal" },
        { "closed", "bool" },
        { "begindate", "date" },
        { "date_create", "time" },
        { "contact_ids", "json" },
        { "stage_id", "text" },
        { "uf_crm_flag", "bool" },
        { "uf_crm_money", "decimal" },
        { "uf_crm_money_currency", "text" },
        { "uf_crm_money_m", "json" },
        { "uf_crm_file", "json" },
        { "uf_crm_booking", "json" },
        { "uf_crm_binding", "text" },
        { "uf_crm_1721244707107", "text" },
    };
    struct portal *p = ask_open();
    char *text = ask_raw(p, "/__admin/columns/deals", NULL, "", NULL);
    json_t *columns = json_loads(text, 0, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_STR(json_string_value(json_object_get(columns, cases[i].column)), cases[i].kind);
    CHECK(json_object_get(columns, "id") == NULL);
    json_decref(columns);
    free(text);
    ask_close(p);
}

TEST_MAIN(CASE(a_wire_value_has_one_truth), CASE(columns_follow_from_types))
