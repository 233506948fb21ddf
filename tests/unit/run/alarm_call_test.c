#include "run/alarm_call.h"

#include "base/mem.h"
#include "support/check.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN "123456:ABC-def_42"

static struct alarm_settings all(void)
{
    return (struct alarm_settings){ .webhook_url = "https://hooks.example/T0/secret",
        .telegram_token = TOKEN,
        .telegram_chat = "-100",
        .telegram_url = "https://api.telegram.org/",
        .bitrix_url = "https://p.example/rest/12/abcdef/",
        .bitrix_dialog = "",
        .language = "en" };
}

static json_t *body_of(const struct alarm_settings *set, enum alarm_target target)
{
    struct alarm_telling t = { alarm_kind_of(STR("portal.stopped")), "main", "", "\"why\"\n", ALARM_RAISED,
        1700000000000, 0 };
    struct alarm_teller who = { "host", "scheduler.1", false };
    struct buf body;

    buf_init(&body, 65536);
    alarm_call_body(set, target, &t, &who, &body);
    json_t *o = json_loadb(body.p, body.n, 0, NULL);
    CHECK(json_is_object(o));
    buf_fini(&body);
    return o;
}

TEST(each_target_is_asked_in_its_way)
{
    struct alarm_settings set = all();
    struct err err = { 0 };
    char *url;
    json_t *o;

    CHECK_OK(alarm_settings_check(&set, &err), err);
    url = alarm_call_url(&set, ALARM_TELEGRAM);
    CHECK_STR(url, "https://api.telegram.org/bot" TOKEN "/sendMessage");
    free(url);
    o = body_of(&set, ALARM_TELEGRAM);
    CHECK_STR(json_string_value(json_object_get(o, "chat_id")), "-100");
    CHECK_HAS(json_string_value(json_object_get(o, "text")), "\"why\"");
    json_decref(o);

    url = alarm_call_url(&set, ALARM_BITRIX);
    CHECK_STR(url, "https://p.example/rest/12/abcdef/im.notify.personal.add.json");
    free(url);
    o = body_of(&set, ALARM_BITRIX);
    CHECK_EQ(json_integer_value(json_object_get(o, "USER_ID")), 12);
    json_decref(o);
    set.bitrix_dialog = "chat42";
    url = alarm_call_url(&set, ALARM_BITRIX);
    CHECK_STR(url, "https://p.example/rest/12/abcdef/im.message.add.json");
    free(url);
    o = body_of(&set, ALARM_BITRIX);
    CHECK_STR(json_string_value(json_object_get(o, "DIALOG_ID")), "chat42");
    CHECK_HAS(json_string_value(json_object_get(o, "MESSAGE")), "the portal is stopped");
    json_decref(o);

    url = alarm_call_url(&set, ALARM_WEBHOOK);
    CHECK_STR(url, set.webhook_url);
    free(url);
    o = body_of(&set, ALARM_WEBHOOK);
    CHECK_STR(json_string_value(json_object_get(o, "name")), "portal.stopped");
    json_decref(o);
}

TEST(only_who_is_named_is_told)
{
    struct alarm_settings none = {
        .telegram_token = "", .telegram_chat = "", .webhook_url = "", .bitrix_url = "", .language = ""
    };
    struct err err = { 0 };

    CHECK_OK(alarm_settings_check(&none, &err), err);
    for (int i = 0; i < ALARM_TARGETS; i++)
        CHECK(!alarm_target_is_set(&none, (enum alarm_target)i));
}

TEST(settings_that_cannot_work_are_refused_without_their_secrets)
{
    static const struct {
        const char *webhook, *token, *chat, *telegram, *bitrix, *language, *part;
    } cases[] = {
        { "hooks.example/x", "", "", "https://t", "", "", "ALARM_WEBHOOK_URL" },
        { "", TOKEN, "", "https://t", "", "", "ALARM_TELEGRAM_CHAT" },
        { "", "", "1", "https://t", "", "", "ALARM_TELEGRAM_TOKEN" },
        { "", "sec/ret", "1", "https://t", "", "", "@BotFather" },
        { "", "12:", "1", "https://t", "", "", "@BotFather" },
        { "", TOKEN, "1", "api.telegram.org", "", "", "ALARM_TELEGRAM_URL" },
        { "", "", "", "https://t", "https://p.example/rest/", "", "ALARM_BITRIX_URL" },
        { "", "", "", "https://t", "https://p.example/rest/1/", "", "ALARM_BITRIX_URL" },
        { "", "", "", "https://t", "p.example/rest/1/secret/", "", "ALARM_BITRIX_URL" },
        { "", "", "", "https://t", "", "de", "neither ru nor en" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct alarm_settings set = { .webhook_url = (char *)cases[i].webhook,
            .telegram_token = (char *)cases[i].token,
            .telegram_chat = (char *)cases[i].chat,
            .telegram_url = (char *)cases[i].telegram,
            .bitrix_url = (char *)cases[i].bitrix,
            .bitrix_dialog = "",
            .language = (char *)cases[i].language };
        struct err err = { 0 };

        CHECK_EQ(alarm_settings_check(&set, &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, cases[i].part);
        CHECK(strstr(err.text, "sec") == NULL);
    }
}

TEST(what_an_answer_means)
{
    static const struct {
        enum alarm_target target;
        int status;
        const char *body;
        int result;
        enum err_kind kind;
        const char *part;
        unsigned retry_ms;
    } cases[] = {
        { ALARM_WEBHOOK, 200, "ok", 0, ERR_NONE, "", 0 },
        { ALARM_WEBHOOK, 204, "", 0, ERR_NONE, "", 0 },
        { ALARM_WEBHOOK, 302, "", -1, ERR_CONF, "webhook: HTTP 302", 0 },
        { ALARM_WEBHOOK, 500, "<html>", -1, ERR_TEMP, "HTTP 500", 0 },
        { ALARM_TELEGRAM, 200, "{\"ok\":true}", 0, ERR_NONE, "", 0 },
        { ALARM_TELEGRAM, 200, "{\"ok\":false}", -1, ERR_CONF, "telegram", 0 },
        { ALARM_TELEGRAM, 200, "<html>", -1, ERR_CONF, "telegram", 0 },
        { ALARM_TELEGRAM, 401, "{\"ok\":false,\"description\":\"Unauthorized\"}", -1, ERR_CONF,
            "telegram: HTTP 401: Unauthorized", 0 },
        { ALARM_TELEGRAM, 429,
            "{\"ok\":false,\"description\":\"Too Many\",\"parameters\":{\"retry_after\":35}}", -1, ERR_TEMP,
            "Too Many", 35000 },
        { ALARM_TELEGRAM, 429, "{\"parameters\":{\"retry_after\":99999999}}", -1, ERR_TEMP, "HTTP 429", 0 },
        { ALARM_BITRIX, 200, "{\"result\":17}", 0, ERR_NONE, "", 0 },
        { ALARM_BITRIX, 200, "{\"error\":\"X\",\"error_description\":\"https://p/rest/1/secret/ no\"}", -1,
            ERR_CONF, "(masked)", 0 },
        { ALARM_BITRIX, 200, "", -1, ERR_CONF, "bitrix", 0 },
        { ALARM_BITRIX, 503, "{\"error\":\"QUERY_LIMIT_EXCEEDED\"}", -1, ERR_TEMP, "QUERY_LIMIT_EXCEEDED",
            0 },
        { ALARM_BITRIX, 401, "[1,2", -1, ERR_CONF, "HTTP 401", 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };

        CHECK_EQ(alarm_call_answer(cases[i].target, cases[i].status, str_of(cases[i].body), &err),
            cases[i].result);
        CHECK_EQ(err.kind, cases[i].kind);
        CHECK_HAS(err.text, cases[i].part);
        CHECK_EQ(err.retry_ms, cases[i].retry_ms);
        CHECK(strstr(err.text, "secret") == NULL);
    }
}

TEST_MAIN(CASE(each_target_is_asked_in_its_way), CASE(only_who_is_named_is_told),
    CASE(settings_that_cannot_work_are_refused_without_their_secrets), CASE(what_an_answer_means))
