#include "base/cron.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <time.h>

/* Rules as the database has them, so that the test needs no file. */
#define MOSCOW   "MSK-3"
#define BERLIN   "CET-1CEST,M3.5.0,M10.5.0/3"
#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"
#define UTC      "UTC0"
#define HAVANA   "CST5CDT,M3.2.0/0,M11.1.0/1" /* clocks go forward at midnight */
#define NEPAL    "<+0545>-5:45"
#define SYDNEY   "AEST-10AEDT,M10.1.0,M4.1.0/3"

static struct zone zone_of(const char *rule)
{
    struct zone z = { .at = NULL };

    CHECK(zone_rule_parse(str_of(rule), &z.rule));
    return z;
}

static int64_t utc(const char *text)
{
    int year, month, day, hour, minute, second = 0;

    CHECK(sscanf(text, "%d-%d-%d %d:%d:%d", &year, &month, &day, &hour, &minute, &second) >= 5);
    return zone_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

static const char *shown(int64_t t)
{
    static char text[2][40];
    static int turn;
    time_t at = (time_t)t;
    struct tm tm;

    if (t == CRON_NEVER)
        return "never";
    gmtime_r(&at, &tm);
    strftime(text[turn ^= 1], sizeof(text[0]), "%Y-%m-%d %H:%M", &tm);
    return text[turn];
}

TEST(the_next_time_by_the_clocks_of_a_place)
{
    static const struct {
        const char *cron, *zone, *after, *next; /* both UTC */
    } cases[] = {
        { "* * * * *", UTC, "2026-11-21 06:55", "2026-11-21 06:56" },
        { "* * * * *", UTC, "2026-11-21 06:55:01", "2026-11-21 06:56" },
        { "*/15 * * * *", UTC, "2026-11-21 06:45", "2026-11-21 07:00" },
        { "*/15 8-19 * * mon-fri", MOSCOW, "2026-11-20 16:45",
            "2026-11-23 05:00" }, /* Friday 19:45 -> Monday 8:00 */
        { "0 9 * * MON-FRI", MOSCOW, "2026-11-20 06:00", "2026-11-23 06:00" },
        { "0 9 * * 1,3,5", MOSCOW, "2026-11-23 06:00", "2026-11-25 06:00" },
        { "30 23 31 dec *", UTC, "2026-01-01 00:00", "2026-12-31 23:30" },
        { "0 0 29 2 *", UTC, "2026-01-01 00:00", "2028-02-29 00:00" },
        { "0 0 29 2 *", UTC, "2096-03-01 00:00", "2104-02-29 00:00" }, /* 2100 has none */
        { "0 0 30 2 *", UTC, "2026-01-01 00:00", "never" },
        { "0 0 31 4,6,9,11 *", UTC, "2026-01-01 00:00", "never" },
        { "0 0 1 * 1", UTC, "2026-11-21 00:00", "2026-11-23 00:00" }, /* the first, or any Monday */
        { "0 0 1 * 1", UTC, "2026-11-30 00:00", "2026-12-01 00:00" },
        { "0 0 * * 7", UTC, "2026-11-21 00:00", "2026-11-22 00:00" },
        { "0 0 * * 5-7", UTC, "2026-11-22 00:00", "2026-11-27 00:00" },
        { "0 12 * * *", NEPAL, "2026-11-21 06:14", "2026-11-21 06:15" },
        { "@daily", MOSCOW, "2026-11-21 20:59", "2026-11-21 21:00" },
        { "@hourly", UTC, "2026-11-21 20:59", "2026-11-21 21:00" },
        { "@weekly", UTC, "2026-11-21 20:59", "2026-11-22 00:00" },
        { "@monthly", UTC, "2026-11-21 20:59", "2026-12-01 00:00" },
        { "@yearly", UTC, "2026-11-21 20:59", "2027-01-01 00:00" },
        { "0 0 1 1 *", UTC, "1969-06-01 00:00", "1970-01-01 00:00" },
        /* forward: 29 March 2026, 2:00 becomes 3:00 in Berlin (1:00 UTC) */
        { "30 2 * * *", BERLIN, "2026-03-28 12:00",
            "2026-03-29 01:00" }, /* in the gap: the instant after it */
        { "30 2 * * *", BERLIN, "2026-03-29 01:00", "2026-03-30 00:30" },
        { "0 2 * * *", BERLIN, "2026-03-29 00:00", "2026-03-29 01:00" },
        { "0 3 * * *", BERLIN, "2026-03-29 00:00", "2026-03-29 01:00" },
        { "*/30 * * * *", BERLIN, "2026-03-29 00:30", "2026-03-29 01:00" },
        { "*/30 * * * *", BERLIN, "2026-03-29 01:00", "2026-03-29 01:30" },
        { "30 2 * * *", NEW_YORK, "2026-03-08 06:00", "2026-03-08 07:00" },
        { "0 0 * * *", HAVANA, "2026-03-07 12:00", "2026-03-08 05:00" }, /* midnight does not exist */
        /* back: 25 October 2026, 3:00 becomes 2:00 in Berlin (1:00 UTC) */
        { "30 2 * * *", BERLIN, "2026-10-24 12:00", "2026-10-25 00:30" },   /* the first of the two */
        { "30 2 * * *", BERLIN, "2026-10-25 00:30", "2026-10-26 01:30" },   /* and only it */
        { "*/30 * * * *", BERLIN, "2026-10-25 00:30", "2026-10-25 01:00" }, /* every hour: both */
        { "*/30 * * * *", BERLIN, "2026-10-25 01:00", "2026-10-25 01:30" },
        { "*/30 * * * *", BERLIN, "2026-10-25 01:30", "2026-10-25 02:00" },
        { "30 1 * * *", NEW_YORK, "2026-11-01 05:30", "2026-11-02 06:30" },
        { "30 0 * * *", HAVANA, "2026-10-31 12:00", "2026-11-01 04:30" },
        { "30 2 * * *", SYDNEY, "2026-10-03 12:00", "2026-10-03 16:00" }, /* the south */
        { "30 2 * * *", SYDNEY, "2026-04-04 12:00", "2026-04-04 15:30" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct zone z = zone_of(cases[i].zone);
        struct err err = { 0 };
        struct cron c;

        CHECK_OK(cron_parse(str_of(cases[i].cron), &c, &err), err);
        const char *next = shown(cron_next(&c, &z, utc(cases[i].after)));
        if (strcmp(next, cases[i].next) != 0)
            print_error("%s %s after %s: %s\n", cases[i].cron, cases[i].zone, cases[i].after, next);
        CHECK_STR(next, cases[i].next);
    }
}

TEST(every_quarter_of_an_hour_is_so_all_the_year)
{
    static const char *const zones[] = { BERLIN, NEW_YORK, HAVANA, SYDNEY, NEPAL };
    struct err err = { 0 };
    struct cron c;

    CHECK_OK(cron_parse(STR("*/15 * * * *"), &c, &err), err);
    for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
        struct zone z = zone_of(zones[i]);
        int64_t t = utc("2026-01-01 00:00"), end = utc("2027-01-01 00:00");

        while (t < end) {
            int64_t next = cron_next(&c, &z, t);
            CHECK_EQ(next - t, 900);
            t = next + 86400 * 3 - 900; /* by steps of three days: the year's length in a second */
        }
    }
}

TEST(what_is_no_schedule_is_told)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", "the minute is missing" },
        { "* * * *", "the weekday is missing" },
        { "* * * * * *", "five fields" },
        { "60 * * * *", "\"60\" is no minute: 0-59" },
        { "-1 * * * *", "is no minute" },
        { "* 24 * * *", "is no hour: 0-23" },
        { "* * 0 * *", "is no day: 1-31" },
        { "* * * 13 *", "is no month: 1-12" },
        { "* * * * 8", "is no weekday: 0-7" },
        { "* * * * funday", "is no weekday" },
        { "* * * foo *", "is no month" },
        { "*/0 * * * *", "is no minute" },
        { "*/ * * * *", "is no minute" },
        { "5/10 * * * *", "is no minute" },
        { "5- * * * *", "is no minute" },
        { "10-5 * * * *", "is no minute" },
        { "1,,2 * * * *", "is no minute" },
        { "1, * * * *", "is no minute" },
        { "1 2 3 4 mon,", "is no weekday" },
        { "99999999999999999999 * * * *", "is no minute" },
        { "@sometimes", "is no minute" },
        { "*\n* * * *", "is no minute" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        struct cron c;

        CHECK_EQ(cron_parse(str_of(cases[i].text), &c, &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, cases[i].why);
    }
}

TEST(what_was_missed_is_made_up_for_by_policy)
{
    static const struct {
        enum cron_missed missed;
        const char *last, *now;
        int runs;
        const char *next;
    } cases[] = {
        { CRON_ONCE, "2026-11-21 10:00", "2026-11-21 10:14:59", 0, "2026-11-21 10:15" },
        { CRON_ONCE, "2026-11-21 10:00", "2026-11-21 10:15", 1, "2026-11-21 10:30" },
        { CRON_ONCE, "2026-11-21 10:00", "2026-11-21 13:02", 1, "2026-11-21 13:15" },
        { CRON_ALL, "2026-11-21 10:00", "2026-11-21 13:02", 12, "2026-11-21 13:15" },
        { CRON_ALL, "2025-11-21 10:00", "2026-11-21 13:02", CRON_ALL_MOST, "2026-11-21 13:15" },
        { CRON_SKIP, "2026-11-21 10:00", "2026-11-21 13:02", 0, "2026-11-21 13:15" },
        { CRON_SKIP, "2026-11-21 10:00", "2026-11-21 13:00:20", 1, "2026-11-21 13:15" },
        { CRON_SKIP, "2026-11-21 13:00:10", "2026-11-21 13:00:20", 0, "2026-11-21 13:15" },
        { CRON_SKIP, "2020-01-01 00:00", "2026-11-21 13:01:01", 0, "2026-11-21 13:15" },
        { CRON_ONCE, "2030-01-01 00:00", "2026-11-21 13:02", 0,
            "2026-11-21 13:15" }, /* the clock went back */
    };
    struct zone z = zone_of(UTC);
    struct err err = { 0 };
    struct cron c;

    CHECK_OK(cron_parse(STR("*/15 * * * *"), &c, &err), err);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cron_due due = cron_due(&c, &z, cases[i].missed, utc(cases[i].last), utc(cases[i].now));

        CHECK_EQ(due.runs, cases[i].runs);
        CHECK_STR(shown(due.next), cases[i].next);
        CHECK(due.last <= utc(cases[i].now));
        if (due.runs > 0) /* and none of it twice */
            CHECK_EQ(cron_due(&c, &z, cases[i].missed, due.last, utc(cases[i].now)).runs, 0);
    }
}

TEST(policies_have_names)
{
    enum cron_missed missed;

    CHECK(cron_missed_parse(STR("once"), &missed) && missed == CRON_ONCE);
    CHECK(cron_missed_parse(STR("all"), &missed) && missed == CRON_ALL);
    CHECK(cron_missed_parse(STR("skip"), &missed) && missed == CRON_SKIP);
    CHECK(!cron_missed_parse(STR("Once"), &missed));
    CHECK(!cron_missed_parse(STR(""), &missed));
}

TEST_MAIN(CASE(the_next_time_by_the_clocks_of_a_place), CASE(every_quarter_of_an_hour_is_so_all_the_year),
    CASE(what_is_no_schedule_is_told), CASE(what_was_missed_is_made_up_for_by_policy),
    CASE(policies_have_names))
