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

/* The vendor's pages of all four entities have the same codes and texts. */
TEST(what_is_wrong_with_a_field_is_told_in_the_documents_words)
{
    static const struct {
        const char *verb, *body, *code, *text;
    } cases[] = {
        { "add", "{}", "", "Parameter 'fields' must be array." },
        { "add", "{\"fields\":{}}", "", "The 'USER_TYPE_ID' field is not found." },
        { "add", "{\"fields\":{\"FIELD_NAME\":\"A\"}}", "", "The 'USER_TYPE_ID' field is not found." },
        { "add", "{\"fields\":{\"USER_TYPE_ID\":\"string\",\"FIELD_NAME\":\"\"}}", "",
            "The 'FIELD_NAME' field is not found." },
        { "add",
            "{\"fields\":{\"USER_TYPE_ID\":\"string\",\"FIELD_NAME\":"
            "\"UF_CRM_44444444444444444444444444444444444444444444\"}}",
            "ERROR_CORE", "Field name is too long (more than 50 characters)." },
        { "add", "{\"fields\":{\"USER_TYPE_ID\":\"string\",\"FIELD_NAME\":\"с пробелом\"}}", "ERROR_CORE",
            "Field name contains invalid characters. Allowed characters are: A-Z, 0-9 and _." },
        { "add", "{\"fields\":{\"USER_TYPE_ID\":\"nosuch\",\"FIELD_NAME\":\"A\"}}", "ERROR_CORE",
            "Incorrect custom type specified." },
        { "add", "{\"fields\":{\"USER_TYPE_ID\":\"string\",\"FIELD_NAME\":\"UF_CRM_INT\"}}", "ERROR_CORE",
            "The field name is taken" },
        { "add",
            "{\"fields\":{\"USER_TYPE_ID\":\"enumeration\",\"FIELD_NAME\":\"A\",\"LIST\":["
            "{\"VALUE\":\"a\",\"XML_ID\":\"q\"},{\"VALUE\":\"b\",\"XML_ID\":\"q\"}]}}",
            "ERROR_CORE", "List item with value XML_ID=q already exists." },
        { "get", "{\"id\":1}", "ERROR_NOT_FOUND", "The entity with ID '1' is not found" },
        { "get", "{}", "", "ID is not defined or invalid." },
        { "get", "{\"id\":0}", "", "ID is not defined or invalid." },
        { "update", "{\"id\":-1,\"fields\":{}}", "", "ID is not defined or invalid." },
        { "delete", "{\"id\":[]}", "", "ID is not defined or invalid." },
        { "list", "{\"filter\":\"x\"}", "", "Parameter 'filter' must be array." },
        { "list", "{\"order\":\"x\"}", "", "Parameter 'order' must be array." },
    };
    static const char *const entities[] = { "deal", "contact", "company", "lead" };
    struct portal *p = ask_open();

    for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(entities); i++) {
        const size_t k = i / ARRAY_SIZE(entities);
        char method[60];
        snprintf(
            method, sizeof(method), "crm.%s.userfield.%s", entities[i % ARRAY_SIZE(entities)], cases[k].verb);
        ask_refused(p, method, cases[k].body, cases[k].code, cases[k].text);
    }
    ask_close(p);
}

/* One portal numbers the fields of all entities: another one's may not be touched. */
TEST(a_field_of_another_entity_is_denied)
{
    static const char *const verbs[] = { "get", "update", "delete" };
    struct portal *p = ask_open();
    json_t *rows = ask_done(ask(p, "crm.lead.userfield.list", NULL)), *row;
    char body[100], method[60];
    size_t n;

    json_array_foreach(rows, n, row) {
        snprintf(
            body, sizeof(body), "{\"id\":%s,\"fields\":{}}", json_string_value(json_object_get(row, "ID")));
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
            snprintf(method, sizeof(method), "crm.deal.userfield.%s", verbs[i]);
            ask_refused(p, method, body, "", "Access denied.");
        }
    }
    CHECK(n > 10);
    json_decref(rows);
    ask_close(p);
}

TEST(fields_are_listed_as_the_filter_and_the_order_say)
{
    struct portal *p = ask_open();
    json_t *rows = ask_done(ask(p, "crm.deal.userfield.list",
               "{\"filter\":{\"MULTIPLE\":\"Y\",\"MANDATORY\":\"N\"},\"order\":{\"FIELD_NAME\":\"DESC\"}}")),
           *none = ask_done(ask(p, "crm.deal.userfield.list", "{\"filter\":{\"MANDATORY\":\"Y\"}}"));

    CHECK(json_array_size(rows) > 5);
    CHECK_EQ(json_array_size(none), 0);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        ask_has(json_array_get(rows, i), "MULTIPLE", "\"Y\"");
        CHECK(i == 0 ||
              strcasecmp(json_string_value(json_object_get(json_array_get(rows, i - 1), "FIELD_NAME")),
                  json_string_value(json_object_get(json_array_get(rows, i), "FIELD_NAME"))) > 0);
    }
    json_decref(rows);
    json_decref(none);
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
            CHECK(json_is_string(v) || json_is_object(v) || json_is_array(v) || strcmp(name, "XML_ID") == 0);
    }
    json_decref(rows);
    ask_close(p);
}

TEST_MAIN(CASE(a_field_is_made_described_filled_and_deleted), CASE(a_new_field_is_empty_everywhere),
    CASE(what_is_wrong_with_a_field_is_told_in_the_documents_words),
    CASE(a_field_of_another_entity_is_denied), CASE(fields_are_listed_as_the_filter_and_the_order_say),
    CASE(all_scalars_of_a_description_are_texts))
