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
    CHECK_OK(transcode(copy, n, &bytes, &repaired, &err), err);
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
    int result = transcode(copy, n, &bytes, &repaired, err);
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

TEST_MAIN(CASE(every_kind_of_value_survives), CASE(depth_and_size_have_limits))
