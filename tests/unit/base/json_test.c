#include "base/json.h"

#include "base/buf.h"
#include "base/mem.h"
#include "support/check.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

/* A sink that writes down what it sees: `{k:1,a:[null]}` comes out as "M k=I1 a=A N )1 }2". */
static void see_null(void *ctx)
{
    buf_str(ctx, "N ");
}

static void see_bool(void *ctx, int value)
{
    buf_str(ctx, value ? "T " : "F ");
}

static void see_int(void *ctx, int64_t value)
{
    buf_fmt(ctx, "I%lld ", (long long)value);
}

static void see_number(void *ctx, struct str token)
{
    buf_fmt(ctx, "R" STR_FMT " ", STR_ARG(token));
}

static void see_str(void *ctx, struct str value)
{
    buf_json(ctx, value);
    buf_char(ctx, ' ');
}

static void see_key(void *ctx, struct str key)
{
    buf_add(ctx, key.p, key.n);
    buf_char(ctx, '=');
}

static void see_map(void *ctx)
{
    buf_str(ctx, "M ");
}

static void see_map_end(void *ctx, uint32_t count)
{
    buf_fmt(ctx, "}%u ", count);
}

static void see_array(void *ctx)
{
    buf_str(ctx, "A ");
}

static void see_array_end(void *ctx, uint32_t count)
{
    buf_fmt(ctx, "]%u ", count);
}

static struct json_sink sink_to(struct buf *b)
{
    return (struct json_sink){ b, see_null, see_bool, see_int, see_number, see_str, see_key, see_map,
        see_map_end, see_array, see_array_end };
}

/* Reads a copy with exactly the promised padding, so that the sanitizer sees a byte too far. */
static int read_into(struct buf *seen, struct str text, struct json_stats *stats, struct err *err)
{
    struct json_sink sink = sink_to(seen);
    char *copy = xmalloc(text.n + JSON_PADDING);

    memcpy(copy, text.p, text.n);
    memset(copy + text.n, '9', JSON_PADDING); /* must not be taken for a part of the text */
    int result = json_read(copy, text.n, &sink, stats, err);
    free(copy);
    return result;
}

struct good_case {
    struct str text;
    const char *seen;
    uint64_t repaired;
};

static void check_good(const struct good_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct json_stats stats = { 77 };
        struct err err = { 0 };
        struct buf seen;

        buf_init(&seen, 1 << 20);
        CHECK_OK(read_into(&seen, cases[i].text, &stats, &err), err);
        CHECK_STR(buf_cstr(&seen), cases[i].seen);
        CHECK_EQ(stats.repaired, cases[i].repaired);
        buf_fini(&seen);
    }
}

TEST(values_of_every_kind_are_told_in_order)
{
    static const struct good_case cases[] = {
        { STR("{}"), "M }0 ", 0 }, { STR("[]"), "A ]0 ", 0 },
        { STR(" \t\r\n{ \"a\" : [ 1 , true , false , null , \"x\" ] , \"b\" : { } } \n"),
            "M a=A I1 T F N \"x\" ]5 b=M }0 }2 ", 0 },
        { STR("[[[]],{\"a\":{\"b\":[{}]}}]"), "A A A ]0 ]1 M a=M b=A M }0 ]1 }1 }1 ]2 ", 0 },
        { STR("{\"a\":1,\"a\":2}"), "M a=I1 a=I2 }2 ", 0 }, /* whoever reads decides */
        { STR("{\"\":\"\"}"), "M =\"\" }1 ", 0 },
        { STR("\xEF\xBB\xBF[1]"), "A I1 ]1 ", 0 }, /* a byte order mark before it */
    };

    check_good(cases, ARRAY_SIZE(cases));
}

TEST(a_scalar_alone_is_a_document)
{
    static const struct good_case cases[] = {
        { STR("null"), "N ", 0 },
        { STR(" true "), "T ", 0 },
        { STR("false\n"), "F ", 0 },
        { STR("0"), "I0 ", 0 },
        { STR(" -12 \n"), "I-12 ", 0 },
        { STR("1.50"), "R1.50 ", 0 },
        { STR("\"\""), "\"\" ", 0 },
        { STR(" \"a\\nb\" "), "\"a\\nb\" ", 0 },
    };

    check_good(cases, ARRAY_SIZE(cases));
}

TEST(numbers_stay_exact)
{
    static const struct good_case cases[] = {
        { STR("[0,-1,42]"), "A I0 I-1 I42 ]3 ", 0 },
        { STR("[-0]"), "A R-0 ]1 ", 0 },
        { STR("[9223372036854775807,-9223372036854775808]"),
            "A I9223372036854775807 I-9223372036854775808 ]2 ", 0 },
        { STR("[9223372036854775808,-9223372036854775809]"),
            "A R9223372036854775808 R-9223372036854775809 ]2 ", 0 },
        { STR("[12345678901234567890]"), "A R12345678901234567890 ]1 ", 0 },
        { STR("[1.0 , 1.10\n,-0.0,0.1]"), "A R1.0 R1.10 R-0.0 R0.1 ]4 ", 0 },
        { STR("[1e400,1E+2,1e-0,0e0]"), "A R1e400 R1E+2 R1e-0 R0e0 ]4 ", 0 },
        { STR("{\"a\":0.1000000000000000055511151231257827 }"),
            "M a=R0.1000000000000000055511151231257827 }1 ", 0 },
    };

    check_good(cases, ARRAY_SIZE(cases));
}

TEST(escapes_become_characters)
{
    static const struct good_case cases[] = {
        { STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\\"\\\\/\\b\\f\\n\\r\\t\" ", 0 },
        { STR("\"\\u0041\\u0436\\u20AC\\uD83D\\ude00z\""), "\"Aж€😀z\" ", 0 },
        { STR("\"\\u0000\""), "\"\\u0000\" ", 0 },
        { STR("[\"a\\\\\",\"\\\"\"]"), "A \"a\\\\\" \"\\\"\" ]2 ", 0 },
        { STR("{\"k\\u0065\\\"y\":1}"), "M ke\"y=I1 }1 ", 0 },
        { STR("\"\\uFFFF\\uFFFD\""), "\"\xEF\xBF\xBF\xEF\xBF\xBD\" ", 0 },
    };

    check_good(cases, ARRAY_SIZE(cases));
}

#define FFFD "\xEF\xBF\xBD"

TEST(half_an_emoji_is_replaced_and_counted)
{
    static const struct good_case cases[] = {
        { STR("\"\\ud83d\""), "\"" FFFD "\" ", 1 },
        { STR("\"\\ude00\""), "\"" FFFD "\" ", 1 },
        { STR("\"a\\ud83d...\""), "\"a" FFFD "...\" ", 1 },
        { STR("\"\\ud83d\\n\""), "\"" FFFD "\\n\" ", 1 },
        { STR("\"\\ud83d\\u0041\""), "\"" FFFD "A\" ", 1 },
        { STR("\"\\ud83d\\ud83d\\ude00\""), "\"" FFFD "😀\" ", 1 },
        { STR("\"\\ude00\\ud83d\""), "\"" FFFD FFFD "\" ", 2 },
        { STR("{\"\\ud83d\":[\"\\ud83d\"]}"), "M " FFFD "=A \"" FFFD "\" ]1 }1 ", 2 },
    };

    check_good(cases, ARRAY_SIZE(cases));
}

TEST(bad_utf8_is_replaced_and_counted)
{
    static const struct good_case cases[] = {
        { STR("[\"a\xFF"
              "b\"]"),
            "A \"a" FFFD "b\" ]1 ", 1 },
        { STR("[\"\xE2\x82\"]"), "A \"" FFFD "\" ]1 ", 1 }, /* cut before the last byte of the euro sign */
        { STR("[\"\xD0\"]"), "A \"" FFFD "\" ]1 ", 1 },     /* the quote is not swallowed */
        { STR("[\"\xC0\xAF\"]"), "A \"" FFFD FFFD "\" ]1 ", 2 },
        { STR("[\"\xED\xA0\xBD\"]"), "A \"" FFFD FFFD FFFD "\" ]1 ", 3 },
        { STR("{\"\x80\":\"\xF5 ok\",\"ж\":\"\\ud83d\"}"), "M " FFFD "=\"" FFFD " ok\" ж=\"" FFFD "\" }2 ",
            3 },
    };

    check_good(cases, ARRAY_SIZE(cases));
}

static void check_bad(struct str text, long offset)
{
    struct json_stats stats = { 77 };
    struct err err = { 0 };
    struct buf seen;
    char place[32];

    buf_init(&seen, 1 << 20);
    if (read_into(&seen, text, &stats, &err) == 0) {
        print_error("taken for JSON: %.*s\n", (int)text.n, text.p);
        fail();
    }
    buf_fini(&seen);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_EQ(stats.repaired, 77);
    CHECK_HAS(err.text, "JSON at byte ");
    if (offset >= 0) {
        snprintf(place, sizeof(place), "byte %ld:", offset);
        if (!strstr(err.text, place))
            print_error("%.*s\n", (int)text.n, text.p);
        CHECK_HAS(err.text, place);
    }
}

/* offset: -1 = any */
static const struct {
    struct str text;
    long offset;
} no_json[] = {
    { STR(""), 0 },
    { STR("  \n"), 0 },
    { STR("{"), -1 },
    { STR("["), -1 },
    { STR("}"), -1 },
    { STR("]"), -1 },
    { STR("[1"), -1 },
    { STR("[1,"), -1 },
    { STR("[1,]"), 3 },
    { STR("[,1]"), 1 },
    { STR("[1 2]"), -1 },
    { STR("[1,,2]"), 3 },
    { STR("{\"a\"}"), -1 },
    { STR("{\"a\":}"), 5 },
    { STR("{\"a\":1,}"), -1 },
    { STR("{,}"), -1 },
    { STR("{1:2}"), -1 },
    { STR("{\"a\" 1}"), -1 },
    { STR("{\"a\":1 \"b\":2}"), -1 },
    { STR("{a:1}"), -1 },
    { STR("{'a':1}"), -1 },
    { STR("[1}"), -1 },
    { STR("{\"a\":1]"), -1 },
    { STR("[[1]"), -1 },
    { STR("[{\"a\":1]"), -1 },
    { STR("[{\"a\":1]}"), -1 },
    { STR("{\"a\":[1}]"), -1 },
    { STR("[]]"), -1 },
    { STR("{}}"), -1 },
    { STR("[] []"), -1 },
    { STR("{}x"), -1 },
    { STR("[]\0"), -1 },
    { STR("[1]1"), -1 },
    { STR("1 2"), 2 },
    { STR("null null"), 5 },
    { STR("\"a\" \"b\""), 4 },
    { STR("1]"), 1 },
    { STR("tru"), 0 },
    { STR("truex"), 0 },
    { STR("[nul]"), 1 },
    { STR("[True]"), 1 },
    { STR("[NaN]"), 1 },
    { STR("[Infinity]"), 1 },
    { STR("[-]"), 1 },
    { STR("[+1]"), 1 },
    { STR("[01]"), 1 },
    { STR("[-01]"), 1 },
    { STR("[1.]"), 1 },
    { STR("[.5]"), 1 },
    { STR("[1e]"), 1 },
    { STR("[1e+]"), 1 },
    { STR("[0x10]"), 1 },
    { STR("[1-2]"), 1 },
    { STR("[1_000]"), 1 },
    { STR("[1\0]"), 1 },
    { STR("[1\f]"), -1 },
    { STR("\0"), 0 },
    { STR("\""), 1 },
    { STR("[\"abc"), 5 },
    { STR("[\"abc\\\"]"), 8 },
    { STR("{\"a"), 3 },
    { STR("\"a\"b"), -1 },
    { STR("[\"\\x\"]"), 2 },
    { STR("[\"\\u12\"]"), 2 },
    { STR("[\"\\u12G4\"]"), 2 },
    { STR("[\"\\"), -1 },
    { STR("[\"\\ud83d\\u00\"]"), 8 },
    { STR("[\"\\'\"]"), 2 },
    { STR("{\"\\x\":1}"), 2 },
    { STR("[\"a\nb\"]"), 3 },
    { STR("[\"a\tb\"]"), 3 },
    { STR("[\"\0\"]"), 2 },
    { STR("[\"a\x1f\"]"), 3 },
    { STR("\xFF"), -1 },
    { STR("[\xFF]"), -1 },
    { STR("[1]\xFF"), -1 },
    { STR("<html>"), 0 },
    { STR("{\"result\":[{\"ID\":\"1\",\"TITLE\":\"abc"), -1 },
    { STR("[1,//x\n2]"), -1 },
    { STR("[\"a\"x]"), -1 },
    { STR("{\"a\":\"b\":1}"), -1 },
    { STR("[\"a\":1]"), -1 },
    { STR("\"a\":1"), -1 },
    { STR("1:2"), -1 },
    { STR("[\"a\":,1]"), -1 },
    { STR("[1:,1]"), -1 },
    { STR("{\"a\":\"b\":,\"c\":1}"), -1 },
    { STR("[\"a\":]"), -1 },
};

TEST(what_is_no_json_is_refused_with_its_place)
{
    for (size_t i = 0; i < ARRAY_SIZE(no_json); i++)
        check_bad(no_json[i].text, no_json[i].offset);
}

/* Every prefix of a document is an error, and no prefix reads past its end. */
TEST(a_text_cut_anywhere_is_refused)
{
    static const char text[] =
        "{\"result\":{\"r\":[{\"ID\":\"7\",\"N\":-1.5e3,\"T\":\"\\u0436\\n\",\"E\":[],\"B\":true}]}}";

    for (size_t n = 0; n < sizeof(text) - 1; n++)
        check_bad((struct str){ text, n }, -1);
}

static struct str nested(struct buf *b, int depth, const char *open, const char *close)
{
    buf_clear(b);
    for (int i = 0; i < depth; i++)
        buf_str(b, open);
    buf_str(b, "1");
    for (int i = 0; i < depth; i++)
        buf_str(b, close);
    return buf_view(b);
}

TEST(depth_is_limited)
{
    struct err err = { 0 };
    struct buf text, seen;

    buf_init(&text, 10 << 20);
    buf_init(&seen, 1 << 20);
    CHECK_OK(read_into(&seen, nested(&text, JSON_DEPTH_MAX, "[", "]"), NULL, &err), err);
    CHECK_OK(read_into(&seen, nested(&text, JSON_DEPTH_MAX, "{\"a\":", "}"), NULL, &err), err);
    check_bad(nested(&text, JSON_DEPTH_MAX + 1, "[", "]"), JSON_DEPTH_MAX);
    check_bad(nested(&text, JSON_DEPTH_MAX + 1, "{\"a\":", "}"), -1);
    check_bad(nested(&text, 1000000, "[", "]"), JSON_DEPTH_MAX);
    check_bad(nested(&text, 1000000, "[", ""), -1);
    buf_fini(&text);
    buf_fini(&seen);
}

/* Strings of every length around the block sizes of the first stage, plain, escaped, and with a bad byte. */
TEST(strings_of_all_lengths_and_alignments_come_whole)
{
    for (size_t n = 0; n < 200; n++) {
        for (int kind = 0; kind < 3; kind++) {
            struct buf text, want, seen;
            struct json_stats stats;
            struct err err = { 0 };

            buf_init(&text, 4096);
            buf_init(&want, 4096);
            buf_init(&seen, 4096);
            buf_str(&text, "[\"");
            buf_str(&want, "A \"");
            for (size_t i = 0; i < n; i++) {
                buf_char(&text, (char)('a' + i % 26));
                buf_char(&want, (char)('a' + i % 26));
            }
            buf_str(&text, kind == 0 ? "\",7]" : kind == 1 ? "\\u00e9\",7]" : "\xFF\",7]");
            buf_str(&want, kind == 0 ? "\" I7 ]2 " : kind == 1 ? "\xC3\xA9\" I7 ]2 " : FFFD "\" I7 ]2 ");
            CHECK_OK(read_into(&seen, buf_view(&text), &stats, &err), err);
            CHECK_STR(buf_cstr(&seen), buf_cstr(&want));
            CHECK_EQ(stats.repaired, kind == 2);
            buf_fini(&text);
            buf_fini(&want);
            buf_fini(&seen);
        }
    }
}

/* --- random documents, written by one hand, read by jansson and by us --- */

static uint32_t dice_state;

static uint32_t dice(uint32_t sides)
{
    dice_state = dice_state * 1664525u + 1013904223u;
    return (dice_state >> 8) % sides;
}

static void add_space(struct buf *b)
{
    if (dice(4) == 0)
        buf_char(b, " \t\r\n"[dice(4)]);
}

static void add_random_string(struct buf *b)
{
    static const char *const pieces[] = { "a", "Z9 ", "ж", "€", "😀", "\\n", "\\\"", "\\\\", "\\/", "\\u0436",
        "\\ud83d\\ude00", "{", "]", ":", ",", "\\\\\\\\", "\\u0001",
        "long enough to cross a block of sixty-four bytes, nearly always, " };

    buf_char(b, '"');
    for (uint32_t n = dice(6); n > 0; n--)
        buf_str(b, pieces[dice(ARRAY_SIZE(pieces))]);
    buf_char(b, '"');
}

static void add_random(struct buf *b, int depth)
{
    static const char *const scalars[] = { "null", "true", "false", "0", "-1", "123456789012345678", "1.5",
        "-2.25e3", "0.5E-2" };
    uint32_t kind = dice(depth > 0 ? 8 : 4), n = dice(5);

    add_space(b);
    if (kind < 2) {
        buf_str(b, scalars[dice(ARRAY_SIZE(scalars))]);
    } else if (kind < 4) {
        add_random_string(b);
    } else {
        buf_char(b, kind < 6 ? '[' : '{');
        for (uint32_t i = 0; i < n; i++) {
            buf_str(b, i ? "," : "");
            if (kind >= 6) {
                add_space(b);
                buf_fmt(b, "\"%u\\u00e9\"", i);
                add_space(b);
                buf_char(b, ':');
            }
            add_random(b, depth - 1);
        }
        add_space(b);
        buf_char(b, kind < 6 ? ']' : '}');
    }
    add_space(b);
}

/* The tree told to the same sink, members in order of insertion. */
static void tell(const json_t *v, struct buf *b)
{
    const char *key;
    json_t *member;
    size_t i;

    switch (json_typeof(v)) {
    case JSON_OBJECT:
        see_map(b);
        json_object_foreach((json_t *)v, key, member) {
            see_key(b, str_of(key));
            tell(member, b);
        }
        see_map_end(b, (uint32_t)json_object_size(v));
        break;
    case JSON_ARRAY:
        see_array(b);
        json_array_foreach(v, i, member)
            tell(member, b);
        see_array_end(b, (uint32_t)json_array_size(v));
        break;
    case JSON_STRING:
        see_str(b, (struct str){ json_string_value(v), json_string_length(v) });
        break;
    case JSON_INTEGER:
        see_int(b, json_integer_value(v));
        break;
    case JSON_REAL:
        buf_str(b, "R "); /* values are compared elsewhere: here it counts that it is one */
        break;
    case JSON_NULL:
        see_null(b);
        break;
    default:
        see_bool(b, json_is_true(v));
    }
}

static void see_any_number(void *ctx, struct str token)
{
    buf_str(ctx, str_is(token, "-0") ? "I0 " : "R "); /* jansson's integers have no -0 */
}

static void check_same(struct buf *text)
{
    struct buf ours, theirs;
    struct err err = { 0 };
    struct json_sink sink = sink_to(&ours);
    json_error_t why;
    json_t *tree = json_loadb(text->p, text->n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);

    buf_init(&ours, 1 << 22);
    buf_init(&theirs, 1 << 22);
    sink.on_number = see_any_number;
    CHECK(buf_room(text, JSON_PADDING));
    int result = json_read(text->p, text->n, &sink, NULL, &err);
    if ((tree != NULL) != (result == 0)) {
        print_error("jansson: %s, ours: %s\n", tree ? "good" : why.text, result == 0 ? "good" : err.text);
        fail();
    }
    if (tree) {
        tell(tree, &theirs);
        CHECK_STR(buf_cstr(&ours), buf_cstr(&theirs));
        json_decref(tree);
    }
    buf_fini(&ours);
    buf_fini(&theirs);
}

TEST(random_documents_read_as_another_reader_reads_them)
{
    for (uint32_t seed = 1; seed <= 1500; seed++) {
        struct buf text;

        dice_state = seed * 2654435761u;
        buf_init(&text, 1 << 22);
        add_random(&text, 7);
        check_same(&text);
        buf_fini(&text);
    }
}

/* Damage that jansson and we judge alike: brackets, commas, colons, quotes and spaces change places. */
TEST(damaged_documents_are_refused_where_another_reader_refuses_them)
{
    static const char junk[] = "[]{}:,\" 1tn-";

    for (uint32_t seed = 1; seed <= 4000; seed++) {
        struct buf text;

        dice_state = seed * 2246822519u;
        buf_init(&text, 1 << 22);
        add_random(&text, 4);
        for (uint32_t hits = 1 + dice(2); hits > 0 && text.n > 0; hits--) {
            char *at = &text.p[dice((uint32_t)text.n)];

            if ((unsigned char)*at < 0x80) /* half a letter we mend and jansson refuses */
                *at = junk[dice(sizeof(junk) - 1)];
        }
        /* a changed key may now be there twice, which a tree cannot show; a changed escape may be half a pair
         */
        if (!memmem(text.p, text.n, "\\u", 2))
            check_same(&text);
        buf_fini(&text);
    }
}

TEST(a_big_document_leaves_nothing_behind)
{
    struct buf text, seen;
    struct err err = { 0 };
    struct json_sink sink = sink_to(&seen);

    buf_init(&text, 64 << 20);
    buf_init(&seen, 64 << 20);
    buf_char(&text, '[');
    for (int i = 0; i < 200000; i++)
        buf_fmt(&text, "%s{\"ID\":\"%d\",\"TITLE\":\"Сделка %d\",\"SUM\":%d.50}", i ? "," : "", i, i, i);
    buf_char(&text, ']');
    CHECK(text.n > 9 << 20);
    CHECK(buf_room(&text, JSON_PADDING));
    CHECK_OK(json_read(text.p, text.n, &sink, NULL, &err), err);
    CHECK_HAS(
        buf_cstr(&seen) + seen.n - 100, "\"199999\" TITLE=\"Сделка 199999\" SUM=R199999.50 }3 ]200000 ");
    buf_clear(&seen);
    CHECK_OK(read_into(&seen, STR("[1]"), NULL, &err), err);
    CHECK_STR(buf_cstr(&seen), "A I1 ]1 ");
    buf_fini(&text);
    buf_fini(&seen);
}

static void *read_often(void *arg)
{
    for (int i = 0; i < 200; i++) {
        struct buf seen;
        struct err err = { 0 };

        buf_init(&seen, 4096);
        if (read_into(&seen, STR("{\"a\":[1,2,\"\\u0436\"]}"), NULL, &err) < 0 ||
            strcmp(buf_cstr(&seen), "M a=A I1 I2 \"ж\" ]3 }1 ") != 0)
            *(bool *)arg = false;
        buf_fini(&seen);
    }
    return NULL;
}

TEST(threads_read_side_by_side)
{
    pthread_t threads[4];
    bool good[4] = { true, true, true, true };

    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, read_often, &good[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CHECK(good[i]);
    }
}

TEST_MAIN(CASE(values_of_every_kind_are_told_in_order), CASE(a_scalar_alone_is_a_document),
    CASE(numbers_stay_exact), CASE(escapes_become_characters), CASE(half_an_emoji_is_replaced_and_counted),
    CASE(bad_utf8_is_replaced_and_counted), CASE(what_is_no_json_is_refused_with_its_place),
    CASE(a_text_cut_anywhere_is_refused), CASE(depth_is_limited),
    CASE(strings_of_all_lengths_and_alignments_come_whole),
    CASE(random_documents_read_as_another_reader_reads_them),
    CASE(damaged_documents_are_refused_where_another_reader_refuses_them),
    CASE(a_big_document_leaves_nothing_behind), CASE(threads_read_side_by_side))
