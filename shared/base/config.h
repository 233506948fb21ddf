/* config.h - potok.yaml and the environment's portal: which portals there are and what is mirrored.
 * Unknown keys, wrong values and duplicates are ERR_CONF with file:line:column and a hint.
 *
 *   portals:
 *     main:
 *       url: https://example.bitrix24.ru/rest/1/…/     # or url_file: /run/secrets/portal; or app: {…}, config_app.h
 *       tariff: standard                                # standard | enterprise | RATE/BURST
 *       entities: [deals, contacts, companies, leads]   # default: all known
 *       prefix: crm_                                    # of its tables
 *       drift: evolve                                   # new fields: evolve | freeze | quarantine (config_drift.h)
 *       events: online                                  # how changes are told of: online | offline | both (config_events.h)
 *       schedule: "0 8-19 * * mon-fri"                  # of full syncs (cron.h), or interval: 10m; config_when.h
 *       missed: once                                    # once | all | skip: times that passed while nothing ran
 *       zone: Europe/Moscow                             # whose clocks the schedule means; default: this machine's
 *   settings:
 *     SYNC_DEFAULT_INTERVAL_MINUTES: 30
 *
 * An entity with a policy or a schedule of its own stands in the list as a map: entities: [deals, {contacts: {drift: freeze}}].
 * BITRIX_WEBHOOK_URL (or _FILE) defines or overrides the url of the portal "main", BITRIX_DOMAIN, BITRIX_CLIENT_ID and
 * BITRIX_CLIENT_SECRET (or _FILE) its application, BITRIX_OAUTH_URL another OAuth server; BITRIX_TARIFF its tariff.
 * Owned by the caller; read-only after loading; any thread. */
#pragma once

#include "base/config_app.h"
#include "base/config_drift.h"
#include "base/config_events.h"
#include "base/config_when.h"
#include "base/err.h"
#include "base/mistakes.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_PORTALS_MAX 32
#define CONFIG_ENTITIES_MAX 64

struct config_portal {
    char *name;                 /* [a-z][a-z0-9_-]{0,31} */
    char *url;                  /* secret; ends in '/'; https, or http to a loopback host. NULL: an application, see app */
    char *address;              /* "https://host/" of both kinds: as configured, the portal may have moved since */
    struct config_app app;      /* client_id NULL: a webhook */
    uint32_t drain_per_s;       /* requests a second: 2, 5 or RATE */
    uint32_t burst;             /* 50, 250 or BURST */
    char *entities[CONFIG_ENTITIES_MAX];    /* plural names, validated by the caller's check */
    int entity_count;           /* 0 = all */
    enum drift_policy drift;           /* DRIFT_UNSET: not told; config_drift() answers */
    enum drift_policy entity_drift[CONFIG_ENTITIES_MAX];   /* of each in `entities` */
    enum events_way events;     /* EVENTS_UNSET: not told */
    struct config_when when;    /* config_when() answers */
    struct config_when entity_when[CONFIG_ENTITIES_MAX];
    char zone[65];              /* "": this machine's */
    char *prefix;               /* table prefix */
    bool wrong;                 /* while it is read: something of it is, and nothing that follows from that is told */
    char where[96];             /* "potok.yaml:3:5" or "environment" */
    char tariff_where[96], entities_where[96], prefix_where[96], drift_where[96], events_where[96];    /* "": the default */
};

struct config_pair {
    char *name, *value;
    char where[96];
};

struct config {
    char *path;                 /* NULL: no file */
    struct config_portal portals[CONFIG_PORTALS_MAX];
    int portal_count;
    struct config_pair *pairs;  /* `settings:` */
    int pair_count;
    bool wrong;                 /* of config_checks.all: something was, and portals with a mistake are left out */
};

/* is_entity(name) says whether a (singular or plural) entity exists and gives its plural name; is_setting(name)
 * whether any service knows the setting. Both may be NULL (then everything is accepted). */
struct config_checks {
    const char *(*entity)(struct str name);
    bool (*setting)(const char *name);
    const char *entities;       /* all of them, for messages: "deals, contacts"; NULL: not told */
    struct mistakes *all;       /* what is wrong goes here and loading goes on: it does not fail then. NULL: the first ends it */
};

/* path NULL: POTOK_CONFIG, else potok.yaml where it exists, else no file. No portal at all is not an error here. */
int config_load(struct config *ret, const char *path, const struct config_checks *checks, struct err *err) MUST_CHECK;
void config_free(struct config *c);
const struct config_portal *config_portal(const struct config *c, struct str name);    /* NULL: not there */
/* The webhook's address or the portal's: for url_mask() and webhook_identity(). */
static inline const char *config_portal_url(const struct config_portal *p)
{
    return p->url ? p->url : p->address;
}
static inline bool config_portal_is_app(const struct config_portal *p)
{
    return p->app.client_id;
}
const char *config_setting(void *config, const char *name, const char **ret_where);    /* a setting_lookup */
