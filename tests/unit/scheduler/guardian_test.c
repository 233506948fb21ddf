#include "services/scheduler/rules/guardian.h"

#include <stdio.h>

#include "base/mem.h"
#include "support/check.h"

#define OURS  "https://potok.example/api/v1/webhooks/bitrix"
#define OLD   "https://old.example/api/v1/webhooks/bitrix"
#define KEY   "?key=0123456789abcdef0123456789abcdef"
#define STALE "?key=fedcba9876543210fedcba9876543210"
#define DEALS 1

static struct public_urls urls(const char *setting)
{
    struct public_urls u;
    struct err err = { 0 };

    CHECK_OK(public_urls_read(&u, setting, &err), err);
    return u;
}

/* "bind ONCRMDEALADD online" of each line, by "; ". */
static const char *lines_of(const struct guardian_plan *p)
{
    static char text[8192];
    size_t n = 0;

    text[0] = '\0';
    for (int i = 0; i < p->count; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %s%s%s", i > 0 ? "; " : "",
            p->lines[i].what == GUARDIAN_BIND ? "bind" : "unbind", p->lines[i].event,
            p->lines[i].offline ? " offline" : "", strcmp(p->lines[i].handler, OLD) == 0 ? " old" : "");
    return text;
}

/* An entry of event.get for each event of deals but `but`. */
static const char *all_but(const char *but, const char *tail, const char *more)
{
    static char text[8192];
    char names[BITRIX_EVENTS_MAX][BITRIX_EVENT_NAME_SIZE];
    const int count = bitrix_events_of(&ENTITIES[0], names);
    size_t n = (size_t)snprintf(text, sizeof(text), "[%s", more);

    for (int i = 0; i < count; i++)
        if (strcmp(names[i], but) != 0)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s{\"event\":\"%s\",%s}",
                strchr("[,", text[n - 1]) != NULL ? "" : ",", names[i], tail);
    snprintf(text + n, sizeof(text) - n, "]");
    return text;
}

#define AT(handler) "\"handler\":\"" handler "\",\"auth_type\":\"0\",\"offline\":0"
#define ONE(tail)   "{\"event\":\"ONCRMDEALADD\"," tail "}"
#define QUEUE(tail) "\"handler\":\"\",\"auth_type\":\"0\",\"offline\":\"1\"" tail
#define WAKE        "{\"event\":\"ONOFFLINEEVENT\"," AT(OURS) "}"

TEST(the_difference_and_no_more_is_done)
{
    static const struct {
        const char *what, *url;
        bool online, offline, sure;
        const char *but, *tail, *more;
        int wanted, bound, strays;
        const char *lines;
    } cases[] = {
        { "all there", "https://potok.example", true, false, false, "", AT(OURS), "", 8, 8, 0, "" },
        { "one was unbound", "https://potok.example", true, false, false, "ONCRMDEALUPDATE", AT(OURS), "", 8,
            7, 0, "bind ONCRMDEALUPDATE" },
        { "those of others stay", "https://potok.example", true, false, false, "", AT(OURS),
            ONE(AT("https://other.example/in")) ",", 8, 8, 0, "" },
        { "our path elsewhere is counted, not touched", "https://potok.example", true, false, false, "",
            AT(OURS), ONE(AT("https://twin.example/api/v1/webhooks/bitrix")) ",", 8, 8, 1, "" },
        { "a former address of ours goes", "https://potok.example,https://old.example", true, false, false,
            "", AT(OURS), ONE(AT(OLD)) ",", 8, 8, 0, "unbind ONCRMDEALADD old" },
        { "an event more at our address stays", "https://potok.example", true, false, false, "", AT(OURS),
            "{\"event\":\"ONAPPTEST\"," AT(OURS) "},", 8, 8, 0, "" },
        { "no address, nothing online", "", true, false, false, "", AT(OURS), "", 0, 0, 8, "" },
        { "offline, named", "", false, true, false, "", QUEUE(",\"connector_id\":\"potok\""), "", 8, 8, 0,
            "" },
        { "offline of another connector", "", false, true, false, "ONCRMDEALADD",
            QUEUE(",\"connector_id\":\"potok\""), ONE(QUEUE(",\"connector_id\":\"crm1c\"")) ",", 8, 7, 0,
            "bind ONCRMDEALADD offline" },
        { "offline, not named, bound by us", "", false, true, true, "", QUEUE(""), "", 8, 8, 0, "" },
        { "an online one is no offline one", "", false, true, true, "ONCRMDEALADD", QUEUE(""),
            ONE(AT(OURS)) ",", 8, 7, 1, "bind ONCRMDEALADD offline" },
        { "offline with an address is woken up", "https://potok.example", false, true, true, "", QUEUE(""),
            "", 9, 8, 0, "bind ONOFFLINEEVENT" },
        { "and is woken up already", "https://potok.example", false, true, true, "", QUEUE(""), WAKE ",", 9,
            9, 0, "" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct public_urls u = urls(cases[i].url);
        struct guardian_wish wish = { .entities = DEALS,
            .online = cases[i].online,
            .offline = cases[i].offline,
            .offline_sure = cases[i].sure,
            .connector = true,
            .urls = &u,
            .handler = u.handlers[0] };
        struct guardian_plan plan;
        struct err err = { 0 };

        print_message("%s\n", cases[i].what);
        CHECK_OK(
            guardian_compare(&plan, &wish, str_of(all_but(cases[i].but, cases[i].tail, cases[i].more)), &err),
            err);
        CHECK_STR(lines_of(&plan), cases[i].lines);
        CHECK_EQ(plan.wanted, cases[i].wanted);
        CHECK_EQ(plan.bound, cases[i].bound);
        CHECK_EQ(plan.strays, cases[i].strays);
        guardian_plan_free(&plan);
        public_urls_free(&u);
    }
}

#define NEXT(tail)   "{\"event\":\"ONCRMDEALUPDATE\"," tail "},"
#define UNWANTED(at) "{\"event\":\"ONCRMLEADADD\"," AT(at) "},"

TEST(our_address_has_a_key_and_what_it_replaces_goes_afterwards)
{
    static const struct {
        const char *what;
        bool tried;
        const char *but, *tail, *more;
        int bound, strays;
        bool again, bare;
        const char *lines;
    } cases[] = {
        { "all there", true, "", AT(OURS KEY), "", 8, 0, false, false, "" },
        { "what is bound is looked at", false, "ONCRMDEALADD", AT(OURS KEY), "", 7, 0, true, false,
            "bind ONCRMDEALADD" },
        { "without a key: its successor first", false, "ONCRMDEALUPDATE", AT(OURS KEY), NEXT(AT(OURS)), 7, 0,
            true, false, "bind ONCRMDEALUPDATE" },
        { "with another key: its successor first", false, "ONCRMDEALUPDATE", AT(OURS KEY),
            NEXT(AT(OURS STALE)), 7, 0, true, false, "bind ONCRMDEALUPDATE" },
        { "the successor is there", true, "", AT(OURS KEY), NEXT(AT(OURS)) NEXT(AT(OURS STALE)), 8, 0, false,
            false, "unbind ONCRMDEALUPDATE; unbind ONCRMDEALUPDATE" },
        { "a key tells that it was ours", true, "", AT(OURS KEY), UNWANTED(OURS STALE), 8, 0, false, false,
            "unbind ONCRMLEADADD" },
        { "of another installation", true, "", AT(OURS KEY),
            NEXT(AT("https://twin.example/api/v1/webhooks/bitrix" STALE)), 8, 1, false, false, "" },
        { "an address alone does not", true, "", AT(OURS KEY), UNWANTED(OURS), 8, 0, false, false, "" },
        { "nor does another query", true, "", AT(OURS KEY), UNWANTED(OURS "?portal=main"), 8, 0, false, false,
            "" },
        { "nor half a key", true, "", AT(OURS KEY), NEXT(AT(OURS "?key=0123")), 8, 0, false, false, "" },
        { "at a former address", true, "", AT(OURS KEY), NEXT(AT(OLD STALE)), 8, 0, false, false,
            "unbind ONCRMDEALUPDATE" },
        { "queries are not shown", true, "", AT(OURS), "", 8, 0, false, true, "" },
        { "of some of it neither", true, "ONCRMDEALADD", AT(OURS), "", 7, 0, true, true,
            "bind ONCRMDEALADD" },
        { "queries are shown, somebody bound the address", true, "ONCRMDEALADD", AT(OURS KEY),
            ONE(AT(OURS)) ",", 7, 0, true, false, "bind ONCRMDEALADD" },
    };
    struct public_urls u = urls("https://potok.example,https://old.example");

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct guardian_wish wish = {
            .entities = DEALS, .online = true, .urls = &u, .handler = OURS KEY, .tried = cases[i].tried
        };
        struct guardian_plan plan;
        struct err err = { 0 };

        print_message("%s\n", cases[i].what);
        CHECK_OK(
            guardian_compare(&plan, &wish, str_of(all_but(cases[i].but, cases[i].tail, cases[i].more)), &err),
            err);
        CHECK_STR(lines_of(&plan), cases[i].lines);
        CHECK_EQ(plan.bound, cases[i].bound);
        CHECK_EQ(plan.strays, cases[i].strays);
        CHECK_EQ(plan.again, cases[i].again);
        CHECK_EQ(plan.bare, cases[i].bare);
        guardian_plan_free(&plan);
    }
    public_urls_free(&u);
}

TEST(a_line_says_its_own_address)
{
    struct public_urls u = urls("https://potok.example");
    struct guardian_wish wish = { .entities = DEALS, .online = true, .urls = &u, .handler = OURS KEY };
    struct guardian_plan plan;
    struct err err = { 0 };

    CHECK_OK(guardian_compare(&plan, &wish, STR("[" UNWANTED(OURS STALE) ONE(AT(OURS)) "]"), &err), err);
    CHECK_EQ(plan.count, 9);
    CHECK_STR(plan.lines[0].handler, OURS KEY);
    CHECK_STR(plan.lines[8].handler, OURS STALE);
    guardian_plan_free(&plan);
    public_urls_free(&u);
}

TEST(offline_that_is_not_named_is_bound_again_to_be_certain)
{
    struct public_urls u = urls("");
    struct guardian_wish wish = { .entities = DEALS, .offline = true, .connector = true, .urls = &u };
    struct guardian_plan plan;
    struct err err = { 0 };

    CHECK_OK(guardian_compare(&plan, &wish, str_of(all_but("", QUEUE(""), "")), &err), err);
    CHECK_EQ(plan.count, 8);
    CHECK_EQ(plan.bound, 0);
    guardian_plan_free(&plan);
}

TEST(a_plan_without_connectors_has_one_queue)
{
    static const struct {
        const char *tail;
        int bound;
    } cases[] = { { QUEUE(""), 8 }, { QUEUE(",\"connector_id\":\"\""), 8 },
        { QUEUE(",\"connector_id\":\"potok\""), 0 } };
    struct public_urls u = urls("");
    struct guardian_wish wish = { .entities = DEALS, .offline = true, .urls = &u };
    struct err err = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct guardian_plan plan;
        CHECK_OK(guardian_compare(&plan, &wish, str_of(all_but("", cases[i].tail, "")), &err), err);
        CHECK_EQ(plan.bound, cases[i].bound);
        if (cases[i].bound == 0) {
            struct call calls[CALLS_MAX];
            struct buf room;
            buf_init(&room, 1 << 20);
            CHECK_EQ(guardian_calls(&plan, 0, calls, &room), 8);
            CHECK_VIEW(calls[0].params, "{\"event\":\"ONCRMDEALADD\",\"event_type\":\"offline\"}");
            buf_fini(&room);
        }
        guardian_plan_free(&plan);
    }
}

TEST(what_the_portal_does_not_have_is_not_wanted)
{
    static const char unknown[][BITRIX_EVENT_NAME_SIZE] = { "ONCRMDEALMOVETOCATEGORY" };
    struct public_urls u = urls("https://potok.example");
    struct guardian_wish wish = { .entities = DEALS,
        .online = true,
        .urls = &u,
        .handler = u.handlers[0],
        .unknown = unknown,
        .unknown_count = 1 };
    struct guardian_plan plan;
    struct err err = { 0 };

    CHECK_OK(guardian_compare(&plan, &wish, STR("[]"), &err), err);
    CHECK_EQ(plan.wanted, 7);
    CHECK(strstr(lines_of(&plan), "MOVETOCATEGORY") == NULL);
    guardian_plan_free(&plan);
    CHECK_EQ(guardian_compare(&plan, &wish, STR("{\"a\":1}"), &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    public_urls_free(&u);
}

TEST(lines_become_calls_of_one_batch_after_the_other)
{
    struct public_urls u = urls("https://potok.example");
    struct guardian_wish wish = { .entities = 15,
        .online = true,
        .offline = true,
        .connector = true,
        .urls = &u,
        .handler = u.handlers[0] };
    struct guardian_plan plan;
    struct call calls[CALLS_MAX];
    struct err err = { 0 };
    struct buf room;

    CHECK_OK(guardian_compare(&plan, &wish, STR("[]"), &err), err);
    CHECK_EQ(plan.count, 2 * 29 + 1);
    buf_init(&room, 1 << 20);
    CHECK_EQ(guardian_calls(&plan, 0, calls, &room), 50);
    CHECK_VIEW(calls[0].key, "line0");
    CHECK_VIEW(calls[0].method, "event.bind");
    CHECK_VIEW(calls[0].params, "{\"event\":\"ONCRMDEALADD\",\"handler\":\"" OURS "\"}");
    CHECK_VIEW(calls[8].params,
        "{\"event\":\"ONCRMDEALADD\",\"event_type\":\"offline\",\"auth_connector\":\"potok\"}");
    buf_clear(&room);
    CHECK_EQ(guardian_calls(&plan, 50, calls, &room), 9);
    CHECK_VIEW(calls[8].key, "line58");
    CHECK_VIEW(calls[8].params, "{\"event\":\"ONOFFLINEEVENT\",\"handler\":\"" OURS "\"}");
    buf_fini(&room);
    guardian_plan_free(&plan);
    public_urls_free(&u);
}

TEST(answers_are_judged)
{
    static const struct {
        struct call_answer answer;
        enum guardian_said said;
    } cases[] = {
        { { .result = STR("true") }, GUARDIAN_SAID_DONE },
        { { .result = STR("{\"count\":1}") }, GUARDIAN_SAID_DONE },
        { { .kind = STR("perm"),
              .code = STR("ERROR_CORE"),
              .text = STR("Unable to set event handler: Handler already binded") },
            GUARDIAN_SAID_DONE },
        { { .kind = STR("perm"),
              .code = STR("ERROR_CORE"),
              .text = STR("Unable to set event handler: later") },
            GUARDIAN_SAID_LATER },
        { { .kind = STR("perm"), .code = STR("ERROR_EVENT_NOT_FOUND"), .text = STR("Event not found") },
            GUARDIAN_SAID_UNKNOWN },
        { { .kind = STR("auth"), .code = STR("ACCESS_DENIED"), .text = STR("Access denied!") },
            GUARDIAN_SAID_REFUSED },
        { { .kind = STR("perm"), .code = STR("insufficient_scope") }, GUARDIAN_SAID_REFUSED },
        { { .kind = STR("wait"), .code = STR("QUERY_LIMIT_EXCEEDED") }, GUARDIAN_SAID_LATER },
        { { .kind = STR("temp"), .code = STR("INTERNAL_SERVER_ERROR") }, GUARDIAN_SAID_LOST },
        { { .kind = STR("temp"), .code = STR("ERROR_UNEXPECTED_ANSWER") }, GUARDIAN_SAID_LOST },
        { { .kind = STR("wait"), .code = STR("OPERATION_TIME_LIMIT") }, GUARDIAN_SAID_LATER },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_EQ(guardian_judge(&cases[i].answer), cases[i].said);
    CHECK_EQ(guardian_judge(NULL), GUARDIAN_SAID_LOST);
}

TEST(what_was_lost_is_looked_for_when_the_portals_time_is_over)
{
    const struct write_pace pace = { .limit_ms = 60000, .margin_ms = 15000 };
    struct guardian g = { .state = GUARDIAN_NONE };

    CHECK_EQ(guardian_looks_at(&g, 1000), 1000);
    guardian_sends(&g);
    CHECK(guardian_looks_at(&g, 500000) > 500000);
    guardian_heard(&g, &pace, false, 2000);
    CHECK_EQ(guardian_looks_at(&g, 2000), 2000);
    guardian_sends(&g);
    guardian_heard(&g, &pace, true, 3000);
    CHECK_EQ(guardian_looks_at(&g, 3000), 78000);
    CHECK_EQ(guardian_looks_at(&g, 78000), 78000);
    guardian_sends(&g); /* the look showed what is missing */
    guardian_heard(&g, &pace, false, 79000);
    CHECK_EQ(guardian_looks_at(&g, 79000), 79000);
}

TEST(ways_follow_what_there_is)
{
    static const struct {
        bool in[4]; /* online, offline, the portal has the queue, there is an address */
        bool online, offline, no_queue;
    } cases[] = {
        { { true, false, false, true }, true, false, false },
        { { true, false, true, false }, false, false, false },
        { { false, true, true, false }, false, true, false },
        { { false, true, true, true }, false, true, false },
        { { true, true, true, true }, true, true, false },
        { { false, true, false, true }, true, false, true },
        { { false, true, false, false }, false, false, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct guardian_ways w =
            guardian_ways(cases[i].in[0], cases[i].in[1], cases[i].in[2], cases[i].in[3]);

        CHECK_EQ(w.online, cases[i].online);
        CHECK_EQ(w.offline, cases[i].offline);
        CHECK_EQ(w.no_queue, cases[i].no_queue);
    }
}

TEST(silence_while_records_change_is_suspicious)
{
    const uint64_t long_ago = GUARDIAN_SILENCE_MS, now = 2 * GUARDIAN_SILENCE_MS;

    CHECK(guardian_suspects(long_ago, long_ago, 1, now));
    CHECK(!guardian_suspects(long_ago, long_ago, 0, now));
    CHECK(!guardian_suspects(long_ago + 1, long_ago, 1, now));
    CHECK(!guardian_suspects(long_ago, long_ago + 1, 1, now));
}

TEST_MAIN(CASE(the_difference_and_no_more_is_done),
    CASE(our_address_has_a_key_and_what_it_replaces_goes_afterwards), CASE(a_line_says_its_own_address),
    CASE(offline_that_is_not_named_is_bound_again_to_be_certain),
    CASE(a_plan_without_connectors_has_one_queue), CASE(what_the_portal_does_not_have_is_not_wanted),
    CASE(lines_become_calls_of_one_batch_after_the_other), CASE(answers_are_judged),
    CASE(what_was_lost_is_looked_for_when_the_portals_time_is_over), CASE(ways_follow_what_there_is),
    CASE(silence_while_records_change_is_suspicious))
