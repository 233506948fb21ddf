#include "services/scheduler/rules/offline.h"

#include <stdio.h>

#include "base/mem.h"
#include "support/check.h"

#define DEALS                 1
#define CONTACTS              2
#define EVENT(id, name, data) "{\"ID\":\"" id "\",\"EVENT_NAME\":\"" name "\",\"EVENT_DATA\":" data "}"
#define GOT(events)           "{\"process_id\":\"p1\",\"events\":[" events "]}"
#define OF(id)                "{\"FIELDS\":{\"ID\":" id "}}"

TEST(each_event_has_its_outcome)
{
    static const struct {
        const char *event;
        enum offline_outcome outcome;
        uint64_t id; /* of the change */
        bool gone;
        uint64_t fields, changed, sweep;
    } cases[] = {
        { EVENT("1", "ONCRMDEALADD", OF("7")), OFFLINE_MARKED, 7, false, 0, 0, 0 },
        { EVENT("1", "ONCRMDEALUPDATE", OF("\"8\"")), OFFLINE_MARKED, 8, false, 0, 0, 0 },
        { EVENT("1", "ONCRMDEALDELETE", OF("9")), OFFLINE_MARKED, 9, true, 0, 0, 0 },
        { EVENT("1", "ONCRMDEALUPDATE", "false"), OFFLINE_BLIND, 0, false, 0, DEALS, 0 },
        { EVENT("1", "ONCRMDEALUPDATE", "[]"), OFFLINE_BLIND, 0, false, 0, DEALS, 0 },
        { EVENT("1", "ONCRMDEALUPDATE", OF("-1")), OFFLINE_BLIND, 0, false, 0, DEALS, 0 },
        { EVENT("1", "ONCRMDEALDELETE", "false"), OFFLINE_BLIND, 0, false, 0, 0, DEALS },
        { EVENT("1", "ONCRMDEALUSERFIELDADD", "false"), OFFLINE_FIELDS, 0, false, DEALS, 0, 0 },
        { EVENT("1", "ONCRMLEADADD", OF("7")), OFFLINE_NOT_MIRRORED, 0, false, 0, 0, 0 },
        { EVENT("1", "ONTASKADD", OF("7")), OFFLINE_UNKNOWN, 0, false, 0, 0, 0 },
        { EVENT("1", "ONAPPINSTALL", "false"), OFFLINE_UNKNOWN, 0, false, 0, 0, 0 },
        { "17", OFFLINE_UNKNOWN, 0, false, 0, 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct offline_read r = { 0 };
        struct err err = { 0 };
        char text[512];

        print_message("%s\n", cases[i].event);
        snprintf(text, sizeof(text), GOT("%s"), cases[i].event);
        CHECK_OK(offline_got(&r, str_of(text), DEALS | CONTACTS, &err), err);
        CHECK_EQ(r.events, 1);
        CHECK_EQ(r.outcomes[cases[i].outcome], 1);
        CHECK_EQ(r.change_count, cases[i].id > 0);
        if (cases[i].id > 0) {
            CHECK_EQ(r.changes[0].id, cases[i].id);
            CHECK_EQ(r.changes[0].gone, cases[i].gone);
        }
        CHECK_EQ(r.fields, cases[i].fields);
        CHECK_EQ(r.changed, cases[i].changed);
        CHECK_EQ(r.gone, cases[i].sweep);
        CHECK_EQ(r.line_count, 1);
        CHECK_EQ(r.lines[0].changed, cases[i].changed);
        CHECK_EQ(r.lines[0].gone, cases[i].sweep);
        CHECK(!r.full);
        offline_read_free(&r);
    }
}

TEST(answers_that_cannot_be_confirmed_are_not_taken)
{
    static const char *const cases[] = { "", "[]", "true", "{\"process_id\":\"p\"}", "{\"events\":{}}",
        "{\"process_id\":null,\"events\":[" EVENT("1", "ONCRMDEALADD", OF("7")) "]}" };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct offline_read r = { 0 };
        struct err err = { 0 };

        CHECK_EQ(offline_got(&r, str_of(cases[i]), DEALS, &err), -1);
        CHECK_EQ(err.kind, ERR_TEMP);
        CHECK_EQ(r.events, 0);
        offline_read_free(&r);
    }
}

TEST(an_empty_queue_reserves_nothing)
{
    struct offline_read r = { 0 };
    struct err err = { 0 };

    CHECK_OK(offline_got(&r, STR("{\"process_id\":null,\"events\":[]}"), DEALS, &err), err);
    CHECK_OK(offline_got(&r, STR("{\"process_id\":\"p\",\"events\":[]}"), DEALS, &err), err);
    CHECK_EQ(r.line_count, 0);
    CHECK(!r.full);
    offline_read_free(&r);
}

TEST(a_full_reading_says_that_there_is_more)
{
    struct offline_read r = { 0 };
    struct err err = { 0 };
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_str(&b, "{\"process_id\":\"p1\",\"events\":[");
    for (int i = 1; i <= OFFLINE_LIMIT; i++)
        buf_fmt(&b, "%s{\"ID\":%d,\"EVENT_NAME\":\"ONCRMDEALADD\",\"EVENT_DATA\":{\"FIELDS\":{\"ID\":%d}}}",
            i > 1 ? "," : "", i, 100 + i);
    buf_str(&b, "]}");
    CHECK_OK(offline_got(&r, buf_view(&b), DEALS, &err), err);
    CHECK(r.full);
    CHECK_EQ(r.change_count, OFFLINE_LIMIT);
    CHECK_EQ(r.line_count, 1);
    CHECK_EQ(r.lines[0].count, OFFLINE_LIMIT);
    CHECK_EQ(r.lines[0].ids[OFFLINE_LIMIT - 1], OFFLINE_LIMIT);
    offline_read_free(&r);
    buf_fini(&b);
}

#define LEFT(id, process) \
    "{\"ID\":\"" id \
    "\",\"EVENT_NAME\":\"ONCRMDEALADD\",\"EVENT_DATA\":{\"FIELDS\":{\"ID\":5}},\"PROCESS_ID\":\"" process \
    "\"}"

TEST(reservations_that_nobody_confirmed_are_found)
{
    static const struct offline_lines known = { .process = "mine" };
    struct offline_read r = { 0 };
    struct err err = { 0 };

    CHECK_OK(offline_left(&r,
                 STR("[" LEFT("1", "a") "," LEFT("2", "") "," LEFT("3", "b") "," LEFT("4", "mine") "," LEFT(
                     "5", "a") "," LEFT("x", "c") "]"),
                 DEALS, &known, 1, &err),
        err);
    CHECK_EQ(r.events, 3);
    CHECK_EQ(r.line_count, 2);
    CHECK_STR(r.lines[0].process, "a");
    CHECK_EQ(r.lines[0].count, 2);
    CHECK_EQ(r.lines[0].ids[1], 5);
    CHECK_STR(r.lines[1].process, "b");
    offline_read_free(&r);
    CHECK(!r.left_full);
    CHECK_EQ(offline_left(&r, STR("{}"), DEALS, NULL, 0, &err), -1);
}

TEST(a_full_list_says_that_it_may_hide_some)
{
    static const struct offline_lines known = { .process = "mine" };
    struct offline_read r = { 0 };
    struct err err = { 0 };
    struct buf b;

    buf_init(&b, 1 << 20);
    for (int i = 1; i <= OFFLINE_LIMIT; i++)
        buf_fmt(&b, "%s{\"ID\":%d,\"EVENT_NAME\":\"ONCRMDEALADD\",\"PROCESS_ID\":\"mine\"}",
            i > 1 ? "," : "[", i);
    buf_str(&b, "]");
    CHECK_OK(offline_left(&r, buf_view(&b), DEALS, &known, 1, &err), err);
    CHECK_EQ(r.events, 0);
    CHECK(r.left_full);
    offline_read_free(&r);
    buf_fini(&b);
}

#define NOW   1000000
#define LIMIT 75000

/* What is asked of the queue at that moment, and answered 100 ms later. */
static void looks(struct offline *o, uint64_t now_ms, bool found, bool more)
{
    o->asked_ms = now_ms;
    CHECK(o->left_ms <= now_ms);
    offline_looked(o, found, more, now_ms + 100);
}

TEST(a_reading_of_unknown_outcome_is_looked_for_until_it_can_reserve_nothing)
{
    struct offline o = { .asked_ms = NOW - 50, .left_ms = NOW + OFFLINE_LEFT_MS };
    uint64_t at_ms = NOW;
    int count = 0;

    offline_unsure(&o, NOW + LIMIT);
    CHECK_EQ(offline_reads_at(&o, 600000, NOW), NOW + OFFLINE_CONFIRM_MS); /* the answer alone may be lost */
    while (o.unsure_ms > 0) {
        at_ms = offline_reads_at(&o, 600000, at_ms);
        looks(&o, at_ms, false, false);
        CHECK(++count < 12);
    }
    CHECK(at_ms >= NOW + LIMIT);
    CHECK(at_ms <= NOW + LIMIT + OFFLINE_LOOK_MS + 100);
    CHECK(count >= 7);
    CHECK_EQ(o.left_ms, at_ms + 100 + OFFLINE_LEFT_MS);
    CHECK_EQ(offline_reads_at(&o, 600000, at_ms), at_ms + 600000);
}

TEST(a_look_asked_for_before_the_end_of_doubt_ends_none)
{
    struct offline o = { .asked_ms = NOW };

    offline_unsure(&o, NOW + 1); /* an attempt of those very calls failed */
    offline_looked(&o, false, false, NOW + 500);
    CHECK_EQ(o.unsure_ms, NOW + 1);
    CHECK_EQ(o.left_ms, NOW + 500 + OFFLINE_LOOK_MS);
    offline_unsure(&o, NOW); /* a shorter doubt shortens none */
    CHECK_EQ(o.unsure_ms, NOW + 1);
    CHECK_EQ(o.left_ms, 0);
}

TEST(what_a_look_finds_or_may_not_show_is_looked_for_again)
{
    struct offline o = { 0 };

    offline_unsure(&o, NOW);
    looks(&o, NOW, true, false); /* there may be more of it, and another reading's */
    CHECK_EQ(o.unsure_ms, NOW);
    CHECK_EQ(o.left_ms, 0);
    looks(&o, NOW + 1000, false, true); /* all it lists is known, and waits for a paused entity */
    CHECK_EQ(o.unsure_ms, NOW);
    CHECK_EQ(o.left_ms, NOW + 1100 + OFFLINE_LOOK_MS);
    looks(&o, NOW + 20000, false, false);
    CHECK_EQ(o.unsure_ms, 0);
    looks(&o, NOW + 20000 + 2 * OFFLINE_LEFT_MS, false, true);
    CHECK_EQ(o.left_ms, NOW + 20100 + 2 * OFFLINE_LEFT_MS + OFFLINE_LOOK_MS);
}

TEST(one_batch_confirms_lists_and_reads_in_this_order)
{
    static const struct offline_lines clears[] = { { .process = "a", .ids = { 3, 4 }, .count = 2 },
        { .process = "b", .ids = { 5 }, .count = 1, .whole = true } };
    struct offline_ask ask = {
        .clears = clears, .clear_count = 2, .left = true, .readings = 2, .connector = true
    };
    struct call calls[CALLS_MAX];
    struct buf room;

    buf_init(&room, 1 << 20);
    CHECK_EQ(offline_calls(&ask, calls, &room), 5);
    CHECK_VIEW(calls[0].key, "clear0");
    CHECK_VIEW(calls[0].params, "{\"process_id\":\"a\",\"id\":[3,4],\"auth_connector\":\"potok\"}");
    CHECK_VIEW(calls[1].params, "{\"process_id\":\"b\",\"auth_connector\":\"potok\"}");
    CHECK_VIEW(calls[2].key, "left");
    CHECK_VIEW(calls[2].params, "{\"filter\":{\"!PROCESS_ID\":\"\"},\"order\":{\"ID\":\"ASC\"},\"start\":0,"
                                "\"auth_connector\":\"potok\"}");
    CHECK_VIEW(calls[4].key, "get1");
    CHECK_VIEW(calls[4].method, "event.offline.get");
    CHECK_VIEW(calls[4].params, "{\"clear\":0,\"limit\":50,\"auth_connector\":\"potok\"}");
    buf_fini(&room);
}

TEST(a_plan_without_connectors_has_one_queue)
{
    static const struct offline_lines clears[] = { { .process = "a", .ids = { 3 }, .count = 1 } };
    struct offline_ask ask = { .clears = clears, .clear_count = 1, .left = true, .readings = 1 };
    struct call calls[CALLS_MAX];
    struct buf room;

    buf_init(&room, 1 << 20);
    CHECK_EQ(offline_calls(&ask, calls, &room), 3);
    CHECK_VIEW(calls[0].params, "{\"process_id\":\"a\",\"id\":[3]}");
    CHECK_VIEW(calls[1].params, "{\"filter\":{\"!PROCESS_ID\":\"\"},\"order\":{\"ID\":\"ASC\"},\"start\":0}");
    CHECK_VIEW(calls[2].params, "{\"clear\":0,\"limit\":50}");
    buf_fini(&room);
}

TEST_MAIN(CASE(each_event_has_its_outcome), CASE(answers_that_cannot_be_confirmed_are_not_taken),
    CASE(an_empty_queue_reserves_nothing), CASE(a_full_reading_says_that_there_is_more),
    CASE(reservations_that_nobody_confirmed_are_found),
    CASE(a_reading_of_unknown_outcome_is_looked_for_until_it_can_reserve_nothing),
    CASE(a_look_asked_for_before_the_end_of_doubt_ends_none),
    CASE(what_a_look_finds_or_may_not_show_is_looked_for_again), CASE(a_full_list_says_that_it_may_hide_some),
    CASE(one_batch_confirms_lists_and_reads_in_this_order), CASE(a_plan_without_connectors_has_one_queue))
