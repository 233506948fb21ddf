/* Second forms of single methods and of events (facts sections 2.4, 4.3, 6.3, 9.5, 16), each against the
 * first. */
#include "base/clock.h"
#include "services/sandbox/events/events.h"
#include "tests/unit/sandbox/ask.h"

static struct portal *open_with(const char *quirk)
{
    struct portal_options o = ask_options();

    CHECK(quirk == NULL || quirk_bit(quirk) != 0);
    o.quirks = quirk != NULL ? quirk_bit(quirk) : 0;
    o.events.app = 1;
    o.events.parallel = 100;
    o.store.counts[SMART] = 20;
    return ask_open_with(o);
}

/* Members of the first row of a list: user fields, multiple ones among them. */
static void count_members(const char *quirk, const char *select, int *ret_user, int *ret_multiple)
{
    struct portal *p = open_with(quirk);
    char body[200];

    snprintf(body, sizeof(body), "{\"order\":{\"ID\":\"ASC\"}%s}", select);
    json_t *rows = ask_done(ask(p, "crm.deal.list", body)), *value;
    const char *name;
    *ret_user = *ret_multiple = 0;
    json_object_foreach(json_array_get(rows, 0), name, value) {
        *ret_user += strncmp(name, "UF_", 3) == 0;
        *ret_multiple += strncmp(name, "UF_", 3) == 0 && name[strlen(name) - 1] == 'M';
    }
    json_decref(rows);
    ask_close(p);
}

TEST(masks_and_what_comes_unasked_differ)
{
    int user, multiple;

    count_members(NULL, "", &user, &multiple);
    CHECK(user > 5 && multiple == 0);
    count_members("select-standard", "", &user, &multiple);
    CHECK(user == 0 && multiple == 0);
    count_members("select-standard", ",\"select\":[\"UF_*\"]", &user, &multiple);
    CHECK(user > 5 && multiple == 0);
    count_members("mask-multiple", ",\"select\":[\"UF_*\"]", &user, &multiple);
    CHECK(user > 5 && multiple > 5);
}

TEST(no_right_to_a_record_may_look_like_a_bad_webhook)
{
    struct portal *p = open_with("denied-credentials");
    char path[120], body[60];

    snprintf(path, sizeof(path), "hide?entity=deals&id=%u", p->store.crm[DEAL].ids[0]);
    ask_admin(p, path, NULL);
    snprintf(body, sizeof(body), "{\"id\":%u}", p->store.crm[DEAL].ids[0]);
    ask_refused(p, "crm.deal.get", body, "INVALID_CREDENTIALS", "Invalid request credentials");
    snprintf(path, sizeof(path), "/rest/1/%s/crm.deal.get?id=%u", p->secret, p->store.crm[DEAL].ids[0]);
    int status;
    free(ask_raw(p, path, NULL, "", &status));
    CHECK_EQ(status, 403);
    ask_close(p);
}

/* What the webhook is told of a deal that it may not read, by a method of each kind. */
static void denied(const char *quirk, int expected_status, const char *code)
{
    static const char *const methods[] = {
        "crm.deal.get?id=", "crm.deal.contact.items.get?id=", "crm.item.get?entityTypeId=2&id="
    };
    struct portal *p = open_with(quirk);
    char path[200], expected[60];
    int status;

    snprintf(path, sizeof(path), "hide?entity=deals&id=%u", p->store.crm[DEAL].ids[0]);
    ask_admin(p, path, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        snprintf(path, sizeof(path), "/rest/1/%s/%s%u", p->secret, methods[i], p->store.crm[DEAL].ids[0]);
        snprintf(expected, sizeof(expected), "{\"error\":\"%s\"",
            code[0] == '\0' && i == 2 ? "ACCESS_DENIED" : code); /* items always have a code */
        char *text = ask_raw(p, path, NULL, "", &status);
        CHECK_HAS(text, expected);
        CHECK_EQ(status, expected_status);
        free(text);
    }
    ask_close(p);
}

TEST(rights_are_refused_in_the_same_form_by_every_method)
{
    denied(NULL, 400, "");
    denied("denied-403", 403, "ACCESS_DENIED");
    denied("denied-credentials", 403, "INVALID_CREDENTIALS");
}

TEST(a_dot_behind_not_found_is_of_records_or_of_links)
{
    static const char body[] = "{\"id\":99999999}";

    for (int other = 0; other < 2; other++) {
        struct portal *p = open_with(other ? "not-found-dot" : NULL);
        ask_refused(p, "crm.deal.get", body, "", other ? "Not found." : "Not found");
        ask_refused(p, "crm.deal.contact.items.get", body, "", other ? "Not found" : "Not found.");
        ask_close(p);
    }
}

TEST(what_is_wrong_with_a_search_for_duplicates_stands_in_one_place_or_the_other)
{
    struct portal *p = open_with(NULL);

    ask_refused(p, "crm.duplicate.findbycomm", "{}", "Communication type is not defined",
        "Parameter 'type' is required.");
    ask_close(p);
    p = open_with("comm-classic");
    ask_refused(p, "crm.duplicate.findbycomm", "{}", "", "Communication type is not defined");
    ask_close(p);
}

/* An added item of the smart process, with or without something in its fields. */
static json_t *added(struct portal *p, const char *fields)
{
    char body[300];

    snprintf(body, sizeof(body), "{\"entityTypeId\":156,\"fields\":%s}", fields);
    json_t *result = ask_done(ask(p, "crm.item.add", body)),
           *item = json_incref(json_object_get(result, "item"));
    json_decref(result);
    return item;
}

TEST(references_of_items_are_numbers_or_texts)
{
    struct portal *p = open_with(NULL);
    json_t *full = added(p, "{\"ufCrm3Who\":5}"), *empty = added(p, "{}");

    ask_has(full, "ufCrm3Who", "5");
    ask_has(empty, "ufCrm3Who", "null");
    ask_has(empty, "ufCrm3Kind", "null");
    ask_has(empty, "ufCrm3Kinds", "[]");
    json_decref(full);
    json_decref(empty);
    ask_close(p);
    p = open_with("item-text");
    full = added(p, "{\"ufCrm3Who\":5,\"ufCrm3Digit\":7}");
    empty = added(p, "{}");
    ask_has(full, "ufCrm3Who", "\"5\"");
    ask_has(full, "ufCrm3Digit", "7");
    ask_has(empty, "ufCrm3Who", "0");
    ask_has(empty, "ufCrm3Kind", "0");
    ask_has(empty, "ufCrm3Digit", "null");
    json_decref(full);
    json_decref(empty);
    ask_close(p);
}

TEST(a_plan_may_have_no_smart_processes)
{
    struct portal *p = open_with("smart-restricted");
    char body[100];

    ask_refused(p, "crm.item.add", "{\"entityTypeId\":156,\"fields\":{}}", "CREATE_DYNAMIC_ITEM_RESTRICTED",
        "You cannot create a new item due to your plan restrictions");
    snprintf(
        body, sizeof(body), "{\"entityTypeId\":156,\"id\":%u,\"fields\":{}}", p->store.crm[SMART].ids[0]);
    ask_refused(p, "crm.item.update", body, "UPDATE_DYNAMIC_ITEM_RESTRICTED",
        "You cannot change the item due to your plan restrictions");
    json_decref(ask_done(ask(p, "crm.item.add", "{\"entityTypeId\":2,\"fields\":{}}")));
    ask_close(p);
}

/* ---- events ---- */

static void bind(struct portal *p, const char *event, const char *more)
{
    char body[200];

    snprintf(body, sizeof(body), "{\"event\":\"%s\",%s}", event, more);
    json_decref(ask_done(ask_app(p, "event.bind", body)));
}

static void set_title(struct portal *p)
{
    char route[100];

    snprintf(route, sizeof(route), "set?entity=deals&id=%u", p->store.crm[DEAL].ids[0]);
    ask_admin(p, route, "{\"TITLE\":\"x\"}");
}

TEST(an_event_may_carry_a_refresh_token)
{
    for (int carried = 0; carried < 2; carried++) {
        struct portal *p = open_with(carried ? "event-refresh" : NULL);
        struct buf body;
        const char *url;
        bind(p, "onCrmDealUpdate", "\"handler\":\"http://127.0.0.1:9/\"");
        set_title(p);
        CHECK(events_next(&p->events, clock_mono_ms(), clock_wall_ms(), &url, &body));
        CHECK_EQ(strstr(buf_cstr(&body), "auth%5Brefresh_token%5D=") != NULL, carried);
        CHECK_HAS(buf_cstr(&body), "auth%5Baccess_token%5D=");
        buf_fini(&body);
        ask_close(p);
    }
}

TEST(lines_of_one_object_may_merge)
{
    static const char *const last[] = { "ONCRMDEALUPDATE", "ONCRMDEALDELETE" };

    for (int merged = 0; merged < 2; merged++) {
        struct portal *p = open_with(merged ? "offline-merged" : NULL);
        char route[100];
        bind(p, "onCrmDealUpdate", "\"event_type\":\"offline\"");
        bind(p, "onCrmDealDelete", "\"event_type\":\"offline\"");
        bind(p, "onCrmContactDelete", "\"event_type\":\"offline\"");
        set_title(p);
        snprintf(
            route, sizeof(route), "/rest/1/%s/crm.deal.delete?id=%u", p->secret, p->store.crm[DEAL].ids[0]);
        json_decref(ask_done(ask_path(p, route, NULL)));
        json_t *lines = ask_done(ask_app(p, "event.offline.list", NULL));
        CHECK_EQ(json_array_size(lines), merged ? 1 : 2);
        for (size_t i = 0; i < json_array_size(lines); i++)
            CHECK_STR(json_string_value(json_object_get(json_array_get(lines, i), "EVENT_NAME")),
                last[merged ? 1 : i]);
        json_decref(lines);
        ask_close(p);
    }
}

TEST(what_is_imported_may_be_told_of_or_not)
{
    for (int silent = 0; silent < 2; silent++) {
        struct portal *p = open_with(silent ? "import-silent" : NULL);
        struct buf body;
        const char *url;
        bind(p, "onCrmDealAdd", "\"handler\":\"http://127.0.0.1:9/\"");
        json_decref(ask_done(ask(p, "crm.item.import", "{\"entityTypeId\":2,\"fields\":{}}")));
        const bool told = events_next(&p->events, clock_mono_ms(), clock_wall_ms(), &url, &body);
        CHECK_EQ(told, !silent);
        if (told)
            buf_fini(&body);
        CHECK(p->store.journal.on);
        ask_close(p);
    }
}

TEST(a_plan_may_have_no_queues)
{
    for (int none = 0; none < 2; none++) {
        struct portal *p = open_with(none ? "no-queue" : NULL);
        json_t *value = ask_done(ask(p, "feature.get", "{\"CODE\":\"rest_offline_extended\"}"));
        ask_has(value, "value", none ? "\"N\"" : "\"Y\"");
        json_decref(value);
        ask_close(p);
    }
}

TEST_MAIN(CASE(what_is_imported_may_be_told_of_or_not), CASE(a_plan_may_have_no_queues),
    CASE(masks_and_what_comes_unasked_differ), CASE(no_right_to_a_record_may_look_like_a_bad_webhook),
    CASE(what_is_wrong_with_a_search_for_duplicates_stands_in_one_place_or_the_other),
    CASE(references_of_items_are_numbers_or_texts), CASE(a_plan_may_have_no_smart_processes),
    CASE(an_event_may_carry_a_refresh_token), CASE(lines_of_one_object_may_merge),
    CASE(rights_are_refused_in_the_same_form_by_every_method),
    CASE(a_dot_behind_not_found_is_of_records_or_of_links))
