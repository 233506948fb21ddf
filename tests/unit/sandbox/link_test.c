/* crm.deal.contact.* and the like, and crm.duplicate.findbycomm (facts sections 2.4, 8). */
#include "tests/unit/sandbox/ask.h"

static void answers(struct portal *p, const char *method, const char *body, const char *expected)
{
    json_t *answer = ask(p, method, body);
    char *text = json_dumps(json_object_get(answer, "result"), JSON_COMPACT | JSON_ENCODE_ANY);

    CHECK_STR(text ? text : ask_error(answer), expected);
    free(text);
    json_decref(answer);
}

static long long new_deal(struct portal *p, const char *fields)
{
    char body[200];

    snprintf(body, sizeof(body), "{\"fields\":{%s}}", fields);
    json_t *answer = ask(p, "crm.deal.add", body);
    const long long id = json_integer_value(json_object_get(answer, "result"));
    json_decref(answer);
    return id;
}

static const char *with_id(long long id, const char *rest)
{
    static char body[400];

    snprintf(body, sizeof(body), "{\"id\":%lld%s}", id, rest);
    return body;
}

TEST(contacts_of_a_deal_are_added_ordered_and_deleted)
{
    struct portal *p = ask_open();
    const long long id = new_deal(p, "");

    answers(p, "crm.deal.contact.items.get", with_id(id, ""), "[]");
    answers(p, "crm.deal.contact.add", with_id(id, ",\"fields\":{\"CONTACT_ID\":5}"), "true");
    answers(p, "crm.deal.contact.add", with_id(id, ",\"fields\":{\"CONTACT_ID\":5,\"IS_PRIMARY\":\"Y\"}"),
        "false");
    answers(p, "crm.deal.contact.add", with_id(id, ",\"fields\":{\"CONTACT_ID\":7}"), "true");
    answers(p, "crm.deal.contact.items.get", with_id(id, ""),
        "[{\"CONTACT_ID\":5,\"SORT\":10,\"ROLE_ID\":0,\"IS_PRIMARY\":\"Y\"},{\"CONTACT_ID\":7,\"SORT\":20,"
        "\"ROLE_ID\":0,\"IS_"
        "PRIMARY\":\"N\"}]");
    answers(p, "crm.deal.contact.delete", with_id(id, ",\"fields\":{\"CONTACT_ID\":5}"), "true");
    answers(p, "crm.deal.contact.items.get", with_id(id, ""),
        "[{\"CONTACT_ID\":7,\"SORT\":20,\"ROLE_ID\":0,\"IS_PRIMARY\":\"Y\"}]");
    json_t *deal = ask(p, "crm.deal.get", with_id(id, ""));
    CHECK_STR(json_string_value(json_object_get(json_object_get(deal, "result"), "CONTACT_ID")), "7");
    json_decref(deal);
    answers(p, "crm.deal.contact.items.set",
        with_id(id, ",\"items\":[{\"CONTACT_ID\":9},{\"CONTACT_ID\":3,\"IS_PRIMARY\":\"Y\",\"SORT\":5},{"
                    "\"CONTACT_ID\":4,\"IS_PRIMARY\":\"Y\"}]"),
        "true");
    answers(p, "crm.deal.contact.items.get", with_id(id, ""),
        "[{\"CONTACT_ID\":9,\"SORT\":10,\"ROLE_ID\":0,\"IS_PRIMARY\":\"N\"},{\"CONTACT_ID\":3,\"SORT\":5,"
        "\"ROLE_ID\":0,\"IS_"
        "PRIMARY\":\"Y\"},{\"CONTACT_ID\":4,\"SORT\":30,\"ROLE_ID\":0,\"IS_PRIMARY\":\"N\"}]");
    answers(p, "crm.deal.contact.items.delete", with_id(id, ""), "true");
    answers(p, "crm.deal.contact.items.get", with_id(id, ""), "[]");
    ask_close(p);
}

TEST(links_follow_the_record_and_the_record_its_links)
{
    struct portal *p = ask_open();
    const long long id = new_deal(p, "\"CONTACT_IDS\":[8,6]");
    char body[100];

    answers(p, "crm.deal.contact.items.get", with_id(id, ""),
        "[{\"CONTACT_ID\":8,\"SORT\":10,\"ROLE_ID\":0,\"IS_PRIMARY\":\"Y\"},{\"CONTACT_ID\":6,\"SORT\":20,"
        "\"ROLE_ID\":0,\"IS_"
        "PRIMARY\":\"N\"}]");
    answers(p, "crm.deal.update", with_id(id, ",\"fields\":{\"CONTACT_ID\":6}"), "true");
    snprintf(body, sizeof(body), "{\"entityTypeId\":2,\"id\":%lld}", id);
    json_t *answer = ask(p, "crm.item.get", body);
    const json_t *item = json_object_get(json_object_get(answer, "result"), "item");
    CHECK_EQ(json_integer_value(json_object_get(item, "contactId")), 6);
    CHECK_EQ(json_array_size(json_object_get(item, "contactIds")), 2);
    json_decref(answer);
    ask_close(p);
}

TEST(companies_of_a_contact_keep_their_order)
{
    struct portal *p = ask_open();
    json_t *answer = ask(p, "crm.contact.add", "{\"fields\":{\"NAME\":\"x\",\"COMPANY_ID\":2}}");
    const long long id = json_integer_value(json_object_get(answer, "result"));

    json_decref(answer);
    answers(p, "crm.contact.company.add",
        with_id(id, ",\"fields\":{\"COMPANY_ID\":3,\"IS_PRIMARY\":\"Y\",\"SORT\":70}"), "true");
    answers(p, "crm.contact.company.items.set",
        with_id(id, ",\"items\":[{\"COMPANY_ID\":2},{\"COMPANY_ID\":9}]"), "true");
    answers(p, "crm.contact.company.items.get", with_id(id, ""),
        "[{\"COMPANY_ID\":2,\"SORT\":10,\"ROLE_ID\":0,\"IS_PRIMARY\":\"Y\"},{\"COMPANY_ID\":9,\"SORT\":80,"
        "\"ROLE_ID\":0,\"IS_"
        "PRIMARY\":\"N\"}]");
    answers(p, "crm.company.contact.items.get", with_id(999999, ""), "Not found.");
    ask_close(p);
}

TEST(a_company_may_have_several_primary_contacts)
{
    struct portal *p = ask_open();
    size_t most = 0;

    for (uint32_t n = 0; n < p->store.crm[COMPANY].count; n++) {
        json_t *answer = ask(p, "crm.company.contact.items.get", with_id(p->store.crm[COMPANY].ids[n], ""));
        const json_t *rows = json_object_get(answer, "result");
        for (size_t i = 0; i < json_array_size(rows); i++)
            CHECK_STR(json_string_value(json_object_get(json_array_get(rows, i), "IS_PRIMARY")), "Y");
        most = json_array_size(rows) > most ? json_array_size(rows) : most;
        json_decref(answer);
    }
    CHECK(most > 1);
    ask_close(p);
}

TEST(what_is_wrong_with_links_is_said)
{
    struct portal *p = ask_open();
    const long long id = p->store.crm[DEAL].ids[0];

    answers(p, "crm.deal.contact.items.get", "{}", "The parameter ownerEntityID is invalid or not defined.");
    answers(p, "crm.deal.contact.items.get", "{\"id\":99999999}", "Not found.");
    answers(p, "crm.deal.contact.add", with_id(id, ""), "The parameter 'fields' must be array.");
    answers(p, "crm.deal.contact.add", with_id(id, ",\"fields\":{\"X\":1}"),
        "The parameter 'fields' is not valid.");
    answers(
        p, "crm.deal.contact.items.set", with_id(id, ",\"items\":1"), "The parameter items must be array.");
    ask_close(p);
}

TEST(links_are_kept_and_only_a_new_first_one_changes_the_record)
{
    struct portal_options o = ask_options();
    char path[256];

    snprintf(path, sizeof(path), "%s/links.db", check_folder());
    o.store.path = path;
    o.events.webhooks[0] = "http://127.0.0.1:9/";
    struct portal *p = ask_open_with(o);
    const long long id = new_deal(p, "\"CONTACT_ID\":8");
    CHECK_EQ(p->events.outbox.stats.made, 1);
    answers(p, "crm.deal.contact.add", with_id(id, ",\"fields\":{\"CONTACT_ID\":5}"), "true");
    CHECK_EQ(p->events.outbox.stats.made, 1);
    answers(p, "crm.deal.contact.delete", with_id(id, ",\"fields\":{\"CONTACT_ID\":8}"), "true");
    CHECK_EQ(p->events.outbox.stats.made, 2);
    ask_close(p);
    p = ask_open_with(o);
    answers(p, "crm.deal.contact.items.get", with_id(id, ""),
        "[{\"CONTACT_ID\":5,\"SORT\":20,\"ROLE_ID\":0,\"IS_PRIMARY\":\"Y\"}]");
    ask_close(p);
}

TEST(duplicates_are_found_by_number_and_address)
{
    struct portal *p = ask_open();
    char expected[120];
    json_t *answer = ask(p, "crm.contact.add",
        "{\"fields\":{\"PHONE\":[{\"VALUE\":\"+7 000 1\"}],\"EMAIL\":[{\"VALUE\":\"Q@q.ru\"}]}}");
    const long long contact = json_integer_value(json_object_get(answer, "result"));
    json_decref(answer);
    answer = ask(p, "crm.lead.add", "{\"fields\":{\"PHONE\":[{\"VALUE\":\"+7 000 1\"}]}}");
    const long long lead = json_integer_value(json_object_get(answer, "result"));
    json_decref(answer);
    snprintf(expected, sizeof(expected), "{\"LEAD\":[%lld],\"CONTACT\":[%lld]}", lead, contact);
    answers(p, "crm.duplicate.findbycomm", "{\"type\":\"PHONE\",\"values\":[\"x\",\"+7 000 1\"]}", expected);
    snprintf(expected, sizeof(expected), "{\"CONTACT\":[%lld]}", contact);
    answers(p, "crm.duplicate.findbycomm", "{\"type\":\"EMAIL\",\"values\":[\"q@q.ru\"]}", expected);
    answers(p, "crm.duplicate.findbycomm",
        "{\"type\":\"PHONE\",\"values\":[\"+7 000 1\"],\"entity_type\":\"CONTACT\"}", expected);
    answers(p, "crm.duplicate.findbycomm", "{\"type\":\"PHONE\",\"values\":[\"none\"]}", "[]");
    answer = ask(p, "crm.duplicate.findbycomm", "{\"type\":\"FAX\",\"values\":[1]}");
    CHECK_STR(json_string_value(json_object_get(answer, "error")),
        "Communication type 'FAX' is not supported in current context"); /* the text is the code */
    json_decref(answer);
    answer = ask(p, "crm.duplicate.findbycomm", "{}");
    CHECK_STR(json_string_value(json_object_get(answer, "error")), "Communication type is not defined");
    CHECK_STR(ask_error(answer), "Parameter 'type' is required.");
    json_decref(answer);
    ask_refused(p, "crm.duplicate.findbycomm", "{\"type\":\"PHONE\"}", "Communication values is not defined",
        "Parameter 'values' is required.");
    ask_close(p);
}

TEST_MAIN(CASE(contacts_of_a_deal_are_added_ordered_and_deleted),
    CASE(links_follow_the_record_and_the_record_its_links), CASE(companies_of_a_contact_keep_their_order),
    CASE(a_company_may_have_several_primary_contacts), CASE(what_is_wrong_with_links_is_said),
    CASE(links_are_kept_and_only_a_new_first_one_changes_the_record),
    CASE(duplicates_are_found_by_number_and_address))
