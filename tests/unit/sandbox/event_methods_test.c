/* Subscriptions and offline queues of the application (facts sections 9.1, 9.5). */
#include "base/clock.h"
#include "services/sandbox/events/events.h"
#include "tests/unit/sandbox/ask.h"

static struct portal *with_app(const char *path)
{
    struct portal_options o = ask_options();

    o.events.app = 1;
    o.events.parallel = 100;
    o.store.path = path;
    return ask_open_with(o);
}

static void answers(json_t *answer, const char *expected)
{
    char *text = json_dumps(json_object_get(answer, "result"), JSON_COMPACT | JSON_ENCODE_ANY);

    CHECK_STR(text ? text : ask_error(answer), expected);
    free(text);
    json_decref(answer);
}

static void set_title(struct portal *p, int n, const char *more)
{
    char route[200];

    snprintf(route, sizeof(route), "set?entity=deals&id=%u%s", p->store.crm[DEAL].ids[n], more);
    ask_admin(p, route, "{\"TITLE\":\"x\"}");
}

/* An application with another portal's habit. */
static struct portal *with_quirk(const char *quirk)
{
    struct portal_options o = ask_options();

    o.events.app = 1;
    o.events.parallel = 100;
    o.quirks = quirk_bit(quirk);
    CHECK(o.quirks != 0);
    return ask_open_with(o);
}

static void refused_by_a_webhook(struct portal *p, const char *error)
{
    static const char *const methods[] = { "event.bind", "event.unbind", "event.get", "events", "event.test",
        "event.offline.get", "event.offline.list", "event.offline.clear", "event.offline.error" };
    char path[200];
    int status;

    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        snprintf(path, sizeof(path), "/rest/1/%s/%s?auth=%s", p->secret, methods[i], ask_token(p));
        char *text = ask_raw(p, path, NULL, "", &status);
        CHECK_EQ(status, 403);
        CHECK_HAS(text, error);
        free(text);
    }
    answers(ask_app(p, "event.get", NULL), "[]");
}

TEST(a_webhook_may_not_ask_about_events)
{
    struct portal *p = with_quirk("event-context");

    refused_by_a_webhook(p, "{\"error\":\"ACCESS_DENIED\",\"error_description\":\"Access denied! Application "
                            "context required\"}");
    ask_close(p);
    p = with_app(NULL);
    refused_by_a_webhook(p, "\"error\":\"WRONG_AUTH_TYPE\"");
    answers(ask(p, "feature.get", "{\"CODE\":\"rest_offline_extended\"}"), "{\"value\":\"Y\"}");
    answers(ask(p, "feature.get", "{\"CODE\":\"x\"}"), "{\"value\":\"N\"}");
    answers(ask(p, "method.get", "{\"name\":\"event.bind\"}"), "{\"isExisting\":true,\"isAvailable\":false}");
    answers(
        ask_app(p, "method.get", "{\"name\":\"event.bind\"}"), "{\"isExisting\":true,\"isAvailable\":true}");
    ask_close(p);
}

TEST(the_token_counts_alone_and_only_when_there_is_an_application)
{
    struct portal *p = with_app(NULL), *bare = ask_open();
    char path[200], body[200];
    int status;

    free(ask_raw(p, "/rest/event.get?auth=wrong", NULL, "", &status));
    CHECK_EQ(status, 401);
    free(ask_raw(p, "/rest/event.get", NULL, "", &status));
    CHECK_EQ(status, 401);
    snprintf(path, sizeof(path), "/rest/event.get?auth=%s", ask_token(bare));
    free(ask_raw(bare, path, NULL, "", &status));
    CHECK_EQ(status, 401);
    snprintf(body, sizeof(body), "auth=%s", ask_token(p));
    free(ask_raw(p, "/rest/event.get.json", body, "application/x-www-form-urlencoded", &status));
    CHECK_EQ(status, 200);
    answers(ask_app(p, "crm.deal.list", "{\"filter\":{\"ID\":0}}"), "[]");
    ask_close(p);
    ask_close(bare);
}

TEST(handlers_are_bound_once_listed_and_unbound)
{
    static const char bind[] = "{\"event\":\"onCrmDealUpdate\",\"handler\":\"https://a.example/h\"}";
    struct portal *p = with_app(NULL);

    answers(ask_app(p, "event.bind", bind), "true");
    answers(ask_app(p, "event.bind", bind), "Unable to set event handler: Handler already binded");
    answers(ask_app(p, "event.bind", "{\"event\":\"onCrmDealUpdate\",\"event_type\":\"offline\"}"), "true");
    answers(ask_app(p, "event.get", NULL),
        "[{\"event\":\"ONCRMDEALUPDATE\",\"handler\":\"https://a.example/"
        "h\",\"auth_type\":\"0\",\"offline\":0},"
        "{\"event\":\"ONCRMDEALUPDATE\",\"handler\":\"\",\"auth_type\":\"0\",\"offline\":1}]");
    answers(ask_app(p, "event.unbind", "{\"event\":\"ONCRMDEALUPDATE\",\"handler\":\"https://b.example/\"}"),
        "{\"count\":0}");
    answers(ask_app(p, "event.unbind", bind), "{\"count\":1}");
    answers(ask_app(p, "event.unbind", "{\"event\":\"ONCRMDEALUPDATE\",\"event_type\":\"offline\"}"),
        "{\"count\":1}");
    answers(ask_app(p, "event.get", NULL), "[]");
    CHECK(!p->store.journal.on);
    ask_close(p);
}

TEST(who_is_not_named_is_anybody_when_handlers_go)
{
#define AT     "{\"event\":\"ONCRMDEALADD\",\"handler\":\"https://a.example/\""
#define QUEUED "{\"event\":\"ONCRMDEALADD\",\"event_type\":\"offline\""
    static const struct {
        const char *which, *count;
    } cases[] = {
        { AT ",\"auth_type\":15}", "{\"count\":1}" },
        { AT ",\"auth_type\":0}", "{\"count\":1}" },
        { AT ",\"auth_type\":\"\"}", "{\"count\":1}" },
        { AT "}", "{\"count\":2}" },
        { QUEUED ",\"auth_connector\":\"key\"}", "{\"count\":1}" },
        { QUEUED ",\"auth_connector\":\"\"}", "{\"count\":1}" },
        { QUEUED "}", "{\"count\":2}" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct portal *p = with_app(NULL);
        answers(ask_app(p, "event.bind", AT "}"), "true");
        answers(ask_app(p, "event.bind", AT ",\"auth_type\":15}"), "true");
        answers(ask_app(p, "event.bind", QUEUED "}"), "true");
        answers(ask_app(p, "event.bind", QUEUED ",\"auth_connector\":\"key\"}"), "true");
        answers(ask_app(p, "event.unbind", cases[i].which), cases[i].count);
        ask_close(p);
    }
#undef AT
#undef QUEUED
}

TEST(what_cannot_be_bound_is_refused)
{
    static const struct {
        const char *body, *error;
    } cases[] = {
        { "{\"handler\":\"https://a.example/\"}", "Could not find value for parameter {event}" },
        { "{\"event\":\"ONCRMDEALDANCE\",\"handler\":\"https://a.example/\"}", "Event not found" },
        { "{\"event\":\"ONCRMDEALADD\"}", "Could not find value for parameter {handler}" },
        { "{\"event\":\"ONCRMDEALADD\",\"handler\":\"a.example\"}", "Wrong handler URL" },
    };
    struct portal *p = with_app(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        answers(ask_app(p, "event.bind", cases[i].body), cases[i].error);
    answers(ask_app(p, "event.get", NULL), "[]");
    ask_close(p);
}

TEST(the_codes_are_upper_case)
{
    struct portal *p = with_app(NULL);
    json_t *all = ask_app(p, "events", "{\"FULL\":1}"), *crm = ask_app(p, "events", "{\"SCOPE\":\"crm\"}");
    const size_t count = json_array_size(json_object_get(crm, "result"));

    CHECK_EQ(json_array_size(json_object_get(all, "result")), event_count());
    CHECK(count > 25 && count < (size_t)event_count());
    CHECK_STR(
        json_string_value(json_array_get(json_object_get(crm, "result"), 0)), "ONCRMDEALMOVETOCATEGORY");
    json_decref(all);
    json_decref(crm);
    ask_close(p);
}

TEST(a_test_event_repeats_the_question)
{
    struct portal *p = with_app(NULL);
    struct buf body;
    const char *url;

    answers(ask_app(p, "event.bind", "{\"event\":\"onAppTest\",\"handler\":\"http://a.example/\"}"), "true");
    answers(ask_app(p, "event.test", "{\"a\":{\"b\":[1,\"x y\"]}}"), "1");
    CHECK(events_next(&p->events, clock_mono_ms(), 5000, &url, &body));
    CHECK_STR(url, "http://a.example/");
    CHECK_HAS(buf_cstr(&body),
        "event=ONAPPTEST&event_handler_id=201&data%5BQUERY%5D%5Ba%5D%5Bb%5D%5B0%5D=1"
        "&data%5BQUERY%5D%5Ba%5D%5Bb%5D%5B1%5D=x%20y&data%5BLANGUAGE_ID%5D=ru&ts=5&auth%5Baccess_token%5D=");
    buf_fini(&body);
    ask_close(p);
}

TEST(bindings_and_queues_outlive_the_process)
{
    char path[300];

    snprintf(path, sizeof(path), "%s/sandbox.db", check_folder());
    struct portal *p = with_app(path);
    answers(ask_app(p, "event.bind", "{\"event\":\"onCrmDealUpdate\",\"event_type\":\"offline\"}"), "true");
    answers(
        ask_app(p, "event.bind", "{\"event\":\"onCrmDealAdd\",\"handler\":\"http://a.example/\"}"), "true");
    set_title(p, 0, "");
    ask_close(p);
    p = with_app(path);
    CHECK_EQ(p->events.bindings.count, 2);
    CHECK_EQ(offline_count(&p->events.offline), 1);
    CHECK(p->store.journal.on);
    ask_close(p);
}

/* ---- offline queues ---- */

static struct portal *queued(void)
{
    struct portal *p = with_app(NULL);

    clock_set(1000000, 1700000000000);
    answers(ask_app(p, "event.bind", "{\"event\":\"onCrmDealUpdate\",\"event_type\":\"offline\"}"), "true");
    answers(ask_app(p, "event.bind", "{\"event\":\"onCrmDealDelete\",\"event_type\":\"offline\"}"), "true");
    return p;
}

static void close_queued(struct portal *p)
{
    clock_set(0, 0);
    ask_close(p);
}

/* The events of an answer as "42 43"; the process id goes to ret_process (NULL: is null). */
static void get_is(struct portal *p, const char *body, const char *expected, char *ret_process)
{
    json_t *answer = ask_app(p, "event.offline.get", body), *result = json_object_get(answer, "result"),
           *event;
    const char *process = json_string_value(json_object_get(result, "process_id"));
    char got[1000] = "";
    size_t i, n = 0;

    json_array_foreach(json_object_get(result, "events"), i, event) {
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%lld", i > 0 ? " " : "",
            (long long)json_integer_value(
                json_object_get(json_object_get(json_object_get(event, "EVENT_DATA"), "FIELDS"), "ID")));
        CHECK(json_object_get(event, "PROCESS_ID") == NULL);
    }
    CHECK_STR(result ? got : ask_error(answer), expected);
    CHECK_EQ(process != NULL, ret_process != NULL);
    if (ret_process != NULL)
        snprintf(ret_process, OFFLINE_PROCESS, "%s", process);
    json_decref(answer);
}

static const char *ids(struct portal *p, int first, int count)
{
    static char text[1000];
    size_t n = 0;

    for (int i = first; i < first + count; i++)
        n += (size_t)snprintf(
            text + n, sizeof(text) - n, "%s%u", i > first ? " " : "", p->store.crm[DEAL].ids[i]);
    return text;
}

TEST(a_thousand_changes_of_one_deal_are_one_line_with_the_last_time)
{
    struct portal *p = queued();

    for (int i = 0; i < 1000; i++)
        set_title(p, 0, "");
    clock_set(1005000, 1700000005000);
    set_title(p, 0, "");
    json_t *answer = ask_app(p, "event.offline.list", NULL);
    const json_t *line = json_array_get(json_object_get(answer, "result"), 0);
    CHECK_EQ(json_integer_value(json_object_get(answer, "total")), 1);
    CHECK_STR(json_string_value(json_object_get(line, "TIMESTAMP_X")), "2023-11-15T01:13:25+03:00");
    CHECK_STR(json_string_value(json_object_get(line, "EVENT_NAME")), "ONCRMDEALUPDATE");
    CHECK_STR(json_string_value(json_object_get(line, "PROCESS_ID")), "");
    CHECK_STR(json_string_value(json_object_get(line, "ERROR")), "0");
    json_decref(answer);
    close_queued(p);
}

TEST(reading_without_asking_deletes)
{
    struct portal *p = queued();

    for (int i = 0; i < 60; i++)
        set_title(p, i, "");
    get_is(p, NULL, ids(p, 0, 50), NULL);
    get_is(p, "{\"limit\":4}", ids(p, 50, 4), NULL);
    CHECK_EQ(offline_count(&p->events.offline), 6);
    get_is(p, "{\"limit\":0}", "Value must be positive integer", NULL);
    close_queued(p);
}

TEST(reservations_are_disjoint_and_stay_until_confirmed)
{
    struct portal *p = queued();
    char a[OFFLINE_PROCESS], b[OFFLINE_PROCESS], c[OFFLINE_PROCESS], body[200];

    for (int i = 0; i < 5; i++)
        set_title(p, i, "");
    get_is(p, "{\"clear\":0,\"limit\":3}", ids(p, 0, 3), a);
    get_is(p, "{\"clear\":0,\"limit\":3}", ids(p, 3, 2), b);
    get_is(p, "{\"clear\":0}", "", c);
    CHECK(strcmp(a, b) != 0 && strcmp(b, c) != 0 && strlen(a) == 32);
    set_title(p, 0, ""); /* of a reserved object: a new line */
    get_is(p, "{\"clear\":0}", ids(p, 0, 1), c);
    snprintf(body, sizeof(body), "{\"clear\":0,\"process_id\":\"%s\"}", a);
    get_is(p, body, ids(p, 0, 3), c);
    CHECK_STR(a, c);
    snprintf(body, sizeof(body), "{\"process_id\":\"%s\"}", a);
    answers(ask_app(p, "event.offline.clear", body), "true");
    CHECK_EQ(offline_count(&p->events.offline), 3);
    answers(ask_app(p, "event.offline.clear", NULL), "Could not find value for parameter {process_id}");
    close_queued(p);
}

TEST(lines_are_confirmed_by_id_or_message)
{
    struct portal *p = queued();
    char a[OFFLINE_PROCESS], body[300];

    for (int i = 0; i < 4; i++)
        set_title(p, i, "");
    get_is(p, "{\"clear\":0}", ids(p, 0, 4), a);
    snprintf(body, sizeof(body), "{\"process_id\":\"%s\",\"id\":[1,2],\"message_id\":[\"ignored\"]}", a);
    answers(ask_app(p, "event.offline.clear", body), "true");
    CHECK_EQ(offline_count(&p->events.offline), 2);
    json_t *list = ask_app(p, "event.offline.list", "{\"filter\":{\"ID\":3}}");
    const char *message =
        json_string_value(json_object_get(json_array_get(json_object_get(list, "result"), 0), "MESSAGE_ID"));
    snprintf(body, sizeof(body), "{\"process_id\":\"%s\",\"message_id\":[\"%s\"]}", a, message);
    answers(ask_app(p, "event.offline.clear", body), "true");
    json_decref(list);
    CHECK_EQ(offline_count(&p->events.offline), 1);
    close_queued(p);
}

TEST(failed_lines_are_read_again_on_request)
{
    struct portal *p = queued();
    char a[OFFLINE_PROCESS], b[OFFLINE_PROCESS], body[300];

    set_title(p, 0, "");
    set_title(p, 1, "");
    get_is(p, "{\"clear\":0}", ids(p, 0, 2), a);
    json_t *list = ask_app(p, "event.offline.list", "{\"order\":{\"ID\":\"DESC\"}}");
    const char *message =
        json_string_value(json_object_get(json_array_get(json_object_get(list, "result"), 0), "MESSAGE_ID"));
    snprintf(body, sizeof(body), "{\"process_id\":\"%s\",\"message_id\":[\"%s\"]}", a, message);
    answers(ask_app(p, "event.offline.error", body), "true");
    json_decref(list);
    snprintf(body, sizeof(body), "{\"clear\":0,\"process_id\":\"%s\"}", a);
    get_is(p, body, ids(p, 0, 1), b);
    get_is(p, "{\"clear\":0,\"error\":1}", ids(p, 1, 1), b);
    get_is(p, "{\"clear\":0}", "", a);
    answers(ask_app(p, "event.offline.error", "{\"process_id\":\"x\"}"), "true"); /* of nobody's: nothing */
    answers(ask_app(p, "event.offline.error", "{\"message_id\":[\"x\"]}"),
        "Could not find value for parameter {process_id}");
    close_queued(p);
}

TEST(a_reservation_nobody_confirms_is_dropped_after_thirty_days)
{
    struct portal *p = queued();
    char a[OFFLINE_PROCESS];

    set_title(p, 0, "");
    get_is(p, "{\"clear\":0}", ids(p, 0, 1), a);
    clock_set(1000000, 1700000000000 + 31 * UINT64_C(86400000));
    get_is(p, "{\"clear\":0}", "", a);
    CHECK_EQ(offline_count(&p->events.offline), 0);
    close_queued(p);
}

TEST(queries_are_filtered_and_ordered)
{
    static const struct {
        const char *body;
        int count;
    } cases[] = {
        { "{\"filter\":{\">ID\":2}}", 2 },
        { "{\"filter\":{\"<=ID\":\"1\"}}", 1 },
        { "{\"filter\":{\"!ID\":1}}", 3 },
        { "{\"filter\":{\"@ID\":[1,3,9]}}", 2 },
        { "{\"filter\":{\"!ID\":[1,3,9]}}", 2 },
        { "{\"filter\":{\"EVENT_NAME\":\"ONCRMDEALDELETE\"}}", 0 },
        { "{\"filter\":{\">=TIMESTAMP_X\":\"2023-11-15T01:13:21+03:00\"}}", 1 },
        { "{\"filter\":{\"PROCESS_ID\":\"\",\"ERROR\":0}}", 4 },
        { "{\"filter\":{\"NOBODY\":1}}", 4 },
        { "{\"filter\":{\"ID\":\"1; DROP TABLE offline\"}}", 1 },
    };
    struct portal *p = queued();

    for (int i = 0; i < 4; i++) {
        clock_set(1000000, 1700000000000 + (i == 3 ? 1000 : 0));
        set_title(p, i, "");
    }
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *answer = ask_app(p, "event.offline.list", cases[i].body);
        CHECK_EQ(json_array_size(json_object_get(answer, "result")), cases[i].count);
        json_decref(answer);
    }
    get_is(p, "{\"order\":{\"TIMESTAMP_X\":\"desc\"},\"limit\":1}", ids(p, 3, 1), NULL);
    close_queued(p);
}

TEST(long_queues_come_in_pages)
{
    struct portal *p = queued();

    for (int i = 0; i < 70; i++)
        set_title(p, i, "");
    json_t *answer = ask_app(p, "event.offline.list", NULL);
    CHECK_EQ(json_array_size(json_object_get(answer, "result")), 50);
    CHECK_EQ(json_integer_value(json_object_get(answer, "next")), 50);
    CHECK_EQ(json_integer_value(json_object_get(answer, "total")), 70);
    json_decref(answer);
    answer = ask_app(p, "event.offline.list", "{\"start\":50}");
    CHECK_EQ(json_array_size(json_object_get(answer, "result")), 20);
    CHECK(json_object_get(answer, "next") == NULL);
    json_decref(answer);
    close_queued(p);
}

TEST(a_queue_of_a_connector_is_its_own_and_knows_its_own_changes)
{
    struct portal *p = queued();

    answers(ask_app(p, "event.bind",
                "{\"event\":\"onCrmDealUpdate\",\"event_type\":\"offline\",\"auth_connector\":\"potok\"}"),
        "true");
    set_title(p, 0, "&auth_connector=potok");
    set_title(p, 1, "&auth_connector=other");
    get_is(p, "{\"auth_connector\":\"potok\"}", ids(p, 1, 1), NULL);
    get_is(p, NULL, ids(p, 0, 2), NULL);
    close_queued(p);
}

/* "NAME FIELDS" of every line of the queue, in the order of their making. */
static void lines_are(struct portal *p, const char *const *expected, size_t n)
{
    json_t *lines = ask_done(ask_app(p, "event.offline.list", NULL));

    CHECK_EQ(json_array_size(lines), n);
    for (size_t i = 0; i < n; i++) {
        const json_t *line = json_array_get(lines, i);
        char *fields =
            json_dumps(json_object_get(json_object_get(line, "EVENT_DATA"), "FIELDS"), JSON_COMPACT);
        char *text = xasprintf("%s %s", json_string_value(json_object_get(line, "EVENT_NAME")), fields);
        CHECK_STR(text, expected[i]);
        free(text);
        free(fields);
    }
    json_decref(lines);
}

static void bind_queue(struct portal *p, const char *event)
{
    char body[120];

    snprintf(body, sizeof(body), "{\"event\":\"%s\",\"event_type\":\"offline\"}", event);
    answers(ask_app(p, "event.bind", body), "true");
}

/* A portal with items of two types, and a number that both have. */
static struct portal *two_types(const char *quirk, unsigned *ret_id)
{
    struct portal_options o = ask_options();
    uint32_t n, i = 0;

    o.events.app = 1;
    o.quirks = quirk ? quirk_bit(quirk) : 0;
    o.store.counts[SMART] = o.store.counts[INVOICE] = 20;
    struct portal *p = ask_open_with(o);
    while (!crm_find(&p->store.crm[INVOICE], p->store.crm[SMART].ids[i], &n))
        i++;
    *ret_id = p->store.crm[SMART].ids[i];
    return p;
}

static void set_both(struct portal *p, unsigned id)
{
    static const char *const entities[] = { "items", "invoices" };
    char route[80];

    for (int i = 0; i < 2; i++) {
        snprintf(route, sizeof(route), "set?entity=%s&id=%u", entities[i], id);
        ask_admin(p, route, "{\"TITLE\":\"x\"}");
    }
}

static void items_of_two_types(const char *quirk, bool merged)
{
    unsigned id;
    struct portal *p = two_types(quirk, &id);
    char body[80], *smart = xasprintf("ONCRMDYNAMICITEMUPDATE {\"ID\":%u,\"ENTITY_TYPE_ID\":156}", id),
                   *invoice = xasprintf("ONCRMDYNAMICITEMUPDATE {\"ID\":%u,\"ENTITY_TYPE_ID\":31}", id),
                   *gone = xasprintf("ONCRMDYNAMICITEMDELETE {\"ID\":%u,\"ENTITY_TYPE_ID\":31}", id);

    bind_queue(p, "onCrmDynamicItemUpdate");
    bind_queue(p, "onCrmDynamicItemDelete");
    for (int again = 0; again < 2; again++)
        set_both(p, id);
    lines_are(p, (const char *const[]){ smart, invoice }, 2);
    snprintf(body, sizeof(body), "{\"entityTypeId\":31,\"id\":%u}", id);
    json_decref(ask_done(ask(p, "crm.item.delete", body)));
    if (merged)
        lines_are(p, (const char *const[]){ smart, gone }, 2);
    else
        lines_are(p, (const char *const[]){ smart, invoice, gone }, 3);
    free(smart);
    free(invoice);
    free(gone);
    ask_close(p);
}

TEST(items_of_two_types_with_one_number_are_two_objects)
{
    items_of_two_types(NULL, false);
    items_of_two_types("offline-merged", true);
}

/* Each can be confirmed alone. */
TEST(lines_of_two_types_are_told_apart_by_their_messages)
{
    unsigned id;
    struct portal *p = two_types(NULL, &id);

    bind_queue(p, "onCrmDynamicItemUpdate");
    set_both(p, id);
    json_t *lines = ask_done(ask_app(p, "event.offline.list", NULL));
    CHECK(!json_equal(json_object_get(json_array_get(lines, 0), "MESSAGE_ID"),
        json_object_get(json_array_get(lines, 1), "MESSAGE_ID")));
    json_decref(lines);
    ask_close(p);
}

TEST(a_line_tells_what_its_event_tells)
{
    struct portal *p = with_app(NULL);
    const uint32_t id = p->store.crm[DEAL].ids[0];
    char body[200], *move = xasprintf(
                        "ONCRMDEALMOVETOCATEGORY {\"ID\":%u,\"CATEGORY_ID\":3,\"STAGE_ID\":\"C3:NEW\"}", id);

    bind_queue(p, "onCrmDealMoveToCategory");
    for (int to = 2; to <= 3; to++) { /* the line is the last move's */
        snprintf(body, sizeof(body), "{\"entityTypeId\":2,\"id\":%u,\"fields\":{\"categoryId\":%d}}", id, to);
        json_decref(ask_done(ask(p, "crm.item.update", body)));
    }
    lines_are(p, (const char *const[]){ move }, 1);
    free(move);
    ask_close(p);
    p = with_app(NULL);
    bind_queue(p, "onCrmDealUserFieldAdd");
    json_t *made =
        ask(p, "crm.deal.userfield.add", "{\"fields\":{\"FIELD_NAME\":\"NEW\",\"USER_TYPE_ID\":\"string\"}}");
    move = xasprintf(
        "ONCRMDEALUSERFIELDADD {\"ID\":%lld,\"ENTITY_ID\":\"CRM_DEAL\",\"FIELD_NAME\":\"UF_CRM_NEW\"}",
        (long long)json_integer_value(json_object_get(made, "result")));
    lines_are(p, (const char *const[]){ move }, 1);
    free(move);
    json_decref(made);
    ask_close(p);
}

/* Each command's own, and of those without one the batch's (facts sections 8, 9.5). */
TEST(a_command_of_a_batch_has_a_connector_of_its_own)
{
    static const char *const of_batch[] = { "", ",\"auth_connector\":\"potok\"" };
    struct portal *p = queued();
    const uint32_t *all = p->store.crm[DEAL].ids;
    char body[600], last[20];

    answers(ask_app(p, "event.bind",
                "{\"event\":\"onCrmDealUpdate\",\"event_type\":\"offline\",\"auth_connector\":\"potok\"}"),
        "true");
    snprintf(last, sizeof(last), "%u", all[2]);
    for (int i = 0; i < 2; i++) {
        snprintf(body, sizeof(body),
            "{\"cmd\":[\"crm.deal.update?id=%u&fields[TITLE]=a&auth_connector=potok\","
            "\"crm.deal.update?id=%u&fields[TITLE]=b\","
            "\"crm.deal.update?id=%u&fields[TITLE]=c&auth_connector=other\"]%s}",
            all[0], all[1], all[2], of_batch[i]);
        json_decref(ask_done(ask_app(p, "batch", body)));
        get_is(p, "{\"auth_connector\":\"potok\"}", i == 0 ? ids(p, 1, 2) : last, NULL);
    }
    close_queued(p);
}

TEST(who_is_no_administrator_sees_handlers_of_his_own)
{
    struct portal *p = with_quirk("no-admin");
    const struct binding his = { .app = true,
        .code = event_of(STR("ONCRMDEALADD")),
        .url = "http://b.example/",
        .connector = "",
        .user = 5 },
                         queue = { .app = true,
                             .code = event_of(STR("ONCRMDEALADD")),
                             .url = "",
                             .connector = "",
                             .offline = true };
    static const char own[] = "{\"event\":\"onCrmDealAdd\",\"handler\":\"http://a.example/\"}";
    struct err err;
    bool there;

    CHECK_OK(bindings_add(&p->events.bindings, &his, &there, &err), err);
    CHECK_OK(bindings_add(&p->events.bindings, &queue, &there, &err), err);
    answers(ask_app(p, "event.get", NULL), "[]");
    answers(ask_app(p, "event.bind", own), "true");
    answers(ask_app(p, "event.get", NULL),
        "[{\"event\":\"ONCRMDEALADD\",\"handler\":\"http://a.example/\",\"auth_type\":\"1\",\"offline\":0}]");
    answers(ask_app(p, "event.unbind", own), "{\"count\":1}");
    answers(ask_app(p, "event.get", NULL), "[]");
    answers(ask_app(p, "crm.type.list", NULL), "Доступ запрещен");
    answers(ask_app(p, "event.bind",
                "{\"event\":\"onCrmDealAdd\",\"handler\":\"http://c.example/\",\"auth_type\":5}"),
        "Access denied! Event binding with AUTH_TYPE requires administrator access rights");
    ask_close(p);
}

TEST(a_filled_queue_wakes_its_application_not_too_often)
{
    struct portal *p = queued();
    struct buf body;
    const char *url;

    answers(ask_app(p, "event.bind",
                "{\"event\":\"onOfflineEvent\",\"handler\":\"http://a.example/"
                "\",\"options\":{\"minTimeout\":5}}"),
        "true");
    for (int i = 0; i < 10; i++)
        set_title(p, i, "");
    CHECK(events_next(&p->events, 1000000, 9000, &url, &body));
    CHECK_HAS(buf_cstr(&body), "event=ONOFFLINEEVENT&event_handler_id=203&ts=9&auth");
    buf_fini(&body);
    CHECK(!events_next(&p->events, 1004999, 9000, &url, &body));
    CHECK(events_next(&p->events, 1005000, 9000, &url, &body));
    buf_fini(&body);
    CHECK_EQ(p->events.outbox.stats.made, 2);
    close_queued(p);
}

TEST(a_handler_keeps_its_query_or_loses_it)
{
    static const char bind[] = "{\"event\":\"onCrmDealUpdate\",\"handler\":\"http://a.example/in?key=1\"}";
    struct portal_options o = ask_options();

    o.events.app = 1;
    for (int bare = 0; bare < 2; bare++) {
        o.quirks = bare ? quirk_bit("handler-bare") : 0;
        struct portal *p = ask_open_with(o);
        answers(ask_app(p, "event.bind", bind), "true");
        answers(ask_app(p, "event.bind", bind), "Unable to set event handler: Handler already binded");
        json_t *answer = ask_app(p, "event.get", NULL);
        CHECK_STR(json_string_value(
                      json_object_get(json_array_get(json_object_get(answer, "result"), 0), "handler")),
            bare ? "http://a.example/in" : "http://a.example/in?key=1");
        json_decref(answer);
        answers(ask_app(p, "event.unbind", bind), "{\"count\":1}");
        ask_close(p);
    }
}

TEST(the_second_form_of_an_offline_line_tells_no_id)
{
    struct portal_options o = ask_options();

    o.events.app = 1;
    o.quirks = quirk_bit("offline-false");
    struct portal *p = ask_open_with(o);
    answers(ask_app(p, "event.bind", "{\"event\":\"onCrmDealUpdate\",\"event_type\":\"offline\"}"), "true");
    set_title(p, 0, "");
    json_t *answer = ask_app(p, "event.offline.get", NULL);
    const json_t *events = json_object_get(json_object_get(answer, "result"), "events");
    CHECK(json_is_false(json_object_get(json_array_get(events, 0), "EVENT_DATA")));
    json_decref(answer);
    ask_close(p);
}

TEST_MAIN(CASE(a_webhook_may_not_ask_about_events),
    CASE(the_token_counts_alone_and_only_when_there_is_an_application),
    CASE(handlers_are_bound_once_listed_and_unbound), CASE(who_is_not_named_is_anybody_when_handlers_go),
    CASE(what_cannot_be_bound_is_refused), CASE(the_codes_are_upper_case),
    CASE(a_test_event_repeats_the_question), CASE(bindings_and_queues_outlive_the_process),
    CASE(a_thousand_changes_of_one_deal_are_one_line_with_the_last_time),
    CASE(reading_without_asking_deletes), CASE(reservations_are_disjoint_and_stay_until_confirmed),
    CASE(lines_are_confirmed_by_id_or_message), CASE(failed_lines_are_read_again_on_request),
    CASE(a_reservation_nobody_confirms_is_dropped_after_thirty_days), CASE(queries_are_filtered_and_ordered),
    CASE(long_queues_come_in_pages), CASE(a_queue_of_a_connector_is_its_own_and_knows_its_own_changes),
    CASE(a_filled_queue_wakes_its_application_not_too_often), CASE(a_handler_keeps_its_query_or_loses_it),
    CASE(the_second_form_of_an_offline_line_tells_no_id),
    CASE(items_of_two_types_with_one_number_are_two_objects),
    CASE(lines_of_two_types_are_told_apart_by_their_messages), CASE(a_line_tells_what_its_event_tells),
    CASE(a_command_of_a_batch_has_a_connector_of_its_own),
    CASE(who_is_no_administrator_sees_handlers_of_his_own))
