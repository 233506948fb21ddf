#include "base/config_when.h"

#include "base/config.h"
#include "base/setting.h"

#include <stdio.h>
#include <string.h>

#define LEAST_MS 10000
#define MOST_MS  (366LL * 86400000)

static int once_only(const struct config_when *w, struct err *err)
{
    return w->told ? err_set(err, ERR_CONF, "schedule and interval exclude each other") : 0;
}

static void keep(struct config_when *w, const char *text)
{
    w->told = true;
    snprintf(w->text, sizeof(w->text), "%s", text);
}

static int take_schedule(struct config_when *w, const char *text, struct err *err)
{
    if (once_only(w, err) < 0 || cron_parse(str_of(text), &w->cron, err) < 0)
        return -1;
    w->by_cron = true;
    keep(w, text);
    return 0;
}

/* 90s, 10m, 2h, 1d. */
static bool duration(const char *text, int64_t *ret_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
    size_t n = strlen(text);
    uint64_t count;

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (n < 2 || text[n - 1] != units[i].unit || !str_u64((struct str){ text, n - 1 }, &count) ||
            count > (uint64_t)(MOST_MS / units[i].ms))
            continue;
        *ret_ms = (int64_t)count * units[i].ms;
        return *ret_ms >= LEAST_MS;
    }
    return false;
}

static int take_interval(struct config_when *w, const char *text, struct err *err)
{
    if (once_only(w, err) < 0)
        return -1;
    if (strcmp(text, "never") != 0 && !duration(text, &w->interval_ms))
        return err_set(
            err, ERR_CONF, "\"%.40s\" is not never, nor 10s to 366d such as 90s, 10m, 2h, 1d", text);
    keep(w, text);
    return 0;
}

static int take_missed(struct config_when *w, const char *text, struct err *err)
{
    if (!cron_missed_parse(str_of(text), &w->missed))
        return err_set(err, ERR_CONF,
            "missed is once (made up for by one run), all (by as many as were missed) or skip");
    w->missed_told = true;
    return 0;
}

static const struct {
    const char *key;
    int (*take)(struct config_when *w, const char *text, struct err *err);
} KEYS[] = { { "schedule", take_schedule }, { "interval", take_interval }, { "missed", take_missed } };

bool when_key(const char *key)
{
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
        if (strcmp(KEYS[i].key, key) == 0)
            return true;
    return false;
}

int when_take(struct config_when *w, const char *key, const char *text, struct err *err)
{
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
        if (strcmp(KEYS[i].key, key) == 0)
            return KEYS[i].take(w, text, err);
    return err_set(err, ERR_BUG, "no key of a schedule");
}

int64_t when_incremental_s(const struct config *config, int64_t incremental_s, int64_t interval_min)
{
    void *ctx = (void *)config;
    bool told = interval_min > 0 && setting_is_told("SYNC_DEFAULT_INTERVAL_MINUTES", config_setting, ctx);

    return told && !setting_is_told("SYNC_INCREMENTAL_SECONDS", config_setting, ctx) ? interval_min * 60
                                                                                     : incremental_s;
}

struct config_when config_when(const struct config_portal *portal, const char *entity)
{
    struct config_when w = portal->when;

    for (int i = 0; i < portal->entity_count; i++) {
        const struct config_when *own = &portal->entity_when[i];

        if (strcmp(portal->entities[i], entity) != 0)
            continue;
        enum cron_missed missed = own->missed_told ? own->missed : w.missed;
        w = own->told ? *own : w;
        w.missed = missed;
    }
    return w;
}
