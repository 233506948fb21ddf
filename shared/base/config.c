#include "base/config.h"

#include "base/config_file.h"
#include "base/config_loader.h"
#include "base/config_portal.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/webhook.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct config_portal *find_portal(struct config *c, struct str name)
{
    for (int i = 0; i < c->portal_count; i++)
        if (str_is(name, c->portals[i].name))
            return &c->portals[i];
    return NULL;
}

/* NAME, else what the file NAME_FILE holds; *ret = NULL when neither is there. The caller frees. */
static int read_environment(const char *name, char **ret, struct err *err)
{
    char file_name[64];
    const char *text = getenv(name);

    *ret = NULL;
    if (text && text[0]) {
        *ret = xstrdup(text);
        return 0;
    }
    snprintf(file_name, sizeof(file_name), "%s_FILE", name);
    text = getenv(file_name);
    if (!text || !text[0])
        return 0;
    return file_read_secret(text, ret, err) < 0 ? err_wrap(err, "%s", file_name) : 0;
}

/* The portal "main", made when there is none. */
static struct config_portal *need_main(struct loader *l, const char *name)
{
    struct config_portal *main_portal = find_portal(l->config, STR("main"));

    if (main_portal)
        return main_portal;
    if (l->config->portal_count == CONFIG_PORTALS_MAX) {
        err_set(l->err, ERR_CONF, "%s: more than %d portals", name, CONFIG_PORTALS_MAX);
        return NULL;
    }
    return config_portal_add(l->config, "main");
}

/* The environment's portal, of which something is wrong; NULL: there is no room for it. */
static struct config_portal *wrong_main(struct loader *l)
{
    struct config_portal *main_portal = find_portal(l->config, STR("main"));

    if (main_portal || l->config->portal_count == CONFIG_PORTALS_MAX)
        return main_portal;
    return config_portal_add(l->config, "main");
}

static int override_url(struct loader *l)
{
    char *text, *url;

    if (read_environment("BITRIX_WEBHOOK_URL", &text, l->err) < 0)
        return loader_wrong(l, wrong_main(l));
    if (!text)
        return 0;

    int result = webhook_parse(str_of(text), &url, l->err);
    explicit_bzero(text, strlen(text));
    free(text);
    if (result < 0) {
        err_wrap(l->err, "BITRIX_WEBHOOK_URL");
        return loader_wrong(l, wrong_main(l));
    }

    struct config_portal *main_portal = need_main(l, "BITRIX_WEBHOOK_URL");
    if (!main_portal) {
        free(url);
        return -1;
    }
    free(main_portal->url);
    main_portal->url = url;
    snprintf(main_portal->where, sizeof(main_portal->where), "%s", "environment");
    return 0;
}

static int override_app_setting(struct loader *l, const char *name)
{
    char *text, whole[64];
    int result;

    snprintf(whole, sizeof(whole), "BITRIX_%s", name);
    if (read_environment(whole, &text, l->err) < 0)
        return -1;
    if (!text)
        return 0;

    struct config_portal *main_portal = need_main(l, whole);
    result = main_portal ? config_app_set(main_portal, name, text, l->err) : -1;
    explicit_bzero(text, strlen(text));
    free(text);
    if (result == 0)
        snprintf(main_portal->where, sizeof(main_portal->where), "%s", "environment");
    return result;
}

static int override_app(struct loader *l)
{
    static const char *const names[] = { "DOMAIN", "CLIENT_ID", "CLIENT_SECRET", "OAUTH_URL" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (override_app_setting(l, names[i]) < 0 && loader_wrong(l, wrong_main(l)) < 0)
            return -1;
    return 0;
}

static int override_tariff(struct loader *l)
{
    char word[SHOWN_SIZE];
    const char *text = getenv("BITRIX_TARIFF");
    struct config_portal *main_portal = find_portal(l->config, STR("main"));
    uint32_t drain, burst;

    if (!text || !text[0])
        return 0;
    if (!config_tariff_parse(str_of(text), &drain, &burst))
        return err_set(l->err, ERR_CONF, "BITRIX_TARIFF: \"%s\" " TARIFF_RULE, config_shown(text, word));
    if (!main_portal && l->config->portal_count > 0)
        return err_set(l->err, ERR_CONF,
            "BITRIX_TARIFF is for the portal main, and there is none: "
            "put tariff: %s under the portal in %s",
            text, l->path ? l->path : "potok.yaml");
    if (main_portal) {
        main_portal->drain_per_s = drain;
        main_portal->burst = burst;
        snprintf(main_portal->tariff_where, sizeof(main_portal->tariff_where), "%s", "environment");
    }
    return 0;
}

static bool share_entity(const struct config_portal *a, const struct config_portal *b)
{
    if (a->entity_count == 0 || b->entity_count == 0) /* all */
        return true;
    for (int i = 0; i < a->entity_count; i++)
        for (int j = 0; j < b->entity_count; j++)
            if (strcmp(a->entities[i], b->entities[j]) == 0)
                return true;
    return false;
}

/* Subscriptions and the queue of events belong to the application: each name would take the other's for its
 * own. */
static bool share_application(const struct config_portal *a, const struct config_portal *b)
{
    return config_portal_is_app(a) && config_portal_is_app(b) && strcmp(a->address, b->address) == 0 &&
           strcmp(a->app.client_id, b->app.client_id) == 0;
}

static int check_pair(struct loader *l, const struct config_portal *a, const struct config_portal *b)
{
    if (strcmp(a->prefix, b->prefix) == 0 && share_entity(a, b))
        return err_set(l->err, ERR_CONF,
            "%s: portals %s and %s would write to the same tables (prefix %s): "
            "give one of them another prefix",
            err_tr(a->where), b->name, a->name, a->prefix);
    if (share_application(a, b))
        return err_set(l->err, ERR_CONF,
            "%s: portals %s and %s are one portal (%s) through one application, whose events are told once: "
            "put the entities of both under one name",
            err_tr(a->where), b->name, a->name, a->address);
    return 0;
}

static int check_portal(struct loader *l, struct config_portal *portal)
{
    if (config_app_check(portal, l->err) < 0)
        return -1;
    if (config_events_offline(portal) && !config_portal_is_app(portal))
        return err_set(l->err, ERR_CONF,
            "%s: portal %s: events: %s wants the portal as an application (app:): a webhook has no queue",
            err_tr(portal->where), portal->name, events_way_name(portal->events));
    for (const struct config_portal *other = l->config->portals; other < portal; other++)
        if (!other->wrong && check_pair(l, portal, other) < 0)
            return -1;
    return 0;
}

static int check_portals(struct loader *l)
{
    for (int i = 0; i < l->config->portal_count; i++) {
        struct config_portal *portal = &l->config->portals[i];

        if (!portal->wrong && check_portal(l, portal) < 0 && loader_wrong(l, portal) < 0)
            return -1;
    }
    return 0;
}

static void free_portal(struct config_portal *portal)
{
    if (portal->url)
        explicit_bzero(portal->url, strlen(portal->url));
    free(portal->url);
    free(portal->address);
    config_app_free(&portal->app);
    free(portal->name);
    free(portal->prefix);
    for (int j = 0; j < portal->entity_count; j++)
        free(portal->entities[j]);
}

/* Who goes on after a mistake must not meet half a portal. */
static void leave_out_wrong(struct config *c)
{
    int right = 0;

    for (int i = 0; i < c->portal_count; i++) {
        if (c->portals[i].wrong)
            free_portal(&c->portals[i]);
        else if (right++ < i)
            c->portals[right - 1] = c->portals[i];
    }
    c->portal_count = right;
}

static const char *find_path(const char *path)
{
    const char *named = getenv("POTOK_CONFIG");

    if (path)
        return path;
    if (named && named[0])
        return named;
    return access("potok.yaml", F_OK) == 0 ? "potok.yaml" : NULL;
}

static int read_file(struct loader *l)
{
    if (!l->path)
        return 0;
    l->config->path = xstrdup(l->path);
    return config_file_read(l->config, l->path, l->checks, l->err);
}

static int (*const STEPS[])(
    struct loader *l) = { read_file, override_url, override_app, override_tariff, check_portals };

int config_load(struct config *ret, const char *path, const struct config_checks *checks, struct err *err)
{
    static const struct config_checks accept_all = { 0 };
    struct config *c = xcalloc(1, sizeof(*c));
    struct loader l = {
        .config = c, .checks = checks ? checks : &accept_all, .path = find_path(path), .err = err
    };
    int noted = l.checks->all ? l.checks->all->count : 0, result = 0;

    for (size_t i = 0; i < ARRAY_SIZE(STEPS) && result == 0; i++)
        result = STEPS[i](&l) < 0 ? loader_noted(&l) : 0;
    leave_out_wrong(c);
    c->wrong = l.checks->all && l.checks->all->count > noted;
    if (result == 0)
        *ret = *c;
    else
        config_free(c);
    free(c);
    return result;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->portal_count; i++)
        free_portal(&c->portals[i]);
    for (int i = 0; i < c->pair_count; i++) {
        free(c->pairs[i].name);
        free(c->pairs[i].value);
    }
    free(c->pairs);
    free(c->path);
    *c = (struct config){ 0 };
}

const struct config_portal *config_portal(const struct config *c, struct str name)
{
    return find_portal((struct config *)c, name);
}

const char *config_setting(void *config, const char *name, const char **ret_where)
{
    const struct config *c = config;

    for (int i = 0; i < c->pair_count; i++) {
        if (strcmp(c->pairs[i].name, name) == 0) {
            *ret_where = c->pairs[i].where;
            return c->pairs[i].value;
        }
    }
    return NULL;
}
