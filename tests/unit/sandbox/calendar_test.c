#include "services/sandbox/data/calendar.h"

#include "base/mem.h"
#include "support/check.h"

TEST(instants_are_printed_in_the_servers_zone_and_in_utc)
{
    char iso[CALENDAR_ISO + 1] = "", utc[CALENDAR_UTC + 1] = "", day[CALENDAR_DAY + 1] = "";

    calendar_iso(1725017340, iso);
    calendar_utc(1725017340, utc);
    calendar_day(-1, day);
    CHECK_STR(iso, "2024-08-30T14:29:00+03:00");
    CHECK_STR(utc, "2024-08-30T11:29:00Z");
    CHECK_STR(day, "1969-12-31");
}

TEST(dates_of_filters_are_read)
{
    static const struct {
        const char *text;
        bool good;
        int64_t unix_s;
    } cases[] = {
        { "2024-08-30T14:29:00+03:00", true, 1725017340 },
        { "2024-08-30T11:29:00Z", true, 1725017340 },
        { "2024-08-30T14:29:00.123+03:00", true, 1725017340 },
        { "2024-08-30 14:29:00", true, 1725017340 },
        { "2024-08-30 14:29", true, 1725017340 },
        { "30.08.2024 14:29:00", true, 1725017340 },
        { "2024-08-30", true, 1724965200 },
        { "30.08.2024", true, 1724965200 },
        { "2024-02-29", true, 1709154000 },
        { "2023-02-29", false, 0 },
        { "2024-13-01", false, 0 },
        { "2024-08-30T25:00:00Z", false, 0 },
        { "2024-08-30x", false, 0 },
        { "yesterday!", false, 0 },
        { "", false, 0 },
        { "$result[a][49][ID]", false, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t unix_s = 0, days;
        CHECK_EQ(calendar_parse(str_of(cases[i].text), &unix_s, &days), cases[i].good);
        CHECK_EQ(unix_s, cases[i].unix_s);
    }
}

TEST_MAIN(CASE(instants_are_printed_in_the_servers_zone_and_in_utc), CASE(dates_of_filters_are_read))
