/* What ends in the middle: a token within a batch, a request after a minute, an installation that nobody
 * finishes, files that are not named again (facts sections 1.5, 5, 8, 9.1). */
#include "base/clock.h"
#include "services/sandbox/events/events.h"
#include "tests/unit/sandbox/ask.h"

static struct portal *open_app(void)
{
    struct portal_options o = ask_options();

    o.events.app = 1;
    o.events.parallel = 100;
    return ask_open_with(o);
}

TEST(a_token_may_end_within_a_batch)
{
    struct portal *p = open_app();
    char body[4000] = "{\"cmd\":{";

    for (int i = 0; i < 50; i++)
        sprintf(body + strlen(body), "%s\"c%d\":\"crm.deal.list\"", i > 0 ? "," : "", i);
    strcat(body, "}}");
    json_decref(ask_done(ask_app(p, "batch", body)));
    p->application.tokens.list[0].access_until_ms = clock_wall_ms() + 5;
    json_t *result = ask_done(ask_app(p, "batch", body));
    const json_t *errors = json_object_get(result, "result_error"), *done = json_object_get(result, "result");
    ask_has(json_object_get(errors, "c49"), "error", "\"expired_token\"");
    CHECK_EQ(json_object_size(errors) + json_object_size(done), 50);
    CHECK(json_object_get(done, "c0") != NULL);
    json_decref(result);
    ask_close(p);
}

TEST(a_token_ends_at_the_command_it_was_told_to)
{
    struct portal *p = open_app();

    ask_admin(p, "app/expire?commands=3", NULL);
    json_t *result = ask_done(ask_app(
        p, "batch", "{\"cmd\":{\"a\":\"profile\",\"b\":\"profile\",\"c\":\"profile\",\"d\":\"profile\"}}"));
    CHECK_EQ(json_object_size(json_object_get(result, "result")), 2);
    ask_has(json_object_get(json_object_get(result, "result_error"), "c"), "error", "\"expired_token\"");
    ask_has(json_object_get(json_object_get(result, "result_error"), "d"), "error", "\"expired_token\"");
    json_decref(result);
    json_t *answer = ask_app(p, "profile", NULL);
    ask_has(answer, "error", "\"expired_token\"");
    json_decref(answer);
    ask_close(p);
}

static struct portal_answer answer_of(struct portal *p, const char *method)
{
    struct portal_answer answer;
    char path[200];

    snprintf(path, sizeof(path), "/rest/1/%s/%s", p->secret, method);
    portal_answer(p,
        &(struct portal_request){ .method = "GET",
            .path = path,
            .query = STR(""),
            .body = STR(""),
            .content_type = "",
            .remote = "127.0.0.1" },
        &answer);
    return answer;
}

TEST(an_answer_takes_as_long_as_it_costs_and_a_minute_at_most)
{
    static const struct {
        double slowness;
        int status;
        uint64_t least_ms, most_ms;
    } cases[] = { { 0, 200, 0, 0 }, { 10, 200, 300, 500 }, { 5000, 504, 60000, 60000 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct portal_options o = ask_options();
        o.slowness = cases[i].slowness;
        struct portal *p = ask_open_with(o);
        struct portal_answer a = answer_of(p, "crm.deal.list"); /* a call, 50 rows, 120 counted: 0.0324 s */
        CHECK_EQ(a.status, cases[i].status);
        CHECK(a.delay_ms >= cases[i].least_ms && a.delay_ms <= cases[i].most_ms);
        CHECK_HAS(buf_cstr(&a.body), a.status == 504 ? "504 Gateway Time-out</title>" : "{\"result\":[");
        buf_fini(&a.body);
        ask_close(p);
    }
}

TEST(what_took_too_long_is_done_all_the_same)
{
    struct portal_options o = ask_options();
    char path[200];
    int status;

    o.slowness = 5000;
    struct portal *p = ask_open_with(o);
    snprintf(path, sizeof(path), "/rest/1/%s/crm.lead.add", p->secret);
    char *text = ask_raw(p, path, "{\"fields\":{\"TITLE\":\"x\"}}", "application/json", &status);
    CHECK_EQ(status, 504);
    CHECK_EQ(p->store.crm[LEAD].visible, 41);
    free(text);
    ask_close(p);
}

TEST(an_unfinished_installation_is_told_of_nothing)
{
    struct portal *p = open_app();
    struct buf body;
    const char *url;

    json_decref(ask_done(
        ask_app(p, "event.bind", "{\"event\":\"onCrmDealUpdate\",\"handler\":\"http://127.0.0.1:9/\"}")));
    for (int unfinished = 1; unfinished >= 0; unfinished--) {
        ask_admin(p, unfinished ? "app/state?name=unfinished" : "app/state?name=installed", NULL);
        json_t *info = ask_done(ask_app(p, "app.info", NULL));
        ask_has(info, "INSTALLED", unfinished ? "false" : "true");
        json_decref(info);
        ask_admin(p, "change?entity=deals&count=1&kind=update", NULL);
        const bool told = events_next(&p->events, clock_mono_ms(), clock_wall_ms(), &url, &body);
        CHECK_EQ(told, !unfinished);
        if (told)
            buf_fini(&body);
    }
    ask_close(p);
}

TEST(files_that_are_not_named_again_are_gone)
{
    struct portal *p = open_app();
    char body[200];
    json_t *result = ask_done(ask(p, "crm.item.add",
        "{\"entityTypeId\":2,\"fields\":{\"ufCrm_FILE_M\":[[\"a.txt\",\"eA==\"],[\"b.txt\",\"eQ==\"]]}}"));
    const json_t *item = json_object_get(result, "item"), *files = json_object_get(item, "ufCrm_FILE_M");
    const long long id = json_integer_value(json_object_get(item, "id")),
                    second = json_integer_value(json_object_get(json_array_get(files, 1), "id"));

    CHECK_EQ(json_array_size(files), 2);
    json_decref(result);
    snprintf(body, sizeof(body),
        "{\"entityTypeId\":2,\"id\":%lld,\"fields\":{\"ufCrm_FILE_M\":[{\"id\":%lld}]}}", id, second);
    result = ask_done(ask(p, "crm.item.update", body));
    files = json_object_get(json_object_get(result, "item"), "ufCrm_FILE_M");
    CHECK_EQ(json_array_size(files), 1);
    CHECK_EQ(json_integer_value(json_object_get(json_array_get(files, 0), "id")), second);
    json_decref(result);
    snprintf(body, sizeof(body), "{\"entityTypeId\":2,\"id\":%lld,\"fields\":{\"ufCrm_FILE_M\":[]}}", id);
    result = ask_done(ask(p, "crm.item.update", body));
    ask_has(json_object_get(result, "item"), "ufCrm_FILE_M", "[]");
    json_decref(result);
    ask_close(p);
}

TEST(types_of_user_fields_are_listed)
{
    struct portal *p = open_app();
    json_t *types = ask_done(ask(p, "crm.userfield.types", NULL));

    CHECK_EQ(json_array_size(types), 16);
    ask_has(json_array_get(types, 4), "ID", "\"enumeration\"");
    json_decref(types);
    ask_close(p);
}

TEST_MAIN(CASE(a_token_ends_at_the_command_it_was_told_to), CASE(a_token_may_end_within_a_batch),
    CASE(an_answer_takes_as_long_as_it_costs_and_a_minute_at_most),
    CASE(what_took_too_long_is_done_all_the_same), CASE(an_unfinished_installation_is_told_of_nothing),
    CASE(files_that_are_not_named_again_are_gone), CASE(types_of_user_fields_are_listed))
