#include "base/buf.h"

#include "base/mem.h"
#include "support/check.h"

#include <math.h>
#include <stdlib.h>

TEST(what_is_appended_stands_in_order)
{
    struct buf b;

    buf_init(&b, 1000);
    CHECK_STR(buf_cstr(&b), "");
    buf_str(&b, "one");
    buf_char(&b, ' ');
    buf_fmt(&b, "%d %s", 2, "three");
    buf_add(&b, "\0x", 2);
    CHECK_EQ(b.n, strlen("one 2 three") + 2);
    CHECK_STR(buf_cstr(&b), "one 2 three");
    CHECK(!b.failed);
    buf_clear(&b);
    CHECK_STR(buf_cstr(&b), "");
    buf_fini(&b);
    buf_fini(&b);
    buf_fini(NULL);
}

TEST(the_maximum_is_filled_to_the_last_byte_and_then_fails_for_good)
{
    struct buf b;

    buf_init(&b, 5);
    buf_str(&b, "12345");
    CHECK(!b.failed);
    CHECK_STR(buf_cstr(&b), "12345");
    buf_str(&b, "6");
    CHECK(b.failed);
    buf_fini(&b);

    buf_init(&b, 5);
    buf_str(&b, "1234");
    buf_str(&b, "too much");
    buf_char(&b, '5'); /* would fit, but something is missing before it */
    CHECK(b.failed);
    CHECK_STR(buf_cstr(&b), "1234");
    buf_clear(&b);
    buf_fmt(&b, "%s", "12345");
    CHECK_STR(buf_cstr(&b), "12345");
    buf_fini(&b);
}

TEST(asking_for_the_impossible_does_not_wrap_around)
{
    struct buf b;

    buf_init(&b, SIZE_MAX / 4);
    buf_str(&b, "x");
    CHECK(!buf_room(&b, SIZE_MAX));
    CHECK(b.failed);
    buf_fini(&b);
    buf_init(&b, 0);
    CHECK(buf_room(&b, 0));
    CHECK(!buf_room(&b, 1));
    buf_fini(&b);
}

TEST(a_json_literal_escapes_what_it_must_and_mends_bad_bytes)
{
    static const struct {
        struct str in;
        const char *out;
    } cases[] = {
        { STR(""), "\"\"" },
        { STR("plain ж 😀"), "\"plain ж 😀\"" },
        { STR("\"\\/"), "\"\\\"\\\\/\"" },
        { STR("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
        { STR("\0\x1f\x7f"), "\"\\u0000\\u001f\x7f\"" },
        { STR("a\xFF"
              "b"),
            "\"a\xEF\xBF\xBD"
            "b\"" },
        { STR("\xE2\x82"), "\"\xEF\xBF\xBD\"" },
        { STR("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf b;

        buf_init(&b, 100);
        buf_json(&b, cases[i].in);
        CHECK_STR(buf_cstr(&b), cases[i].out);
        buf_fini(&b);
    }
}

TEST(everything_but_unreserved_characters_is_percent_encoded)
{
    struct buf b;

    buf_init(&b, 200);
    buf_urlenc(&b, STR("aZ09-._~ +&=%/?#[]>@\xD0\xB6\0"));
    CHECK_STR(buf_cstr(&b), "aZ09-._~%20%2B%26%3D%25%2F%3F%23%5B%5D%3E%40%D0%B6%00");
    buf_fini(&b);
}

TEST(numbers_are_short_and_read_back)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { 1, "1" },
        { -2.5, "-2.5" },
        { 0.1, "0.1" },
        { 0.005, "0.005" },
        { 1e21, "1e+21" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 123456789012, "123456789012" },
        { INFINITY, "+Inf" },
        { -INFINITY, "-Inf" },
        { NAN, "NaN" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf b;

        buf_init(&b, 100);
        buf_f64(&b, cases[i].value);
        CHECK_STR(buf_cstr(&b), cases[i].text);
        buf_fini(&b);
    }
}

TEST(whole_numbers_are_written_to_the_last_digit)
{
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = { { 0, "0" }, { 7, "7" }, { -7, "-7" }, { 1000, "1000" },
        { INT64_MAX, "9223372036854775807" }, { INT64_MIN, "-9223372036854775808" } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf b;

        buf_init(&b, 64);
        buf_i64(&b, cases[i].value);
        CHECK_STR(buf_cstr(&b), cases[i].text);
        buf_fini(&b);
    }
}

TEST_MAIN(CASE(what_is_appended_stands_in_order),
    CASE(the_maximum_is_filled_to_the_last_byte_and_then_fails_for_good),
    CASE(asking_for_the_impossible_does_not_wrap_around),
    CASE(a_json_literal_escapes_what_it_must_and_mends_bad_bytes),
    CASE(everything_but_unreserved_characters_is_percent_encoded), CASE(numbers_are_short_and_read_back),
    CASE(whole_numbers_are_written_to_the_last_digit))
