#include "proto/calls.h"

#include "base/mem.h"
#include "proto/wire.h"
#include "support/check.h"

#include <stdio.h>

TEST(calls_come_back)
{
    struct call in[] = {
        { STR("bind"), STR("event.bind"), STR("{\"event\":\"ONCRMDEALADD\"}") },
        { STR("have"), STR("event.get"), STR("") },
    };
    struct call_list c;
    struct buf b;
    struct err err;

    buf_init(&b, CALLS_BYTES_MAX);
    calls_encode(in, ARRAY_SIZE(in), &b);
    CHECK_OK(calls_decode(&c, buf_view(&b), &err), err);
    CHECK_EQ(c.count, 2);
    CHECK_VIEW(c.list[0].key, "bind");
    CHECK_VIEW(c.list[0].method, "event.bind");
    CHECK_VIEW(c.list[0].params, "{\"event\":\"ONCRMDEALADD\"}");
    CHECK_VIEW(c.list[1].method, "event.get");
    CHECK_EQ(c.list[1].params.n, 0);
    calls_free(&c);
    buf_fini(&b);
}

TEST(calls_that_cannot_be_made_are_refused)
{
    static const struct {
        const char *keys[2], *methods[2];
        int count;
    } cases[] = {
        { { "" }, { "event.get" }, 1 },
        { { "a" }, { "" }, 1 },
        { { "a" }, { "event get" }, 1 },
        { { "a" }, { "event.get?auth=1" }, 1 },
        { { "a", "a" }, { "event.get", "scope" }, 2 },
        { { NULL }, { NULL }, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct call in[2] = { 0 };
        struct call_list c;
        struct buf b;
        struct err err;

        for (int k = 0; k < cases[i].count; k++)
            in[k] = (struct call){ str_of(cases[i].keys[k]), str_of(cases[i].methods[k]), STR("") };
        buf_init(&b, CALLS_BYTES_MAX);
        calls_encode(in, cases[i].count, &b);
        CHECK_EQ(calls_decode(&c, buf_view(&b), &err), -1);
        buf_fini(&b);
    }
}

TEST(more_calls_than_a_batch_takes_are_refused)
{
    struct call in[CALLS_MAX + 1];
    char keys[CALLS_MAX + 1][8];
    struct call_list c;
    struct buf b;
    struct err err;

    for (int i = 0; i <= CALLS_MAX; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k%d", i);
        in[i] = (struct call){ str_of(keys[i]), STR("scope"), STR("") };
    }
    buf_init(&b, CALLS_BYTES_MAX);
    calls_encode(in, CALLS_MAX, &b);
    CHECK_OK(calls_decode(&c, buf_view(&b), &err), err);
    calls_free(&c);
    buf_clear(&b);
    calls_encode(in, CALLS_MAX + 1, &b);
    CHECK_EQ(calls_decode(&c, buf_view(&b), &err), -1);
    buf_fini(&b);
}

TEST(answers_come_back)
{
    struct call_answer in[] = {
        { .key = STR("have"), .result = STR("[]") },
        { .key = STR("bind"),
            .kind = STR("auth"),
            .code = STR("ACCESS_DENIED"),
            .text = STR("Access denied!") },
    };
    struct call_answers a;
    struct buf b;
    struct err err;

    buf_init(&b, 4096);
    call_answers_encode(in, ARRAY_SIZE(in), &b);
    CHECK_OK(call_answers_decode(&a, buf_view(&b), &err), err);
    CHECK_EQ(a.count, 2);
    CHECK_VIEW(call_answers_find(&a, "have")->result, "[]");
    CHECK_VIEW(call_answers_find(&a, "bind")->code, "ACCESS_DENIED");
    CHECK_VIEW(call_answers_find(&a, "bind")->text, "Access denied!");
    CHECK_VIEW(call_answers_find(&a, "bind")->kind, "auth");
    CHECK_EQ(call_answers_find(&a, "bind")->result.n, 0);
    CHECK(call_answers_find(&a, "lost") == NULL);
    call_answers_free(&a);
    buf_fini(&b);
}

TEST(newer_members_are_skipped)
{
    struct call_answers a;
    struct call_list c;
    struct buf b;
    struct err err;

    buf_init(&b, 4096);
    wire_put_array(&b, 1);
    wire_put_map(&b, 4);
    wire_put_str(&b, STR("mood"));
    wire_put_nil(&b);
    wire_put_str(&b, STR("key"));
    wire_put_str(&b, STR("a"));
    wire_put_str(&b, STR("method"));
    wire_put_str(&b, STR("scope"));
    wire_put_str(&b, STR("result"));
    wire_put_str(&b, STR("1"));
    CHECK_OK(calls_decode(&c, buf_view(&b), &err), err);
    CHECK_VIEW(c.list[0].method, "scope");
    calls_free(&c);
    CHECK_OK(call_answers_decode(&a, buf_view(&b), &err), err);
    CHECK_VIEW(a.list[0].result, "1");
    call_answers_free(&a);
    for (size_t n = 0; n < b.n; n++) {
        CHECK_EQ(calls_decode(&c, (struct str){ b.p, n }, &err), -1);
        CHECK_EQ(call_answers_decode(&a, (struct str){ b.p, n }, &err), -1);
    }
    buf_fini(&b);
}

TEST_MAIN(CASE(calls_come_back), CASE(calls_that_cannot_be_made_are_refused),
    CASE(more_calls_than_a_batch_takes_are_refused), CASE(answers_come_back), CASE(newer_members_are_skipped))
