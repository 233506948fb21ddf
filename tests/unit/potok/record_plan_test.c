#include "services/potok/record/plan.h"

#include "base/json_walk.h"
#include "services/potok/record/ask.h"
#include "services/potok/record/dir.h"
#include "support/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static bool is_json(struct str text)
{
    struct json_walk w;
    struct err err;
    int more;

    json_walk_init(&w, text);
    while ((more = json_walk_next(&w, &err)) > 0)
        ;
    return more == 0;
}

TEST(every_question_is_asked_of_a_reading_method_with_sound_parameters)
{
    static const char *const verbs[] = { ".list", ".get", ".fields", ".findbycomm", "profile", "scope",
        "server.time", "methods", "batch", "app.info", "potok.no.such.method" };
    const struct record_of of = { entity_of(STR("deals")), "17" };
    struct buf params;

    for (int i = 0; i < RECORD_ROW_COUNT; i++) {
        const struct record_row *row = &RECORD_ROWS[i];
        char method[64];
        bool reads = row->flags & (RECORD_BY_CLIENT | RECORD_NO_SCOPE);

        buf_init(&params, 1 << 20);
        CHECK(record_call(row, &of, method, &params));
        for (size_t k = 0; k < sizeof(verbs) / sizeof(verbs[0]); k++)
            reads |= strlen(method) >= strlen(verbs[k]) &&
                     strcmp(method + strlen(method) - strlen(verbs[k]), verbs[k]) == 0;
        CHECK(reads);
        CHECK((row->flags & RECORD_BY_CLIENT) || is_json(buf_view(&params)));
        CHECK(strstr(method, "{") == NULL && strstr(buf_cstr(&params), "{m}") == NULL);
        for (const char *writing = ".add\0.update\0.delete\0.set\0"; *writing != '\0';
             writing += strlen(writing) + 1)
            CHECK(strstr(buf_cstr(&params), writing) == NULL);
        buf_fini(&params);
    }
}

TEST(a_recording_stays_near_sixty_requests)
{
    CHECK(record_requests(4, 500) <= 64);
    CHECK_EQ(record_requests(4, 0) + 4, record_requests(4, 2500));
    CHECK_EQ(record_requests(4, 2500) + 4, record_requests(4, 2501));
    CHECK_EQ(record_requests(1, 0) + 15, record_requests(4, 0));
}

TEST(what_needs_a_record_is_left_out_where_there_is_none)
{
    const struct record_of of = { entity_of(STR("leads")), "" };
    char method[64];
    struct buf params;

    buf_init(&params, 1 << 20);
    for (int i = 0; i < RECORD_ROW_COUNT; i++)
        if (RECORD_ROWS[i].flags & RECORD_NEEDS_ID)
            CHECK(!record_call(&RECORD_ROWS[i], &of, method, &params));
    buf_fini(&params);
}

TEST(a_scope_that_is_not_there_is_asked_about)
{
    CHECK_STR("voximplant.statistic.get", record_no_scope(STR("{\"result\":[\"crm\"]}")));
    CHECK_STR("user.get", record_no_scope(STR("[\"telephony\",\"department\",\"task\",\"lists\"]")));
    CHECK(record_no_scope(STR("[\"telephony\",\"department\",\"task\",\"lists\",\"user\"]")) == NULL);
}

TEST(the_error_of_an_answer_is_that_at_its_top)
{
    char code[64];

    CHECK(record_error(STR("{\"error\":\"EXPIRED\",\"x\":1}"), code));
    CHECK_STR("EXPIRED", code);
    CHECK(record_error(STR("{\"error\":0}"), code));
    CHECK_STR("", code);
    CHECK(!record_error(STR("{\"result\":{\"error\":\"x\"}}"), code));
    CHECK(!record_error(STR("<html>"), code));
}

TEST(an_answer_that_shows_the_webhook_or_the_host_is_not_written)
{
    static const char *const bad[] = { "{\"a\":\"Example.bitrix24.ru\"}", "see s3cr3ts3cr3t",
        "EXAMPLE.BITRIX24.RU" };
    char path[600];
    struct record_dir d;
    struct err err = { 0 };
    struct stat st;

    snprintf(path, sizeof(path), "%s/rec", check_folder());
    CHECK_OK(record_dir_open(&d, path, "https://example.bitrix24.ru/rest/1/s3cr3ts3cr3t/", &err), err);
    struct record_exchange x = { .row = "r",
        .facts = "1",
        .why = "w",
        .method = "m",
        .params = STR("{}"),
        .status = 200,
        .content_type = "" };
    for (size_t i = 0; i < 3; i++) {
        x.body = str_of(bad[i]);
        CHECK_EQ(-1, record_dir_add(&d, &x, &err));
        CHECK_EQ(0, d.count);
    }
    x.body = STR("{}");
    CHECK_OK(record_dir_add(&d, &x, &err), err);
    snprintf(path, sizeof(path), "%s/rec/001-r-m.body", check_folder());
    CHECK_EQ(0, stat(path, &st));
    CHECK_EQ(0600, st.st_mode & 0777);
    record_dir_close(&d);
    snprintf(path, sizeof(path), "%s/rec", check_folder());
    CHECK_EQ(-1, record_dir_open(&d, path, "https://example.bitrix24.ru/rest/1/s3cr3ts3cr3t/", &err));
    CHECK_HAS(err.text, "not empty");
}

TEST_MAIN(CASE(every_question_is_asked_of_a_reading_method_with_sound_parameters),
    CASE(a_recording_stays_near_sixty_requests), CASE(what_needs_a_record_is_left_out_where_there_is_none),
    CASE(a_scope_that_is_not_there_is_asked_about), CASE(the_error_of_an_answer_is_that_at_its_top),
    CASE(an_answer_that_shows_the_webhook_or_the_host_is_not_written))
