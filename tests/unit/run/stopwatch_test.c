#include "run/stopwatch.h"

#include "support/check.h"

TEST(closing_has_as_long_as_work_but_a_second_at_least_and_five_at_most)
{
    static const struct {
        enum stopwatch_phase phase;
        uint64_t work_ms, patience_ms;
    } cases[] = {
        { STOPWATCH_STARTING, 100, 1000 },
        { STOPWATCH_STARTING, 600000, 1000 },
        { STOPWATCH_WORKING, 10000, 15000 },
        { STOPWATCH_WORKING, 600000, 605000 },
        { STOPWATCH_WORKING, 2000, 4000 },
        { STOPWATCH_WORKING, 100, 1100 },
        { STOPWATCH_CLOSING, 10000, 5000 },
        { STOPWATCH_CLOSING, 2000, 2000 },
        { STOPWATCH_CLOSING, 100, 1000 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(stopwatch_patience_ms(cases[i].phase, cases[i].work_ms), cases[i].patience_ms);
}

TEST_MAIN(CASE(closing_has_as_long_as_work_but_a_second_at_least_and_five_at_most))
