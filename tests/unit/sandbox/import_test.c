/* crm.item.import and crm.item.batchImport (facts sections 2.4, 8; the vendor's pages). */
#include "base/clock.h"
#include "services/sandbox/data/calendar.h"
#include "tests/unit/sandbox/ask.h"

static struct portal *open_with(const char *quirk)
{
    struct portal_options o = ask_options();

    o.quirks = quirk != NULL ? quirk_bit(quirk) : 0;
    o.store.counts[SMART] = 5;
    return ask_open_with(o);
}

/* "2026-01-02T03:04:05+03:00" of so many seconds ago. */
static const char *ago(long long seconds)
{
    static char texts[4][CALENDAR_ISO + 1];
    static int at;
    char *text = texts[at++ % 4];

    calendar_iso((int64_t)(clock_wall_ms() / 1000) - seconds, text);
    text[CALENDAR_ISO] = '\0';
    return text;
}

static json_t *shown(struct portal *p, int type, long long id)
{
    char body[100];

    snprintf(body, sizeof(body), "{\"entityTypeId\":%d,\"id\":%lld}", type, id);
    json_t *result = ask_done(ask(p, "crm.item.get", body)),
           *item = json_incref(json_object_get(result, "item"));
    json_decref(result);
    return item;
}

static void told(const json_t *item, const char *name, const char *expected)
{
    CHECK_STR(json_string_value(json_object_get(item, name)), expected);
}

TEST(an_import_may_tell_when_and_by_whom)
{
    static const int types[] = { 2, 1, 156 };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct portal *p = open_with(NULL);
        const char *made = ago(3000), *changed = ago(1000), *moved = ago(2000);
        char body[400];
        snprintf(body, sizeof(body),
            "{\"entityTypeId\":%d,\"fields\":{\"title\":\"ж\",\"createdTime\":\"%s\",\"updatedTime\":\"%s\","
            "\"movedTime\":\"%s\",\"createdBy\":3,\"updatedBy\":\"4\",\"movedBy\":5}}",
            types[i], made, changed, moved);
        json_t *result = ask_done(ask(p, "crm.item.import", body));
        const json_t *id = json_object_get(json_object_get(result, "item"), "id");
        CHECK_EQ(json_object_size(json_object_get(result, "item")), 1);
        json_t *item = shown(p, types[i], json_integer_value(id));
        told(item, "createdTime", made);
        told(item, "updatedTime", changed);
        told(item, "movedTime", moved);
        told(item, "title", "ж");
        ask_has(item, "createdBy", "3");
        ask_has(item, "updatedBy", "4");
        ask_has(item, "movedBy", "5");
        json_decref(item);
        json_decref(result);
        ask_close(p);
    }
}

static json_t *added(
    struct portal *p, const char *entity, const char *made, const char *changed, const char *flag)
{
    char method[40], body[400];

    snprintf(method, sizeof(method), "crm.%s.add", entity);
    snprintf(body, sizeof(body),
        "{\"fields\":{\"TITLE\":\"a\",\"NAME\":\"b\",\"DATE_CREATE\":\"%s\",\"DATE_MODIFY\":\"%s\","
        "\"CREATED_BY_ID\":3,\"MODIFY_BY_ID\":\"4\"}%s}",
        made, changed, flag);
    json_t *id = ask_done(ask(p, method, body));
    snprintf(method, sizeof(method), "crm.%s.get", entity);
    snprintf(body, sizeof(body), "{\"id\":%lld}", (long long)json_integer_value(id));
    json_decref(id);
    return ask_done(ask(p, method, body));
}

/* The vendor's pages of crm.contact.add and crm.company.add: with IMPORT in `params`, and with it alone. */
TEST(contacts_and_companies_are_imported_by_the_classic_methods_too)
{
#define IMPORT ",\"params\":{\"IMPORT\":\"Y\"}"
    static const struct {
        const char *entity, *flag;
        long long made, changed;
        bool taken;
    } cases[] = {
        { "contact", IMPORT, 3000, 1000, true },
        { "company", IMPORT, 3000, 1000, true },
        { "contact", "", 3000, 1000, false },
        { "company", ",\"params\":{\"IMPORT\":\"N\"}", 3000, 1000, false },
        { "lead", IMPORT, 3000, 1000, false },
        { "contact", IMPORT, 900000000, 1000, false }, /* before the last one there is */
        { "company", IMPORT, 1000, 3000, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct portal *p = open_with(NULL);
        const char *made = ago(cases[i].made), *changed = ago(cases[i].changed);
        json_t *record = added(p, cases[i].entity, made, changed, cases[i].flag);
        CHECK_EQ(
            strcmp(json_string_value(json_object_get(record, "DATE_CREATE")), made) == 0, cases[i].taken);
        CHECK_EQ(
            strcmp(json_string_value(json_object_get(record, "DATE_MODIFY")), changed) == 0, cases[i].taken);
        told(record, "CREATED_BY_ID", cases[i].taken ? "3" : "1");
        told(record, "MODIFY_BY_ID", cases[i].taken ? "4" : "1");
        json_decref(record);
        ask_close(p);
    }
}

TEST(times_that_cannot_be_are_refused)
{
    static const struct {
        long long made, changed, moved; /* seconds ago; 0: not sent */
        const char *wrong;
    } cases[] = {
        { -100, 0, 0, "DATE_CREATE" },
        { 900000000, 0, 0, "DATE_CREATE" },
        { 3000, 4000, 0, "DATE_MODIFY" },
        { 3000, -100, 0, "DATE_MODIFY" },
        { 3000, 1000, 500, "MOVED_TIME" },
        { 3000, 1000, 5000, "MOVED_TIME" },
    };
    struct portal *p = open_with(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char body[400], text[100];
        size_t n = (size_t)snprintf(
            body, sizeof(body), "{\"entityTypeId\":2,\"fields\":{\"createdTime\":\"%s\"", ago(cases[i].made));
        if (cases[i].changed != 0)
            n += (size_t)snprintf(
                body + n, sizeof(body) - n, ",\"updatedTime\":\"%s\"", ago(cases[i].changed));
        if (cases[i].moved != 0)
            n += (size_t)snprintf(body + n, sizeof(body) - n, ",\"movedTime\":\"%s\"", ago(cases[i].moved));
        snprintf(body + n, sizeof(body) - n, "}}");
        snprintf(text, sizeof(text), "Invalid value for field \"%s\"", cases[i].wrong);
        ask_refused(p, "crm.item.import", body, "CRM_FIELD_ERROR_VALUE_NOT_VALID", text);
    }
    ask_refused(p, "crm.item.import", "{\"entityTypeId\":2,\"fields\":{\"createdTime\":\"soon\"}}",
        "CRM_FIELD_ERROR_VALUE_NOT_VALID", "Invalid value for field \"DATE_CREATE\"");
    CHECK_EQ(p->store.crm[DEAL].visible, 120);
    ask_close(p);
    p = open_with("no-admin");
    ask_refused(p, "crm.item.import", "{\"entityTypeId\":2,\"fields\":{\"createdBy\":3}}",
        "CRM_FIELD_ERROR_VALUE_NOT_VALID", "Invalid value for field \"CREATED_BY_ID\"");
    json_decref(ask_done(ask(p, "crm.item.import", "{\"entityTypeId\":2,\"fields\":{\"title\":\"x\"}}")));
    ask_close(p);
}

TEST(several_stand_or_fall_each_for_itself)
{
    struct portal *p = open_with(NULL);
    json_t *result = ask_done(ask(p, "crm.item.batchImport",
        "{\"entityTypeId\":4,\"data\":[{\"title\":\"a\"},{\"title\":\"\"},{\"currencyId\":\"XXX\"},{}]}"));
    const json_t *items = json_object_get(result, "items");

    CHECK_EQ(json_array_size(items), 4);
    CHECK(json_object_get(json_object_get(json_array_get(items, 0), "item"), "id") != NULL);
    ask_has(json_array_get(items, 1), "error", "\"CRM_FIELD_ERROR_REQUIRED\"");
    ask_has(json_array_get(items, 1), "error_description", "\"The \\\"TITLE\\\" field is required\"");
    CHECK(json_object_get(json_array_get(items, 2), "error") != NULL);
    CHECK(json_object_get(json_object_get(json_array_get(items, 3), "item"), "id") != NULL);
    CHECK_EQ(p->store.crm[COMPANY].visible, 22);
    json_decref(result);
    ask_close(p);
}

TEST(what_is_wrong_with_an_import_is_said)
{
    struct portal *p = open_with(NULL);
    char body[400] = "{\"entityTypeId\":2,\"data\":[";

    for (int i = 0; i < 21; i++)
        strcat(body, i > 0 ? ",{}" : "{}");
    strcat(body, "]}");
    ask_refused(p, "crm.item.batchImport", body, "MAX_IMPORT_BATCH_SIZE_EXCEEDED",
        "You cannot import more than 20 items");
    ask_refused(p, "crm.item.batchImport", "{\"entityTypeId\":2}", "100",
        "Could not find value for parameter {data}");
    ask_refused(
        p, "crm.item.import", "{\"entityTypeId\":2}", "100", "Could not find value for parameter {fields}");
    ask_refused(
        p, "crm.item.import", "{\"entityTypeId\":999,\"fields\":{}}", "NOT_FOUND", "Смарт-процесс не найден");
    ask_refused(p, "crm.item.add", "{\"entityTypeId\":2,\"fields\":{\"contactIds\":5}}", "100",
        "Expected iterable value for multiple field, but got `integer` instead");
    ask_refused(p, "crm.item.import", "{\"entityTypeId\":2,\"fields\":{\"ufCrm_STRING_M\":\"x\"}}", "100",
        "Expected iterable value for multiple field, but got `string` instead");
    CHECK_EQ(p->store.crm[DEAL].visible, 120);
    ask_close(p);
    p = open_with("smart-restricted");
    ask_refused(p, "crm.item.import", "{\"entityTypeId\":156,\"fields\":{}}",
        "CREATE_DYNAMIC_ITEM_RESTRICTED", "You cannot create a new item due to your plan restrictions");
    ask_close(p);
}

TEST_MAIN(CASE(an_import_may_tell_when_and_by_whom),
    CASE(contacts_and_companies_are_imported_by_the_classic_methods_too),
    CASE(times_that_cannot_be_are_refused), CASE(several_stand_or_fall_each_for_itself),
    CASE(what_is_wrong_with_an_import_is_said))
