#include "base/clock.h"

#include "base/mem.h"
#include "base/str.h"
#include "support/check.h"

#include <stdlib.h>
#include <time.h>

TEST(days_count_from_1970_and_back)
{
    static const struct {
        int year;
        unsigned month, day;
        int64_t days;
    } cases[] = {
        { 1970, 1, 1, 0 },
        { 1969, 12, 31, -1 },
        { 2000, 2, 29, 11016 },
        { 2000, 3, 1, 11017 },
        { 2024, 8, 30, 19965 },
        { 1, 1, 1, -719162 },
        { 9999, 12, 31, 2932896 },
        { 1900, 2, 28, -25509 },
        { 1900, 3, 1, -25508 },
        { 0, 2, 29, -719469 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int year;
        unsigned month, day;

        CHECK(clock_days(cases[i].year, cases[i].month, cases[i].day) == cases[i].days);
        clock_date(cases[i].days, &year, &month, &day);
        CHECK_EQ(year, cases[i].year);
        CHECK_EQ(month, cases[i].month);
        CHECK_EQ(day, cases[i].day);
    }
}

TEST(every_day_of_eight_centuries_comes_back)
{
    int64_t last = clock_days(1599, 12, 31);

    for (int64_t days = last + 1; days < clock_days(2400, 1, 1); days++) {
        int year;
        unsigned month, day;

        clock_date(days, &year, &month, &day);
        CHECK(clock_days(year, month, day) == days);
        CHECK(month >= 1 && month <= 12 && day >= 1 && day <= 31);
    }
}

TEST(a_moment_is_printed_with_milliseconds_in_utc)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00.000Z" },
        { 1795228620123, "2026-11-21T02:37:00.123Z" },
        { 253402300799999, "9999-12-31T23:59:59.999Z" },
        { UINT64_MAX, "9999-12-31T23:59:59.999Z" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[CLOCK_ISO_SIZE];

        clock_iso(cases[i].ms, text);
        CHECK_STR(text, cases[i].text);
    }
}

TEST(moments_with_an_offset_are_read)
{
    static const struct {
        const char *text, *utc;
        int offset_min;
    } cases[] = {
        { "2024-08-30T14:29:00+02:00", "2024-08-30T12:29:00.000Z", 120 },
        { "2024-08-30T14:29:00Z", "2024-08-30T14:29:00.000Z", 0 },
        { "2024-08-30T14:29:00-09:30", "2024-08-30T23:59:00.000Z", -570 },
        { "2024-02-29T23:59:59.5+00:00", "2024-02-29T23:59:59.500Z", 0 },
        { "2024-08-30T14:29:00.123456789Z", "2024-08-30T14:29:00.123Z", 0 },
        { "1970-01-01T03:00:00+03:00", "1970-01-01T00:00:00.000Z", 180 },
        { "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z", 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t ms;
        int offset_min;
        char text[CLOCK_ISO_SIZE];

        CHECK(clock_parse_iso(cases[i].text, strlen(cases[i].text), &ms, &offset_min));
        clock_iso((uint64_t)ms, text);
        CHECK_STR(text, cases[i].utc);
        CHECK_EQ(offset_min, cases[i].offset_min);
    }
}

TEST(moments_before_1970_are_negative)
{
    int64_t ms;

    CHECK(clock_parse_iso("1969-12-31T23:59:59.999Z", 24, &ms, NULL));
    CHECK(ms == -1);
    CHECK(clock_parse_iso("0001-01-01T00:00:00Z", 20, &ms, NULL));
    CHECK(ms == -62135596800000);
}

TEST(what_is_no_moment_is_refused)
{
    static const char *const cases[] = {
        "",
        "2024",
        "2024-08-30",
        "2024-08-30T14:29:00",
        "2024-08-30 14:29:00Z",
        "2024-08-30t14:29:00Z",
        "2024-08-30T14:29:00z",
        "2024-08-30T14:29Z",
        "2024-8-30T14:29:00Z",
        "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "2024-01-00T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "2024-08-30T24:00:00Z",
        "2024-08-30T23:60:00Z",
        "2024-08-30T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "2024-08-30T14:29:00.Z",
        "2024-08-30T14:29:00.1234567890Z",
        "2024-08-30T14:29:00+02",
        "2024-08-30T14:29:00+0200",
        "2024-08-30T14:29:00+16:00",
        "2024-08-30T14:29:00+02:60",
        "2024-08-30T14:29:00Z ",
        " 2024-08-30T14:29:00Z",
        "2024-08-30T14:29:00ZZ",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "٢٠٢٤-08-30T14:29:00Z",
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t ms = 42;

        CHECK(!clock_parse_iso(cases[i], strlen(cases[i]), &ms, NULL));
        CHECK(ms == 42);
    }
    CHECK(!clock_parse_iso("2024-08-30T14:29:00Z", 19, &(int64_t){ 0 }, NULL));
}

TEST(tests_can_hold_both_clocks)
{
    clock_set(1000, 1795228620123);
    CHECK(clock_mono_ms() == 1000);
    CHECK(clock_wall_ms() == 1795228620123);
    clock_set(0, 0);
    CHECK(clock_mono_ms() != 1000);
    CHECK(clock_wall_ms() > 1600000000000);
}

/* Runs first: the variable is read once. */
TEST(the_wall_clock_can_be_shifted_for_a_process)
{
    uint64_t before = clock_mono_ms();
    struct timespec t;

    setenv("POTOK_CLOCK_OFFSET_MS", "86400000", 1);
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t ahead = clock_wall_ms() - ((uint64_t)t.tv_sec * 1000);
    CHECK(ahead >= 86400000 && ahead < 86400000 + 60000);
    CHECK(clock_mono_ms() - before < 60000);
}

TEST_MAIN(CASE(the_wall_clock_can_be_shifted_for_a_process), CASE(days_count_from_1970_and_back),
    CASE(every_day_of_eight_centuries_comes_back), CASE(a_moment_is_printed_with_milliseconds_in_utc),
    CASE(moments_with_an_offset_are_read), CASE(moments_before_1970_are_negative),
    CASE(what_is_no_moment_is_refused), CASE(tests_can_hold_both_clocks))
