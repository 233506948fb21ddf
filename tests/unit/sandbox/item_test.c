/* crm.item.* (facts sections 4.2-4.4, 6, 8): the same records as classic methods show, in another form. */
#include "services/sandbox/methods/item_name.h"
#include "services/sandbox/data/record.h"
#include "tests/unit/sandbox/ask.h"

static struct portal *open_with(quirk_set quirks)
{
    struct portal_options o = ask_options();

    o.quirks = quirks;
    o.store.counts[SMART] = 70;
    o.store.counts[INVOICE] = 5;
    o.store.counts[QUOTE] = 5;
    o.events.webhooks[0] = "http://127.0.0.1:9/";
    return ask_open_with(o);
}

static json_t *item(struct portal *p, const char *method, const char *body)
{
    json_t *result = ask_done(ask(p, method, body)), *one = json_incref(json_object_get(result, "item"));

    CHECK(json_is_object(one));
    json_decref(result);
    return one;
}

/* How many a list finds. */
static long long found(struct portal *p, const char *body)
{
    json_t *answer = ask(p, "crm.item.list", body);

    if (json_object_get(answer, "total") == NULL)
        print_error("%s: %s\n", body, ask_error(answer));
    const long long total = json_integer_value(json_object_get(answer, "total"));
    json_decref(answer);
    return total;
}

TEST(names_follow_the_rules_of_the_documents)
{
    static const struct {
        const char *classic, *item;
    } cases[] = { { "UF_CRM_2_1639669411830", "ufCrm2_1639669411830" }, { "UF_CRM_3_DIGIT", "ufCrm3Digit" },
        { "UF_CRM_3_DIGIT10", "ufCrm_3_DIGIT10" }, { "UF_CRM_60C3ECE83CBE5", "ufCrm_60C3ECE83CBE5" },
        { "UF_CRM_1721244707107", "ufCrm_1721244707107" } };
    struct attr_list l;
    char room[ITEM_NAME_MAX];

    attrs_init(&l, DEAL);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct attr *a = attr_find(&l, str_of(cases[i].classic));
        if (a == NULL)
            a = attr_add(&l, cases[i].classic, STR("string"), false);
        CHECK_STR(item_name(&l, a, false, room), cases[i].item);
        CHECK(item_attr(&l, str_of(cases[i].item), false) == a);
        CHECK_STR(item_name(&l, a, true, room), cases[i].classic);
        CHECK(item_attr(&l, str_of(cases[i].classic), true) == a);
    }
    static const char *const plain[][2] = { { "ID", "id" }, { "DATE_CREATE", "createdTime" },
        { "MODIFY_BY_ID", "updatedBy" }, { "LAST_ACTIVITY_BY", "lastActivityBy" },
        { "UTM_SOURCE", "utmSource" }, { "PARENT_ID_156", "parentId156" }, { "CATEGORY_ID", "categoryId" } };
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        CHECK_STR(item_name(&l, attr_find(&l, str_of(plain[i][0])), false, room), plain[i][1]);
    const struct attr *first = attr_add(&l, "UF_CRM_5_A_B", STR("string"), false);
    const struct attr *second = attr_add(&l, "UF_CRM_5_AB", STR("string"), false);
    CHECK_STR(item_name(&l, first, false, room), "ufCrm5AB");
    CHECK_STR(item_name(&l, second, false, room), "ufCrm5Ab");
    const struct attr *clash = attr_add(&l, "UF_CRM_5_A__B", STR("string"), false);
    CHECK_STR(item_name(&l, clash, false, room), "UF_CRM_5_A__B"); /* ufCrm5AB is taken */
    attrs_fini(&l);
}

TEST(an_item_holds_what_the_classic_method_shows)
{
    struct portal *p = open_with(0);

    for (uint32_t n = 0; n < 40; n++) {
        char body[100];
        const uint32_t id = p->store.crm[LEAD].ids[n];
        snprintf(body, sizeof(body), "{\"entityTypeId\":1,\"id\":%u}", id);
        json_t *one = item(p, "crm.item.get", body), *lead = ask_done(ask(p, "crm.lead.get", body));
        CHECK_EQ(json_integer_value(json_object_get(one, "id")), id);
        CHECK_STR(json_string_value(json_object_get(one, "title")),
            json_string_value(json_object_get(lead, "TITLE")));
        CHECK_STR(json_string_value(json_object_get(one, "stageId")),
            json_string_value(json_object_get(lead, "STATUS_ID")));
        CHECK_STR(json_string_value(json_object_get(one, "updatedTime")),
            json_string_value(json_object_get(lead, "DATE_MODIFY")));
        CHECK(json_is_number(json_object_get(one, "opportunity")));
        CHECK_EQ((long long)json_number_value(json_object_get(one, "assignedById")),
            atoll(json_string_value(json_object_get(lead, "ASSIGNED_BY_ID"))));
        const json_t *phones = json_object_get(lead, "PHONE"), *fm = json_object_get(one, "fm");
        size_t count = 0;
        for (size_t i = 0; i < json_array_size(fm); i++)
            count +=
                strcmp(json_string_value(json_object_get(json_array_get(fm, i), "typeId")), "PHONE") == 0;
        CHECK_EQ(count, json_array_size(phones));
        if (count > 0)
            CHECK_STR(json_string_value(json_object_get(one, "phone")),
                json_string_value(json_object_get(json_array_get(phones, 0), "VALUE")));
        ask_has(one, "entityTypeId", "1");
        ask_has(one, "login", "null");
        CHECK(json_object_get(one, "PHONE") == NULL);
        json_decref(one);
        json_decref(lead);
    }
    ask_close(p);
}

TEST(lists_page_filter_and_order)
{
    struct portal *p = open_with(0);
    json_t *answer = ask(
        p, "crm.item.list", "{\"entityTypeId\":2,\"order\":{\"id\":\"asc\"},\"select\":[\"title\",\"x\"]}");

    const json_t *rows = json_object_get(json_object_get(answer, "result"), "items");
    CHECK_EQ(json_array_size(rows), 50);
    CHECK_EQ(json_object_size(json_array_get(rows, 0)), 2); /* id comes along */
    CHECK_EQ(json_integer_value(json_object_get(answer, "total")), 120);
    CHECK_EQ(json_integer_value(json_object_get(answer, "next")), 50);
    json_decref(answer);
    answer = ask(p, "crm.item.list",
        "{\"entityTypeId\":2,\"order\":{\"id\":\"DESC\"},\"start\":-1,\"filter\":{\">id\":0}}");
    CHECK_EQ(json_integer_value(json_object_get(answer, "total")), 0);
    CHECK(json_object_get(answer, "next") == NULL);
    rows = json_object_get(json_object_get(answer, "result"), "items");
    CHECK_EQ(json_integer_value(json_object_get(json_array_get(rows, 0), "id")), p->store.crm[DEAL].ids[119]);
    json_decref(answer);
    const long long won =
        found(p, "{\"entityTypeId\":2,\"filter\":{\"%stageId\":\"WON\"}}"); /* LIKE works here */
    const long long closed = found(p, "{\"entityTypeId\":2,\"filter\":{\"=closed\":\"Y\"}}");
    const long long both =
        found(p, "{\"entityTypeId\":2,\"filter\":{\"=closed\":\"Y\",\"%stageId\":\"WON\"}}");
    CHECK(won > 0 && closed > won && both == won);
    CHECK_EQ(found(p, "{\"entityTypeId\":2,\"filter\":{\"0\":{\"logic\":\"OR\",\"0\":{\"%stageId\":\"WON\"},"
                      "\"1\":{\"%stageId\":\"LOSE\"},\"2\":{\"%stageId\":\"APOLOGY\"}}}}"),
        closed);
    CHECK_EQ(found(p, "{\"entityTypeId\":2,\"filter\":{\"logic\":\"OR\",\"0\":{\"closed\":\"Y\"},\"1\":{"
                      "\"closed\":\"N\"}}}"),
        120);
    CHECK_EQ(found(p, "{\"entityTypeId\":2,\"filter\":{\"!%stageId\":\"WON\"}}"), 120 - won);
    CHECK_EQ(found(p, "{\"entityTypeId\":2,\"filter\":{\"0\":{\"logic\":\"OR\",\"0\":{\"id\":1},\"1\":{"
                      "\"logic\":\"AND\","
                      "\"0\":{\"closed\":\"Y\"},\"1\":{\"closed\":\"N\"}}}}}"),
        found(p, "{\"entityTypeId\":2,\"filter\":{\"id\":1}}"));
    const long long yes = found(p, "{\"entityTypeId\":2,\"filter\":{\"ufCrm_FLAG\":1}}");
    const long long no = found(p, "{\"entityTypeId\":2,\"filter\":{\"ufCrm_FLAG\":0}}");
    CHECK(yes > 0 && no > 0);
    CHECK_EQ(found(p, "{\"entityTypeId\":2,\"filter\":{\"ufCrm_FLAG\":\"Y\"}}"),
        no); /* Y is not taken in a filter */
    CHECK_EQ(found(p, "{\"entityTypeId\":156}"), 70);
    CHECK_EQ(found(p, "{\"entityTypeId\":31}") + found(p, "{\"entityTypeId\":7}"), 10);
    ask_close(p);
}

TEST(what_is_wrong_names_the_field)
{
    static const struct {
        const char *method, *body, *code, *text;
    } cases[] = {
        { "crm.item.list", "{}", "100", "Could not find value for parameter {entityTypeId}" },
        { "crm.item.list", "{\"entityTypeId\":9999}", "NOT_FOUND", "Смарт-процесс не найден" },
        { "crm.item.list", "{\"entityTypeId\":2,\"filter\":{\">TITLE\":1}}", "INVALID_ARG_VALUE",
            "Invalid filter: field 'TITLE' is not allowed in filter" },
        { "crm.item.list", "{\"entityTypeId\":2,\"filter\":{\"0\":{\"logic\":\"OR\",\"0\":{\"x\":1}}}}",
            "INVALID_ARG_VALUE", "Invalid filter: field 'x' is not allowed in filter" },
        { "crm.item.list", "{\"entityTypeId\":2,\"filter\":{\">=updatedTime\":\"soon\"}}",
            "INVALID_ARG_VALUE", "Invalid filter: field 'updatedTime' has invalid value" },
        { "crm.item.list", "{\"entityTypeId\":2,\"order\":{\"x\":\"ASC\"}}", "INVALID_ARG_VALUE",
            "Invalid order: field 'x' is not allowed in order" },
        { "crm.item.list", "{\"entityTypeId\":2,\"order\":{\"id\":\"UP\"}}", "INVALID_ARG_VALUE",
            "Invalid order: allowed sort directions are ASC, DESC. But got 'UP' for field 'id'" },
        { "crm.item.get", "{\"entityTypeId\":2}", "100", "Could not find value for parameter {id}" },
        { "crm.item.get", "{\"entityTypeId\":2,\"id\":999999}", "NOT_FOUND", "Элемент не найден" },
        { "crm.item.add", "{\"entityTypeId\":2}", "100", "Could not find value for parameter {fields}" },
        { "crm.item.add", "{\"entityTypeId\":2,\"fields\":{\"stageId\":\"NOSUCH\"}}",
            "CRM_FIELD_ERROR_VALUE_NOT_VALID", "Invalid value for field \"STAGE_ID\"" },
        { "crm.item.add", "{\"entityTypeId\":156,\"fields\":{\"ufCrm3Digit\":\"x\"}}",
            "CRM_FIELD_ERROR_VALUE_NOT_VALID", "Invalid value for field \"UF_CRM_3_DIGIT\"" },
    };
    struct portal *p = open_with(0);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ask_refused(p, cases[i].method, cases[i].body, cases[i].code, cases[i].text);
    CHECK_EQ(found(p, "{\"entityTypeId\":2}"), 120);
    json_t *answer =
        ask(p, "batch", "{\"cmd\":{\"a\":\"crm.item.list?entityTypeId=2&filter[x]=1\",\"b\":\"nosuch\"}}");
    const json_t *errors = json_object_get(json_object_get(answer, "result"), "result_error");
    CHECK_STR(ask_error(json_object_get(errors, "a")), "Invalid filter: field 'x' is not allowed in filter");
    CHECK_STR(ask_error(json_object_get(errors, "b")), "Method not found!");
    json_decref(answer);
    ask_close(p);
}

TEST(items_are_added_changed_and_deleted)
{
    struct portal *p = open_with(0);
    json_t *one = item(p, "crm.item.add",
        "{\"entityTypeId\":156,\"fields\":{\"title\":\"Заявка\",\"opportunity\":12.5,\"ufCrm3Digit\":7,"
        "\"ufCrm3Flag\":\"Y\","
        "\"ufCrm3Day\":\"2025-03-04\",\"companyId\":0,\"nosuch\":1}}");
    char body[300];

    ask_has(one, "title", "\"Заявка\"");
    ask_has(one, "stageId", "\"DT156_10:NEW\"");
    ask_has(one, "opportunity", "12.5");
    ask_has(one, "ufCrm3Digit", "7");
    ask_has(one, "ufCrm3Flag", "\"Y\"");
    ask_has(one, "ufCrm3Day", "\"2025-03-04T03:00:00+03:00\"");
    ask_has(one, "ufCrm3Kinds", "[]");
    ask_has(one, "ufCrm_3_DIGIT10", "null");
    ask_has(one, "companyId", "0");
    ask_has(one, "contactIds", "[]");
    ask_has(one, "categoryId", "10");
    ask_has(one, "entityTypeId", "156");
    const long long id = json_integer_value(json_object_get(one, "id"));
    json_decref(one);
    CHECK_EQ(p->events.outbox.stats.made, 1);
    snprintf(body, sizeof(body),
        "{\"entityTypeId\":156,\"id\":%lld,\"fields\":{\"stageId\":\"DT156_10:SUCCESS\"}}", id);
    one = item(p, "crm.item.update", body);
    ask_has(one, "stageId", "\"DT156_10:SUCCESS\"");
    ask_has(one, "previousStageId", "\"DT156_10:NEW\"");
    json_decref(one);
    CHECK_EQ(p->events.outbox.stats.made, 2);
    json_decref(item(p, "crm.item.update", body)); /* no value becomes another: nothing is saved */
    CHECK_EQ(p->events.outbox.stats.made, 2);
    snprintf(body, sizeof(body), "{\"entityTypeId\":156,\"id\":%lld}", id);
    json_t *gone = ask_done(ask(p, "crm.item.delete", body));
    CHECK(json_is_array(gone) && json_array_size(gone) == 0);
    json_decref(gone);
    ask_refused(p, "crm.item.get", body, "NOT_FOUND", "Элемент не найден");
    const char *url;
    struct buf event;
    CHECK(events_next(&p->events, UINT64_MAX / 2, 1000, &url, &event));
    CHECK_HAS(buf_cstr(&event), "event=ONCRMDYNAMICITEMADD");
    CHECK_HAS(buf_cstr(&event), "data%5BFIELDS%5D%5BENTITY_TYPE_ID%5D=156");
    buf_fini(&event);
    ask_close(p);
}

TEST(a_deal_moves_to_another_funnel_by_the_item_method_alone)
{
    struct portal *p = open_with(0);
    uint32_t n = 0;
    char body[200];

    while (record_funnel(&p->store, n) != 0)
        n++;
    snprintf(body, sizeof(body), "{\"entityTypeId\":2,\"id\":%u,\"fields\":{\"categoryId\":3}}",
        p->store.crm[DEAL].ids[n]);
    json_t *one = item(p, "crm.item.update", body);
    ask_has(one, "categoryId", "3");
    ask_has(one, "stageId", "\"C3:NEW\"");
    ask_has(one, "closed", "\"N\"");
    json_decref(one);
    ask_close(p);
}

TEST(phones_are_told_apart_by_the_keys_of_fm)
{
    struct portal *p = open_with(0);
    json_t *one = item(p, "crm.item.add",
        "{\"entityTypeId\":3,\"fields\":{\"name\":\"x\",\"fm\":[{\"typeId\":\"PHONE\",\"valueType\":"
        "\"MOBILE\",\"value\":\"1\"},"
        "{\"value\":\"no type\"},{\"typeId\":\"EMAIL\",\"value\":\"a@b.ru\",\"valueType\":\"HOME\"}]}}");
    const json_t *fm = json_object_get(one, "fm");
    char body[400];

    CHECK_EQ(json_array_size(fm), 2);
    ask_has(json_array_get(fm, 0), "valueType", "\"MOBILE\"");
    ask_has(one, "hasPhone", "\"Y\"");
    const long long id = json_integer_value(json_object_get(one, "id")),
                    row = json_integer_value(json_object_get(json_array_get(fm, 0), "id")),
                    mail = json_integer_value(json_object_get(json_array_get(fm, 1), "id"));
    json_decref(one);
    snprintf(body, sizeof(body),
        "{\"entityTypeId\":3,\"id\":%lld,\"fields\":{\"fm\":{\"n0\":{\"typeId\":\"PHONE\",\"value\":\"2\"},"
        "\"%lld\":{\"typeId\":\"PHONE\",\"value\":\"11\"},\"%lld\":{\"typeId\":\"EMAIL\",\"value\":\"\"}}}}",
        id, row, mail);
    one = item(p, "crm.item.update", body);
    fm = json_object_get(one, "fm");
    CHECK_EQ(json_array_size(fm), 2);
    ask_has(json_array_get(fm, 0), "value", "\"11\"");
    ask_has(json_array_get(fm, 1), "value", "\"2\"");
    ask_has(one, "hasEmail", "\"N\"");
    json_decref(one);
    ask_close(p);
}

TEST(fields_tell_the_classic_name)
{
    struct portal *p = open_with(0);
    json_t *result = ask_done(ask(p, "crm.item.fields", "{\"entityTypeId\":2}")),
           *fields = json_object_get(result, "fields");

    ask_has(json_object_get(fields, "createdTime"), "upperName", "\"DATE_CREATE\"");
    ask_has(json_object_get(fields, "createdTime"), "isReadOnly", "true");
    ask_has(json_object_get(fields, "ufCrm_1721244707107"), "upperName", "\"UF_CRM_1721244707107\"");
    ask_has(json_object_get(fields, "ufCrm_1721244707107"), "title", "\"Поле 1721244707107\"");
    ask_has(json_object_get(fields, "opened"), "type", "\"boolean\"");
    ask_has(json_object_get(fields, "stageId"), "statusType", "\"DEAL_STAGE\"");
    CHECK(json_object_get(fields, "contactIds") != NULL && json_object_get(fields, "fm") == NULL);
    json_decref(result);
    result = ask_done(ask(p, "crm.item.fields", "{\"entityTypeId\":3,\"useOriginalUfNames\":\"Y\"}"));
    CHECK(json_object_get(json_object_get(result, "fields"), "UF_CRM_INT") != NULL);
    CHECK(json_object_get(json_object_get(result, "fields"), "fm") != NULL);
    json_decref(result);
    result = ask_done(ask(p, "crm.type.list", "{}"));
    ask_has(json_array_get(json_object_get(result, "types"), 0), "entityTypeId", "156");
    json_decref(result);
    ask_close(p);
}

TEST(second_forms_are_options)
{
    static const char original[] = "{\"entityTypeId\":2,\"useOriginalUfNames\":\"Y\",\"select\":[\"id\","
                                   "\"title\"],\"order\":{\"id\":\"ASC\"}}";
    struct portal *p = open_with(0);
    json_t *result = ask_done(ask(p, "crm.item.list", original));

    CHECK(json_is_array(json_array_get(json_object_get(result, "items"), 0))); /* the rows come as [] */
    json_decref(result);
    ask_close(p);
    p = open_with(quirk_bit("item-names-fine") | quirk_bit("item-link-null") | quirk_bit("item-time-plain") |
                  quirk_bit("item-404"));
    result = ask_done(ask(p, "crm.item.list", original));
    CHECK(json_object_get(json_array_get(json_object_get(result, "items"), 0), "title") != NULL);
    json_decref(result);
    json_t *one = item(p, "crm.item.add", "{\"entityTypeId\":2,\"fields\":{}}");
    ask_has(one, "companyId", "null");
    json_decref(one);
    CHECK_EQ(
        found(p, "{\"entityTypeId\":2,\"filter\":{\">=createdTime\":\"2099-01-01T00:00:00+03:00\"}}"), 121);
    CHECK_EQ(found(p, "{\"entityTypeId\":2,\"filter\":{\">=createdTime\":\"2099-01-01 00:00:00\"}}"), 0);
    ask_close(p);
}

/* A member of a field in one of the two descriptions, as JSON. */
static void check_described(struct portal *p, const char *method, const char *body, const char *field,
    const char *key, const char *expected)
{
    json_t *result = ask_done(ask(p, method, body));
    const json_t *wrapped = json_object_get(result, "fields"), *fields = wrapped != NULL ? wrapped : result;

    if (json_object_get(fields, field) == NULL)
        print_error("%s: no %s\n", method, field);
    ask_has(json_object_get(fields, field), key, expected);
    json_decref(result);
}

TEST(standard_fields_have_titles_for_people_and_links_say_where_they_lead)
{
    static const char company[] = "{\"parentEntityTypeId\":4}";
    struct portal *p = open_with(0);

    check_described(p, "crm.deal.fields", NULL, "STAGE_ID", "title", "\"Deal Stage\"");
    check_described(p, "crm.deal.fields", NULL, "CATEGORY_ID", "title", "\"Sales Funnel\"");
    check_described(p, "crm.lead.fields", NULL, "TITLE", "title", "\"Lead Title\"");
    check_described(p, "crm.company.fields", NULL, "TITLE", "title", "\"Company Name\"");
    check_described(
        p, "crm.deal.fields", NULL, "MOVED_TIME", "title", "\"MOVED_TIME\""); /* the vendor forgot */
    check_described(p, "crm.deal.fields", NULL, "UF_CRM_INT", "title", "\"UF_CRM_INT\"");
    check_described(p, "crm.item.fields", "{\"entityTypeId\":2}", "stageId", "title", "\"Deal Stage\"");
    check_described(p, "crm.item.fields", "{\"entityTypeId\":156}", "categoryId", "title", "\"Pipeline\"");
    check_described(p, "crm.item.fields", "{\"entityTypeId\":31}", "movedBy", "title", "\"Moved by\"");
    check_described(p, "crm.deal.fields", NULL, "COMPANY_ID", "settings", company);
    check_described(p, "crm.deal.fields", NULL, "QUOTE_ID", "settings", "{\"parentEntityTypeId\":7}");
    check_described(p, "crm.deal.fields", NULL, "CONTACT_ID", "settings", "(absent)");
    check_described(p, "crm.contact.fields", NULL, "COMPANY_ID", "settings", "(absent)"); /* deprecated */
    check_described(p, "crm.item.fields", "{\"entityTypeId\":156}", "companyId", "settings", company);
    check_described(p, "crm.item.fields", "{\"entityTypeId\":156}", "parentId2", "settings",
        "{\"parentEntityTypeId\":2}");
    ask_close(p);
}

/* The first item of a list. */
static json_t *first_of(struct portal *p, const char *body)
{
    json_t *result = ask_done(ask(p, "crm.item.list", body)),
           *one = json_incref(json_array_get(json_object_get(result, "items"), 0));

    CHECK(json_is_object(one));
    json_decref(result);
    return one;
}

TEST(fields_and_items_are_about_the_same)
{
    static const int types[] = { 2, 156, 31, 7 };
    struct portal *p = open_with(0);

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        char body[80];
        snprintf(body, sizeof(body), "{\"entityTypeId\":%d}", types[i]);
        json_t *result = ask_done(ask(p, "crm.item.fields", body)),
               *fields = json_object_get(result, "fields"), *one = first_of(p, body), *v;
        const char *name;
        json_object_foreach(fields, name, v) {
            const bool there = json_object_get(one, name) != NULL;
            if (there == (strcmp(name, "contacts") == 0)) /* a field without a form of its own in an item */
                print_error("%d: %s\n", types[i], name);
            CHECK(there != (strcmp(name, "contacts") == 0));
        }
        CHECK(json_object_get(fields, "observers") != NULL);
        json_object_foreach(one, name, v) {
            if (types[i] == 156) /* the others have more: isWork and its like */
                CHECK(json_object_get(fields, name) != NULL || strcmp(name, "entityTypeId") == 0);
        }
        json_decref(result);
        json_decref(one);
    }
    check_described(p, "crm.item.fields", "{\"entityTypeId\":156}", "observers", "type", "\"user\"");
    check_described(p, "crm.item.fields", "{\"entityTypeId\":156}", "contacts", "isMultiple", "true");
    check_described(p, "crm.item.fields", "{\"entityTypeId\":2}", "webformId", "upperName", "\"WEBFORM_ID\"");
    json_t *classic = ask_done(ask(p, "crm.deal.fields", NULL));
    CHECK(json_object_get(classic, "OBSERVERS") == NULL && json_object_get(classic, "WEBFORM_ID") == NULL);
    json_decref(classic);
    ask_close(p);
}

TEST(observers_are_asked_for_and_nobody_observes)
{
    struct portal *p = open_with(0);

    CHECK_EQ(found(p, "{\"entityTypeId\":156,\"filter\":{\"observers\":5}}"), 0);
    CHECK_EQ(found(p, "{\"entityTypeId\":156,\"filter\":{\"@observers\":[1,5]}}"), 0);
    CHECK_EQ(found(p, "{\"entityTypeId\":156,\"filter\":{\"!observers\":5}}"), 70);
    CHECK_EQ(found(p, "{\"entityTypeId\":2,\"filter\":{\"observers\":5}}"), 0);
    ask_close(p);
}

TEST(every_member_but_fm_is_chosen_by_its_name)
{
    struct portal *p = open_with(0);
    json_t *one = first_of(p,
        "{\"entityTypeId\":2,\"select\":[\"isWork\",\"webformId\",\"observers\",\"entityTypeId\",\"fm\"]}");

    CHECK_EQ(json_object_size(one), 5); /* and id */
    ask_has(one, "isWork", "null");
    ask_has(one, "webformId", "0");
    ask_has(one, "observers", "[]");
    ask_has(one, "entityTypeId", "2");
    json_decref(one);
    one = first_of(p, "{\"entityTypeId\":1,\"select\":[\"phoneMobile\",\"fm\",\"isWork\"]}");
    CHECK_EQ(json_object_size(one), 2); /* what deals have is none of a lead's */
    CHECK(json_object_get(one, "phoneMobile") != NULL);
    json_decref(one);
    ask_close(p);
}

TEST(addresses_are_told_by_classic_methods_alone)
{
    struct portal *p = open_with(0);
    json_t *leads = ask_done(ask(p, "crm.lead.list", "{\"select\":[\"ADDRESS\"]}")),
           *result = ask_done(ask(p, "crm.item.list", "{\"entityTypeId\":1}")), *row;
    int addresses = 0;
    size_t n;

    json_array_foreach(leads, n, row)
        addresses += json_string_length(json_object_get(row, "ADDRESS")) > 0;
    CHECK(addresses > 3);
    json_array_foreach(json_object_get(result, "items"), n, row)
        ask_has(row, "address", "null");
    json_decref(leads);
    json_decref(result);
    for (int type = 1; type <= 4; type += type == 1 ? 2 : 1) { /* leads, contacts, companies */
        char body[80];
        snprintf(body, sizeof(body), "{\"entityTypeId\":%d}", type);
        row = first_of(p, body);
        ask_has(row, "address", "null");
        CHECK(json_object_get(row, "addressCity") == NULL && json_object_get(row, "regAddress") == NULL);
        json_decref(row);
        snprintf(body, sizeof(body), "{\"entityTypeId\":%d,\"filter\":{\"addressCity\":\"x\"}}", type);
        ask_refused(p, "crm.item.list", body, "INVALID_ARG_VALUE",
            "Invalid filter: field 'addressCity' is not allowed in filter");
    }
    ask_close(p);
}

TEST_MAIN(CASE(names_follow_the_rules_of_the_documents), CASE(an_item_holds_what_the_classic_method_shows),
    CASE(lists_page_filter_and_order), CASE(what_is_wrong_names_the_field),
    CASE(items_are_added_changed_and_deleted), CASE(a_deal_moves_to_another_funnel_by_the_item_method_alone),
    CASE(phones_are_told_apart_by_the_keys_of_fm), CASE(fields_tell_the_classic_name),
    CASE(standard_fields_have_titles_for_people_and_links_say_where_they_lead),
    CASE(fields_and_items_are_about_the_same), CASE(observers_are_asked_for_and_nobody_observes),
    CASE(every_member_but_fm_is_chosen_by_its_name), CASE(addresses_are_told_by_classic_methods_alone),
    CASE(second_forms_are_options))
