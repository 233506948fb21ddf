#include "services/sandbox/events/outbox.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

static struct outbox made(uint64_t seed)
{
    return (struct outbox){ .seed = seed, .parallel = 1000000 };
}

static void put(struct outbox *o, uint64_t id, int binding, uint64_t now_ms)
{
    outbox_put(o, &(struct delivery){ .binding = binding, .id = id, .more = "a=1" }, now_ms);
}

/* Ids of what may go now, in its order: "1 2 3". */
static const char *next_ids(struct outbox *o, uint64_t now_ms, char ret[static 400])
{
    struct delivery d;
    size_t n = 0;

    ret[0] = '\0';
    while (outbox_next(o, now_ms, &d)) {
        n += (size_t)snprintf(ret + n, 400 - n, "%s%llu", n > 0 ? " " : "", (unsigned long long)d.id);
        CHECK_STR(d.more, "a=1");
        free(d.more);
        outbox_done(o, true);
    }
    return ret;
}

TEST(events_go_in_the_order_they_were_made)
{
    struct outbox o = made(1);
    char ids[400];

    for (uint64_t i = 1; i <= 9; i++)
        put(&o, i, 1, 100 + i / 4);
    CHECK_STR(next_ids(&o, 200, ids), "1 2 3 4 5 6 7 8 9");
    CHECK_EQ(o.stats.made, 9);
    CHECK_EQ(o.stats.sent, 9);
    CHECK_EQ(o.stats.answered, 9);
    outbox_fini(&o);
}

TEST(no_more_than_so_many_are_under_way)
{
    struct outbox o = made(1);
    struct delivery d;

    o.parallel = 2;
    for (uint64_t i = 1; i <= 3; i++)
        put(&o, i, 1, 0);
    CHECK(outbox_next(&o, 0, &d));
    free(d.more);
    CHECK(outbox_next(&o, 0, &d));
    free(d.more);
    CHECK(!outbox_next(&o, 0, &d));
    outbox_done(&o, false);
    CHECK_EQ(o.stats.failed, 1);
    CHECK(outbox_next(&o, 0, &d));
    free(d.more);
    outbox_lost(&o);
    CHECK_EQ(o.stats.lost, 1);
    CHECK_EQ(o.stats.sent, 2);
    CHECK_EQ(o.going, 1);
    outbox_fini(&o);
}

TEST(of_a_hundred_so_many_are_dropped_doubled_and_late)
{
    struct outbox o = made(7);
    char ids[400];
    struct delivery d;
    uint64_t now = 0, late = 0;

    outbox_set_faults(&o, &(struct event_faults){ .drop = 20, .twice = 10, .late = 30, .late_ms = 500 });
    for (uint64_t i = 0; i < 10000; i++)
        put(&o, i, 1, 0);
    while (outbox_next(&o, now, &d))
        free(d.more);
    late = o.count;
    CHECK(o.stats.dropped > 1800 && o.stats.dropped < 2200);
    CHECK(o.stats.doubled > 650 && o.stats.doubled < 950);
    CHECK(o.stats.delayed > 2150 && o.stats.delayed < 2650);
    CHECK(late >= o.stats.delayed);
    CHECK_STR(next_ids(&o, 499, ids), "");
    while (outbox_next(&o, 500, &d))
        free(d.more);
    CHECK_EQ(o.stats.sent, 10000 - o.stats.dropped + o.stats.doubled);
    outbox_fini(&o);
}

TEST(the_same_seed_strikes_the_same_events)
{
    char first[400], second[400];
    static const struct event_faults faults = { .drop = 30, .twice = 30, .hold = 20, .shuffle_ms = 50 };

    for (int round = 0; round < 2; round++) {
        struct outbox o = made(42);
        for (uint64_t i = 0; i < 5 * (uint64_t)round; i++) /* what was before does not matter */
            put(&o, i, 1, 0);
        next_ids(&o, 0, second);
        outbox_set_faults(&o, &faults);
        for (uint64_t i = 1; i <= 40; i++)
            put(&o, i, 1, 0);
        next_ids(&o, 1000, round == 0 ? first : second);
        outbox_fini(&o);
    }
    CHECK_STR(first, second);
    CHECK(strlen(first) > 40);
}

TEST(a_held_event_waits_for_its_handlers_next_one)
{
    struct outbox o = made(1);
    char ids[400];

    outbox_set_faults(&o, &(struct event_faults){ .hold = 100 });
    put(&o, 1, 1, 0);
    put(&o, 2, 2, 0);
    outbox_set_faults(&o, &(struct event_faults){ 0 });
    CHECK_STR(next_ids(&o, 1000000, ids), "");
    put(&o, 3, 1, 1000000);
    CHECK_STR(next_ids(&o, 1000000, ids), "3 1");
    CHECK_EQ(o.held_count, 1);
    CHECK_EQ(o.stats.delayed, 2);
    outbox_fini(&o);
}

TEST(shuffled_events_overtake_each_other)
{
    struct outbox o = made(3);
    char ids[400];

    outbox_set_faults(&o, &(struct event_faults){ .shuffle_ms = 1000 });
    for (uint64_t i = 1; i <= 8; i++)
        put(&o, i, 1, 0);
    next_ids(&o, 1000, ids);
    CHECK_EQ(strlen(ids), strlen("1 2 3 4 5 6 7 8"));
    CHECK(strcmp(ids, "1 2 3 4 5 6 7 8") != 0);
    CHECK_EQ(o.stats.delayed, 0);
    outbox_fini(&o);
}

TEST(released_events_go_at_once)
{
    struct outbox o = made(1);
    char ids[400];

    outbox_set_faults(&o, &(struct event_faults){ .late = 100, .late_ms = 5000 });
    put(&o, 1, 1, 0);
    put(&o, 2, 1, 0);
    outbox_set_faults(&o, &(struct event_faults){ .hold = 100 });
    put(&o, 3, 1, 0);
    CHECK_STR(next_ids(&o, 10, ids), "");
    outbox_release(&o, 10);
    CHECK_STR(next_ids(&o, 10, ids), "1 2 3");
    outbox_fini(&o);
}

TEST(what_finds_no_room_is_lost_and_counted)
{
    struct outbox o = made(1);

    for (uint64_t i = 0; i < OUTBOX_MOST + 5; i++)
        outbox_put(&o, &(struct delivery){ .binding = 1, .id = i }, 0);
    CHECK_EQ(o.count, OUTBOX_MOST);
    CHECK_EQ(o.stats.lost, 5);
    outbox_fini(&o);
}

TEST(a_slow_handler_waits_longer_each_time)
{
    struct outbox o = made(1);
    char ids[400];

    outbox_took(&o, 1, 5000, 0); /* no pauses unless they are asked for */
    put(&o, 1, 1, 0);
    CHECK_STR(next_ids(&o, 0, ids), "1");
    outbox_set_faults(&o, &(struct event_faults){ .pause_ms = 100 });
    for (int row = 0; row < 12; row++) {
        const uint64_t now = 1000000u * (unsigned)row, pause = row < 10 ? 100u << row : 60000;
        outbox_took(&o, 1, 1000, now);
        put(&o, 2, 1, now);
        put(&o, 3, 2, now);
        CHECK_STR(next_ids(&o, now, ids), "3"); /* others do not wait */
        CHECK_STR(next_ids(&o, now + (pause < 60000 ? pause : 60000) - 1, ids), "");
        CHECK_STR(next_ids(&o, now + (pause < 60000 ? pause : 60000), ids), "2");
    }
    outbox_took(&o, 1, 999, 20000000);
    put(&o, 4, 1, 20000000);
    CHECK_STR(next_ids(&o, 20000000, ids), "4");
    for (int i = 0; i < OUTBOX_PAUSES + 5; i++)
        outbox_took(&o, 100 + i, 1000, 20000000);
    CHECK_EQ(o.pause_count, OUTBOX_PAUSES);
    outbox_fini(&o);
}

TEST_MAIN(CASE(a_slow_handler_waits_longer_each_time), CASE(events_go_in_the_order_they_were_made),
    CASE(no_more_than_so_many_are_under_way), CASE(of_a_hundred_so_many_are_dropped_doubled_and_late),
    CASE(the_same_seed_strikes_the_same_events), CASE(a_held_event_waits_for_its_handlers_next_one),
    CASE(shuffled_events_overtake_each_other), CASE(released_events_go_at_once),
    CASE(what_finds_no_room_is_lost_and_counted))
