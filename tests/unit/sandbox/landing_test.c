/* Ambiguous writes: what is done and what the caller hears are two things. */
#include "ask.h"

#include "base/clock.h"

#define ADD "{\"fields\":{\"TITLE\":\"x\",\"ORIGINATOR_ID\":\"potok\",\"ORIGIN_ID\":\"7\"}}"

static void strike(struct portal *p, const char *fault)
{
    char path[160];

    snprintf(path, sizeof(path), "fault?%s", fault);
    ask_admin(p, path, NULL);
}

static size_t added(struct portal *p)
{
    json_t *answer = ask(p, "crm.deal.list",
        "{\"filter\":{\"=ORIGINATOR_ID\":\"potok\",\"=ORIGIN_ID\":\"7\"},\"select\":[\"ID\"]}");
    const size_t n = json_array_size(json_object_get(answer, "result"));

    json_decref(answer);
    return n;
}

static int waiting(struct portal *p)
{
    json_t *stats = ask_path(p, "/__admin/stats", NULL);
    const int n = (int)json_integer_value(json_object_get(stats, "landing"));

    json_decref(stats);
    return n;
}

static struct portal_answer write_deal(struct portal *p, const char *method, const char *body)
{
    struct portal_answer answer;
    char path[128];

    snprintf(path, sizeof(path), "/rest/1/%s/%s", p->secret, method);
    portal_answer(p,
        &(struct portal_request){ .method = "POST",
            .path = path,
            .query = STR(""),
            .body = str_of(body),
            .content_type = "application/json",
            .remote = "127.0.0.1" },
        &answer);
    return answer;
}

TEST(what_was_done_is_answered_as_if_it_had_failed)
{
    static const struct {
        const char *fault;
        int status;
        enum portal_how how;
        uint64_t delay_ms;
        const char *has;
    } cases[] = {
        { "kind=after-commit", 500, HOW_REPLY, 0, "INTERNAL_SERVER_ERROR" },
        { "kind=after-commit&as=reset", 200, HOW_CUT, 0, "" },
        { "kind=after-commit&as=html502", 502, HOW_REPLY, 0, "<html>" },
        { "kind=after-commit&as=hang&ms=70", 504, HOW_REPLY, 70, "<html>" },
        { "kind=after-commit&as=truncated", 200, HOW_CUT, 0, "\"result\":" },
        { "kind=after-commit&as=error200", 200, HOW_REPLY, 0, "INTERNAL_SERVER_ERROR" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct portal *p = ask_open();

        strike(p, cases[i].fault);
        struct portal_answer a = write_deal(p, "crm.deal.add", ADD);
        CHECK_EQ(a.status, cases[i].status);
        CHECK_EQ(a.how, cases[i].how);
        CHECK_EQ(a.delay_ms, cases[i].delay_ms);
        CHECK_HAS(buf_cstr(&a.body), cases[i].has);
        CHECK_EQ(added(p), 1);
        buf_fini(&a.body);
        ask_close(p);
    }
}

TEST(what_was_answered_with_an_error_is_done_later)
{
    struct portal *p = ask_open();
    const uint64_t began_ms = clock_mono_ms();

    strike(p, "kind=late&ms=60&as=html504&method=crm.deal.add");
    struct portal_answer a = write_deal(p, "crm.deal.add", ADD);
    CHECK_EQ(a.status, 504);
    buf_fini(&a.body);
    CHECK_EQ(waiting(p), 1);
    portal_land(p);
    CHECK(added(p) == 0 || clock_mono_ms() >= began_ms + 60);
    while (added(p) == 0)
        portal_land(p);
    CHECK(clock_mono_ms() >= began_ms + 60);
    CHECK_EQ(waiting(p), 0);
    ask_close(p);
}

TEST(a_batch_lands_as_a_whole_and_what_has_not_landed_is_lost_at_the_end)
{
    struct portal *p = ask_open();
    const char *batch = "{\"cmd\":{\"a\":\"crm.deal.add?fields[ORIGINATOR_ID]=potok&fields[ORIGIN_ID]=7\","
                        "\"b\":\"crm.deal.add?fields[ORIGINATOR_ID]=potok&fields[ORIGIN_ID]=7\"}}";

    strike(p, "kind=late&ms=0&method=batch");
    strike(p, "kind=late&ms=60000&method=batch");
    for (int i = 0; i < 2; i++) {
        struct portal_answer a = write_deal(p, "batch", batch);
        CHECK_EQ(a.how, HOW_CUT);
        buf_fini(&a.body);
    }
    portal_land(p);
    CHECK_EQ(added(p), 2);
    CHECK_EQ(waiting(p), 1);
    ask_close(p);
}

TEST(a_command_of_a_batch_was_done_although_its_error_says_otherwise)
{
    struct portal *p = ask_open();

    strike(p, "kind=after-commit&method=crm.deal.add");
    json_t *answer =
        ask(p, "batch", "{\"cmd\":{\"a\":\"crm.deal.add?fields[ORIGINATOR_ID]=potok&fields[ORIGIN_ID]=7\"}}");
    json_t *error = json_object_get(json_object_get(json_object_get(answer, "result"), "result_error"), "a");
    CHECK_STR(json_string_value(json_object_get(error, "error")), "INTERNAL_SERVER_ERROR");
    json_decref(answer);
    CHECK_EQ(added(p), 1);
    ask_close(p);
}

TEST(what_cannot_be_seen_is_refused)
{
    static const char *const cases[] = { "fault?kind=late&as=truncated", "fault?kind=late&as=latency",
        "fault?kind=after-commit&as=quake", "fault?kind=late&method=oauth.token" };
    struct portal *p = ask_open();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char path[96];
        int status;

        snprintf(path, sizeof(path), "/__admin/%s", cases[i]);
        free(ask_raw(p, path, "", NULL, &status));
        CHECK_EQ(status, 400);
    }
    ask_close(p);
}

TEST_MAIN(CASE(what_was_done_is_answered_as_if_it_had_failed),
    CASE(what_was_answered_with_an_error_is_done_later),
    CASE(a_batch_lands_as_a_whole_and_what_has_not_landed_is_lost_at_the_end),
    CASE(a_command_of_a_batch_was_done_although_its_error_says_otherwise),
    CASE(what_cannot_be_seen_is_refused))
