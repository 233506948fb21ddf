#include "services/scheduler/rules/pace.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/check.h"

/* The portal as facts/bitrix24.md section 3.1 describes it, in each of the ways that the documentation leaves
 * open. */
struct vendor {
    uint32_t burst, drain;
    bool ticks;  /* leaks once a whole second, at `phase_ms` */
    bool strict; /* refuses when level + 1 > X, not when level > X */
    bool counts_refused;
    uint64_t phase_ms;
    double level;
    uint64_t at_ms;
    int refused;
};

static void vendor_arrives(struct vendor *v, uint64_t now_ms)
{
    if (v->ticks) {
        uint64_t ticks = (now_ms + v->phase_ms) / 1000 - (v->at_ms + v->phase_ms) / 1000;

        for (uint64_t i = 0; i < ticks && v->level > 0; i++)
            v->level = v->level > v->drain ? v->level - v->drain : 0;
    } else {
        v->level -= (double)(now_ms - v->at_ms) * v->drain / 1000.0;
        if (v->level < 0)
            v->level = 0;
    }
    v->at_ms = now_ms;
    if (v->strict ? v->level + 1 > v->burst : v->level > v->burst) {
        v->refused++;
        if (v->counts_refused)
            v->level += 1;
        return;
    }
    v->level += 1;
}

struct call {
    uint64_t arrives_ms, answered_ms;
    bool arrived;
};

#define PARALLEL 8

struct world {
    struct pace pace;
    struct vendor vendor;
    struct call calls[PARALLEL];
    int flying;
    uint64_t now_ms;
    int sent, answered;
};

/* One millisecond: what is due arrives or is answered. */
static void world_step(struct world *w)
{
    w->now_ms++;
    for (int i = 0; i < w->flying; i++)
        if (!w->calls[i].arrived && w->calls[i].arrives_ms <= w->now_ms) {
            vendor_arrives(&w->vendor, w->now_ms);
            w->calls[i].arrived = true;
        }
    for (int i = w->flying - 1; i >= 0; i--)
        if (w->calls[i].answered_ms <= w->now_ms) {
            pace_arrived(&w->pace, w->now_ms);
            w->answered++;
            w->calls[i] = w->calls[--w->flying];
        }
}

static void world_send(struct world *w, unsigned slowest_ms)
{
    uint64_t takes = 2 + (uint64_t)(rand() % (int)slowest_ms);

    if (w->flying == PARALLEL || !pace_take(&w->pace, w->now_ms))
        return;
    w->calls[w->flying++] =
        (struct call){ w->now_ms + 1 + (uint64_t)rand() % takes, w->now_ms + 1 + takes, false };
    w->sent++;
}

static struct world world_new(uint32_t burst, uint32_t drain, int mode)
{
    struct world w = { .now_ms = 5000 };

    pace_init(&w.pace, burst, drain, w.now_ms);
    w.vendor = (struct vendor){ .burst = burst,
        .drain = drain,
        .ticks = mode & 1,
        .strict = mode & 2,
        .counts_refused = mode & 4,
        .phase_ms = (uint64_t)(rand() % 1000),
        .at_ms = w.now_ms };
    return w;
}

TEST(a_full_load_is_never_refused_and_takes_hardly_longer_than_the_limit_itself)
{
    static const struct {
        uint32_t burst, drain;
        int calls;
        unsigned slowest_ms;
    } cases[] = {
        { 50, 2, 300, 800 },
        { 50, 2, 300, 3000 },
        { 250, 5, 1200, 300 },
        { 250, 5, 1200, 1500 },
        { 20, 10, 900, 300 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (int mode = 0; mode < 8; mode++) {
            struct world w = world_new(cases[i].burst, cases[i].drain, mode);
            uint64_t began_ms = w.now_ms;

            while (w.answered < cases[i].calls) {
                if (w.sent < cases[i].calls)
                    world_send(&w, cases[i].slowest_ms);
                world_step(&w);
            }
            double best_s = (cases[i].calls - (double)cases[i].burst - 1) / cases[i].drain;
            double slack_s = cases[i].slowest_ms / 1000.0; /* the last answers themselves */
            CHECK_EQ(w.vendor.refused, 0);
            CHECK((double)(w.now_ms - began_ms) / 1000.0 <= best_s * 1.05 + slack_s);
        }
}

TEST(random_loads_are_never_refused)
{
    srand(7);
    for (int round = 0; round < 60; round++) {
        struct world w = world_new(10 + (uint32_t)(rand() % 60), 1 + (uint32_t)(rand() % 6), rand() % 8);
        int eager = 1 + rand() % 40;

        for (int ms = 0; ms < 60000; ms++) {
            if (ms % 7000 == 0)
                eager = 1 + rand() % 40;
            if (rand() % eager == 0)
                world_send(&w, 2500);
            world_step(&w);
        }
        CHECK(w.sent > 20);
        CHECK_EQ(w.vendor.refused, 0);
    }
}

/* Its calls go on while the scheduler is down: what was saved with the last dispatch must cover them. */
TEST(a_restart_in_the_middle_of_a_load_overruns_nothing)
{
    srand(11);
    for (int round = 0; round < 40; round++) {
        struct world w = world_new(50, 2, round % 8);
        double saved = 0;
        uint64_t saved_ms = w.now_ms;

        for (int ms = 0; ms < 90000; ms++) {
            int before = w.sent;

            world_send(&w, 900);
            if (w.sent > before) {
                saved = pace_level(&w.pace, w.now_ms);
                saved_ms = w.now_ms;
            }
            world_step(&w);
            if (rand() % 9000 != 0)
                continue;
            for (int down = rand() % 4000; down > 0; down--)
                world_step(&w);
            while (w.flying > 0 && w.calls[0].answered_ms > w.now_ms) /* the fetchers end their calls */
                world_step(&w);
            pace_init(&w.pace, 50, 2, w.now_ms);
            pace_restore(&w.pace, saved, saved_ms, w.now_ms, w.now_ms);
            w.flying = 0;
        }
        CHECK_EQ(w.vendor.refused, 0);
    }
}

TEST(a_wall_clock_that_went_back_drains_nothing)
{
    struct pace p;

    pace_init(&p, 50, 2, 100);
    pace_restore(&p, 47, 1000000, 400000, 100);
    CHECK_EQ(pace_free(&p, 100), 0);
    pace_restore(&p, 47, 1000000, 1000000 + PACE_GRACE_MS + 1000, 100);
    CHECK_EQ(pace_free(&p, 100), 2);
}

TEST(a_call_under_way_does_not_drain)
{
    struct pace p;

    pace_init(&p, 10, 2, 0);
    for (int i = 0; i < 7; i++)
        CHECK(pace_take(&p, 0));
    CHECK(!pace_take(&p, 60000));
    CHECK(pace_wait(&p, 60000) == PACE_NEVER);
    pace_arrived(&p, 60000);
    CHECK(!pace_take(&p, 60000));
    CHECK_EQ(pace_wait(&p, 60000), 500);
    CHECK(pace_take(&p, 60500));
}

TEST(a_call_never_sent_costs_nothing)
{
    struct pace p;

    pace_init(&p, 10, 2, 0);
    for (int i = 0; i < 7; i++)
        CHECK(pace_take(&p, 0));
    pace_cancel(&p);
    CHECK_EQ(pace_free(&p, 0), 1);
}

TEST(after_a_refusal_the_bucket_counts_as_full)
{
    struct pace p;

    pace_init(&p, 50, 2, 0);
    pace_refused(&p, 0);
    CHECK_EQ(pace_free(&p, 0), 0);
    CHECK_EQ(pace_wait(&p, 0), 500);
}

TEST(a_tiny_bucket_still_lets_one_through)
{
    struct pace p;

    pace_init(&p, 1, 2, 0);
    CHECK_EQ(pace_free(&p, 0), 1);
    CHECK(pace_take(&p, 0));
    CHECK(!pace_take(&p, 10));
}

TEST_MAIN(CASE(a_full_load_is_never_refused_and_takes_hardly_longer_than_the_limit_itself),
    CASE(random_loads_are_never_refused), CASE(a_restart_in_the_middle_of_a_load_overruns_nothing),
    CASE(a_wall_clock_that_went_back_drains_nothing), CASE(a_call_under_way_does_not_drain),
    CASE(a_call_never_sent_costs_nothing), CASE(after_a_refusal_the_bucket_counts_as_full),
    CASE(a_tiny_bucket_still_lets_one_through))
