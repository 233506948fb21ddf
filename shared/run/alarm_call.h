/* alarm_call.h - how each kind of target is told: its settings, its request, what its answer means. Pure. */
#pragma once

#include "base/alarm_text.h"
#include "base/err.h"
#include "base/mistakes.h"
#include "base/setting.h"

#include <stdint.h>

struct alarm_settings {
    char *webhook_url;
    char *telegram_token, *telegram_chat, *telegram_url;
    char *bitrix_url, *bitrix_dialog;
    char *language;
    int64_t after_ms, quiet_ms, repeat_ms, mark_age_ms;
};

/* Rows of a service's settings table; `field` is a struct alarm_settings of its state. */
#define ALARM_SETTINGS(type, field) \
    SET_SECRET(type, field.webhook_url, "ALARM_WEBHOOK_URL", "each alarm is posted there as JSON"), \
    SET_SECRET(type, field.telegram_token, "ALARM_TELEGRAM_TOKEN", "of a Telegram bot that tells alarms; with ALARM_TELEGRAM_CHAT"), \
    SET_STR(type, field.telegram_chat, "ALARM_TELEGRAM_CHAT", NULL, "number of the chat, or @channel"), \
    SET_STR(type, field.telegram_url, "ALARM_TELEGRAM_URL", "https://api.telegram.org", "where Telegram is, or its proxy"), \
    SET_SECRET(type, field.bitrix_url, "ALARM_BITRIX_URL", \
        "inbound webhook with the right im, one of its own: alarms go to a Bitrix24 chat"), \
    SET_STR(type, field.bitrix_dialog, "ALARM_BITRIX_DIALOG", NULL, \
        "chat42, or the number of a user; default: a notification to the webhook's owner"), \
    SET_STR(type, field.language, "ALARM_LANGUAGE", NULL, "ru or en; default: by the locale"), \
    SET_MS(type, field.after_ms, "ALARM_AFTER", "60s", 0, 86400000, "passing troubles are told when they last so long"), \
    SET_MS(type, field.quiet_ms, "ALARM_QUIET", "10m", 0, 86400000, "what comes and goes is told once in this time"), \
    SET_MS(type, field.repeat_ms, "ALARM_REPEAT", "1h", 0, 2592000000, "told again while it lasts; 0 = never"), \
    SET_MS(type, field.mark_age_ms, "ALARM_MARK_AGE", "5m", 1000, 86400000, "a changed record may wait so long to be read")

enum alarm_target { ALARM_WEBHOOK, ALARM_TELEGRAM, ALARM_BITRIX, ALARM_TARGETS };

const char *alarm_target_name(enum alarm_target target);        /* "telegram" */
bool alarm_target_is_set(const struct alarm_settings *set, enum alarm_target target);
/* Settings against each other: ERR_CONF names the one that is wrong, without its value. */
int alarm_settings_check(const struct alarm_settings *set, struct err *err) MUST_CHECK;
void alarm_settings_check_all(const struct alarm_settings *set, struct mistakes *all);     /* see app_def.check */
/* URL and JSON body of the call (POST). The URL is a secret; the caller frees it. */
char *alarm_call_url(const struct alarm_settings *set, enum alarm_target target);
void alarm_call_body(const struct alarm_settings *set, enum alarm_target target, const struct alarm_telling *t,
    const struct alarm_teller *who, struct buf *body);
/* 0: it arrived. ERR_TEMP or, what somebody has to put right, ERR_CONF; retry_ms as the target asks. No secret in the text. */
int alarm_call_answer(enum alarm_target target, int status, struct str body, struct err *err) MUST_CHECK;
