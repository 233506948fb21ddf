#include "connectors/transcode.h"

#include "answers.h"

/* The JSON text of what the text was turned to; valid until the next call. */
static const char *there_and_back(const char *text)
{
    static char result[1024];
    size_t n = strlen(text);
    char *copy = xcalloc(1, n + JSON_PADDING);
    struct err err = { .kind = ERR_NONE };
    struct buf bytes, json;
    uint64_t repaired = 0;
    struct wire w;

    memcpy(copy, text, n);
    buf_init(&bytes, 4096);
    buf_init(&json, 4096);
    CHECK_OK(transcode(copy, n, &bytes, NULL, &repaired, &err), err);
    wire_init(&w, bytes.p, bytes.n);
    wire_json(&w, &json);
    CHECK(wire_done(&w));
    snprintf(result, sizeof(result), "%s", buf_cstr(&json));
    buf_fini(&json);
    buf_fini(&bytes);
    free(copy);
    return result;
}

TEST(every_kind_of_value_survives)
{
    static const char *const cases[] = {
        "{}",
        "[]",
        "null",
        "true",
        "[false,0,-1,9223372036854775807,9223372036854775808,1.10,1e-7]",
        "{\"a\":{\"b\":[{\"c\":[]},{}]},\"d\":\"\"}",
        "\"\xd0\x96\"",
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_STR(there_and_back(cases[i]), cases[i]);
}

static int transcode_text(const char *text, size_t max, struct err *err)
{
    size_t n = strlen(text);
    char *copy = xcalloc(1, n + JSON_PADDING);
    uint64_t repaired = 0;
    struct buf bytes;

    memcpy(copy, text, n);
    buf_init(&bytes, max);
    *err = (struct err){ .kind = ERR_NONE };
    int result = transcode(copy, n, &bytes, NULL, &repaired, err);
    buf_fini(&bytes);
    free(copy);
    return result;
}

static void nested(char *text, int depth)
{
    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    text[2 * depth] = '\0';
}

TEST(depth_and_size_have_limits)
{
    char text[512];
    struct err err;

    nested(text, JSON_DEPTH_MAX);
    CHECK_EQ(transcode_text(text, 4096, &err), 0);
    nested(text, JSON_DEPTH_MAX + 1);
    CHECK_EQ(transcode_text(text, 4096, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_EQ(transcode_text("[\"0123456789\"]", 8, &err), -1);
    CHECK_EQ(err.kind, ERR_LIMIT);
}

/* {"pages":[[…],[…],…],"z":1} with pages of so many letters. */
static char *make_pages(int pages, size_t letters, size_t *ret_n)
{
    struct buf text;

    buf_init(&text, 1 << 24);
    buf_str(&text, "{\"pages\":[");
    for (int i = 0; i < pages; i++) {
        buf_str(&text, i > 0 ? ",[\"" : "[\"");
        for (size_t k = 0; k < letters; k++)
            buf_char(&text, 'x');
        buf_str(&text, "\"]");
    }
    buf_str(&text, "],\"z\":1}");
    *ret_n = text.n;
    buf_room(&text, JSON_PADDING);
    return text.p;
}

/* Every container from 4 KB on, the first 64 of them; stepping over with their ends is stepping over without.
 */
TEST(ends_of_great_containers_are_told)
{
    static const struct {
        int pages;
        size_t letters, told;
    } cases[] = { { 0, 0, 0 }, { 3, 10, 0 }, { 3, 5000, 5 }, { 100, 5000, WIRE_ENDS_MAX }, { 100, 100, 2 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf *room = transcode_take_room(1 << 24);
        struct err err = { .kind = ERR_NONE };
        struct wire_ends ends;
        uint64_t repaired = 0;
        struct wire told, walked;
        size_t n;
        char *text = make_pages(cases[i].pages, cases[i].letters, &n);
        CHECK_OK(transcode(text, n, room, &ends, &repaired, &err), err);
        CHECK_EQ(ends.count, cases[i].told);
        for (size_t k = 0; k < ends.count; k++) {
            wire_init(&walked, room->p + ends.list[k].at, room->n - ends.list[k].at);
            wire_skip(&walked);
            CHECK(walked.p == (const uint8_t *)room->p + ends.list[k].end);
        }
        wire_init(&told, room->p, room->n);
        told.ends = &ends;
        CHECK(wire_find(&told, "z"));
        CHECK_EQ(wire_i64(&told), 1);
        CHECK(wire_done(&told));
        transcode_give_room(room);
        free(text);
    }
}

TEST(a_room_is_kept_empty_and_not_when_it_is_big)
{
    struct buf *room = transcode_take_room(1 << 24), *other;

    CHECK(buf_room(room, 1 << 20));
    room->n = 1 << 20;
    transcode_give_room(room);
    other = transcode_take_room(1 << 24);
    CHECK_EQ(other->n, 0);
    CHECK(other->cap > 1 << 20);
    CHECK(buf_room(other, 9 << 20));
    transcode_give_room(other);
    room = transcode_take_room(1 << 24);
    CHECK_EQ(room->cap, 0);
    other = transcode_take_room(100); /* a second one at the same time is its own */
    CHECK(other != room);
    CHECK(!buf_room(other, 101));
    transcode_give_room(other);
    transcode_give_room(room);
}

TEST_MAIN(CASE(every_kind_of_value_survives), CASE(depth_and_size_have_limits),
    CASE(ends_of_great_containers_are_told), CASE(a_room_is_kept_empty_and_not_when_it_is_big))
