#include "proto/wire.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdlib.h>

static struct buf out;

static struct wire read_back(void)
{
    struct wire w;

    CHECK(!out.failed);
    wire_init(&w, out.p, out.n);
    return w;
}

static int begin(void **state)
{
    buf_init(&out, 1 << 20);
    return 0;
}

static int end(void **state)
{
    buf_fini(&out);
    return 0;
}

TEST(integers_take_their_shortest_form_and_come_back)
{
    static const struct {
        int64_t v;
        size_t bytes;
    } cases[] = { { 0, 1 }, { 127, 1 }, { 128, 2 }, { 255, 2 }, { 256, 3 }, { 65535, 3 }, { 65536, 5 },
        { UINT32_MAX, 5 }, { (int64_t)UINT32_MAX + 1, 9 }, { INT64_MAX, 9 }, { -1, 1 }, { -32, 1 },
        { -33, 2 }, { -128, 2 }, { -129, 3 }, { INT16_MIN, 3 }, { INT16_MIN - 1, 5 }, { INT32_MIN, 5 },
        { (int64_t)INT32_MIN - 1, 9 }, { INT64_MIN, 9 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        buf_clear(&out);
        wire_put_i64(&out, cases[i].v);
        CHECK_EQ(out.n, cases[i].bytes);
        struct wire w = read_back();
        CHECK_EQ(wire_peek(&w), WIRE_INT);
        CHECK(wire_i64(&w) == cases[i].v);
        CHECK(wire_done(&w));
    }
}

TEST(unsigned_beyond_int64_is_told_apart)
{
    wire_put_u64(&out, UINT64_MAX);
    struct wire w = read_back();
    CHECK_EQ(wire_peek(&w), WIRE_UINT);
    CHECK(wire_u64(&w) == UINT64_MAX);
    CHECK(wire_done(&w));

    w = read_back();
    CHECK_EQ(wire_i64(&w), 0);
    CHECK(!wire_ok(&w));
}

TEST(negative_is_no_unsigned)
{
    wire_put_i64(&out, -1);
    struct wire w = read_back();
    CHECK_EQ(wire_u64(&w), 0);
    CHECK(!wire_ok(&w));
}

TEST(long_forms_of_small_numbers_are_read)
{
    static const struct {
        const char *bytes;
        size_t n;
        int64_t v;
    } cases[] = { { "\xd0\x05", 2, 5 }, { "\xd0\x80", 2, -128 }, { "\xd1\xff\xfe", 3, -2 },
        { "\xd2\xff\xff\xff\xfd", 5, -3 }, { "\xd3\0\0\0\0\0\0\0\x07", 9, 7 }, { "\xcc\x01", 2, 1 },
        { "\xcf\0\0\0\0\0\0\0\x09", 9, 9 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct wire w;
        wire_init(&w, cases[i].bytes, cases[i].n);
        CHECK(wire_i64(&w) == cases[i].v);
        CHECK(wire_done(&w));
    }
}

TEST(strings_of_every_length_form_come_back)
{
    static const size_t lengths[] = { 0, 1, 31, 32, 255, 256, 65535, 65536 };
    char *text = xcalloc(1, 65537);

    memset(text, 'a', 65536);
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        struct str s = { text, lengths[i] };
        buf_clear(&out);
        wire_put_str(&out, s);
        wire_put_bin(&out, s.p, s.n);
        wire_put_number(&out, s);
        struct wire w = read_back();
        CHECK(str_eq(wire_str(&w), s));
        CHECK_EQ(wire_peek(&w), WIRE_BIN);
        CHECK(str_eq(wire_bin(&w), s));
        CHECK_EQ(wire_peek(&w), WIRE_NUM);
        CHECK(str_eq(wire_number(&w), s));
        CHECK(wire_done(&w));
    }
    free(text);
}

TEST(opened_containers_are_closed_with_their_count)
{
    size_t map = wire_open_map(&out);
    wire_put_str(&out, STR("a"));
    size_t array = wire_open_array(&out);
    wire_put_bool(&out, true);
    wire_put_nil(&out);
    wire_close(&out, array, 2);
    wire_close(&out, map, 1);

    struct wire w = read_back();
    CHECK_EQ(wire_map(&w), 1);
    CHECK_VIEW(wire_str(&w), "a");
    CHECK_EQ(wire_array(&w), 2);
    CHECK(wire_bool(&w));
    wire_nil(&w);
    CHECK(wire_done(&w));
}

TEST(closing_after_overflow_touches_nothing)
{
    struct buf small;

    buf_init(&small, 3);
    size_t at = wire_open_array(&small);
    CHECK(small.failed);
    wire_close(&small, at, 7);
    CHECK_EQ(small.n, 0);
    buf_fini(&small);
}

TEST(a_count_or_length_beyond_the_input_fails)
{
    static const struct str cases[] = { { "\xdd\xff\xff\xff\xff", 5 }, { "\xdf\0\0\0\x02\xc0\xc0\xc0", 8 },
        { "\xa5"
          "abcd",
            5 },
        { "\xdb\xff\xff\xff\xff"
          "abc",
            8 },
        { "\xc6\x7f\xff\xff\xff", 5 }, { "\xd9", 1 }, { "\xcd\x01", 2 }, { "\xd8\x01", 2 }, { "\xc7\x05", 2 },
        { "\xc7\x05\x01"
          "abc",
            6 },
        { "\xc1", 1 }, { "\xca\0\0\0", 4 }, { "", 0 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct wire w;
        wire_init(&w, cases[i].p, cases[i].n);
        CHECK_EQ(wire_peek(&w), WIRE_END);
        wire_skip(&w);
        CHECK(!wire_ok(&w));
    }
}

TEST(a_failure_is_sticky)
{
    wire_put_i64(&out, 1);
    wire_put_str(&out, STR("b"));
    struct wire w = read_back();
    CHECK_EQ(wire_str(&w).n, 0);
    CHECK(!wire_ok(&w));
    CHECK_EQ(wire_i64(&w), 0);
    CHECK_EQ(wire_peek(&w), WIRE_END);
    CHECK(!wire_done(&w));
}

static void put_nested(int depth)
{
    for (int i = 0; i < depth; i++)
        wire_put_array(&out, 1);
    wire_put_nil(&out);
}

TEST(values_nest_64_deep_and_no_deeper)
{
    struct buf json;

    for (int deep = 64; deep <= 65; deep++) {
        buf_clear(&out);
        put_nested(deep);
        struct wire skip = read_back(), print = read_back();
        buf_init(&json, 4096);
        wire_skip(&skip);
        wire_json(&print, &json);
        CHECK_EQ(wire_done(&skip), deep == 64);
        CHECK_EQ(wire_done(&print), deep == 64);
        buf_fini(&json);
    }
}

/* Whatever the first byte, stepping over takes the same as reading it as text does, at every length of what
 * follows. */
TEST(every_first_byte_is_stepped_over_as_it_is_read)
{
    uint8_t bytes[40];

    for (int first = 0; first < 256; first++)
        for (size_t n = 1; n <= sizeof(bytes); n++) {
            struct wire skip, print;
            struct buf text;
            memset(bytes, 1, sizeof(bytes));
            bytes[0] = (uint8_t)first;
            buf_init(&text, 1000);
            wire_init(&skip, bytes, n);
            wire_init(&print, bytes, n);
            wire_skip(&skip);
            wire_json(&print, &text);
            if (skip.failed != print.failed || skip.p != print.p)
                print_error("%02x with %zu bytes\n", (unsigned)first, n);
            CHECK_EQ(skip.failed, print.failed);
            CHECK(skip.failed || skip.p == print.p);
            buf_fini(&text);
        }
}

TEST(a_container_whose_end_is_told_is_not_walked)
{
    static const uint8_t bytes[] = { 0x92, 0x92, 0xc1, 0xc1, 0x07 }; /* c1 is no value */
    static const struct wire_ends ends = { bytes, 1, { { 1, 4 } } };
    struct wire w;

    wire_init(&w, bytes, sizeof(bytes));
    wire_skip(&w);
    CHECK(!wire_ok(&w));
    wire_init(&w, bytes, sizeof(bytes));
    w.ends = &ends;
    wire_skip(&w);
    CHECK(wire_done(&w));
    wire_init(&w, bytes, sizeof(bytes));
    w.ends = &ends;
    CHECK_EQ(wire_array(&w), 2);
    wire_skip(&w);
    CHECK_EQ(wire_i64(&w), 7);
}

TEST(raw_gives_the_bytes_of_one_value)
{
    wire_put_array(&out, 2);
    wire_put_str(&out, STR("x"));
    wire_put_number(&out, STR("1.50"));
    size_t n = out.n;
    wire_put_nil(&out);

    struct wire w = read_back();
    CHECK_EQ(wire_raw(&w).n, n);
    wire_nil(&w);
    CHECK(wire_done(&w));
    CHECK_EQ(wire_raw(&w).n, 0);
    CHECK(!wire_ok(&w));
}

TEST(find_stops_at_the_value_or_behind_the_map)
{
    wire_put_map(&out, 3);
    wire_put_u64(&out, 7);
    wire_put_str(&out, STR("seven"));
    wire_put_str(&out, STR("b"));
    wire_put_array(&out, 0);
    wire_put_str(&out, STR("c"));
    wire_put_i64(&out, 3);
    wire_put_bool(&out, true);

    struct wire w = read_back();
    CHECK(wire_find(&w, "c"));
    CHECK_EQ(wire_i64(&w), 3);
    w = read_back();
    CHECK(!wire_find(&w, "d"));
    CHECK(wire_bool(&w));
    CHECK(wire_done(&w));
}

TEST(find_in_what_is_no_map_passes_it)
{
    wire_put_array(&out, 0);
    wire_put_i64(&out, 1);
    struct wire w = read_back();
    CHECK(!wire_find(&w, "a"));
    CHECK_EQ(wire_i64(&w), 1);
    CHECK(wire_done(&w));
}

TEST(json_says_every_kind_of_value)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *json;
    } cases[] = {
        /* clang-format off */
        { "\xc0", 1, "null" },
        { "\xc3", 1, "true" },
        { "\xff", 1, "-1" },
        { "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9, "18446744073709551615" },
        { "\xa2\"\n", 3, "\"\\\"\\n\"" },
        { "\xc4\x03" "abc", 5, "{\"bytes\":3}" },
        { "\x92\x01\x90", 3, "[1,[]]" },
        { "\x82\xa1" "a\x80\xa1" "b\xc2", 7, "{\"a\":{},\"b\":false}" },
        { "\x81\x07\x08", 3, "{\"7\":8}" },
        { "\x81\x91\xa1k\x08", 5, "{\"[\\\"k\\\"]\":8}" },
        { "\xc7\x06\x01" "999.90", 9, "999.90" },
        { "\xd6\x01" "1e-7", 6, "1e-7" },
        { "\xd6\x01" "0x1f", 6, "\"0x1f\"" },
        { "\xd5\x01" "01", 4, "\"01\"" },
        { "\xd4\x05z", 3, "{\"extension\":5,\"bytes\":1}" },
        { "\xca\x3f\x00\x00\x00", 5, "0.5" },
        { "\xcb\x7f\xf0\0\0\0\0\0\0", 9, "null" },
        /* clang-format on */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct wire w;
        buf_clear(&out);
        wire_init(&w, cases[i].bytes, cases[i].n);
        wire_json(&w, &out);
        CHECK_STR(buf_cstr(&out), cases[i].json);
        CHECK(wire_done(&w));
    }
}

static void in_brackets(struct buf *to, struct str s)
{
    buf_char(to, '<');
    buf_add(to, s.p, s.n);
    buf_char(to, '>');
}

TEST(what_was_json_is_json_again_and_nothing_else_passes)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *json; /* NULL: fails */
    } cases[] = {
        /* clang-format off */
        { "\x93\xc0\xc3\xa1" "x", 5, "[null,true,<x>]" },
        { "\x81\xa1" "k\xa1" "v", 5, "{\"k\":<v>}" },
        { "\xc7\x06\x01" "999.90", 9, "999.90" },
        { "\x81\x01\x02", 3, NULL },                                    /* a key that is no string */
        { "\x91\xc4\x01" "a", 4, NULL },                                /* bytes */
        { "\x91\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", 10, NULL },       /* a float */
        /* clang-format on */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct wire w;

        buf_clear(&out);
        wire_init(&w, cases[i].bytes, cases[i].n);
        wire_json_back(&w, in_brackets, &out);
        CHECK_EQ(wire_done(&w), cases[i].json != NULL);
        if (cases[i].json != NULL)
            CHECK_STR(buf_cstr(&out), cases[i].json);
    }
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(integers_take_their_shortest_form_and_come_back),
        WITH(unsigned_beyond_int64_is_told_apart),
        WITH(negative_is_no_unsigned),
        WITH(long_forms_of_small_numbers_are_read),
        WITH(strings_of_every_length_form_come_back),
        WITH(opened_containers_are_closed_with_their_count),
        WITH(closing_after_overflow_touches_nothing),
        WITH(a_count_or_length_beyond_the_input_fails),
        WITH(a_failure_is_sticky),
        WITH(values_nest_64_deep_and_no_deeper),
        WITH(every_first_byte_is_stepped_over_as_it_is_read),
        WITH(a_container_whose_end_is_told_is_not_walked),
        WITH(raw_gives_the_bytes_of_one_value),
        WITH(find_stops_at_the_value_or_behind_the_map),
        WITH(find_in_what_is_no_map_passes_it),
        WITH(json_says_every_kind_of_value),
        WITH(what_was_json_is_json_again_and_nothing_else_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
