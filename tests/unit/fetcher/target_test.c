#include "services/fetcher/target.h"

#include "base/mem.h"
#include "base/webhook.h"
#include "support/check.h"

#include <stdlib.h>

#define KEY "a-key-of-more-than-thirty-two-letters"

static struct config_portal WEBHOOK = { .name = (char *)"main", .url = (char *)"https://a.ru/rest/1/s/" };
static struct config_portal APP = {
    .name = (char *)"main", .address = (char *)"https://a.ru/", .app = { .client_id = (char *)"local.1" }
};

static struct seal_keys keys_of(const char *key)
{
    struct seal_keys keys;
    struct err err;

    CHECK_OK(seal_keys_read(&keys, key, &err), err);
    return keys;
}

static struct buf sealed_for(const char *purpose)
{
    struct seal_keys keys = keys_of(KEY);
    struct buf out;
    struct err err;

    buf_init(&out, 4096);
    CHECK_OK(seal(&keys, str_of(purpose), STR("to\"ken"), &out, &err), err);
    return out;
}

TEST(a_webhook_is_asked_where_the_portal_answers_now)
{
    struct seal_keys none = { 0 };
    struct msg_job job = { .portal = STR("main") };
    struct target t;
    struct buf body;
    struct err err;

    CHECK_OK(target_make(&t, &WEBHOOK, &job, &none, &err), err);
    CHECK_STR(t.url, "https://a.ru/rest/1/s/batch.json");
    CHECK(t.token == NULL);
    buf_init(&body, 100);
    buf_str(&body, "{\"halt\":1}");
    target_sign(&t, &body);
    CHECK_STR(buf_cstr(&body), "{\"halt\":1}");
    buf_fini(&body);
    target_fini(&t);
    job.host = STR("b.ru:8443");
    CHECK_OK(target_make(&t, &WEBHOOK, &job, &none, &err), err);
    CHECK_STR(t.url, "https://b.ru:8443/rest/1/s/batch.json");
    target_fini(&t);
    job.host = STR("user@b.ru");
    CHECK_EQ(target_make(&t, &WEBHOOK, &job, &none, &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_EQ(target_make(&t, NULL, &job, &none, &err), -1);
    CHECK_HAS(err.text, "this fetcher has no URL of it");
}

TEST(an_application_is_asked_with_its_token_in_the_body)
{
    struct seal_keys keys = keys_of(KEY);
    struct buf sealed = sealed_for("job:main"), body;
    struct msg_job job = { .portal = STR("main"), .sealed = buf_view(&sealed), .token = 3 };
    struct target t;
    struct err err;

    CHECK_OK(target_make(&t, &APP, &job, &keys, &err), err);
    CHECK_STR(t.url, "https://a.ru/rest/batch.json");
    buf_init(&body, 100);
    buf_str(&body, "{\"halt\":1,\"cmd\":{}}");
    target_sign(&t, &body);
    CHECK_STR(buf_cstr(&body), "{\"auth\":\"to\\\"ken\",\"halt\":1,\"cmd\":{}}");
    buf_fini(&body);
    target_fini(&t);
    buf_fini(&sealed);
}

TEST(a_token_that_is_none_is_told)
{
    static const struct {
        const char *key, *purpose;
        enum err_kind kind;
    } cases[] = {
        { KEY, "job:other", ERR_PERM },
        { KEY, "token:main", ERR_PERM },
        { NULL, "job:main", ERR_CONF },
        { "another-key-of-more-than-thirty-two", "job:main", ERR_CONF },
        { KEY, NULL, ERR_PERM },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct seal_keys keys = keys_of(cases[i].key);
        struct buf sealed = { 0 };
        struct msg_job job = { .portal = STR("main") };
        struct target t;
        struct err err = { 0 };

        if (cases[i].purpose) {
            sealed = sealed_for(cases[i].purpose);
            job.sealed = buf_view(&sealed);
        }
        CHECK_EQ(target_make(&t, &APP, &job, &keys, &err), -1);
        CHECK_EQ(err.kind, cases[i].kind);
        CHECK_HAS(err.text, "portal main");
        buf_fini(&sealed);
    }
}

TEST(only_a_redirect_says_that_a_portal_moved)
{
    static const struct {
        int status;
        const char *location, *host;
    } cases[] = {
        { 302, "https://b.ru/rest/1/s/batch.json", "b.ru" },
        { 308, "https://b.ru/rest/1/s/batch.json", "b.ru" },
        { 200, "https://b.ru/rest/1/s/batch.json", "" },
        { 303, "https://b.ru/rest/1/s/batch.json", "" },
        { 302, "http://b.ru/rest/1/s/batch.json", "" },
        { 302, "", "" },
    };
    struct target t = { .url = (char *)"https://a.ru/rest/1/s/batch.json" };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char host[WEBHOOK_HOST_SIZE];

        target_moved(&t, cases[i].status, cases[i].location, host);
        CHECK_STR(host, cases[i].host);
    }
}

TEST_MAIN(CASE(a_webhook_is_asked_where_the_portal_answers_now),
    CASE(an_application_is_asked_with_its_token_in_the_body), CASE(a_token_that_is_none_is_told),
    CASE(only_a_redirect_says_that_a_portal_moved))
