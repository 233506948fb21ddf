/* Oddities that the README's table of methods names and no other test of this folder meets (facts sections 4,
 * 6, 11). */
#include "tests/unit/sandbox/ask.h"

static struct portal *open_all(void)
{
    struct portal_options o = ask_options();

    o.scopes = SCOPE_ALL;
    o.store.counts[SMART] = 10;
    return ask_open_with(o);
}

/* How many rows of a list have a member of that JSON type (-1: any). */
static int count_of(const json_t *rows, const char *name, int type)
{
    int count = 0;

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *v = json_object_get(json_array_get(rows, i), name);
        count += v != NULL && (type < 0 || (int)json_typeof(v) == type);
    }
    return count;
}

TEST(a_contact_shows_what_is_described_nowhere)
{
    struct portal *p = open_all();
    char body[60];

    snprintf(body, sizeof(body), "{\"id\":%u}", p->store.crm[CONTACT].ids[0]);
    json_t *one = ask_done(ask(p, "crm.contact.get", body)),
           *fields = ask_done(ask(p, "crm.contact.fields", NULL)),
           *rows = ask_done(ask(p, "crm.contact.list", NULL));
    ask_has(one, "FACE_ID", "null");
    CHECK(json_object_get(fields, "FACE_ID") == NULL);
    CHECK_EQ(count_of(rows, "FACE_ID", -1), 0);
    json_decref(one);
    json_decref(fields);
    json_decref(rows);
    ask_close(p);
}

/* auth= of the first file link of a list; to be freed. */
static char *first_token(struct portal *p)
{
    json_t *rows =
        ask_done(ask(p, "crm.deal.list", "{\"order\":{\"ID\":\"ASC\"},\"filter\":{\"!UF_CRM_FILE\":\"\"}}"));
    const json_t *file = json_object_get(json_array_get(rows, 0), "UF_CRM_FILE");
    const char *link = json_string_value(json_object_get(file, "downloadUrl")),
               *at = link ? strstr(link, "auth=") : NULL;

    CHECK(at != NULL && strlen(at) > 20);
    char *token = xstrdup(at);
    json_decref(rows);
    return token;
}

TEST(links_of_files_differ_in_every_answer)
{
    struct portal *p = open_all();
    char *once = first_token(p), *again = first_token(p);

    CHECK(strcmp(once, again) != 0);
    free(once);
    free(again);
    ask_close(p);
}

TEST(titles_of_user_fields_are_codes_and_items_have_gaps)
{
    struct portal *p = open_all();
    json_t *fields = ask_done(ask(p, "crm.deal.fields", NULL));
    const json_t *field = json_object_get(fields, "UF_CRM_1721244707107"),
                 *items = json_object_get(field, "items");
    int gaps = 0;

    ask_has(field, "title", "\"UF_CRM_1721244707107\"");
    for (size_t i = 1; i < json_array_size(items); i++)
        gaps += atoi(json_string_value(json_object_get(json_array_get(items, i), "ID"))) !=
                atoi(json_string_value(json_object_get(json_array_get(items, i - 1), "ID"))) + 1;
    CHECK(json_array_size(items) > 2 && gaps > 0);
    ask_has(json_object_get(fields, "CONTACT_ID"), "isDeprecated", "true");
    CHECK(json_object_get(json_object_get(fields, "TITLE"), "isDeprecated") == NULL);
    json_decref(fields);
    ask_close(p);
}

TEST(labels_come_with_a_language_alone)
{
    struct portal *p = open_all();
    json_t *bare = ask_done(ask(p, "crm.deal.userfield.list", NULL)),
           *named = ask_done(ask(p, "crm.deal.userfield.list", "{\"filter\":{\"LANG\":\"ru\"}}"));

    CHECK_EQ(count_of(bare, "EDIT_FORM_LABEL", -1), 0);
    CHECK_EQ(count_of(named, "EDIT_FORM_LABEL", JSON_STRING), (int)json_array_size(named));
    CHECK_EQ(count_of(named, "SORT", JSON_STRING), (int)json_array_size(named));
    json_decref(bare);
    json_decref(named);
    ask_close(p);
}

/* A deal with several kinds, which [] is sent for. */
static size_t kinds_left(const char *quirk)
{
    struct portal_options o = ask_options();
    char body[200];

    o.quirks = quirk != NULL ? quirk_bit(quirk) : 0;
    struct portal *p = ask_open_with(o);
    json_t *fields = ask_done(ask(p, "crm.deal.fields", NULL));
    const json_t *items = json_object_get(json_object_get(fields, "UF_CRM_ENUM_M"), "items");
    snprintf(body, sizeof(body),
        "{\"entityTypeId\":2,\"fields\":{\"ufCrm_ENUM_M\":[\"%s\"],\"opportunity\":\"1234567890123456789\"}}",
        json_string_value(json_object_get(json_array_get(items, 0), "ID")));
    json_t *result = ask_done(ask(p, "crm.item.add", body)), *item = json_object_get(result, "item");
    CHECK_EQ(json_array_size(json_object_get(item, "ufCrm_ENUM_M")), 1);
    CHECK(json_is_real(json_object_get(item, "opportunity"))); /* 19 digits: what a float has of them */
    snprintf(body, sizeof(body), "{\"entityTypeId\":2,\"id\":%lld,\"fields\":{\"ufCrm_ENUM_M\":[]}}",
        json_integer_value(json_object_get(item, "id")));
    json_decref(result);
    result = ask_done(ask(p, "crm.item.update", body));
    const size_t left = json_array_size(json_object_get(json_object_get(result, "item"), "ufCrm_ENUM_M"));
    json_decref(result);
    json_decref(fields);
    ask_close(p);
    return left;
}

TEST(an_empty_list_clears_no_kinds_by_default)
{
    CHECK_EQ(kinds_left(NULL), 1);
    CHECK_EQ(kinds_left("item-clears"), 0);
}

TEST(people_have_times_in_three_shapes)
{
    struct portal *p = open_all();
    json_t *rows = ask_done(ask(p, "user.get", NULL)),
           *departments = ask_done(ask(p, "department.get", NULL));
    int iso = 0, local = 0;

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *text = json_string_value(json_object_get(row, "TIMESTAMP_X"));
        iso += text != NULL && text[4] == '-';
        local += text != NULL && text[2] == '.';
        CHECK(json_is_integer(json_array_get(json_object_get(row, "UF_DEPARTMENT"), 0)));
    }
    CHECK(iso > 0 && local > 0 && count_of(rows, "TIMESTAMP_X", JSON_OBJECT) > 0);
    CHECK(count_of(rows, "ACTIVE", JSON_TRUE) > 0 && count_of(rows, "ACTIVE", JSON_FALSE) > 0);
    CHECK_EQ(count_of(departments, "SORT", JSON_INTEGER), 5);
    CHECK_EQ(count_of(departments, "PARENT", JSON_STRING), 4); /* the first is under none */
    json_decref(rows);
    json_decref(departments);
    ask_close(p);
}

TEST(a_type_with_twenty_ends_the_search_for_duplicates)
{
    static const char add[] = "{\"fields\":{\"PHONE\":[{\"VALUE\":\"+7 1\"}]}}";
    struct portal *p = open_all();

    for (int i = 0; i < 25; i++)
        json_decref(ask_done(ask(p, "crm.contact.add", add)));
    json_decref(ask_done(ask(p, "crm.company.add", add)));
    json_decref(ask_done(ask(p, "crm.lead.add", add)));
    json_t *found =
        ask_done(ask(p, "crm.duplicate.findbycomm", "{\"type\":\"PHONE\",\"values\":[\"+7 1\"]}"));
    CHECK_EQ(json_array_size(json_object_get(found, "LEAD")), 1);
    CHECK_EQ(json_array_size(json_object_get(found, "CONTACT")), 20);
    CHECK(json_object_get(found, "COMPANY") == NULL);
    json_decref(found);
    found = ask_done(ask(p, "crm.duplicate.findbycomm", "{\"type\":\"PHONE\",\"values\":[\"+71\"]}"));
    CHECK(json_is_array(found) && json_array_size(found) == 0); /* letter by letter */
    json_decref(found);
    ask_close(p);
}

TEST(activities_come_by_their_start_and_have_settings_of_two_kinds)
{
    struct portal *p = open_all();
    json_t *rows = ask_done(ask(p, "crm.activity.list", NULL));

    CHECK(count_of(rows, "SETTINGS", JSON_ARRAY) > 0 && count_of(rows, "SETTINGS", JSON_OBJECT) > 0);
    for (size_t i = 1; i < json_array_size(rows); i++)
        CHECK(strcmp(json_string_value(json_object_get(json_array_get(rows, i - 1), "START_TIME")),
                  json_string_value(json_object_get(json_array_get(rows, i), "START_TIME"))) <= 0);
    json_decref(rows);
    ask_close(p);
}

TEST(requisites_are_texts_and_addresses_have_no_order)
{
    struct portal *p = open_all();
    json_t *rows = ask_done(ask(p, "crm.requisite.list", NULL)), *value;
    const char *name;

    json_object_foreach(json_array_get(rows, 0), name, value) {
        CHECK(json_is_string(value) || json_is_null(value));
    }
    json_decref(rows);
    json_t *up = ask_done(ask(p, "crm.address.list", "{\"order\":{\"ENTITY_ID\":\"ASC\"}}")),
           *down = ask_done(ask(p, "crm.address.list", "{\"order\":{\"ENTITY_ID\":\"DESC\"}}"));
    CHECK(json_array_size(up) > 1 && json_equal(up, down));
    json_decref(up);
    json_decref(down);
    ask_close(p);
}

TEST(thousands_are_kept_apart_by_an_entity_or_nothing)
{
    struct portal *p = open_all();
    json_t *rows = ask_done(ask(p, "crm.currency.list", NULL));

    CHECK_EQ(count_of(rows, "THOUSANDS_SEP", JSON_NULL), 2);
    ask_has(json_array_get(rows, 0), "THOUSANDS_SEP", "\"&nbsp;\"");
    json_decref(rows);
    ask_close(p);
}

TEST(auditors_of_tasks_are_a_list_when_there_are_none)
{
    struct portal *p = open_all();
    json_t *result = ask_done(ask(p, "tasks.task.list", NULL)), *tasks = json_object_get(result, "tasks");

    CHECK(
        count_of(tasks, "auditorsData", JSON_ARRAY) > 0 && count_of(tasks, "auditorsData", JSON_OBJECT) > 0);
    json_decref(result);
    ask_close(p);
}

TEST(a_word_too_much_is_an_argument_of_old_methods)
{
    static const char *const methods[] = { "task.commentitem.getlist", "task.elapseditem.getlist" };
    struct portal *p = open_all();
    char path[120];

    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        snprintf(path, sizeof(path), "/rest/1/%s/%s?bx24_request_id=1", p->secret, methods[i]);
        json_t *answer = ask_path(p, path, "{\"TASKID\":5}");
        ask_has(answer, "error", "\"ERROR_CORE\"");
        CHECK_HAS(ask_error(answer), "256/TE/WRONG_ARGUMENTS<br>");
        json_decref(answer);
    }
    ask_close(p);
}

TEST(a_feature_without_a_name_has_a_code_of_its_own)
{
    struct portal *p = open_all();

    ask_refused(p, "feature.get", "{}", "CODE_EMPTY", "CODE can't be empty");
    json_t *value = ask_done(ask(p, "feature.get", "{\"CODE\":\"nosuch\"}"));
    ask_has(value, "value", "\"N\"");
    json_decref(value);
    ask_close(p);
}

TEST(a_start_may_be_odd_or_far)
{
    struct portal *p = open_all();
    json_t *odd = ask(p, "crm.deal.list", "{\"start\":10,\"order\":{\"ID\":\"ASC\"}}"),
           *far = ask(p, "crm.deal.list", "{\"start\":100000,\"order\":{\"ID\":\"ASC\"}}");

    CHECK_EQ(ask_row_id(odd, 0), p->store.crm[DEAL].ids[10]);
    ask_has(odd, "next", "60");
    ask_has(far, "result", "[]");
    ask_has(far, "total", "120");
    CHECK(json_object_get(far, "next") == NULL);
    json_decref(odd);
    json_decref(far);
    ask_close(p);
}

TEST(total_and_next_come_in_either_order)
{
    struct portal *p = open_all();
    char path[100];
    int first = 0;

    snprintf(path, sizeof(path), "/rest/1/%s/crm.deal.list", p->secret);
    for (int i = 0; i < 10; i++) {
        char *text = ask_raw(p, path, NULL, "", NULL);
        first += strstr(text, "\"total\":120") < strstr(text, "\"next\":50");
        free(text);
    }
    CHECK(first > 0 && first < 10);
    ask_close(p);
}

TEST(the_first_funnel_is_told_by_the_new_method_alone)
{
    struct portal *p = open_all();
    json_t *old = ask_done(ask(p, "crm.dealcategory.list", NULL)),
           *new = ask_done(ask(p, "crm.category.list", "{\"entityTypeId\":2}")),
           *types = ask_done(ask(p, "crm.type.list", NULL));
    const json_t *first = json_array_get(json_object_get(new, "categories"), 0);

    CHECK_EQ(json_array_size(old) + 1, json_array_size(json_object_get(new, "categories")));
    ask_has(first, "isDefault", "\"Y\"");
    CHECK(json_object_get(first, "originId") == NULL);
    ask_has(json_array_get(json_object_get(types, "types"), 0), "isStagesEnabled", "\"Y\"");
    ask_refused(p, "crm.category.list", "{\"entityTypeId\":7}", "ENTITY_TYPE_NOT_SUPPORTED",
        "Entity type QUOTE is not supported");
    json_decref(old);
    json_decref(new);
    json_decref(types);
    ask_close(p);
}

TEST(the_first_funnel_may_be_told_by_the_old_method_as_well)
{
    struct portal_options o = ask_options();
    o.quirks = quirk_bit("dealcategory-default");
    struct portal *p = ask_open_with(o);
    json_t *old = ask_done(ask(p, "crm.dealcategory.list", NULL)),
           *new = ask_done(ask(p, "crm.category.list", "{\"entityTypeId\":2}"));

    CHECK_EQ(json_array_size(old), json_array_size(json_object_get(new, "categories")));
    ask_has(json_array_get(old, 0), "ID", "\"0\"");
    ask_has(json_array_get(old, 1), "ID", "\"1\"");
    json_decref(old);
    json_decref(new);
    ask_close(p);
}

TEST_MAIN(CASE(a_contact_shows_what_is_described_nowhere), CASE(links_of_files_differ_in_every_answer),
    CASE(titles_of_user_fields_are_codes_and_items_have_gaps), CASE(labels_come_with_a_language_alone),
    CASE(an_empty_list_clears_no_kinds_by_default), CASE(people_have_times_in_three_shapes),
    CASE(a_type_with_twenty_ends_the_search_for_duplicates),
    CASE(activities_come_by_their_start_and_have_settings_of_two_kinds),
    CASE(requisites_are_texts_and_addresses_have_no_order),
    CASE(thousands_are_kept_apart_by_an_entity_or_nothing),
    CASE(auditors_of_tasks_are_a_list_when_there_are_none),
    CASE(a_word_too_much_is_an_argument_of_old_methods), CASE(a_feature_without_a_name_has_a_code_of_its_own),
    CASE(a_start_may_be_odd_or_far), CASE(total_and_next_come_in_either_order),
    CASE(the_first_funnel_is_told_by_the_new_method_alone),
    CASE(the_first_funnel_may_be_told_by_the_old_method_as_well))
