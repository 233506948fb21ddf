#include "base/str.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdlib.h>

TEST(whole_numbers_of_64_bits_are_read_and_nothing_else)
{
    static const struct {
        const char *text;
        bool is_i64, is_u64;
        int64_t i;
        uint64_t u;
    } cases[] = {
        { "0", true, true, 0, 0 },
        { "-0", true, false, 0, 0 },
        { "007", true, true, 7, 7 },
        { "9223372036854775807", true, true, INT64_MAX, INT64_MAX },
        { "-9223372036854775808", true, false, INT64_MIN, 0 },
        { "9223372036854775808", false, true, 0, 9223372036854775808u },
        { "-9223372036854775809", false, false, 0, 0 },
        { "18446744073709551615", false, true, 0, UINT64_MAX },
        { "18446744073709551616", false, false, 0, 0 },
        { "99999999999999999999999", false, false, 0, 0 },
        { "", false, false, 0, 0 },
        { "-", false, false, 0, 0 },
        { "+1", false, false, 0, 0 },
        { " 1", false, false, 0, 0 },
        { "1 ", false, false, 0, 0 },
        { "1.0", false, false, 0, 0 },
        { "0x10", false, false, 0, 0 },
        { "--1", false, false, 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t got_i = 42;
        uint64_t got_u = 42;

        CHECK_EQ(str_i64(str_of(cases[i].text), &got_i), cases[i].is_i64);
        CHECK_EQ(str_u64(str_of(cases[i].text), &got_u), cases[i].is_u64);
        CHECK(got_i == (cases[i].is_i64 ? cases[i].i : 42));
        CHECK(got_u == (cases[i].is_u64 ? cases[i].u : 42));
    }
}

TEST(case_is_ignored_for_ascii_only)
{
    CHECK(str_case_eq(STR("HTTPS"), STR("https")));
    CHECK(str_case_eq(STR(""), STR("")));
    CHECK(!str_case_eq(STR("a"), STR("ab")));
    CHECK(!str_case_eq(STR("Ж"), STR("ж")));
    CHECK(!str_case_eq(STR("@"), STR("`")));
}

TEST(views_compare_by_bytes_and_copy_with_an_end)
{
    struct str view = { "deals and more", 5 };
    char *copy = str_dup(view);

    CHECK_STR(copy, "deals");
    free(copy);
    CHECK(str_is(view, "deals"));
    CHECK(!str_is(view, "deal"));
    CHECK(str_eq((struct str){ NULL, 0 }, STR("")));
    CHECK(str_is(str_of(NULL), ""));
}

TEST_MAIN(CASE(whole_numbers_of_64_bits_are_read_and_nothing_else), CASE(case_is_ignored_for_ascii_only),
    CASE(views_compare_by_bytes_and_copy_with_an_end))
