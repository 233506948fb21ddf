#include "services/scheduler/rules/flight.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "support/check.h"

static struct flight *sent(struct flights *f, int portal, uint64_t d, const char *fetcher, uint64_t at_ms)
{
    struct flight *one = flights_add(f);

    *one = (struct flight){
        .d = d, .portal = portal, .boot = 5, .sent_ms = at_ms, .deadline_ms = at_ms + 75000
    };
    snprintf(one->fetcher, sizeof(one->fetcher), "%s", fetcher);
    return one;
}

/* The model's searches purge-blind and floor-clears: a number that somebody may still bring is never below
 * the floor. */
TEST(floor__is_below_everything_that_is_awaited)
{
    struct flights f = { 0 };

    CHECK_EQ(flights_floor(&f, 0, 41), 41); /* nothing awaited: all that was given out */
    sent(&f, 0, 10, "fetcher.1", 0);
    sent(&f, 0, 7, "fetcher.1", 0);
    sent(&f, 1, 3, "fetcher.1", 0); /* another portal has another counter */
    CHECK_EQ(flights_floor(&f, 0, 41), 6);
    CHECK_EQ(flights_floor(&f, 1, 41), 2);
    flights_remove(&f, flights_find(&f, 0, 7)); /* given up or done */
    CHECK_EQ(flights_floor(&f, 0, 41), 9);
    flights_find(&f, 0, 10)->phase = FLIGHT_REPORTED;
    CHECK_EQ(flights_floor(&f, 0, 41), 9); /* its rows are still under way */
    flights_remove(&f, flights_find(&f, 0, 10));
    CHECK_EQ(flights_floor(&f, 0, 41), 41);
    flights_fini(&f);
}

/* Whatever happens to attempts, a floor once computed is never above the next one while ticks only grow. */
TEST(floor__only_rises)
{
    struct flights f = { 0 };
    uint64_t tick = 1, floor = 0;

    srand(4);
    for (int i = 0; i < 20000; i++) {
        if (f.count < 8 && rand() % 2)
            sent(&f, 0, ++tick, "fetcher.1", 0);
        else if (f.count > 0)
            flights_remove(&f, &f.list[rand() % f.count]);
        uint64_t now = flights_floor(&f, 0, tick);

        CHECK(now >= floor && now <= tick);
        floor = now;
    }
    flights_fini(&f);
}

TEST(floor__a_job_whose_done_overtook_its_report_is_no_longer_awaited)
{
    struct flights f = { 0 };

    sent(&f, 0, 4, "fetcher.1", 0)->done = true;
    CHECK(flights_awaited(&f, 0) == UINT64_MAX);
    CHECK_EQ(flights_unfinished(&f), 0);
    CHECK_EQ(flights_calls(&f, 0), 1); /* its call still counts at the portal */
    flights_fini(&f);
}

TEST(a_report_is_due_in_time_and_done_soon_after)
{
    struct flights f = { 0 };
    struct flight *one = sent(&f, 0, 1, "fetcher.1", 1000);

    CHECK(!flight_expired(one, 75999));
    CHECK(flight_expired(one, 76000));
    CHECK_EQ(flights_next_deadline(&f), 76000);
    one->checking = 1; /* its row is being read: not twice */
    CHECK(!flight_expired(one, 99999));
    CHECK(flights_next_deadline(&f) == UINT64_MAX);
    flights_fini(&f);
}

TEST(each_attempt_waits_twice_as_long_for_done)
{
    static const struct {
        unsigned tries;
        uint64_t wait_ms;
    } cases[] = {
        { 0, 10000 },
        { 1, 10000 },
        { 2, 20000 },
        { 3, 40000 },
        { 4, 80000 },
        { 5, 160000 },
        { 6, 160000 },
        { 1000000, 160000 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_EQ(flight_done_deadline(500, 10000, cases[i].tries), 500 + cases[i].wait_ms);
}

TEST(a_fetcher_that_no_longer_holds_a_job_has_lost_it)
{
    const uint64_t holds_it[] = { 9, 1 }, other[] = { 2, 3 };
    const struct {
        const char *fetcher;
        uint64_t boot;
        const uint64_t *holding;
        size_t n;
        uint64_t now_ms;
        bool lost;
    } cases[] = {
        { "fetcher.1", 5, other, 2, 1000 + FLIGHT_HELD_GRACE_MS - 1, false }, /* perhaps not yet arrived */
        { "fetcher.1", 5, other, 2, 1000 + FLIGHT_HELD_GRACE_MS, true },
        { "fetcher.1", 5, NULL, 0, 1000 + FLIGHT_HELD_GRACE_MS, true },
        { "fetcher.1", 5, holds_it, 2, 60000, false },
        { "fetcher.1", 6, holds_it, 2, 1001, true }, /* started anew: it holds nothing of ours */
        { "fetcher.2", 6, NULL, 0, 60000, false },   /* not its job */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flights f = { 0 };
        struct flight *one = sent(&f, 0, 1, "fetcher.1", 1000);

        CHECK_EQ(
            flight_lost(one, cases[i].fetcher, cases[i].boot, cases[i].holding, cases[i].n, cases[i].now_ms),
            cases[i].lost);
        one->phase = FLIGHT_REPORTED; /* what it handed on does not die with it */
        CHECK(!flight_lost(
            one, cases[i].fetcher, cases[i].boot, cases[i].holding, cases[i].n, cases[i].now_ms));
        flights_fini(&f);
    }
}

TEST(counts_tell_calls_from_attempts)
{
    struct flights f = { 0 };

    sent(&f, 0, 1, "fetcher.1", 0);
    sent(&f, 0, 2, "fetcher.2", 0)->phase = FLIGHT_REPORTED;
    sent(&f, 1, 1, "fetcher.2", 0);
    CHECK_EQ(flights_unfinished(&f), 3);
    CHECK_EQ(flights_calls(&f, 0), 1);
    CHECK_EQ(flights_calls(&f, -1), 2);
    CHECK_EQ(flights_at(&f, "fetcher.2"), 1);
    CHECK(flights_find(&f, 1, 2) == NULL);
    flights_fini(&f);
}

TEST_MAIN(CASE(floor__is_below_everything_that_is_awaited), CASE(floor__only_rises),
    CASE(floor__a_job_whose_done_overtook_its_report_is_no_longer_awaited),
    CASE(a_report_is_due_in_time_and_done_soon_after), CASE(each_attempt_waits_twice_as_long_for_done),
    CASE(a_fetcher_that_no_longer_holds_a_job_has_lost_it), CASE(counts_tell_calls_from_attempts))
