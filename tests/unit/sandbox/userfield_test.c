/* crm.X.userfield.add, get, update, delete (facts section 6.4). */
#include "tests/unit/sandbox/ask.h"

static void refused(struct portal *p, const char *method, const char *body, const char *code)
{
    json_t *answer = ask(p, method, body);

    CHECK_STR(json_string_value(json_object_get(answer, "error")), code);
    json_decref(answer);
}

TEST(a_field_is_made_described_filled_and_deleted)
{
    struct portal *p = ask_open();
    json_t *id = ask_done(ask(p, "crm.deal.userfield.add",
        "{\"fields\":{\"FIELD_NAME\":\"color\",\"USER_TYPE_ID\":\"enumeration\",\"MULTIPLE\":\"N\",\"EDIT_"
        "FORM_LABEL\":{\"ru\":\"Цвет\"},"
        "\"LIST\":[{\"VALUE\":\"красный\"},{\"VALUE\":\"синий\"}]}}"));
    char body[300];

    CHECK(json_is_integer(id));
    const long long number = json_integer_value(id);
    json_decref(id);
    snprintf(body, sizeof(body), "{\"id\":%lld}", number);
    json_t *field = ask_done(ask(p, "crm.deal.userfield.get", body));
    ask_has(field, "FIELD_NAME", "\"UF_CRM_COLOR\"");
    ask_has(field, "EDIT_FORM_LABEL", "{\"ru\":\"Цвет\"}");
    const json_t *list = json_object_get(field, "LIST");
    CHECK_EQ(json_array_size(list), 2);
    const char *red = json_string_value(json_object_get(json_array_get(list, 0), "ID"));
    snprintf(body, sizeof(body), "{\"fields\":{\"UF_CRM_COLOR\":%s}}", red);
    json_t *deal = ask_done(ask(p, "crm.deal.add", body));
    snprintf(body, sizeof(body), "{\"id\":%lld}", (long long)json_integer_value(deal));
    json_decref(deal);
    deal = ask_done(ask(p, "crm.deal.get", body));
    CHECK_STR(json_string_value(json_object_get(deal, "UF_CRM_COLOR")), red);
    json_decref(deal);
    snprintf(body, sizeof(body),
        "{\"id\":%lld,\"fields\":{\"EDIT_FORM_LABEL\":\"Оттенок\",\"LIST\":[{\"ID\":%s,\"VALUE\":\"алый\"},{"
        "\"VALUE\":\"белый\"}]}}",
        number, red);
    json_decref(ask_done(ask(p, "crm.deal.userfield.update", body)));
    json_decref(field);
    snprintf(body, sizeof(body), "{\"id\":%lld}", number);
    field = ask_done(ask(p, "crm.deal.userfield.get", body));
    ask_has(json_array_get(json_object_get(field, "LIST"), 0), "VALUE", "\"алый\"");
    CHECK_EQ(json_array_size(json_object_get(field, "LIST")), 3);
    json_decref(field);
    json_decref(ask_done(ask(p, "crm.deal.userfield.delete", body)));
    refused(p, "crm.deal.userfield.get", body, "ERROR_NOT_FOUND");
    json_t *rows =
        ask_done(ask(p, "crm.deal.userfield.list", "{\"filter\":{\"FIELD_NAME\":\"UF_CRM_COLOR\"}}"));
    CHECK_EQ(json_array_size(rows), 0);
    json_decref(rows);
    ask_close(p);
}

TEST(a_new_field_is_empty_everywhere)
{
    struct portal *p = ask_open();

    json_decref(ask_done(ask(p, "crm.lead.userfield.add",
        "{\"fields\":{\"FIELD_NAME\":\"UF_CRM_NEW\",\"USER_TYPE_ID\":\"double\"}}")));
    json_t *answer = ask(p, "crm.lead.list", "{\"filter\":{\"!UF_CRM_NEW\":\"\"}}");
    CHECK_EQ(json_integer_value(json_object_get(answer, "total")), 0);
    json_decref(answer);
    ask_close(p);
}

TEST(wrong_names_and_numbers_are_refused)
{
    struct portal *p = ask_open();

    refused(p, "crm.deal.userfield.add", "{}", "");
    refused(p, "crm.deal.userfield.add", "{\"fields\":{}}", "ERROR_CORE");
    refused(p, "crm.deal.userfield.add", "{\"fields\":{\"FIELD_NAME\":\"UF_CRM_INT\"}}", "ERROR_CORE");
    refused(p, "crm.deal.userfield.add", "{\"fields\":{\"FIELD_NAME\":\"с пробелом\"}}", "ERROR_CORE");
    refused(p, "crm.deal.userfield.add",
        "{\"fields\":{\"FIELD_NAME\":\"UF_CRM_44444444444444444444444444444444444444444444\"}}",
        "ERROR_CORE");
    refused(p, "crm.deal.userfield.get", "{\"id\":1}", "ERROR_NOT_FOUND");
    refused(p, "crm.deal.userfield.update", "{}", "ERROR_NOT_FOUND");
    refused(p, "crm.deal.userfield.delete", "{\"id\":[]}", "ERROR_NOT_FOUND");
    ask_close(p);
}

TEST(all_scalars_of_a_description_are_texts)
{
    struct portal *p = ask_open();
    json_t *rows = ask_done(ask(p, "crm.deal.userfield.list", NULL)), *row, *v;
    const char *name;
    size_t n;

    CHECK(json_array_size(rows) > 10);
    json_array_foreach(rows, n, row) {
        json_object_foreach(row, name, v)
            CHECK(json_is_string(v) || json_is_object(v) || json_is_array(v));
    }
    json_decref(rows);
    ask_close(p);
}

TEST_MAIN(CASE(a_field_is_made_described_filled_and_deleted), CASE(a_new_field_is_empty_everywhere),
    CASE(wrong_names_and_numbers_are_refused), CASE(all_scalars_of_a_description_are_texts))
