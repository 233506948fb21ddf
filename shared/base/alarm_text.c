#include "base/alarm_text.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MESSAGE_MOST_BYTES 4096

bool alarm_speaks_russian(const char *language)
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

    for (size_t i = 0; i < ARRAY_SIZE(names) && language[0] == '\0'; i++) {
        const char *value = getenv(names[i]);

        if (value != NULL && value[0] != '\0')
            language = value;
    }
    return strncmp(language, "ru", 2) == 0;
}

void alarm_span(uint64_t ms, bool russian, char ret[static 40])
{
    static const struct {
        uint64_t seconds;
        const char *ru, *en;
    } units[] = { { 86400, "д", "d" }, { 3600, "ч", "h" }, { 60, "мин", "min" }, { 1, "с", "s" } };
    uint64_t left = ms / 1000;
    int n = 0, parts = 0;

    for (size_t i = 0; i < ARRAY_SIZE(units) && parts < 2; i++) {
        uint64_t count = left / units[i].seconds;

        left %= units[i].seconds;
        if (count == 0 && (parts > 0 || units[i].seconds > 1))
            continue;
        if (parts > 0 && units[i].seconds == 1)
            break; /* seconds beside minutes tell nothing */
        n += snprintf(ret + n, 40 - (size_t)n, "%s%llu %s", parts > 0 ? " " : "", (unsigned long long)count,
            russian ? units[i].ru : units[i].en);
        parts++;
    }
}

static const char *headline(const struct alarm_telling *t, bool russian)
{
    static const char *const levels[][2] = {
        [ALARM_INFO] = { "К сведению", "Notice" },
        [ALARM_WARNING] = { "Предупреждение", "Warning" },
        [ALARM_ERROR] = { "Авария", "Alarm" },
    };
    static const char *const states[][2] = {
        [ALARM_RAISED] = { "", "" },
        [ALARM_REPEATED] = { "Всё ещё", "Still" },
        [ALARM_RESOLVED] = { "Снова в порядке", "Resolved" },
    };

    return t->state == ALARM_RAISED ? levels[t->kind->level][!russian] : states[t->state][!russian];
}

static void add_where(const struct alarm_telling *t, struct buf *out)
{
    if (t->portal[0] == '\0')
        return;
    buf_fmt(out, "%s%s%s: ", t->portal, t->entity[0] != '\0' ? "/" : "", t->entity);
}

static void add_when(const struct alarm_telling *t, bool russian, struct buf *out)
{
    time_t seconds = (time_t)(t->since_ms / 1000);
    char since[40], lasted[40];
    struct tm tm;

    strftime(since, sizeof(since), "%Y-%m-%d %H:%M:%S %z", localtime_r(&seconds, &tm));
    alarm_span(t->lasted_ms, russian, lasted);
    if (t->kind->after == ALARM_ONCE || t->lasted_ms < 1000)
        buf_fmt(out, "%s: %s\n", russian ? "Время" : "At", since);
    else if (t->state == ALARM_RESOLVED)
        buf_fmt(out, "%s %s (%s %s)\n", russian ? "Длилось" : "It lasted", lasted, russian ? "с" : "since",
            since);
    else
        buf_fmt(out, "%s %s (%s)\n", russian ? "С" : "Since", since, lasted);
}

static void add_masked(struct str text, struct buf *out)
{
    struct buf masked;

    buf_init(&masked, MESSAGE_MOST_BYTES);
    text_mask(text, &masked);
    buf_add(out, masked.p, utf8_cut(buf_cstr(&masked), masked.n, 1000));
    buf_fini(&masked);
}

/* The reason as it was found, in the words of logs: where it says more than subject and advice do. */
static bool says_more(const struct alarm_telling *t)
{
    const char *const said[] = { t->kind->en, t->kind->ru, t->kind->act_en, t->kind->act_ru };

    for (size_t i = 0; i < ARRAY_SIZE(said); i++)
        if (strstr(said[i], t->text) != NULL)
            return false;
    return t->state != ALARM_RESOLVED;
}

void alarm_message(const struct alarm_telling *t, const struct alarm_teller *who, struct buf *out)
{
    bool ru = who->russian;

    buf_fmt(out, "%s: ", headline(t, ru));
    add_where(t, out);
    buf_fmt(out, "%s\n", ru ? t->kind->ru : t->kind->en);
    add_when(t, ru, out);
    if (t->state != ALARM_RESOLVED)
        buf_fmt(out, "%s: %s\n", ru ? "Что делать" : "What to do", ru ? t->kind->act_ru : t->kind->act_en);
    if (says_more(t)) {
        buf_fmt(out, "%s: ", ru ? "Подробности" : "Details");
        add_masked(str_of(t->text), out);
        buf_char(out, '\n');
    }
    buf_fmt(out, "Potok, %s, %s", who->instance, who->host);
}

static void member(struct buf *out, const char *key, const char *value)
{
    buf_fmt(out, "%s\"%s\":", out->p[out->n - 1] == '{' ? "" : ",", key);
    buf_json(out, str_of(value));
}

static void member_masked(struct buf *out, const char *key, struct str value)
{
    struct buf masked;

    buf_init(&masked, MESSAGE_MOST_BYTES);
    add_masked(value, &masked);
    member(out, key, buf_cstr(&masked));
    buf_fini(&masked);
}

void alarm_json(const struct alarm_telling *t, const struct alarm_teller *who, struct buf *out)
{
    char since[CLOCK_ISO_SIZE];
    struct buf message;

    clock_iso(t->since_ms, since);
    buf_init(&message, 2 * MESSAGE_MOST_BYTES);
    alarm_message(t, who, &message);
    buf_char(out, '{');
    member(out, "name", t->kind->name);
    member(out, "level", alarm_level_name(t->kind->level));
    member(out, "state", alarm_state_name(t->state));
    member(out, "portal", t->portal);
    member(out, "entity", t->entity);
    member(out, "subject", who->russian ? t->kind->ru : t->kind->en);
    member_masked(out, "text", str_of(t->text));
    member(out, "act", who->russian ? t->kind->act_ru : t->kind->act_en);
    member(out, "since", since);
    buf_fmt(out, ",\"lasted_ms\":%llu", (unsigned long long)t->lasted_ms);
    member(out, "host", who->host);
    member(out, "instance", who->instance);
    member(out, "message", buf_cstr(&message));
    buf_char(out, '}');
    buf_fini(&message);
}
