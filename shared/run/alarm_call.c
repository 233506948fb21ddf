#include "run/alarm_call.h"

#include "base/log.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const NAMES[ALARM_TARGETS] = { "webhook", "telegram", "bitrix" };

static bool given(const char *value)
{
    return value != NULL && value[0] != '\0';
}

const char *alarm_target_name(enum alarm_target target)
{
    return NAMES[target];
}

bool alarm_target_is_set(const struct alarm_settings *set, enum alarm_target target)
{
    switch (target) {
    case ALARM_WEBHOOK:
        return given(set->webhook_url);
    case ALARM_TELEGRAM:
        return given(set->telegram_token) && given(set->telegram_chat);
    case ALARM_BITRIX:
        return given(set->bitrix_url);
    case ALARM_TARGETS:
        break;
    }
    return false;
}

/* ---- settings ---- */

static bool is_url(const char *url)
{
    return strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
}

/* "123456:ABC-def_1": it becomes a part of a path. */
static bool is_token(const char *token)
{
    size_t digits = strspn(token, "0123456789");
    size_t rest =
        token[digits] == ':'
            ? strspn(token + digits + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
            : 0;

    return digits > 0 && rest > 0 && token[digits + 1 + rest] == '\0';
}

/* User of ".../rest/12/secret/"; 0: it is no such URL. */
static int64_t webhook_user(const char *url)
{
    const char *rest = strstr(url, "/rest/");
    int64_t user = 0;

    if (rest == NULL)
        return 0;
    rest += strlen("/rest/");
    size_t n = strspn(rest, "0123456789");
    if (n == 0 || n > 15 || rest[n] != '/' || rest[n + 1] == '\0' || rest[n + 1] == '/')
        return 0;
    return str_i64((struct str){ rest, n }, &user) ? user : 0;
}

static int check_webhook(const struct alarm_settings *set, struct err *err)
{
    if (given(set->webhook_url) && !is_url(set->webhook_url))
        return err_set(err, ERR_CONF, "ALARM_WEBHOOK_URL must begin with https:// or http://");
    return 0;
}

static int check_pair(const struct alarm_settings *set, struct err *err)
{
    if (given(set->telegram_token) != given(set->telegram_chat))
        return err_set(
            err, ERR_CONF, "ALARM_TELEGRAM_TOKEN and ALARM_TELEGRAM_CHAT go together: set both or none");
    return 0;
}

static int check_telegram(const struct alarm_settings *set, struct err *err)
{
    if (given(set->telegram_token) && !is_token(set->telegram_token))
        return err_set(err, ERR_CONF,
            "ALARM_TELEGRAM_TOKEN is no token of a bot: it reads 123456:ABC…, from @BotFather");
    if (given(set->telegram_token) && !is_url(set->telegram_url))
        return err_set(err, ERR_CONF, "ALARM_TELEGRAM_URL must begin with https:// or http://");
    return 0;
}

static int check_bitrix(const struct alarm_settings *set, struct err *err)
{
    if (given(set->bitrix_url) && (!is_url(set->bitrix_url) || webhook_user(set->bitrix_url) == 0))
        return err_set(err, ERR_CONF, "ALARM_BITRIX_URL must read https://PORTAL/rest/USER_ID/SECRET/");
    return 0;
}

static int check_language(const struct alarm_settings *set, struct err *err)
{
    if (given(set->language) && strcmp(set->language, "ru") != 0 && strcmp(set->language, "en") != 0)
        return err_set(err, ERR_CONF, "ALARM_LANGUAGE: \"%.16s\" is neither ru nor en", set->language);
    return 0;
}

static const struct {
    int (*check)(const struct alarm_settings *set, struct err *err);
    bool pair; /* settings against each other */
} CHECKS[] = { { check_webhook, false }, { check_pair, true }, { check_telegram, false },
    { check_bitrix, false }, { check_language, false } };

int alarm_settings_check(const struct alarm_settings *set, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(CHECKS); i++)
        if (CHECKS[i].check(set, err) < 0)
            return -1;
    return 0;
}

void alarm_settings_check_all(const struct alarm_settings *set, struct mistakes *all)
{
    struct err err;

    for (size_t i = 0; i < ARRAY_SIZE(CHECKS); i++)
        if ((!CHECKS[i].pair || all->count == 0) && CHECKS[i].check(set, &err) < 0)
            mistakes_add(all, &err);
}

/* ---- requests ---- */

static char *join(const char *base, const char *rest)
{
    size_t n = strlen(base);

    while (n > 0 && base[n - 1] == '/')
        n--;
    return xasprintf("%.*s/%s", (int)n, base, rest);
}

char *alarm_call_url(const struct alarm_settings *set, enum alarm_target target)
{
    char *rest, *url;

    switch (target) {
    case ALARM_TELEGRAM:
        rest = xasprintf("bot%s/sendMessage", set->telegram_token);
        url = join(set->telegram_url, rest);
        free(rest);
        return url;
    case ALARM_BITRIX:
        return join(set->bitrix_url,
            given(set->bitrix_dialog) ? "im.message.add.json" : "im.notify.personal.add.json");
    case ALARM_WEBHOOK:
    case ALARM_TARGETS:
        break;
    }
    return xstrdup(set->webhook_url);
}

void alarm_call_body(const struct alarm_settings *set, enum alarm_target target,
    const struct alarm_telling *t, const struct alarm_teller *who, struct buf *body)
{
    struct buf message;

    if (target == ALARM_WEBHOOK) {
        alarm_json(t, who, body);
        return;
    }
    buf_init(&message, 16384);
    alarm_message(t, who, &message);
    if (target == ALARM_TELEGRAM) {
        buf_str(body, "{\"chat_id\":");
        buf_json(body, str_of(set->telegram_chat));
        buf_str(body, ",\"disable_web_page_preview\":true,\"text\":");
    } else if (given(set->bitrix_dialog)) {
        buf_str(body, "{\"DIALOG_ID\":");
        buf_json(body, str_of(set->bitrix_dialog));
        buf_str(body, ",\"MESSAGE\":");
    } else {
        buf_fmt(body, "{\"USER_ID\":%lld,\"MESSAGE\":", (long long)webhook_user(set->bitrix_url));
    }
    buf_json(body, str_of(buf_cstr(&message)));
    buf_char(body, '}');
    buf_fini(&message);
}

/* ---- answers ---- */

/* What the target says is wrong. It may repeat what it was asked: nothing of a secret is taken over. */
static void say_why(const json_t *root, char *ret, size_t size)
{
    static const char *const keys[] = { "description", "error_description", "message" };
    const char *text = NULL;

    ret[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(keys) && text == NULL; i++)
        text = json_string_value(json_object_get(root, keys[i]));
    if (text == NULL)
        text = json_string_value(json_object_get(root, "error"));
    if (text != NULL)
        url_mask(str_of(text), ret, size);
}

static bool answers_well(enum alarm_target target, int status, const json_t *root)
{
    if (status < 200 || status > 299)
        return false;
    if (target == ALARM_TELEGRAM)
        return json_is_true(json_object_get(root, "ok"));
    return target != ALARM_BITRIX ||
           (json_object_get(root, "result") != NULL && json_object_get(root, "error") == NULL);
}

int alarm_call_answer(enum alarm_target target, int status, struct str body, struct err *err)
{
    json_t *root = body.n > 0 ? json_loadb(body.p, body.n, 0, NULL) : NULL;
    json_int_t wait_s =
        json_integer_value(json_object_get(json_object_get(root, "parameters"), "retry_after"));
    char why[200];

    if (answers_well(target, status, root)) {
        json_decref(root);
        return 0;
    }
    say_why(root, why, sizeof(why));
    json_decref(root);
    bool passing = status >= 500 || status == 429 || status == 408;
    err_code(err, passing ? ERR_TEMP : ERR_CONF, status, "%s: HTTP %d%s%s", NAMES[target], status,
        why[0] != '\0' ? ": " : "", why);
    if (wait_s > 0 && wait_s <= 3600 && err != NULL)
        err->retry_ms = (unsigned)wait_s * 1000;
    return -1;
}
