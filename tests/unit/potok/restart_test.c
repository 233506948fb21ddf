#include "services/potok/up/restart.h"

#include "support/check.h"

static void doubles_up_to(const uint64_t *waits, size_t count, bool ready)
{
    struct restart r = { .ever_ready = true };
    uint64_t now_ms = 1000, delay_ms;

    for (size_t i = 0; i < count; i++) {
        restart_started(&r, now_ms);
        if (ready)
            restart_ready(&r);
        CHECK_EQ(restart_exited(&r, now_ms + 500, 1, &delay_ms), RESTART_AGAIN);
        CHECK_EQ(delay_ms, waits[i]);
        now_ms += 500 + delay_ms;
        r.exit_count = 0;
    }
}

TEST(the_wait_doubles_up_to_five_seconds)
{
    static const uint64_t waits[] = { 100, 200, 400, 800, 1600, 3200, 5000, 5000 };

    doubles_up_to(waits, sizeof(waits) / sizeof(waits[0]), false);
}

TEST(a_service_that_was_ready_waits_a_second_at_most)
{
    static const uint64_t waits[] = { 100, 200, 400, 800, 1000, 1000 };

    doubles_up_to(waits, sizeof(waits) / sizeof(waits[0]), true);
}

TEST(ten_seconds_of_life_forgive_everything)
{
    struct restart r = { 0 };
    uint64_t delay_ms;

    for (int i = 0; i < 5; i++) {
        restart_started(&r, 1000);
        restart_ready(&r);
        CHECK_EQ(restart_exited(&r, 1100, 1, &delay_ms), RESTART_AGAIN);
    }
    CHECK_EQ(delay_ms, 1000);
    restart_started(&r, 20000);
    restart_ready(&r);
    CHECK_EQ(restart_exited(&r, 29999, -1, &delay_ms), RESTART_AGAIN);
    CHECK_EQ(delay_ms, 1000);
    restart_started(&r, 40000);
    restart_ready(&r);
    CHECK_EQ(restart_exited(&r, 50000, -1, &delay_ms), RESTART_AGAIN);
    CHECK_EQ(delay_ms, 100);
}

TEST(a_clean_exit_is_an_operators_restart)
{
    struct restart r = { 0 };
    uint64_t delay_ms;

    for (int i = 0; i < 20; i++) {
        restart_started(&r, 1000);
        CHECK_EQ(restart_exited(&r, 1100, 0, &delay_ms), RESTART_AGAIN);
        CHECK_EQ(delay_ms, 100);
    }
}

static enum restart_verdict die(struct restart *r, uint64_t now_ms, bool ready, int code)
{
    uint64_t delay_ms;

    restart_started(r, now_ms);
    if (ready)
        restart_ready(r);
    return restart_exited(r, now_ms, code, &delay_ms);
}

TEST(five_exits_before_ready_within_a_minute_are_enough)
{
    struct restart r = { 0 };

    for (uint64_t i = 0; i < 4; i++)
        CHECK_EQ(die(&r, 1000 + i * 15000, false, 1), RESTART_AGAIN);
    CHECK_EQ(die(&r, 61000, false, 1), RESTART_GIVE_UP);
}

TEST(five_exits_in_more_than_a_minute_are_not)
{
    struct restart r = { 0 };

    for (uint64_t i = 0; i < 40; i++)
        CHECK_EQ(die(&r, 1000 + i * 15001, false, 1), RESTART_AGAIN);
}

TEST(who_was_ready_once_is_never_given_up_while_something_else_is_away)
{
    struct restart r = { 0 };

    for (uint64_t i = 0; i < 4; i++)
        CHECK_EQ(die(&r, 1000 + i, false, 1), RESTART_AGAIN);
    CHECK_EQ(die(&r, 1010, true, -1), RESTART_AGAIN);
    for (uint64_t i = 0; i < 100; i++)
        CHECK_EQ(die(&r, 1020 + i, false, 1), RESTART_AGAIN);
}

TEST(exits_after_ready_never_give_up)
{
    struct restart r = { 0 };

    for (uint64_t i = 0; i < 100; i++)
        CHECK_EQ(die(&r, 1000 + i, true, -1), RESTART_AGAIN);
}

TEST(a_wrong_configuration_is_told_at_once)
{
    struct restart r = { 0 };

    CHECK_EQ(die(&r, 1000, false, RESTART_EXIT_CONF), RESTART_CONF);
}

TEST(a_configuration_that_was_right_before_gets_its_chances)
{
    struct restart r = { 0 };

    CHECK_EQ(die(&r, 1000, true, -1), RESTART_AGAIN);
    for (uint64_t i = 0; i < 4; i++)
        CHECK_EQ(die(&r, 2000 + i, false, RESTART_EXIT_CONF), RESTART_AGAIN);
    CHECK_EQ(die(&r, 2010, false, RESTART_EXIT_CONF), RESTART_GIVE_UP);
}

TEST_MAIN(CASE(a_clean_exit_is_an_operators_restart), CASE(the_wait_doubles_up_to_five_seconds),
    CASE(a_service_that_was_ready_waits_a_second_at_most), CASE(ten_seconds_of_life_forgive_everything),
    CASE(five_exits_before_ready_within_a_minute_are_enough), CASE(five_exits_in_more_than_a_minute_are_not),
    CASE(who_was_ready_once_is_never_given_up_while_something_else_is_away),
    CASE(exits_after_ready_never_give_up), CASE(a_wrong_configuration_is_told_at_once),
    CASE(a_configuration_that_was_right_before_gets_its_chances))
