#include "base/zone.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

TEST(names_and_offsets)
{
    static const struct {
        const char *name;
        int32_t offset;
    } cases[] = { { "UTC", 0 }, { "Z", 0 }, { "+03:00", 10800 }, { "-0930", -34200 }, { "+5", 18000 },
        { "+05:45", 20700 }, { "-00:30", -1800 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        struct zone z;

        CHECK_OK(zone_load(&z, cases[i].name, &err), err);
        CHECK_EQ(zone_offset(&z, 0), cases[i].offset);
        CHECK_EQ(zone_offset(&z, 4000000000), cases[i].offset);
        zone_free(&z);
    }
}

TEST(what_is_no_zone_is_told)
{
    static const char *const cases[] = { "Europe/Moskow", "+16:00", "+3:60", "+03:000", "+",
        "../../etc/passwd", "/etc/passwd", "Europe//Moscow", "Europe/", "Europe", "Москва", "a b" };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        struct zone z;

        CHECK_EQ(zone_load(&z, cases[i], &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, "no time zone");
    }
}

/* The C library as the judge: every zone the machine has of these, thrice a day over 150 years. */
TEST(offsets_are_those_of_the_c_library)
{
    static const char *const names[] = { "Europe/Moscow", "Europe/Berlin", "America/New_York",
        "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "America/Havana",
        "Asia/Yekaterinburg" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char path[100];
        struct err err = { 0 };
        struct zone z;

        snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", names[i]);
        if (access(path, R_OK) < 0)
            continue; /* a machine without the database */
        CHECK_OK(zone_load(&z, names[i], &err), err);
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t t = -2000000000; t < 4000000000; t += 28801) {
            time_t at = (time_t)t;
            struct tm tm;

            localtime_r(&at, &tm);
            if (zone_offset(&z, t) != tm.tm_gmtoff)
                print_error("%s at %lld\n", names[i], (long long)t);
            CHECK_EQ(zone_offset(&z, t), tm.tm_gmtoff);
        }
        zone_free(&z);
    }
    unsetenv("TZ");
}

TEST(local_times_come_once_twice_or_not_at_all)
{
    struct zone z = { .at = NULL };
    int64_t at[2], day = zone_days(2026, 3, 29) * 86400;

    CHECK(zone_rule_parse(STR("CET-1CEST,M3.5.0,M10.5.0/3"), &z.rule));
    CHECK_EQ(zone_instants(&z, day + 3600, at), 1);
    CHECK_EQ(at[0], day);
    CHECK_EQ(zone_instants(&z, day + 9000, at), 0); /* 2:30 */
    CHECK_EQ(at[0], day + 3600);
    day = zone_days(2026, 10, 25) * 86400;
    CHECK_EQ(zone_instants(&z, day + 9000, at), 2);
    CHECK_EQ(at[0], day + 1800);
    CHECK_EQ(at[1], day + 5400);
    CHECK_EQ(zone_instants(&z, day + 3 * 3600, at), 1);
    CHECK_EQ(at[0], day + 2 * 3600);
}

TEST(rules_of_all_kinds)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = { { "", true }, { "MSK-3", true }, { "<+0330>-3:30", true },
        { "AEST-10AEDT,M10.1.0,M4.1.0/3", true }, { "EST5EDT,J60/2,J300", true },
        { "EST5EDT,59,299/26", true }, { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", true },
        { "IST-1GMT0,M10.5.0,M3.5.0/1", true }, { "M", false }, { "MSK", false }, { "EST5EDT", false },
        { "EST5EDT,M3.2.0", false }, { "EST5EDT,M13.2.0,M11.1.0", false },
        { "EST5EDT,M3.6.0,M11.1.0", false }, { "EST5EDT,J0,J1", false }, { "EST5EDT,366,1", false },
        { "<+03-3", false }, { "MSK-3x", false }, { "MSK-999", false } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct zone_rule r;

        if (zone_rule_parse(str_of(cases[i].text), &r) != cases[i].good)
            print_error("%s\n", cases[i].text);
        CHECK_EQ(zone_rule_parse(str_of(cases[i].text), &r), cases[i].good);
    }
}

TEST(dates_and_days_are_each_others_inverse)
{
    for (int64_t days = -800000; days < 800000; days += 17) {
        int64_t year;
        int month, day;

        zone_date(days, &year, &month, &day);
        CHECK_EQ(zone_days(year, month, day), days);
        CHECK(month >= 1 && month <= 12 && day >= 1 && day <= 31);
    }
    CHECK_EQ(zone_weekday(zone_days(2026, 11, 21)), 6);
    CHECK_EQ(zone_weekday(zone_days(1969, 12, 31)), 3);
}

TEST(a_cut_or_wrong_file_is_refused)
{
    char file[200] = "TZif2";
    struct err err = { 0 };
    struct zone z;

    for (size_t n = 0; n < sizeof(file); n++)
        CHECK_EQ(zone_read(&z, (struct str){ file, n }, &err), -1);
    memset(file + 20, 0xff, 24); /* counts beyond everything */
    CHECK_EQ(zone_read(&z, (struct str){ file, sizeof(file) }, &err), -1);
}

TEST_MAIN(CASE(names_and_offsets), CASE(what_is_no_zone_is_told), CASE(offsets_are_those_of_the_c_library),
    CASE(local_times_come_once_twice_or_not_at_all), CASE(rules_of_all_kinds),
    CASE(dates_and_days_are_each_others_inverse), CASE(a_cut_or_wrong_file_is_refused))
