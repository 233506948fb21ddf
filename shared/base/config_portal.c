#include "base/config_portal.h"

#include "base/config_entities.h"
#include "base/config_yaml.h"
#include "base/file.h"
#include "base/guess.h"
#include "base/mem.h"
#include "base/webhook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PREFIX "crm_"

/* --- tariff --- */

bool config_tariff_parse(struct str text, uint32_t *ret_drain, uint32_t *ret_burst)
{
    static const struct {
        const char *name;
        uint32_t drain, burst;
    } tariffs[] = { { "standard", 2, 50 }, { "enterprise", 5, 250 } };
    uint64_t drain, burst;

    for (size_t i = 0; i < ARRAY_SIZE(tariffs); i++) {
        if (str_case_eq(text, str_of(tariffs[i].name))) {
            *ret_drain = tariffs[i].drain;
            *ret_burst = tariffs[i].burst;
            return true;
        }
    }

    const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
    if (!slash || !str_u64((struct str){ text.p, (size_t)(slash - text.p) }, &drain) ||
        !str_u64((struct str){ slash + 1, text.n - (size_t)(slash - text.p) - 1 }, &burst))
        return false;
    /* whoever paces keeps a second's drain and one call in reserve */
    if (drain < 1 || drain > 10000 || burst < drain + 2 || burst > 1000000)
        return false;
    *ret_drain = (uint32_t)drain;
    *ret_burst = (uint32_t)burst;
    return true;
}

static int take_tariff(struct loader *l, struct config_portal *portal, const struct node *node)
{
    char word[SHOWN_SIZE];

    if (loader_text(l, node) < 0)
        return -1;
    if (!config_tariff_parse(str_of(node->text), &portal->drain_per_s, &portal->burst))
        return REFUSE(l, node, "\"%s\" " TARIFF_RULE, config_shown(node->text, word));
    loader_where(l, node, portal->tariff_where, sizeof(portal->tariff_where));
    return 0;
}

/* --- url, app --- */

static int put_url(struct loader *l, struct config_portal *portal, const struct node *node, const char *text)
{
    if (portal->url)
        return REFUSE(l, node, "portal %s: url and url_file exclude each other", portal->name);
    if (webhook_parse(str_of(text), &portal->url, l->err) < 0)
        return err_wrap(
            l->err, "%s:%u:%u: portal %s: %s", l->path, node->line, node->column, portal->name, node->key);
    return 0;
}

static int take_url(struct loader *l, struct config_portal *portal, const struct node *node)
{
    return loader_text(l, node) < 0 ? -1 : put_url(l, portal, node, node->text);
}

static int take_url_file(struct loader *l, struct config_portal *portal, const struct node *node)
{
    char *text;

    if (loader_text(l, node) < 0)
        return -1;
    if (file_read_secret(node->text, &text, l->err) < 0)
        return err_wrap(
            l->err, "%s:%u:%u: portal %s: url_file", l->path, node->line, node->column, portal->name);

    int result = put_url(l, portal, node, text);
    explicit_bzero(text, strlen(text));
    free(text);
    return result;
}

/* --- what is copied, where to and when --- */

static int take_drift(struct loader *l, struct config_portal *portal, const struct node *node)
{
    if (loader_drift(l, node, &portal->drift) < 0)
        return -1;
    loader_where(l, node, portal->drift_where, sizeof(portal->drift_where));
    return 0;
}

static const char *const events_names[] = { "online", "offline", "both", NULL };

static int take_events(struct loader *l, struct config_portal *portal, const struct node *node)
{
    char word[SHOWN_SIZE];

    if (loader_text(l, node) < 0)
        return -1;
    if (!events_way_parse(str_of(node->text), &portal->events)) {
        const char *guess = guess_word(node->text, events_names);

        if (guess)
            return REFUSE(l, node, "events: \"%s\" is no way (did you mean \"%s\"?)",
                config_shown(node->text, word), guess);
        return REFUSE(l, node,
            "events: \"%s\" is no way: online (the portal calls the gateway), offline (its queue is read) or "
            "both",
            config_shown(node->text, word));
    }
    loader_where(l, node, portal->events_where, sizeof(portal->events_where));
    return 0;
}

static int take_when(struct loader *l, struct config_portal *portal, const struct node *node)
{
    return loader_when(l, node, &portal->when);
}

static int take_zone(struct loader *l, struct config_portal *portal, const struct node *node)
{
    struct zone zone;

    if (loader_text(l, node) < 0)
        return -1;
    if (zone_load(&zone, node->text, l->err) < 0)
        return err_wrap(l->err, "%s:%u:%u: %s", l->path, node->line, node->column, node->key);
    zone_free(&zone);
    snprintf(portal->zone, sizeof(portal->zone), "%s", node->text);
    return 0;
}

static int take_prefix(struct loader *l, struct config_portal *portal, const struct node *node)
{
    char word[SHOWN_SIZE];

    if (loader_text(l, node) < 0)
        return -1;
    if (!config_is_word(node->text, CONFIG_LOWER, CONFIG_LOWER CONFIG_DIGIT "_", 31))
        return REFUSE(l, node, "portal %s: prefix \"%s\" is not a small letter and up to 30 of a-z 0-9 _",
            portal->name, config_shown(node->text, word));
    free(portal->prefix);
    portal->prefix = xstrdup(node->text);
    loader_where(l, node, portal->prefix_where, sizeof(portal->prefix_where));
    return 0;
}

/* --- the portal --- */

static const struct portal_key {
    const char *name;
    int (*take)(struct loader *l, struct config_portal *portal, const struct node *node);
} portal_keys[] = {
    { "url", take_url },
    { "url_file", take_url_file },
    { "app", config_app_take },
    { "tariff", take_tariff },
    { "entities", config_entities_take },
    { "prefix", take_prefix },
    { "drift", take_drift },
    { "events", take_events },
    { "schedule", take_when },
    { "interval", take_when },
    { "missed", take_when },
    { "zone", take_zone },
};

struct config_portal *config_portal_add(struct config *c, const char *name)
{
    struct config_portal *portal = &c->portals[c->portal_count++];

    *portal = (struct config_portal){ .name = xstrdup(name), .prefix = xstrdup(DEFAULT_PREFIX) };
    config_tariff_parse(STR("standard"), &portal->drain_per_s, &portal->burst);
    return portal;
}

static int take_portal_key(struct loader *l, struct config_portal *portal, const struct node *node)
{
    const char *names[ARRAY_SIZE(portal_keys) + 1] = { NULL };
    char in[64];

    for (size_t i = 0; i < ARRAY_SIZE(portal_keys); i++) {
        if (strcmp(portal_keys[i].name, node->key) == 0)
            return portal_keys[i].take(l, portal, node);
        names[i] = portal_keys[i].name;
    }
    snprintf(in, sizeof(in), err_tr(" in portal %s"), portal->name);
    return loader_refuse_key(l, node, names, in);
}

int config_portal_take(struct loader *l, const struct node *node)
{
    char word[SHOWN_SIZE];

    if (!config_is_word(node->key, CONFIG_LOWER, CONFIG_LOWER CONFIG_DIGIT "_-", 32))
        return REFUSE(l, node, "\"%s\" is no portal name: a small letter and up to 31 of a-z 0-9 _ -",
            config_shown(node->key, word));
    if (l->config->portal_count == CONFIG_PORTALS_MAX)
        return REFUSE(l, node, "more than %d portals", CONFIG_PORTALS_MAX);
    if (node->kind != NODE_MAP && !loader_is_empty(node))
        return REFUSE(
            l, node, "portal %s wants keys under it: url, tariff, entities, prefix, drift", node->key);

    struct config_portal *portal = config_portal_add(l->config, node->key);
    loader_where(l, node, portal->where, sizeof(portal->where));
    for (const struct node *n = node->first; n; n = n->next)
        if (take_portal_key(l, portal, n) < 0 && loader_wrong(l, portal) < 0)
            return -1;
    return 0;
}
