/* config_when.h - when an entity is read anew by itself: `schedule`, `interval` and `missed` of potok.yaml, of a portal or of one
 * entity. By value; constant after loading; any thread. */
#pragma once

#include "base/cron.h"

#include <stdbool.h>
#include <stdint.h>

struct config_when {
    bool told;                  /* a schedule or an interval; else SYNC_DEFAULT_INTERVAL_MINUTES holds */
    bool by_cron;
    struct cron cron;
    int64_t interval_ms;        /* without a schedule; 0 = never by itself */
    bool missed_told;
    enum cron_missed missed;
    char text[81];              /* as it was told */
};

bool when_key(const char *key);     /* is it one of the three? */
/* One of them taken. ERR_CONF. */
int when_take(struct config_when *w, const char *key, const char *text, struct err *err) MUST_CHECK;

struct config;
/* Seconds between two looks for what changed: SYNC_INCREMENTAL_SECONDS where that is told; else SYNC_DEFAULT_INTERVAL_MINUTES where
 * that is told and not 0 ("keep it as fresh as that"); else the default of the former. */
int64_t when_incremental_s(const struct config *config, int64_t incremental_s, int64_t interval_min);

struct config_portal;
/* Of one entity (plural name): its own, else its portal's. */
struct config_when config_when(const struct config_portal *portal, const char *entity);
