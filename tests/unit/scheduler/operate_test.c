#include "services/scheduler/rules/operate.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/check.h"

#define LIST "crm.deal.list"
#define WALL 1700000000000ULL /* Unix ms when the moved clock shows 0 */

/* Ten one-minute buckets; each goes ten minutes after its first call (facts/bitrix24.md section 3.2). */
struct vendor {
    struct {
        uint64_t from_ms, used_ms;
    } bucket[2000];
    int count;
    uint64_t limit_ms, window_ms;
    uint64_t worked_ms;
    int refused;
};

static uint64_t vendor_used(const struct vendor *v, uint64_t now_ms, uint64_t *ret_reset_s)
{
    uint64_t sum = 0;

    *ret_reset_s = 0;
    for (int i = 0; i < v->count; i++) {
        if (v->bucket[i].from_ms + v->window_ms <= now_ms)
            continue;
        if (*ret_reset_s == 0)
            *ret_reset_s = (WALL + v->bucket[i].from_ms + v->window_ms) / 1000;
        sum += v->bucket[i].used_ms;
    }
    return sum;
}

static bool vendor_call(struct vendor *v, uint64_t cost_ms, uint64_t now_ms)
{
    uint64_t reset_s;

    if (vendor_used(v, now_ms, &reset_s) + (cost_ms > 1000 ? cost_ms - 200 : 0) >
        v->limit_ms) { /* the last command of its batch */
        v->refused++;
        return false;
    }
    v->worked_ms += cost_ms;
    if (v->count > 0 && now_ms < v->bucket[v->count - 1].from_ms + v->window_ms / 10)
        v->bucket[v->count - 1].used_ms += cost_ms;
    else
        v->bucket[v->count++] = (typeof(v->bucket[0])){ now_ms, cost_ms };
    return true;
}

static uint64_t tell(struct operate *o, const struct vendor *v, uint64_t now_ms)
{
    uint64_t reset_s, used = vendor_used(v, now_ms, &reset_s);

    operate_told(o, LIST, used, reset_s, now_ms, WALL + now_ms);
    return used;
}

/* Calls as fast as allowed, `parallel` at a time, for so many minutes. */
static void load(struct operate *o, struct vendor *v, uint64_t *now_ms, int minutes, int parallel,
    uint64_t least_ms, uint64_t most_ms)
{
    uint64_t ends[16];
    int flying = 0;

    for (uint64_t until = *now_ms + (uint64_t)minutes * 60000; *now_ms < until; *now_ms += 100) {
        for (int i = flying - 1; i >= 0; i--)
            if (ends[i] <= *now_ms) {
                ends[i] = ends[--flying];
                operate_end(o, LIST);
                tell(o, v, *now_ms);
            }
        if (operate_stale(o, LIST, *now_ms)) {
            vendor_call(v, 50, *now_ms); /* a probe: cheap */
            tell(o, v, *now_ms);
        }
        while (flying < parallel && operate_wait(o, LIST, *now_ms) == 0 && !operate_stale(o, LIST, *now_ms)) {
            operate_start(o, LIST);
            vendor_call(v, least_ms + (uint64_t)rand() % (most_ms - least_ms + 1), *now_ms);
            ends[flying++] = *now_ms + 1000;
        }
        uint32_t parts = operate_parts(o, LIST, 50, *now_ms);
        if (flying == 0 && operate_wait(o, LIST, *now_ms) > 0 && parts > 0) {
            operate_start_part(o, LIST);
            vendor_call(v, (least_ms + (uint64_t)rand() % (most_ms - least_ms + 1)) * parts / 50, *now_ms);
            ends[flying++] = *now_ms + 1000;
        }
    }
    while (flying > 0) {
        operate_end(o, LIST);
        flying--;
    }
}

TEST(a_long_load_is_never_refused_and_uses_most_of_the_limit)
{
    static const struct {
        int parallel;
        uint64_t least_ms, most_ms;
    } cases[] = {
        { 1, 5000, 5000 },
        { 4, 8000, 9000 },
        { 8, 2000, 4000 },
        { 8, 10000, 12000 },
        { 2, 24000, 26000 },
    };

    srand(3);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct operate o;
        struct vendor v = { .limit_ms = 480000, .window_ms = OPERATE_WINDOW_MS };
        uint64_t now_ms = 1000;

        operate_init(&o, 480000);
        load(&o, &v, &now_ms, 60, cases[i].parallel, cases[i].least_ms, cases[i].most_ms);
        CHECK_EQ(v.refused, 0);
        CHECK((double)v.worked_ms > 0.95 * 6 * 480000);
    }
}

TEST(a_restart_near_the_limit_is_never_refused)
{
    srand(5);
    for (int round = 0; round < 20; round++) {
        struct operate o;
        struct vendor v = { .limit_ms = 480000, .window_ms = OPERATE_WINDOW_MS };
        uint64_t now_ms = 1000;

        for (int i = 0; i < 6; i++) {
            operate_init(&o, 480000); /* nothing is remembered: the first figure told is of unknown age */
            tell(&o, &v, now_ms);
            load(&o, &v, &now_ms, 4 + rand() % 6, 4, 5000, 9000);
        }
        CHECK_EQ(v.refused, 0);
    }
}

/* Portals of one's own may be set otherwise: nothing here depends on the ten minutes. */
TEST(a_shorter_window_is_used_as_well)
{
    struct operate o;
    struct vendor v = { .limit_ms = 20000, .window_ms = 12000 };
    uint64_t now_ms = 1000;

    srand(6);
    operate_init(&o, 20000);
    vendor_call(&v, 200, now_ms);
    tell(&o, &v, now_ms);
    load(&o, &v, &now_ms, 10, 2, 4000, 4400);
    CHECK_EQ(v.refused, 0);
    CHECK(v.worked_ms > 50 * 20000 / 3);
}

TEST(a_method_near_its_limit_waits_until_its_oldest_minute_falls_out)
{
    struct operate o;

    operate_init(&o, 480000);
    operate_told(&o, LIST, 473000, (WALL + 140000) / 1000, 100000, WALL + 100000);
    CHECK_EQ(operate_wait(&o, LIST, 100000), 41000);
    CHECK(!operate_stale(&o, LIST, 140999));
    CHECK(operate_stale(&o, LIST, 141000));
    CHECK_EQ(operate_wait(&o, LIST, 141000), 0); /* one alone may ask, if nothing cheaper does */
    operate_start(&o, LIST);
    CHECK(operate_wait(&o, LIST, 141000) > 0);
    CHECK_EQ(operate_wait(&o, "crm.contact.list", 100000), 0);
}

TEST(a_figure_older_than_the_window_is_worth_nothing)
{
    struct operate o;

    operate_init(&o, 480000);
    operate_told(&o, LIST, 479000, 0, 1000, WALL);
    CHECK(operate_wait(&o, LIST, 1000) > 0);
    CHECK(!operate_stale(&o, LIST, 1000 + OPERATE_WINDOW_MS));
    CHECK_EQ(operate_wait(&o, LIST, 1000 + OPERATE_WINDOW_MS), 0);
}

TEST(what_is_under_way_counts_with_its_usual_cost)
{
    struct operate o;
    int started = 0;

    operate_init(&o, 100000);
    operate_told(&o, LIST, 1, (WALL + 600000) / 1000, 0, WALL);
    for (int i = 1; i <= 12; i++)
        operate_told(
            &o, LIST, 1 + (uint64_t)i * 5000, (WALL + 600000) / 1000, (uint64_t)i, WALL + (uint64_t)i);
    while (operate_wait(&o, LIST, 20) == 0 && started < 50) {
        operate_start(&o, LIST);
        started++;
    }
    CHECK(started >= 4 && started <= 7); /* 95 s planned, 60 used, 6 a job with its quarter more */
}

/* Whoever asks once a minute and just before the told second has passed must not miss every fall. */
TEST(a_figure_that_fell_a_moment_early_is_believed)
{
    struct operate o;

    operate_init(&o, 480000);
    operate_told(&o, LIST, 473000, (WALL + 160000) / 1000, 100000, WALL + 100000);
    operate_told(&o, LIST, 400000, (WALL + 160000) / 1000, 150000, WALL + 150000);
    CHECK_EQ(o.list[0].used_ms, 473000); /* overtaken */
    operate_told(&o, LIST, 1000, (WALL + 220000) / 1000, 160000, WALL + 160000);
    CHECK_EQ(o.list[0].used_ms, 1000);
}

TEST(when_a_whole_job_has_to_wait_a_part_of_one_may_go)
{
    static const struct {
        uint64_t used_ms;
        uint32_t parts;
    } cases[] = { { 40000, 50 }, { 88000, 50 }, { 89000, 42 }, { 90000, 35 }, { 93000, 14 }, { 94000, 0 },
        { 95000, 0 }, { 99000, 0 } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct operate o;

        operate_init(&o, 100000);
        operate_start(&o, LIST);
        operate_end(&o, LIST);
        o.list[0].cost_ms = 5600; /* seven seconds are counted on, and 95 are there */
        operate_told(&o, LIST, cases[i].used_ms, (WALL + 600000) / 1000, 0, WALL);
        CHECK_EQ(operate_parts(&o, LIST, 50, 1), cases[i].parts);
        operate_start_part(&o, LIST);
        CHECK_EQ(operate_parts(&o, LIST, 50, 1), i == 0 ? 50 : 0); /* what that one costs is not known yet */
        operate_end(&o, LIST);
        operate_told(&o, LIST, cases[i].used_ms + 100, (WALL + 600000) / 1000, 2, WALL + 2);
        CHECK_EQ(o.list[0].cost_ms, 5600); /* a part is no usual job */
        operate_block(&o, LIST, 1000, 3);
        CHECK_EQ(operate_parts(&o, LIST, 50, 3), 0);
    }
}

TEST(a_job_dearer_than_the_whole_limit_still_runs_alone)
{
    struct operate o;

    operate_init(&o, 3000);
    CHECK_EQ(operate_wait(&o, LIST, 0), 0);
    operate_start(&o, LIST);
    operate_start(&o, LIST);
    CHECK(operate_wait(&o, LIST, 0) > 0);
}

TEST(a_blocked_method_waits_and_the_others_go_on)
{
    struct operate o;

    operate_init(&o, 480000);
    operate_block(&o, LIST, 30000, 1000);
    CHECK_EQ(operate_wait(&o, LIST, 1000), 30000);
    CHECK_EQ(operate_wait(&o, LIST, 31000), 0);
    CHECK_EQ(operate_wait(&o, "crm.deal.get", 1000), 0);
}

/* Seen on a self-hosted portal (facts 3.2): all is billed to "batch". */
TEST(a_portal_that_bills_the_envelope_is_believed)
{
    struct operate o;

    operate_init(&o, 480000);
    operate_told(&o, "batch", 1000, (WALL + 600000) / 1000, 1, WALL + 1);
    operate_told(&o, "batch", 476000, (WALL + 600000) / 1000, 10, WALL + 10);
    CHECK(operate_wait(&o, LIST, 10) > 0);
    CHECK(operate_wait(&o, "crm.lead.get", 10) > 0);
}

TEST(without_a_limit_nothing_waits)
{
    struct operate o;

    operate_init(&o, 0);
    operate_told(&o, LIST, 9000000, 0, 1, WALL);
    CHECK_EQ(operate_wait(&o, LIST, 1), 0);
}

TEST(more_methods_than_there_is_room_for_do_no_harm)
{
    struct operate o;
    char name[64];

    operate_init(&o, 480000);
    for (int i = 0; i < 2 * OPERATE_METHODS_MAX; i++) {
        snprintf(name, sizeof(name), "crm.x%d.list", i);
        operate_told(&o, name, 479000, 0, 1, WALL);
        operate_start(&o, name);
        operate_end(&o, name);
    }
    CHECK_EQ(o.count, OPERATE_METHODS_MAX);
}

TEST_MAIN(CASE(a_long_load_is_never_refused_and_uses_most_of_the_limit),
    CASE(a_restart_near_the_limit_is_never_refused), CASE(a_shorter_window_is_used_as_well),
    CASE(a_figure_older_than_the_window_is_worth_nothing),
    CASE(a_method_near_its_limit_waits_until_its_oldest_minute_falls_out),
    CASE(what_is_under_way_counts_with_its_usual_cost), CASE(a_figure_that_fell_a_moment_early_is_believed),
    CASE(when_a_whole_job_has_to_wait_a_part_of_one_may_go),
    CASE(a_job_dearer_than_the_whole_limit_still_runs_alone),
    CASE(a_blocked_method_waits_and_the_others_go_on), CASE(a_portal_that_bills_the_envelope_is_believed),
    CASE(without_a_limit_nothing_waits), CASE(more_methods_than_there_is_room_for_do_no_harm))
