#include "base/json_token.h"

#include <stdlib.h>

#include "base/mem.h"
#include "support/check.h"

TEST(numbers_are_those_of_json)
{
    static const struct {
        const char *text;
        bool number, whole;
    } cases[] = {
        { "0", true, true },
        { "-0", true, true },
        { "12", true, true },
        { "-7.50", true, false },
        { "1e5", true, false },
        { "1E-05", true, false },
        { "0.0e+0", true, false },
        { "", false, false },
        { "-", false, false },
        { "+1", false, false },
        { "01", false, false },
        { ".5", false, false },
        { "5.", false, false },
        { "1e", false, false },
        { "1e+", false, false },
        { "1 ", false, false },
        { "0x1", false, false },
        { "NaN", false, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bool whole = false;

        CHECK_EQ(json_number_is(str_of(cases[i].text), &whole), cases[i].number);
        if (cases[i].number)
            CHECK_EQ(whole, cases[i].whole);
    }
}

TEST(escapes_are_resolved_in_place_and_half_an_emoji_is_counted)
{
    static const struct {
        const char *raw, *text;
        uint64_t repaired;
    } cases[] = {
        { "\\n\"", "\n", 0 },
        { "\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 0 },
        { "\\u0416!\"", "\xD0\x96!", 0 },
        { "\\ud83d\\ude00!\"", "\xF0\x9F\x98\x80!", 0 },
        { "\\ud83d\"", "\xEF\xBF\xBD", 1 },
        { "\\ude00\\ud83dx\"", "\xEF\xBF\xBD\xEF\xBF\xBDx", 2 },
        { "\\ud83d\\u0021\"", "\xEF\xBF\xBD!", 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *text = xstrdup(cases[i].raw), *end = text;
        uint64_t repaired = 0;

        CHECK(json_unescape(&end, &repaired) == NULL);
        *end = '\0';
        CHECK_STR(text, cases[i].text);
        CHECK_EQ(repaired, cases[i].repaired);
        free(text);
    }
}

TEST(a_bad_escape_is_pointed_at)
{
    static const struct {
        const char *raw;
        size_t at;
    } cases[] = { { "\\x\"", 0 }, { "\\n\\q\"", 2 }, { "\\n\\u12\"", 2 }, { "\\u00g0\"", 0 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *text = xstrdup(cases[i].raw), *end = text;
        uint64_t repaired = 0;
        const char *bad = json_unescape(&end, &repaired);

        CHECK(bad != NULL);
        CHECK_EQ(bad - text, cases[i].at);
        free(text);
    }
}

TEST_MAIN(CASE(numbers_are_those_of_json), CASE(escapes_are_resolved_in_place_and_half_an_emoji_is_counted),
    CASE(a_bad_escape_is_pointed_at))
