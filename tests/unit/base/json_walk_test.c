#include "base/json_walk.h"

#include "base/buf.h"
#include "support/check.h"

/* Every token with its nearest keys, and the text put together again. */
static void walk(const char *text, char seen[static 400], char copy[static 400])
{
    struct json_walk w;
    struct err err;
    struct buf out, all;
    int more;

    buf_init(&out, 400);
    buf_init(&all, 400);
    json_walk_init(&w, str_of(text));
    while ((more = json_walk_next(&w, &err)) > 0) {
        buf_add(&all, w.gap.p, w.gap.n);
        buf_add(&all, w.token.p, w.token.n);
        if (w.kind == JSON_IS_OPEN || w.kind == JSON_IS_CLOSE || w.is_key)
            continue;
        buf_fmt(&out, STR_FMT "/" STR_FMT "@%d=" STR_FMT " ", STR_ARG(json_walk_key(&w, 1)),
            STR_ARG(json_walk_key(&w, 0)), w.depth, STR_ARG(w.token));
    }
    buf_add(&all, w.gap.p, w.gap.n);
    strcpy(seen, more < 0 ? "bad" : buf_cstr(&out));
    strcpy(copy, buf_cstr(&all));
    buf_fini(&out);
    buf_fini(&all);
}

TEST(every_byte_is_in_a_token_or_in_the_gap_before_it)
{
    static const char *const texts[] = { "1", " [ ] ", "{\"a\" : [1,\t{\"b\":\"x\\u0041\"}] , \"c\":null}\n",
        "[[],{},[{}],-1.5E+7,true,false,\"\"]", "\"\\\"\"" };
    char seen[400], copy[400];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        walk(texts[i], seen, copy);
        CHECK(strcmp(seen, "bad") != 0);
        CHECK_STR(texts[i], copy);
    }
}

TEST(a_value_knows_the_keys_around_it_and_lists_do_not_count)
{
    char seen[400], copy[400];

    walk("{\"a\":[1,{\"b\":[[2]]}],\"c\":3}", seen, copy);
    CHECK_STR("/a@2=1 a/b@5=2 /c@1=3 ", seen);
}

TEST(what_is_no_json_is_refused)
{
    static const char *const texts[] = { "", " ", "{", "[1", "[1,]", "{,}", "{\"a\"}", "{\"a\":}",
        "{\"a\":1,}", "1 2", "{a:1}", "[01]", "tru", "\"", "\"\\x\"", "\"\\u12\"", "\"\n\"", "]", "{]", "[}",
        "nulll", "[1 2]", "{1:2}" };
    char seen[400], copy[400];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        walk(texts[i], seen, copy);
        CHECK_STR("bad", seen);
    }
}

TEST(a_nesting_without_end_is_refused)
{
    struct json_walk w;
    struct err err;
    char text[200];
    int more;

    memset(text, '[', sizeof(text));
    json_walk_init(&w, (struct str){ text, sizeof(text) });
    while ((more = json_walk_next(&w, &err)) > 0)
        ;
    CHECK_EQ(-1, more);
    CHECK_HAS(err.text, "too deep");
}

TEST(a_value_is_given_whole)
{
    struct json_walk w;
    struct err err;
    struct str value;

    json_walk_init(&w, STR("{\"a\":{\"b\":[{}, 1]} ,\"c\":2}"));
    for (int i = 0; i < 3; i++)
        CHECK_EQ(1, json_walk_next(&w, &err));
    CHECK_OK(json_walk_value(&w, &value, &err), err);
    CHECK_VIEW(value, "{\"b\":[{}, 1]}");
    CHECK_EQ(1, json_walk_next(&w, &err));
    CHECK(w.is_key);
    CHECK_VIEW(w.token, "\"c\"");
}

TEST_MAIN(CASE(every_byte_is_in_a_token_or_in_the_gap_before_it),
    CASE(a_value_knows_the_keys_around_it_and_lists_do_not_count), CASE(what_is_no_json_is_refused),
    CASE(a_nesting_without_end_is_refused), CASE(a_value_is_given_whole))
