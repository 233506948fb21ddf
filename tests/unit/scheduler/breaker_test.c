#include "services/scheduler/rules/breaker.h"

#include "support/check.h"

#define FIRST 600000

TEST(nothing_is_asked_until_the_pause_is_over_and_then_one_call)
{
    struct breaker b = { 0 };

    CHECK_EQ(breaker_room(&b, 7, 0), -1);
    CHECK(breaker_told(&b, BREAKER_OVERLOAD, 100, FIRST, 1000));
    CHECK_EQ(breaker_room(&b, 0, 1000), 0);
    CHECK_EQ(breaker_room(&b, 0, 1000 + FIRST - 1), 0);
    CHECK_EQ(breaker_room(&b, 0, 1000 + FIRST), 1);
    CHECK_EQ(breaker_room(&b, 1, 1000 + FIRST), 0); /* it is under way */
}

TEST(each_refusal_doubles_the_pause_up_to_24_times)
{
    struct breaker b = { 0 };
    uint64_t now_ms = 1000, pause = FIRST;

    CHECK(breaker_told(&b, BREAKER_OVERLOAD, 0, FIRST, now_ms));
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(b.pause_ms, pause);
        now_ms = b.until_ms;
        CHECK(breaker_told(&b, BREAKER_OVERLOAD, now_ms, FIRST, now_ms + 200));
        pause = 2 * pause < 24 * FIRST ? 2 * pause : 24 * FIRST;
    }
    CHECK_EQ(b.pause_ms, 24 * FIRST);
}

TEST(calls_that_were_under_way_change_nothing)
{
    struct breaker b = { 0 };

    CHECK(breaker_told(&b, BREAKER_OVERLOAD, 100, FIRST, 1000));
    CHECK(!breaker_told(&b, BREAKER_OVERLOAD, 150, FIRST, 1100));
    CHECK(!breaker_told(&b, BREAKER_WELL, 150, FIRST, 1200));
    CHECK(b.open);
    CHECK_EQ(b.until_ms, 1000 + FIRST);
}

TEST(an_answer_to_the_try_closes_it_and_none_waits_a_little)
{
    struct breaker b = { 0 };

    CHECK(breaker_told(&b, BREAKER_OVERLOAD, 100, FIRST, 1000));
    CHECK(breaker_told(&b, BREAKER_NOTHING, b.until_ms, FIRST, 700000));
    CHECK(b.open);
    CHECK_EQ(b.until_ms, 700000 + FIRST / 10);
    CHECK_EQ(b.pause_ms, FIRST);
    CHECK(breaker_told(&b, BREAKER_WELL, b.until_ms, FIRST, 800000));
    CHECK(!b.open);
    CHECK(!breaker_told(&b, BREAKER_WELL, 900000, FIRST, 900000));
    CHECK(!breaker_told(&b, BREAKER_NOTHING, 900000, FIRST, 900000));
}

TEST(the_operator_forces_one_try)
{
    struct breaker b = { 0 };

    breaker_force(&b, 10);
    CHECK(!b.open);
    CHECK(breaker_told(&b, BREAKER_OVERLOAD, 100, FIRST, 1000));
    breaker_force(&b, 2000);
    CHECK_EQ(breaker_room(&b, 0, 2000), 1);
    CHECK(breaker_told(&b, BREAKER_OVERLOAD, 2000, FIRST, 2100));
    CHECK_EQ(b.until_ms, 2100 + 2 * FIRST);
}

TEST(it_outlives_a_restart)
{
    static const struct {
        uint64_t begun, until, wall, until_ms, pause; /* wall times in; ours out, at 5000 */
    } cases[] = {
        { 1000000, 1000000 + FIRST, 1100000, 5000 + FIRST - 100000, FIRST },
        { 1000000, 1000000 + 4 * FIRST, 1000000 + 5 * FIRST, 5000, 4 * FIRST }, /* over meanwhile: one try */
        { 1000000, 1000000 + FIRST, 1000, 5000 + FIRST, FIRST },                /* the clock stepped back */
        { 1000000, 9000000000, 1000000, 5000 + 24 * FIRST, 24 * FIRST },        /* or forth */
        { 5, 0, 1000000, 5000, FIRST },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct breaker b = { 0 };

        breaker_restore(&b, cases[i].begun, cases[i].until, FIRST, cases[i].wall, 5000);
        CHECK(b.open);
        CHECK_EQ(b.until_ms, cases[i].until_ms);
        CHECK_EQ(b.pause_ms, cases[i].pause);
    }
}

TEST(the_word_is_known_in_any_case)
{
    CHECK(breaker_is_word(STR("OVERLOAD_LIMIT")));
    CHECK(breaker_is_word(STR("overload_limit")));
    CHECK(!breaker_is_word(STR("QUERY_LIMIT_EXCEEDED")));
    CHECK(!breaker_is_word(STR("")));
}

TEST_MAIN(CASE(nothing_is_asked_until_the_pause_is_over_and_then_one_call),
    CASE(each_refusal_doubles_the_pause_up_to_24_times), CASE(calls_that_were_under_way_change_nothing),
    CASE(an_answer_to_the_try_closes_it_and_none_waits_a_little), CASE(the_operator_forces_one_try),
    CASE(it_outlives_a_restart), CASE(the_word_is_known_in_any_case))
