#include "services/sandbox/methods/json_out.h"

#include "base/mem.h"
#include "support/check.h"

static void check(const char *text, bool ascii, const char *want)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    json_out_str(&b, str_of(text), ascii);
    CHECK_STR(buf_cstr(&b), want);
    buf_fini(&b);
}

TEST(text_is_escaped_as_php_does)
{
    static const struct {
        const char *text;
        bool ascii;
        const char *want;
    } cases[] = {
        { "", false, "\"\"" },
        { "a/b", false, "\"a\\/b\"" },
        { "&'\"<>", false, "\"\\u0026\\u0027\\u0022\\u003C\\u003E\"" },
        { "\\", false, "\"\\\\\"" },
        { "\r\n\t\b\f\v", false, "\"\\r\\n\\t\\b\\f\\u000B\"" },
        { "Ёж 👍", false, "\"Ёж 👍\"" },
        { "Ёж", true, "\"\\u0401\\u0436\"" },
        { "👍", true, "\"\\uD83D\\uDC4D\"" },
        { "€", true, "\"\\u20AC\"" },
        { "\x7f", false, "\"\x7f\"" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        check(cases[i].text, cases[i].ascii, cases[i].want);
}

TEST(numbers_and_trees_are_printed)
{
    struct buf b;
    json_t *v = json_loads("{\"a\":[1,-2,true,null,\"x/y\"],\"b\":{}}", 0, NULL);

    buf_init(&b, 1 << 20);
    json_out_int(&b, INT64_MIN);
    json_out_value(&b, v, false);
    CHECK_STR(buf_cstr(&b), "-9223372036854775808{\"a\":[1,-2,true,null,\"x\\/y\"],\"b\":{}}");
    json_decref(v);
    buf_fini(&b);
}

TEST_MAIN(CASE(text_is_escaped_as_php_does), CASE(numbers_and_trees_are_printed))
