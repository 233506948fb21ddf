#include "services/gateway/pace.h"

#include "base/mem.h"
#include "support/check.h"

TEST(one_sender_alone_is_never_waited_for)
{
    struct pace p = { 0 };

    CHECK(pace_patience_us(&p) == 0);
    pace_committed(&p, 1, 0, 2000);
    CHECK(pace_patience_us(&p) == 0);
}

TEST(those_just_answered_are_hoped_for_as_long_as_a_commit_takes)
{
    static const struct {
        uint64_t commit_us, patience_us;
    } cases[] = { { 60, PACE_LEAST_US }, { 2200, 2200 }, { 80000, PACE_MOST_US } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct pace p = { 0 };

        pace_committed(&p, 40, 24, cases[i].commit_us);
        CHECK(pace_patience_us(&p) == cases[i].patience_us);
        CHECK(pace_hoped(&p) == 64);
    }
}

TEST(senders_that_do_not_come_back_are_not_waited_for_again_for_a_while)
{
    struct pace p = { 0 };

    pace_committed(&p, 8, 2, 2000);
    pace_committed(&p, 2 + 5, 0, 2000); /* five of the eight */
    for (int i = 0; i < PACE_SKIP; i++) {
        CHECK(pace_patience_us(&p) == 0);
        pace_committed(&p, 3, 2, 2000);
    }
    CHECK(pace_patience_us(&p) == 2000);
}

TEST(most_of_them_are_enough_to_go_on_waiting)
{
    struct pace p = { 0 };

    pace_committed(&p, 8, 2, 2000);
    pace_committed(&p, 2 + 6, 0, 2000);
    CHECK(pace_patience_us(&p) == 2000);
}

TEST(the_last_ones_are_waited_for_together)
{
    static const struct {
        unsigned missing, step;
    } cases[] = { { 0, 0 }, { 1, 1 }, { PACE_LAST, PACE_LAST }, { PACE_LAST + 1, 13 }, { 64, 48 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_EQ(pace_step(cases[i].missing), cases[i].step);
}

TEST_MAIN(CASE(one_sender_alone_is_never_waited_for),
    CASE(those_just_answered_are_hoped_for_as_long_as_a_commit_takes),
    CASE(senders_that_do_not_come_back_are_not_waited_for_again_for_a_while),
    CASE(most_of_them_are_enough_to_go_on_waiting), CASE(the_last_ones_are_waited_for_together))
