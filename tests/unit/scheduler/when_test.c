#include "services/scheduler/rules/when.h"

#include "base/mem.h"
#include "support/check.h"

#define MINUTE 60000ULL
#define DAY    (24 * 60 * MINUTE)
#define NOW    (20000 * DAY + 10 * 60 * MINUTE) /* ten o'clock, UTC */

static const struct zone UTC = { .at = NULL };

static struct when plan_of(
    const char *schedule, const char *interval, const char *missed, bool ever_full, uint64_t started)
{
    struct config_when plan = { .told = false };
    struct err err = { 0 };
    struct when w;

    if (schedule != NULL)
        CHECK_OK(when_take(&plan, "schedule", schedule, &err), err);
    if (interval != NULL)
        CHECK_OK(when_take(&plan, "interval", interval, &err), err);
    if (missed != NULL)
        CHECK_OK(when_take(&plan, "missed", missed, &err), err);
    when_init(&w, &plan, 30 * (int64_t)MINUTE, ever_full, started, NOW);
    return w;
}

/* How many runs begin in so many minutes, each lasting so long. */
static int runs_in(struct when *w, uint64_t from, int minutes, int lasts_minutes)
{
    uint64_t busy_until = 0;
    int runs = 0;

    for (uint64_t now = from; now < from + (uint64_t)minutes * MINUTE; now += 1000) {
        if (!when_due(w, &UTC, now < busy_until, now))
            continue;
        when_began(w, now);
        busy_until = now + (uint64_t)lasts_minutes * MINUTE;
        runs++;
    }
    return runs;
}

TEST(without_a_word_the_default_interval_holds)
{
    struct when w = plan_of(NULL, NULL, NULL, true, NOW - 10 * MINUTE);

    CHECK(!when_due(&w, &UTC, false, NOW + 19 * MINUTE));
    CHECK(when_due(&w, &UTC, false, NOW + 20 * MINUTE));
    CHECK(!when_due(&w, &UTC, true, NOW + 20 * MINUTE));
    when_began(&w, NOW + 20 * MINUTE);
    CHECK(!when_due(&w, &UTC, false, NOW + 49 * MINUTE));
    CHECK(when_due(&w, &UTC, false, NOW + 50 * MINUTE));
    CHECK(when_due(&w, &UTC, false, NOW - DAY)); /* the clock stepped back */
}

TEST(an_interval_of_its_own_and_never)
{
    struct when often = plan_of(NULL, "10m", NULL, true, NOW), never = plan_of(NULL, "never", NULL, false, 0);

    CHECK_EQ(runs_in(&often, NOW, 61, 1), 6);
    CHECK_EQ(runs_in(&never, NOW, 24 * 60, 1), 0);
}

TEST(what_was_never_read_whole_is_due_at_once)
{
    struct when by_cron = plan_of("0 3 * * *", NULL, NULL, false, 0);
    struct when by_interval = plan_of(NULL, "2h", NULL, false, 0);

    CHECK(when_due(&by_cron, &UTC, false, NOW));
    CHECK(when_due(&by_interval, &UTC, false, NOW));
    when_began(&by_cron, NOW);
    CHECK(!when_due(&by_cron, &UTC, false, NOW + 1000));
    CHECK(!when_due(&by_cron, &UTC, false, NOW + 16 * 60 * MINUTE));
    CHECK(when_due(&by_cron, &UTC, false, NOW + 17 * 60 * MINUTE));
}

TEST(a_schedule_is_kept)
{
    struct when w = plan_of("*/15 8-19 * * *", NULL, NULL, true, NOW);

    CHECK_EQ(runs_in(&w, NOW, 24 * 60, 1), 47); /* ten o'clock had its run */
}

/* At 11:00, 11:15, 11:30 and 11:45, each run lasting 40 minutes. */
TEST(times_that_pass_during_a_run)
{
    static const struct {
        const char *missed;
        int runs;
    } cases[] = { { "skip", 2 }, { "once", 3 }, { "all", 4 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct when w = plan_of("*/15 11 * * *", NULL, cases[i].missed, true, NOW);

        CHECK_EQ(runs_in(&w, NOW, 300, 40), cases[i].runs);
    }
}

TEST(times_that_passed_while_nothing_ran)
{
    static const struct {
        const char *missed;
        int runs;
    } cases[] = { { "skip", 0 }, { "once", 1 }, { "all", 8 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct when w = plan_of("*/15 * * * *", NULL, cases[i].missed, true, NOW - 120 * MINUTE);

        CHECK_EQ(runs_in(&w, NOW + 5 * MINUTE, 9, 0), cases[i].runs);
    }
}

TEST_MAIN(CASE(without_a_word_the_default_interval_holds), CASE(an_interval_of_its_own_and_never),
    CASE(what_was_never_read_whole_is_due_at_once), CASE(a_schedule_is_kept),
    CASE(times_that_pass_during_a_run), CASE(times_that_passed_while_nothing_ran))
