#include "services/potok/words/progress.h"

#include "support/check.h"

TEST(rate_and_remaining_time_of_a_steady_flow)
{
    struct progress p = { 0 };

    CHECK(progress_rate(&p) == 0);
    CHECK(progress_eta_ms(&p, 1000) == PROGRESS_UNKNOWN);
    for (uint64_t i = 0; i <= 10; i++)
        progress_seen(&p, 5000 + i * 500, i * 100);
    CHECK(progress_rate(&p) == 200);
    CHECK_EQ(progress_eta_ms(&p, 3000), 10000);
    CHECK_EQ(progress_eta_ms(&p, 1000), 0);
    CHECK_EQ(progress_eta_ms(&p, 900), 0);
    CHECK(progress_eta_ms(&p, 0) == PROGRESS_UNKNOWN);
}

TEST(the_window_forgets_what_was_long_ago)
{
    struct progress p = { 0 };
    uint64_t now_ms = 0, count = 0;

    for (int i = 0; i < 100; i++)
        progress_seen(&p, now_ms += 500, count += 1000);
    CHECK(progress_rate(&p) == 2000);
    for (int i = 0; i < PROGRESS_SAMPLES; i++)
        progress_seen(&p, now_ms += 500, count);
    CHECK(progress_rate(&p) == 0);
    CHECK(progress_eta_ms(&p, count + 1) == PROGRESS_UNKNOWN);
}

TEST(a_flow_that_stops_is_stalled_after_three_seconds)
{
    struct progress p = { 0 };

    progress_seen(&p, 0, 0);
    progress_seen(&p, 9000, 0);
    CHECK(!progress_stalled(&p)); /* the first answer may take its time */
    progress_seen(&p, 10000, 50);
    progress_seen(&p, 13000, 50);
    CHECK(!progress_stalled(&p));
    progress_seen(&p, 13250, 50);
    CHECK(progress_stalled(&p));
    progress_seen(&p, 13500, 51);
    CHECK(!progress_stalled(&p));
}

TEST(looking_often_does_not_shorten_the_window)
{
    struct progress p = { 0 };

    for (uint64_t now_ms = 0; now_ms <= 4000; now_ms += 50)
        progress_seen(&p, now_ms, now_ms);
    CHECK(progress_rate(&p) == 1000);
    CHECK(p.samples <= 10);
}

TEST(a_count_that_falls_begins_anew)
{
    struct progress p = { 0 };

    progress_seen(&p, 1000, 500);
    progress_seen(&p, 2000, 900);
    progress_seen(&p, 3000, 0);
    CHECK(progress_rate(&p) == 0);
    progress_seen(&p, 4000, 50);
    CHECK(progress_rate(&p) == 50);
}

TEST(a_hundred_percent_only_at_the_end)
{
    CHECK_EQ(progress_percent(0, 0), 0);
    CHECK_EQ(progress_percent(5, 0), 0);
    CHECK_EQ(progress_percent(0, 10), 0);
    CHECK_EQ(progress_percent(999, 1000), 99);
    CHECK_EQ(progress_percent(1000, 1000), 100);
    CHECK_EQ(progress_percent(1001, 1000), 100);
    CHECK_EQ(progress_percent(299999999, 300000000), 99);
}

static void bar_is(uint64_t count, uint64_t expected, const char *want)
{
    struct buf out;

    buf_init(&out, 1024);
    progress_bar(&out, count, expected, 4);
    CHECK_STR(buf_cstr(&out), want);
    buf_fini(&out);
}

TEST(bars_grow_by_eighths)
{
    bar_is(0, 0, "····");
    bar_is(0, 32, "····");
    bar_is(1, 32, "▏···");
    bar_is(12, 32, "█▌··");
    bar_is(31, 32, "███▉");
    bar_is(32, 32, "████");
    bar_is(40, 32, "████");
}

TEST_MAIN(CASE(rate_and_remaining_time_of_a_steady_flow), CASE(the_window_forgets_what_was_long_ago),
    CASE(a_flow_that_stops_is_stalled_after_three_seconds), CASE(looking_often_does_not_shorten_the_window),
    CASE(a_count_that_falls_begins_anew), CASE(a_hundred_percent_only_at_the_end), CASE(bars_grow_by_eighths))
