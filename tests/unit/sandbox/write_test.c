/* crm.X.add, update and delete (facts sections 2.4, 8). */
#include "tests/unit/sandbox/ask.h"

static long long added(struct portal *p, const char *method, const char *body)
{
    json_t *id = ask_done(ask(p, method, body));

    CHECK(json_is_integer(id)); /* a number, though every get prints it as text */
    const long long ret = json_integer_value(id);
    json_decref(id);
    return ret;
}

static json_t *got(struct portal *p, const char *entity, long long id)
{
    char method[64];

    snprintf(method, sizeof(method), "crm.%s.get?id=%lld", entity, id);
    return ask_done(ask(p, method, NULL));
}

static void is_true(struct portal *p, const char *method, long long id, const char *rest)
{
    char body[4096];

    snprintf(body, sizeof(body), "{\"id\":%lld%s%s}", id, rest[0] ? "," : "", rest);
    json_t *result = ask_done(ask(p, method, body));
    CHECK(json_is_true(result));
    json_decref(result);
}

static char *truth(struct portal *p, const char *plural, long long id)
{
    char path[128];

    snprintf(path, sizeof(path), "/__admin/truth/%s?after=%lld&limit=1", plural, id - 1);
    return ask_raw(p, path, NULL, "", NULL);
}

TEST(a_new_deal_has_what_was_sent_and_what_follows_and_nothing_else)
{
    struct portal *p = ask_open();
    const long long id = added(p, "crm.deal.add",
        "{\"fields\":{\"title\":\"Новая <1>\",\"OPPORTUNITY\":1500,\"CURRENCY_ID\":\"EUR\",\"CATEGORY_ID\":2,"
        "\"CONTACT_ID\":7,\"PROBABILITY\":\"30\",\"COMMENTS\":\"\",\"UF_CRM_FLAG\":\"Y\",\"UF_CRM_INT\":"
        "\"12x\","
        "\"UF_CRM_DOUBLE\":\"1.250\",\"UF_CRM_MONEY\":\"10.50|USD\",\"UF_CRM_DATE\":\"31.12.2025\","
        "\"UF_CRM_INT_M\":[\"3\",4,\"\"],\"UF_CRM_STRING_M\":[\"a\",\"\",\"b\"],\"UF_CRM_DATE_M\":[\"2025-01-"
        "02\"],"
        "\"UF_CRM_BINDING\":\"CO_5\",\"NOSUCH\":1,\"DATE_CREATE\":\"2001-01-01\",\"ID\":5,"
        "\"UF_CRM_60C3ECE83CBE5\":\"2025-06-01T10:00:00+00:00\"},"
        "\"params\":{\"REGISTER_SONET_EVENT\":\"N\"}}");
    json_t *deal = got(p, "deal", id);
    static const char *const expected[][2] = { { "TITLE", "\"Новая <1>\"" }, { "OPPORTUNITY", "\"1500.00\"" },
        { "CURRENCY_ID", "\"EUR\"" }, { "CATEGORY_ID", "\"2\"" }, { "STAGE_ID", "\"C2:NEW\"" },
        { "STAGE_SEMANTIC_ID", "\"P\"" }, { "CLOSED", "\"N\"" }, { "IS_NEW", "\"Y\"" },
        { "CONTACT_ID", "\"7\"" }, { "PROBABILITY", "\"30\"" }, { "COMMENTS", "\"\"" }, { "OPENED", "\"Y\"" },
        { "ASSIGNED_BY_ID", "\"1\"" }, { "CREATED_BY_ID", "\"1\"" }, { "UF_CRM_FLAG", "\"1\"" },
        { "UF_CRM_INT", "\"12\"" }, { "UF_CRM_DOUBLE", "\"1.250\"" }, { "UF_CRM_MONEY", "\"10.50|USD\"" },
        { "UF_CRM_INT_M", "[3,4]" }, { "UF_CRM_DATE", "\"2025-12-31T03:00:00+03:00\"" },
        { "UF_CRM_STRING_M", "[\"a\",\"b\"]" }, { "UF_CRM_DATE_M", "[\"2025-01-02T00:00:00+03:00\"]" },
        { "UF_CRM_BINDING", "\"CO_5\"" }, { "UF_CRM_60C3ECE83CBE5", "\"2025-06-01T13:00:00+03:00\"" },
        { "UF_CRM_STRING", "\"\"" }, { "UF_CRM_FILE_M", "[]" }, { "SOURCE_DESCRIPTION", "null" } };

    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        ask_has(deal, expected[i][0], expected[i][1]);
    CHECK(strncmp(json_string_value(json_object_get(deal, "DATE_CREATE")), "20", 2) == 0);
    CHECK(strcmp(json_string_value(json_object_get(deal, "DATE_CREATE")), "2001") > 0);
    CHECK_STR(json_string_value(json_object_get(deal, "DATE_CREATE")),
        json_string_value(json_object_get(deal, "DATE_MODIFY")));
    char *text = truth(p, "deals", id);
    CHECK_HAS(text, "\"opportunity\":\"1500\"");
    CHECK_HAS(text, "\"uf_crm_int_m\":[3,4]");
    CHECK_HAS(text, "\"uf_crm_money\":\"10.5\",\"uf_crm_money_currency\":\"USD\"");
    CHECK_HAS(text, "\"uf_crm_date\":\"2025-12-31\"");
    CHECK(strstr(text, "uf_crm_string\":") == NULL && strstr(text, "source_id") == NULL);
    free(text);
    json_decref(deal);
    ask_close(p);
}

TEST(what_is_not_sent_has_its_default)
{
    struct portal *p = ask_open();
    const long long id = added(p, "crm.deal.add", "{\"fields\":{}}");
    json_t *deal = got(p, "deal", id);
    char title[64];

    snprintf(title, sizeof(title), "\"Сделка #%lld\"", id);
    ask_has(deal, "TITLE", title);
    ask_has(deal, "STAGE_ID", "\"NEW\"");
    ask_has(deal, "OPPORTUNITY", "\"0.00\"");
    json_decref(deal);
    json_t *lead = got(p, "lead", added(p, "crm.lead.add", "{\"fields\":{\"NAME\":\"x\"}}"));
    ask_has(lead, "STATUS_ID", "\"NEW\"");
    ask_has(lead, "STATUS_SEMANTIC_ID", "\"P\"");
    CHECK(json_object_get(lead, "PHONE") == NULL);
    json_decref(lead);
    ask_close(p);
}

TEST(a_form_writes_what_json_does)
{
    struct portal *p = ask_open();
    char path[128];
    int status;

    snprintf(path, sizeof(path), "/rest/1/%s/crm.contact.add", p->secret);
    char *text = ask_raw(p, path,
        "fields[NAME]=%D0%90&fields[PHONE][0][VALUE]=%2B7&fields[PHONE][0][VALUE_TYPE]=MOBILE&fields[UF_CRM_"
        "INT_M]["
        "]=1&fields[UF_CRM_INT_M][]=2&params[REGISTER_SONET_EVENT]=Y",
        "application/x-www-form-urlencoded", &status);
    CHECK_EQ(status, 200);
    json_t *contact = got(p, "contact", atoll(strchr(text, ':') + 1));
    ask_has(contact, "NAME", "\"А\"");
    ask_has(contact, "UF_CRM_INT_M", "[1,2]");
    ask_has(contact, "HAS_PHONE", "\"Y\"");
    ask_has(contact, "HAS_EMAIL", "\"N\"");
    const json_t *row = json_array_get(json_object_get(contact, "PHONE"), 0);
    ask_has(row, "VALUE", "\"+7\"");
    ask_has(row, "VALUE_TYPE", "\"MOBILE\"");
    ask_has(row, "TYPE_ID", "\"PHONE\"");
    CHECK(json_is_string(json_object_get(row, "ID")));
    json_decref(contact);
    free(text);
    ask_close(p);
}

static long long row_id(const json_t *record, const char *field, size_t n)
{
    return atoll(json_string_value(json_object_get(json_array_get(json_object_get(record, field), n), "ID")));
}

TEST(phones_are_added_changed_and_deleted_one_by_one)
{
    struct portal *p = ask_open();
    const long long id = added(p, "crm.contact.add",
        "{\"fields\":{\"NAME\":\"x\",\"PHONE\":[{\"VALUE\":\"1\"},{\"VALUE\":\"2\",\"VALUE_TYPE\":\"HOME\"},"
        "\"3\"]}}");
    json_t *contact = got(p, "contact", id);
    char body[512];

    CHECK_EQ(json_array_size(json_object_get(contact, "PHONE")), 2);
    const long long first = row_id(contact, "PHONE", 0), second = row_id(contact, "PHONE", 1);
    json_decref(contact);
    snprintf(body, sizeof(body),
        "\"fields\":{\"PHONE\":[{\"ID\":%lld,\"VALUE\":\"11\"},{\"ID\":\"%lld\",\"DELETE\":\"Y\"},{\"VALUE\":"
        "\"11\"}]}",
        first, second);
    is_true(p, "crm.contact.update", id, body);
    contact = got(p, "contact", id);
    CHECK_EQ(json_array_size(json_object_get(contact, "PHONE")), 2);
    ask_has(json_array_get(json_object_get(contact, "PHONE"), 0), "VALUE", "\"11\"");
    ask_has(json_array_get(json_object_get(contact, "PHONE"), 1), "VALUE",
        "\"11\""); /* a number sent again is there twice */
    CHECK_EQ(row_id(contact, "PHONE", 0), first);
    const long long third = row_id(contact, "PHONE", 1);
    json_decref(contact);
    snprintf(body, sizeof(body),
        "\"fields\":{\"PHONE\":[{\"ID\":%lld,\"VALUE\":\"\"},{\"ID\":%lld,\"DELETE\":\"Y\"}]}", first, third);
    is_true(p, "crm.contact.update", id, body);
    contact = got(p, "contact", id);
    CHECK(json_object_get(contact, "PHONE") == NULL);
    ask_has(contact, "HAS_PHONE", "\"N\"");
    json_decref(contact);
    ask_close(p);
}

TEST(rows_that_are_not_mentioned_stay)
{
    struct portal *p = ask_open();
    long long id = 0;
    size_t before = 0;

    for (uint32_t n = 0; before == 0; n++) { /* one that has phones */
        id = p->store.crm[CONTACT].ids[n];
        json_t *contact = got(p, "contact", id);
        before = json_array_size(json_object_get(contact, "PHONE"));
        json_decref(contact);
    }
    is_true(p, "crm.contact.update", id, "\"fields\":{\"PHONE\":[{\"VALUE\":\"+7 999\"}]}");
    json_t *contact = got(p, "contact", id);
    CHECK_EQ(json_array_size(json_object_get(contact, "PHONE")), before + 1);
    json_decref(contact);
    ask_close(p);
}

static size_t found(struct portal *p, const char *filter)
{
    char body[256];

    snprintf(body, sizeof(body), "{\"select\":[\"ID\"],\"filter\":{%s}}", filter);
    json_t *list = ask_done(ask(p, "crm.contact.list", body));
    const size_t count = json_array_size(list);
    json_decref(list);
    return count;
}

TEST(what_was_written_is_found_by_it)
{
    struct portal *p = ask_open();

    added(p, "crm.contact.add",
        "{\"fields\":{\"NAME\":\"x\",\"PHONE\":[{\"VALUE\":\"+7 900\"}],\"UF_CRM_INT_M\":[123456789,5],"
        "\"UF_CRM_STRING_M\":[\"Самовар\",\"b\"]}}");
    CHECK_EQ(found(p, "\"PHONE\":\"+7 900\""), 1);
    CHECK_EQ(found(p, "\"PHONE\":\"+7 90\""), 0);
    CHECK_EQ(found(p, "\"UF_CRM_INT_M\":123456789"), 1);
    CHECK_EQ(found(p, "\">=UF_CRM_INT_M\":123456789,\"NAME\":\"x\""), 1);
    CHECK_EQ(found(p, "\">UF_CRM_INT_M\":123456789,\"NAME\":\"x\""), 0);
    CHECK_EQ(found(p, "\"%UF_CRM_STRING_M\":\"самова\""), 1);
    ask_close(p);
}

TEST(an_update_changes_what_was_sent_and_the_times)
{
    struct portal *p = ask_open();
    const long long id = p->store.crm[DEAL].ids[3];
    json_t *before = got(p, "deal", id);

    is_true(
        p, "crm.deal.update", id, "\"fields\":{\"TITLE\":\"other\",\"CATEGORY_ID\":3,\"CREATED_BY_ID\":9}");
    json_t *after = got(p, "deal", id);
    ask_has(after, "TITLE", "\"other\"");
    ask_has(after, "MODIFY_BY_ID", "\"1\"");
    static const char *const same[] = { "CATEGORY_ID", "CREATED_BY_ID", "OPPORTUNITY", "STAGE_ID",
        "MOVED_TIME" };
    for (size_t i = 0; i < ARRAY_SIZE(same); i++)
        CHECK_STR(json_string_value(json_object_get(after, same[i])),
            json_string_value(json_object_get(before, same[i])));
    CHECK(strcmp(json_string_value(json_object_get(after, "DATE_MODIFY")),
              json_string_value(json_object_get(before, "DATE_MODIFY"))) > 0);
    json_decref(before);
    before = after;
    is_true(p, "crm.deal.update", id, "\"fields\":{\"STAGE_ID\":\"WON\"}");
    after = got(p, "deal", id);
    ask_has(after, "CLOSED", "\"Y\"");
    ask_has(after, "STAGE_SEMANTIC_ID", "\"S\"");
    CHECK(strcmp(json_string_value(json_object_get(after, "MOVED_TIME")),
              json_string_value(json_object_get(before, "MOVED_TIME"))) > 0);
    is_true(
        p, "crm.deal.update", id, "\"fields\":{\"UF_CRM_INT\":\"\",\"UF_CRM_STRING_M\":[],\"COMPANY_ID\":0}");
    json_decref(after);
    after = got(p, "deal", id);
    ask_has(after, "UF_CRM_INT", "\"\"");
    ask_has(after, "UF_CRM_STRING_M", "[]");
    json_decref(before);
    json_decref(after);
    ask_close(p);
}

TEST(a_deleted_record_is_gone)
{
    struct portal *p = ask_open();
    const long long id = added(p, "crm.company.add", "{\"fields\":{\"TITLE\":\"x\"}}");
    char body[64];

    is_true(p, "crm.company.delete", id, "");
    snprintf(body, sizeof(body), "{\"id\":%lld}", id);
    ask_refused(p, "crm.company.get", body, "", "Not found");
    ask_refused(p, "crm.company.delete", body, "", "Not found");
    ask_close(p);
}

TEST(what_is_wrong_is_said_as_the_documents_do)
{
    static const struct {
        const char *method, *body, *code, *text;
    } cases[] = {
        { "crm.deal.add", "{}", "", "Parameter 'fields' must be array." },
        { "crm.deal.add", "{\"fields\":\"x\"}", "", "Parameter 'fields' must be array." },
        { "crm.deal.add", "{\"fields\":{},\"params\":\"x\"}", "", "Parameter 'params' must be array." },
        { "crm.deal.add", "{\"fields\":{\"CURRENCY_ID\":\"XXX\"}}", "",
            "Invalid value for the \"Currency\" field" },
        { "crm.contact.add", "{\"fields\":{\"EMAIL\":[{\"VALUE\":\"x\"}]}}", "ERROR_CORE",
            "The field `Work e-mail` contains an invalid address" },
        { "crm.deal.update", "{\"fields\":{}}", "", "ID is not defined or invalid." },
        { "crm.deal.update", "{\"id\":-1,\"fields\":{}}", "", "ID is not defined or invalid." },
        { "crm.deal.update", "{\"id\":99999999,\"fields\":{}}", "", "Not found" },
        { "crm.lead.delete", "{}", "", "ID is not defined or invalid." },
    };
    struct portal *p = ask_open();
    const uint32_t deals = p->store.crm[DEAL].count;
    char route[64], body[64];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ask_refused(p, cases[i].method, cases[i].body, cases[i].code, cases[i].text);
    CHECK_EQ(p->store.crm[DEAL].count, deals);
    snprintf(route, sizeof(route), "hide?entity=deals&id=%u", p->store.crm[DEAL].ids[0]);
    ask_admin(p, route, NULL);
    snprintf(body, sizeof(body), "{\"id\":%u,\"fields\":{}}", p->store.crm[DEAL].ids[0]);
    ask_refused(p, "crm.deal.update", body, "", "Access denied.");
    ask_close(p);
}

TEST(each_write_is_one_event_and_is_seen_late_when_commits_are)
{
    struct portal_options o = ask_options();
    o.events.webhooks[0] = "http://127.0.0.1:9/";
    struct portal *p = ask_open_with(o);
    const long long id = added(p, "crm.deal.add", "{\"fields\":{\"TITLE\":\"x\",\"STAGE_ID\":\"WON\"}}");

    CHECK_EQ(p->events.outbox.stats.made, 1);
    is_true(p, "crm.deal.update", id, "\"fields\":{\"TITLE\":\"y\",\"OPPORTUNITY\":5,\"STAGE_ID\":\"NEW\"}");
    CHECK_EQ(p->events.outbox.stats.made, 2);
    is_true(p, "crm.deal.update", id, "\"fields\":{}"); /* an update is one whatever it changes */
    CHECK_EQ(p->events.outbox.stats.made, 3);
    ask_admin(p, "lag?ms=600000", NULL);
    is_true(p, "crm.deal.update", id, "\"fields\":{\"TITLE\":\"z\"}");
    json_t *deal = got(p, "deal", id);
    ask_has(deal, "TITLE", "\"y\"");
    char *text = truth(p, "deals", id);
    CHECK_HAS(text, "\"title\":\"z\"");
    free(text);
    is_true(p, "crm.deal.update", id, "\"fields\":{\"TITLE\":\"w\"}");
    is_true(p, "crm.deal.delete", id, "");
    CHECK_EQ(p->events.outbox.stats.made, 6);
    json_decref(deal);
    ask_close(p);
    o.quirks = quirk_bit("unchanged-silent");
    p = ask_open_with(o);
    is_true(p, "crm.deal.update", p->store.crm[DEAL].ids[0], "\"fields\":{\"ID\":1}");
    CHECK_EQ(p->events.outbox.stats.made, 0);
    ask_close(p);
}

TEST(what_was_written_is_there_after_a_restart)
{
    struct portal_options o = ask_options();
    char path[256];

    snprintf(path, sizeof(path), "%s/data.db", check_folder());
    o.store.path = path;
    struct portal *p = ask_open_with(o);
    const long long id = added(p, "crm.lead.add",
        "{\"fields\":{\"TITLE\":\"x\",\"UF_CRM_INT\":\"\",\"WEB\":[{\"VALUE\":\"a.ru\"}]}}");
    char *before = truth(p, "leads", id);
    ask_close(p);
    p = ask_open_with(o);
    char *after = truth(p, "leads", id);
    CHECK_STR(before, after);
    CHECK(strstr(after, "birthdate") == NULL);
    free(before);
    free(after);
    ask_close(p);
}

TEST(sums_have_two_decimals)
{
    static const char *const cases[][2] = { { "5", "\"5.00\"" }, { "5.5", "\"5.50\"" },
        { "\"7.25\"", "\"7.25\"" }, { "\"1234567890123456.78\"", "\"1234567890123456.78\"" },
        { "\"0.126\"", "\"0.13\"" }, { "\"1e3\"", "\"1000.00\"" }, { "\"-3.\"", "\"-3.00\"" },
        { "\"\"", "null" }, { "\"x\"", "null" } };
    struct portal *p = ask_open();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char body[120];
        snprintf(body, sizeof(body), "{\"fields\":{\"TAX_VALUE\":%s}}", cases[i][0]);
        json_t *deal = got(p, "deal", added(p, "crm.deal.add", body));
        ask_has(deal, "TAX_VALUE", cases[i][1]);
        json_decref(deal);
    }
    ask_close(p);
}

TEST_MAIN(CASE(sums_have_two_decimals), CASE(a_new_deal_has_what_was_sent_and_what_follows_and_nothing_else),
    CASE(what_is_not_sent_has_its_default), CASE(a_form_writes_what_json_does),
    CASE(phones_are_added_changed_and_deleted_one_by_one), CASE(what_was_written_is_found_by_it),
    CASE(rows_that_are_not_mentioned_stay), CASE(an_update_changes_what_was_sent_and_the_times),
    CASE(a_deleted_record_is_gone), CASE(what_is_wrong_is_said_as_the_documents_do),
    CASE(each_write_is_one_event_and_is_seen_late_when_commits_are),
    CASE(what_was_written_is_there_after_a_restart))
