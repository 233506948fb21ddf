#include "connectors/bitrix.h"

#include "answers.h"

#include "proto/calls.h"

#define ANSWER(results, errors) \
    "{\"result\":{\"result\":" results ",\"result_error\":" errors \
    ",\"result_total\":[],\"result_next\":[]," \
    "\"result_time\":[]},\"time\":{\"date_finish\":\"2026-05-14T11:26:33+03:00\"}}"

struct calling {
    struct asked asked;
    struct buf calls;
};

static struct calling calling_new(const struct call *list, int count)
{
    struct calling c = { asked_new("call"), { 0 } };

    buf_init(&c.calls, CALLS_BYTES_MAX);
    calls_encode(list, count, &c.calls);
    c.asked.job.entity = c.asked.job.table = c.asked.job.schema = STR("");
    c.asked.job.calls = buf_view(&c.calls);
    return c;
}

static void calling_free(struct calling *c)
{
    buf_fini(&c->calls);
    asked_free(&c->asked);
}

static void check_body(const struct call *list, int count, const char *wanted)
{
    struct calling c = calling_new(list, count);
    struct err err = { .kind = ERR_NONE };
    struct buf body;

    buf_init(&body, 1 << 20);
    CHECK_OK(bitrix_build(&c.asked.job, &body, &err), err);
    CHECK_STR(buf_cstr(&body), wanted);
    buf_fini(&body);
    calling_free(&c);
}

TEST(methods_and_their_parameters_go_into_one_batch)
{
    static const struct call calls[] = {
        { STR("have"), STR("event.get"), STR("") },
        { STR("bind"), STR("event.bind"),
            STR("{\"event\":\"ONCRMDEALADD\",\"handler\":\"https://p.ru/a?b=c&d\"}") },
    };

    check_body(calls, 2,
        "{\"halt\":0,\"cmd\":{\"p00\":\"event.get\","
        "\"p01\":\"event.bind?event=ONCRMDEALADD&handler=https%3A%2F%2Fp.ru%2Fa%3Fb%3Dc%26d\"}}");
}

TEST(nested_parameters_are_what_php_makes_of_them)
{
    static const struct call calls[] = { { STR("list"), STR("event.offline.list"),
        STR("{\"filter\":{\"!PROCESS_ID\":\"\",\"ID\":[3,4]},\"options\":{\"minTimeout\":1.5,\"on\":true,"
            "\"off\":false,\"none\":null,\"empty\":{}},\"clear\":0,\"order\":{\"ID\":\"ASC\"}}") } };

    check_body(calls, 1,
        "{\"halt\":0,\"cmd\":{\"p00\":\"event.offline.list?filter%5B%21PROCESS_ID%5D=&filter%5BID%5D%5B0%5D=3"
        "&filter%5BID%5D%5B1%5D=4&options%5BminTimeout%5D=1.5&options%5Bon%5D=1&options%5Boff%5D=0"
        "&clear=0&order%5BID%5D=ASC\"}}");
}

TEST(parameters_that_are_no_object_are_refused_for_good)
{
    static const char *const wrong[] = { "[]", "\"event\"", "{", "{}{}", "\xff" };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct call one = { STR("a"), STR("scope"), str_of(wrong[i]) };
        struct calling c = calling_new(&one, 1);
        struct err err = { .kind = ERR_NONE };
        struct buf body;

        buf_init(&body, 4096);
        CHECK_EQ(bitrix_build(&c.asked.job, &body, &err), -1);
        CHECK_EQ(err.kind, ERR_PERM);
        buf_fini(&body);
        calling_free(&c);
    }
}

static const struct call TWO[] = { { STR("have"), STR("event.get"), STR("") },
    { STR("bind"), STR("event.bind"), STR("{\"event\":\"ONCRMDEALADD\"}") } };

TEST(each_method_has_its_answer)
{
    struct calling c = calling_new(TWO, 2);
    struct bitrix_answer answer;
    struct call_answers a;
    struct err err;

    CHECK_OK(
        read_text(&c.asked,
            ANSWER("{\"p00\":[{\"event\":\"ONCRMDEALADD\",\"handler\":\"https:\\/\\/p.ru\\/a\",\"offline\":0,"
                   "\"rate\":1.50}]}",
                "{\"p01\":{\"error\":\"ERROR_CORE\",\"error_description\":\"Unable to set event handler: "
                "Handler already binded\"}}"),
            &answer, &err),
        err);
    CHECK_OK(call_answers_decode(&a, buf_view(&answer.answers), &err), err);
    CHECK_EQ(a.count, 2);
    CHECK_VIEW(call_answers_find(&a, "have")->result,
        "[{\"event\":\"ONCRMDEALADD\",\"handler\":\"https://p.ru/a\",\"offline\":0,\"rate\":1.50}]");
    CHECK_EQ(call_answers_find(&a, "bind")->result.n, 0);
    CHECK_VIEW(call_answers_find(&a, "bind")->code, "ERROR_CORE");
    CHECK_VIEW(call_answers_find(&a, "bind")->text, "Unable to set event handler: Handler already binded");
    call_answers_free(&a);
    bitrix_answer_fini(&answer);
    calling_free(&c);
}

TEST(an_answer_that_leaves_a_method_out_is_nonsense)
{
    struct calling c = calling_new(TWO, 2);
    struct bitrix_answer answer;
    struct err err;

    CHECK_EQ(read_text(&c.asked, ANSWER("{\"p00\":true}", "[]"), &answer, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK(answer.nonsense);
    bitrix_answer_fini(&answer);
    calling_free(&c);
}

TEST(a_token_that_expired_meanwhile_fails_them_all)
{
    struct calling c = calling_new(TWO, 2);
    struct bitrix_answer answer;
    struct err err;

    CHECK_EQ(read_text(&c.asked,
                 ANSWER("{\"p00\":true}",
                     "{\"p01\":{\"error\":\"expired_token\",\"error_description\":\"The access token "
                     "provided has expired.\"}}"),
                 &answer, &err),
        -1);
    CHECK_EQ(err.kind, ERR_AUTH);
    bitrix_answer_fini(&answer);
    calling_free(&c);
}

TEST_MAIN(CASE(methods_and_their_parameters_go_into_one_batch),
    CASE(nested_parameters_are_what_php_makes_of_them),
    CASE(parameters_that_are_no_object_are_refused_for_good), CASE(each_method_has_its_answer),
    CASE(an_answer_that_leaves_a_method_out_is_nonsense), CASE(a_token_that_expired_meanwhile_fails_them_all))
