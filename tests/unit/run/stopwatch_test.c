#include "run/stopwatch.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
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

/* However the thread's turn falls between the signal and the end. */
TEST(a_signal_at_the_very_end_is_not_lost_and_holds_nothing_up)
{
    uint64_t began_ms = clock_mono_ms();
    struct err err = { 0 };

    for (int i = 0; i < 300; i++) {
        struct stopwatch *w = NULL;

        CHECK_OK(stopwatch_new(&w, 10000, &err), err);
        if (i % 2 == 0)
            kill(getpid(), SIGTERM);
        if (i % 3 == 0)
            stopwatch_phase(w, STOPWATCH_CLOSING, "closing");
        CHECK_EQ(stopwatch_free(&w), i % 2 == 0);
    }
    CHECK(clock_mono_ms() - began_ms < 5000);
}

TEST_MAIN(CASE(closing_has_as_long_as_work_but_a_second_at_least_and_five_at_most),
    CASE(a_signal_at_the_very_end_is_not_lost_and_holds_nothing_up))
