#include "services/scheduler/rules/cut.h"

#include <stdlib.h>

#include "proto/msg.h"
#include "support/check.h"

static uint64_t any(uint64_t most)
{
    return (((uint64_t)rand() << 31) ^ (uint64_t)rand()) % most;
}

TEST(ranges_cover_every_id_once_whatever_the_bounds_are)
{
    srand(1);
    for (int round = 0; round < 20000; round++) {
        struct cut_range r[CUT_RANGES_MAX];
        struct cut_bounds b = { 0 };

        if (round > 0) {
            b.least_id = 1 + any(round % 3 ? 100 : (uint64_t)1 << 45);
            b.most_id = b.least_id + any(round % 5 ? 300000 : (uint64_t)1 << 45);
            b.total = any(round % 7 ? 400000 : 3);
        }
        int n = cut_ranges(&b, r);
        CHECK(n >= 1 && n <= CUT_RANGES_MAX);
        CHECK_EQ(r[0].first, 1);
        CHECK_EQ(r[n - 1].last, RANGE_OPEN);
        for (int i = 0; i < n; i++) {
            CHECK(r[i].first <= r[i].last);
            if (i > 0)
                CHECK_EQ(r[i].first, r[i - 1].last + 1);
        }
    }
}

TEST(a_count_far_from_the_truth_does_not_break_the_cover)
{
    static const struct cut_bounds cases[] = {
        { 0, 0, 0 },
        { 0, 0, 1000000 },
        { 5, 5, 900000 },
        { 5, 4, 10 },
        { 1, 7, 900000 },
        { 1, UINT64_MAX / 2, 900000 },
        { 10, 3000000, UINT64_MAX },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cut_range r[CUT_RANGES_MAX];
        int n = cut_ranges(&cases[i], r);

        CHECK_EQ(r[0].first, 1);
        CHECK_EQ(r[n - 1].last, RANGE_OPEN);
        for (int k = 1; k < n; k++)
            CHECK(r[k].first == r[k - 1].last + 1 && r[k].first <= r[k].last);
    }
}

TEST(a_range_is_worth_about_two_calls_and_eight_are_enough)
{
    static const struct {
        uint64_t total;
        int ranges;
    } cases[] = {
        { 0, 1 },
        { 1, 1 },
        { 4999, 1 },
        { 9999, 1 },
        { 10000, 2 },
        { 25000, 5 },
        { 40000, 8 },
        { 3000000, 8 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cut_range r[CUT_RANGES_MAX];
        struct cut_bounds b = { 1, 2 * cases[i].total + 10, cases[i].total };

        CHECK_EQ(cut_ranges(&b, r), cases[i].ranges);
    }
}

/* Calls that a chain of jobs needs when ids are given out evenly. */
static uint64_t calls(const struct cut_bounds *b, uint64_t first, uint64_t last)
{
    uint64_t records = cut_estimate(b, first, last);

    return records / CUT_RECORDS + 1; /* even a whole number of jobs ends with one that finds nothing more */
}

TEST(cutting_costs_few_calls_more_than_the_fewest_possible)
{
    for (uint64_t total = 100; total < 600000; total += 777) {
        struct cut_bounds b = { 3, 3 + total * 21 / 20, total };
        struct cut_range r[CUT_RANGES_MAX];
        uint64_t sum = 0;
        int n = cut_ranges(&b, r);

        for (int i = 0; i < n; i++)
            sum += calls(&b, r[i].first, r[i].last);
        CHECK(sum <= total / CUT_RECORDS + 3);
    }
}

TEST(sharing_a_range_costs_a_call_more_at_most)
{
    const struct cut_bounds b = { 1, 1000000, 800000 };

    srand(9);
    for (int round = 0; round < 20000; round++) {
        uint64_t first = 1 + any(999999), last = round % 2 ? RANGE_OPEN : first + any(1000000 - first + 1);
        uint64_t middle = cut_share(&b, first, last), before = calls(&b, first, last);

        if (middle == 0) {
            CHECK(before <= 3);
            continue;
        }
        CHECK(middle >= first && middle < last);
        uint64_t left = calls(&b, first, middle), right = calls(&b, middle + 1, last);
        CHECK(left + right <= before + 1);
        CHECK(left >= before / 2 - 1 && right >= before / 2);
    }
    CHECK_EQ(cut_share(&(struct cut_bounds){ 0, 0, 0 }, 1, RANGE_OPEN), 0);
}

TEST(an_estimate_follows_the_density)
{
    const struct cut_bounds b = { 101, 2100, 1000 }; /* every other id */

    CHECK_EQ(cut_estimate(&b, 1, RANGE_OPEN), 1000);
    CHECK_EQ(cut_estimate(&b, 101, 300), 100);
    CHECK_EQ(cut_estimate(&b, 1, 100), 0);
    CHECK_EQ(cut_estimate(&b, 2101, RANGE_OPEN), 0);
    CHECK(cut_estimate(&(struct cut_bounds){ 0, 0, 0 }, 1, 9) == UINT64_MAX);
}

TEST(pages_are_what_the_rest_needs_and_the_answer_stays_small)
{
    static const struct {
        uint64_t estimate, bytes;
        uint32_t cap, pages;
    } cases[] = {
        { 0, 0, 0, 1 },
        { 1, 0, 0, 2 },
        { 50, 0, 0, 3 },
        { 1000, 0, 0, 26 },
        { 2400, 0, 0, 49 },
        { 2450, 0, 0, 49 },
        { 2451, 0, 0, 50 },
        { 2500, 0, 0, 50 },
        { UINT64_MAX, 0, 0, 49 },
        { UINT64_MAX, 0, 12, 12 },
        { 100, 0, 1, 1 },
        { 100000, 2000, 0, 50 },
        { 100000, 10000, 0, 12 },
        { 100000, 2400, 0, 50 },
        { 100000, 10000, 3, 3 },
        { 100000, 9000000, 0, 1 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(cut_pages(cases[i].estimate, cases[i].bytes, cases[i].cap), cases[i].pages);
    CHECK_EQ(cut_ids(0, 2500), 2500);
    CHECK_EQ(cut_ids(5000, 2500), 1258);
    CHECK_EQ(cut_ids(9000000, 50), 1);
}

/* However a range is halved, the halves touch, and halving ends at single ids after few steps. */
TEST(halving_finds_one_id_in_few_steps)
{
    const struct cut_bounds bounds[] = { { 1, 300000, 250000 }, { 0, 0, 0 }, { 1000, 1000, 1 } };

    srand(2);
    for (int round = 0; round < 3000; round++) {
        const struct cut_bounds *b = &bounds[round % 3];
        uint64_t first = 1 + any(1000), last = round % 2 ? RANGE_OPEN : first + any(400000);
        uint64_t above = b->most_id == 0 ? 500000 : b->most_id > first ? b->most_id - first : 0;
        uint64_t poison = first + any((last == RANGE_OPEN ? above : last - first) + 1);
        int steps = 0;

        while (first < last) {
            uint64_t middle = cut_middle(b, first, last);

            if (b->most_id > 0 && first > b->most_id && last == RANGE_OPEN) {
                CHECK_EQ(middle, 0); /* nothing is known there: it would be cut for ever */
                break;
            }
            CHECK(middle >= first && middle < last);
            if (poison <= middle)
                last = middle;
            else
                first = middle + 1;
            CHECK(++steps < 700);
        }
        CHECK(first == poison || (last == RANGE_OPEN && b->most_id > 0 && poison > b->most_id));
    }
    CHECK_EQ(cut_middle(&bounds[0], 9, 9), 0);
    CHECK_EQ(cut_middle(&bounds[0], 300000, RANGE_OPEN), 300000);
    CHECK_EQ(cut_middle(&bounds[0], 300001, RANGE_OPEN), 0);
}

TEST(a_narrow_range_has_no_pages_that_it_cannot_fill)
{
    CHECK_EQ(cut_pages_within(14, 15, 50), 1);
    CHECK_EQ(cut_pages_within(15, 15, 1), 1);
    CHECK_EQ(cut_pages_within(1, 49, 50), 1);
    CHECK_EQ(cut_pages_within(1, 50, 50), 2); /* a full page says nothing of what follows */
    CHECK_EQ(cut_pages_within(1, 2449, 50), 49);
    CHECK_EQ(cut_pages_within(1, 2500, 50), 50);
    CHECK_EQ(cut_pages_within(1, RANGE_OPEN, 49), 49);
    CHECK_EQ(cut_pages_within(5, 4, 7), 1);
}

TEST_MAIN(CASE(ranges_cover_every_id_once_whatever_the_bounds_are),
    CASE(a_count_far_from_the_truth_does_not_break_the_cover),
    CASE(a_range_is_worth_about_two_calls_and_eight_are_enough),
    CASE(cutting_costs_few_calls_more_than_the_fewest_possible),
    CASE(sharing_a_range_costs_a_call_more_at_most), CASE(an_estimate_follows_the_density),
    CASE(pages_are_what_the_rest_needs_and_the_answer_stays_small), CASE(halving_finds_one_id_in_few_steps),
    CASE(a_narrow_range_has_no_pages_that_it_cannot_fill))
