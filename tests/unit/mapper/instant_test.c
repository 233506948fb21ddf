#include "services/mapper/instant.h"

#include "base/mem.h"
#include "support/check.h"

TEST(dates_are_checked_against_the_calendar)
{
    static const struct {
        const char *in;
        bool is;
    } cases[] = {
        { "2024-08-30", true },
        { "2024-08-30T02:00:00+02:00", true },
        { "2024-08-30 02:00:00", true },
        { "2024-02-29", true },
        { "2023-02-29", false },
        { "1900-02-29", false },
        { "2000-02-29", true },
        { "2024-04-31", false },
        { "2024-12-31", true },
        { "2024-13-01", false },
        { "2024-00-10", false },
        { "2024-01-00", false },
        { "2024-01-32", false },
        { "0000-00-00", false },
        { "0001-01-01", true },
        { "9999-12-31", true },
        { "2024-8-30", false },
        { "30.08.2024", false },
        { "2024/08/30", false },
        { "2024-08-3", false },
        { "2024-08-301", false },
        { "+024-08-30", false },
        { "", false },
        { "x", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (date_is(str_of(cases[i].in)) != cases[i].is)
            print_error("%s\n", cases[i].in);
        CHECK_EQ(date_is(str_of(cases[i].in)), cases[i].is);
    }
}

TEST(instants_are_told_in_utc)
{
    static const struct {
        const char *in, *out; /* NULL: not an instant, or too fine */
    } cases[] = {
        { "2024-08-30T14:29:00+02:00", "2024-08-30T12:29:00Z" },
        { "2024-08-30T14:29:00Z", "2024-08-30T14:29:00Z" },
        { "2024-01-01T01:30:00+03:00", "2023-12-31T22:30:00Z" },
        { "2023-12-31T23:00:00-05:00", "2024-01-01T04:00:00Z" },
        { "2024-02-29T23:59:59+00:00", "2024-02-29T23:59:59Z" },
        { "1969-12-31T23:59:59+00:00", "1969-12-31T23:59:59Z" },
        { "1900-03-01T00:00:00+05:30", "1900-02-28T18:30:00Z" },
        { "2024-08-30T14:29:00.250+02:00", "2024-08-30T12:29:00.250Z" },
        { "1969-12-31T23:59:59.001Z", "1969-12-31T23:59:59.001Z" },
        { "2024-08-30T14:29:00.000Z", "2024-08-30T14:29:00Z" },
        { "2024-08-30T14:29:00.5Z", "2024-08-30T14:29:00.500Z" },
        { "2024-08-30T14:29:00.250000+02:00", "2024-08-30T12:29:00.250Z" },
        { "2024-08-30T14:29:00.123456+02:00", NULL }, /* no column holds it */
        { "2024-08-30T14:29:00.0001Z", NULL },
        { "9999-12-31T23:59:59-01:00", NULL },
        { "2024-08-30T14:29:00+05:45", "2024-08-30T08:44:00Z" },
        { "2024-08-30", NULL },
        { "2024-08-30T14:29:00", NULL },
        { "2024-08-30 14:29:00+02:00", NULL },
        { "2024-02-30T14:29:00+02:00", NULL },
        { "2024-08-30T25:00:00Z", NULL },
        { "2024-08-30T14:60:00Z", NULL },
        { "30.08.2024 14:29:00", NULL },
        { "", NULL },
        { "2024-08-30T14:29:00Z ", NULL },
        { "0001-01-01T00:00:00+03:00", NULL },
    };
    char got[INSTANT_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int n = instant_utc(str_of(cases[i].in), got);

        if (cases[i].out == NULL) {
            CHECK_EQ(
                n, memchr(cases[i].in, '.', strlen(cases[i].in)) == NULL || n == 0 ? 0 : INSTANT_TOO_FINE);
            continue;
        }
        if (n == 0)
            print_error("%s was refused\n", cases[i].in);
        CHECK_EQ(n, (int)strlen(cases[i].out));
        CHECK_STR(got, cases[i].out);
    }
}

TEST_MAIN(CASE(dates_are_checked_against_the_calendar), CASE(instants_are_told_in_utc))
