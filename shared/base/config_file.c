#include "base/config_file.h"

#include "base/config_yaml.h"
#include "base/file.h"
#include "base/guess.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/webhook.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX_BYTES (1 << 20)
#define DEFAULT_PREFIX "crm_"

/* What is read from where; `config` is the result being built. */
struct loader {
    struct config *config;
    const struct config_checks *checks;
    const char *path;
    struct err *err;
};

/* "path:line:column: " before what is wrong; user's words in it pass through config_shown(). */
#define REFUSE(l, node, format, ...) \
    err_set((l)->err, ERR_CONF, "%s:%u:%u: " format, (l)->path, (node)->line, (node)->column, ##__VA_ARGS__)

const char *config_shown(const char *text, char ret[static SHOWN_SIZE])
{
    url_mask(str_of(text), ret, SHOWN_SIZE);
    return ret;
}

static void put_where(const struct loader *l, const struct node *node, char *ret, size_t size)
{
    const char *slash = strrchr(l->path, '/');

    snprintf(ret, size, "%.70s:%u:%u", slash ? slash + 1 : l->path, node->line, node->column);
}

static bool is_word(const char *s, const char *first, const char *rest, size_t most)
{
    size_t n = strlen(s);

    return n > 0 && n <= most && strchr(first, s[0]) && strspn(s, rest) == n;
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

static bool is_empty(const struct node *node)
{
    return node->kind == NODE_TEXT && !node->text[0];
}

static int need_text(struct loader *l, const struct node *node)
{
    char key[SHOWN_SIZE];

    if (node->kind != NODE_TEXT)
        return REFUSE(l, node, "%s wants a single value", config_shown(node->key, key));
    if (!node->text[0])
        return REFUSE(l, node, "%s is empty", config_shown(node->key, key));
    return 0;
}

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

    if (need_text(l, node) < 0)
        return -1;
    if (!config_tariff_parse(str_of(node->text), &portal->drain_per_s, &portal->burst))
        return REFUSE(l, node, "\"%s\" " TARIFF_RULE, config_shown(node->text, word));
    put_where(l, node, portal->tariff_where, sizeof(portal->tariff_where));
    return 0;
}

/* --- url --- */

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
    return need_text(l, node) < 0 ? -1 : put_url(l, portal, node, node->text);
}

static int take_url_file(struct loader *l, struct config_portal *portal, const struct node *node)
{
    char *text;

    if (need_text(l, node) < 0)
        return -1;
    if (file_read_secret(node->text, &text, l->err) < 0)
        return err_wrap(
            l->err, "%s:%u:%u: portal %s: url_file", l->path, node->line, node->column, portal->name);

    int result = put_url(l, portal, node, text);
    explicit_bzero(text, strlen(text));
    free(text);
    return result;
}

static int take_app(struct loader *l, struct config_portal *portal, const struct node *node)
{
    return config_app_take(portal, node, l->path, l->err);
}

/* --- entities, drift, prefix --- */

static int refuse_entity(struct loader *l, const struct config_portal *portal, const struct node *node)
{
    char word[SHOWN_SIZE], guess[GUESS_SIZE];

    if (guess_entity(node->text, l->checks->entity, guess))
        return REFUSE(l, node, "portal %s: unknown entity \"%s\" (did you mean \"%s\"?)", portal->name,
            config_shown(node->text, word), guess);
    if (!l->checks->entities)
        return REFUSE(
            l, node, "portal %s: unknown entity \"%s\"", portal->name, config_shown(node->text, word));
    return REFUSE(l, node, "portal %s: unknown entity \"%s\": there are %s; leave the list out to have all",
        portal->name, config_shown(node->text, word), l->checks->entities);
}

static const char *const drift_names[] = { "evolve", "freeze", "quarantine", NULL };
static const char *const entity_key_names[] = { "drift", "schedule", "interval", "missed", NULL };

static int refuse_key(struct loader *l, const struct node *node, const char *const *known, const char *in)
{
    char word[SHOWN_SIZE];
    const char *guess = guess_word(node->key, known);

    if (guess)
        return REFUSE(
            l, node, "unknown key \"%s\"%s (did you mean \"%s\"?)", config_shown(node->key, word), in, guess);
    return REFUSE(l, node, "unknown key \"%s\"%s", config_shown(node->key, word), in);
}

static int read_drift(struct loader *l, const struct node *node, enum drift_policy *ret)
{
    char word[SHOWN_SIZE];

    if (need_text(l, node) < 0)
        return -1;
    if (drift_parse(str_of(node->text), ret))
        return 0;
    const char *guess = guess_word(node->text, drift_names);
    if (guess)
        return REFUSE(l, node, "drift: \"%s\" is no policy (did you mean \"%s\"?)",
            config_shown(node->text, word), guess);
    return REFUSE(l, node,
        "drift: \"%s\" is no policy: evolve (new fields are copied), freeze (left out until accepted) "
        "or quarantine (their values are set aside)",
        config_shown(node->text, word));
}

static int take_drift(struct loader *l, struct config_portal *portal, const struct node *node)
{
    if (read_drift(l, node, &portal->drift) < 0)
        return -1;
    put_where(l, node, portal->drift_where, sizeof(portal->drift_where));
    return 0;
}

static const char *const events_names[] = { "online", "offline", "both", NULL };

static int take_events(struct loader *l, struct config_portal *portal, const struct node *node)
{
    char word[SHOWN_SIZE];

    if (need_text(l, node) < 0)
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
    put_where(l, node, portal->events_where, sizeof(portal->events_where));
    return 0;
}

/* schedule, interval, missed */
static int read_when(struct loader *l, const struct node *node, struct config_when *ret)
{
    if (need_text(l, node) < 0)
        return -1;
    if (when_take(ret, node->key, node->text, l->err) < 0)
        return err_wrap(l->err, "%s:%u:%u: %s", l->path, node->line, node->column, node->key);
    return 0;
}

static int take_when(struct loader *l, struct config_portal *portal, const struct node *node)
{
    return read_when(l, node, &portal->when);
}

static int take_zone(struct loader *l, struct config_portal *portal, const struct node *node)
{
    struct zone zone;

    if (need_text(l, node) < 0)
        return -1;
    if (zone_load(&zone, node->text, l->err) < 0)
        return err_wrap(l->err, "%s:%u:%u: %s", l->path, node->line, node->column, node->key);
    zone_free(&zone);
    snprintf(portal->zone, sizeof(portal->zone), "%s", node->text);
    return 0;
}

/* {contacts: {drift: freeze}}: the entity's own settings. */
static int take_entity_settings(struct loader *l, struct config_portal *portal, const struct node *node)
{
    char in[128];

    if (is_empty(node))
        return 0;
    if (node->kind != NODE_MAP)
        return REFUSE(
            l, node, "portal %s: an entity's settings are a map: {contacts: {drift: freeze}}", portal->name);
    snprintf(in, sizeof(in), err_tr(" of an entity of portal %s"), portal->name);
    for (const struct node *n = node->first; n; n = n->next) {
        int i = portal->entity_count - 1;

        if (strcmp(n->key, "drift") != 0 && !when_key(n->key))
            return refuse_key(l, n, entity_key_names, in);
        if ((when_key(n->key) ? read_when(l, n, &portal->entity_when[i])
                              : read_drift(l, n, &portal->entity_drift[i])) < 0)
            return -1;
    }
    return 0;
}

static int add_entity(struct loader *l, struct config_portal *portal, const struct node *node)
{
    char word[SHOWN_SIZE];
    const char *plural = node->text;

    if (!is_word(node->text, LOWER, LOWER DIGIT "_", 63))
        return refuse_entity(l, portal, node);
    if (l->checks->entity)
        plural = l->checks->entity(str_of(node->text));
    if (!plural)
        return refuse_entity(l, portal, node);
    for (int i = 0; i < portal->entity_count; i++)
        if (strcmp(portal->entities[i], plural) == 0)
            return REFUSE(
                l, node, "portal %s: %s is in the list twice", portal->name, config_shown(node->text, word));
    if (portal->entity_count == CONFIG_ENTITIES_MAX)
        return REFUSE(l, node, "portal %s: more than %d entities", portal->name, CONFIG_ENTITIES_MAX);
    portal->entities[portal->entity_count++] = xstrdup(plural);
    return 0;
}

/* A name, or a map of one name to its settings. */
static int take_entity(struct loader *l, struct config_portal *portal, const struct node *node)
{
    const struct node *member = node->kind == NODE_MAP ? node->first : NULL;

    if (node->kind == NODE_TEXT)
        return add_entity(l, portal, node);
    if (!member || member->next)
        return REFUSE(l, node, "portal %s: entities wants a list of names, or of {name: {drift: policy}}",
            portal->name);

    struct node name = { .text = member->key, .line = member->line, .column = member->column };
    if (add_entity(l, portal, &name) < 0)
        return -1;
    return take_entity_settings(l, portal, member);
}

static int take_entities(struct loader *l, struct config_portal *portal, const struct node *node)
{
    if (node->kind != NODE_LIST)
        return REFUSE(l, node, "portal %s: entities wants a list: [deals, contacts]", portal->name);
    if (!node->first)
        return REFUSE(
            l, node, "portal %s: the list of entities is empty; leave it out for all", portal->name);
    for (const struct node *n = node->first; n; n = n->next)
        if (take_entity(l, portal, n) < 0)
            return -1;
    put_where(l, node, portal->entities_where, sizeof(portal->entities_where));
    return 0;
}

static int take_prefix(struct loader *l, struct config_portal *portal, const struct node *node)
{
    char word[SHOWN_SIZE];

    if (need_text(l, node) < 0)
        return -1;
    if (!is_word(node->text, LOWER, LOWER DIGIT "_", 31))
        return REFUSE(l, node, "portal %s: prefix \"%s\" is not a small letter and up to 30 of a-z 0-9 _",
            portal->name, config_shown(node->text, word));
    free(portal->prefix);
    portal->prefix = xstrdup(node->text);
    put_where(l, node, portal->prefix_where, sizeof(portal->prefix_where));
    return 0;
}

/* --- portals --- */

static const struct portal_key {
    const char *name;
    int (*take)(struct loader *l, struct config_portal *portal, const struct node *node);
} portal_keys[] = {
    { "url", take_url },
    { "url_file", take_url_file },
    { "app", take_app },
    { "tariff", take_tariff },
    { "entities", take_entities },
    { "prefix", take_prefix },
    { "drift", take_drift },
    { "events", take_events },
    { "schedule", take_when },
    { "interval", take_when },
    { "missed", take_when },
    { "zone", take_zone },
};

static const char *const portal_key_names[] = { "url", "url_file", "app", "tariff", "entities", "prefix",
    "drift", "events", "schedule", "interval", "missed", "zone", NULL };
static const char *const root_key_names[] = { "portals", "settings", NULL };

struct config_portal *config_portal_add(struct config *c, const char *name)
{
    struct config_portal *portal = &c->portals[c->portal_count++];

    *portal = (struct config_portal){ .name = xstrdup(name), .prefix = xstrdup(DEFAULT_PREFIX) };
    config_tariff_parse(STR("standard"), &portal->drain_per_s, &portal->burst);
    return portal;
}

static int take_portal_key(struct loader *l, struct config_portal *portal, const struct node *node)
{
    char in[64];

    for (size_t i = 0; i < ARRAY_SIZE(portal_keys); i++)
        if (strcmp(portal_keys[i].name, node->key) == 0)
            return portal_keys[i].take(l, portal, node);
    snprintf(in, sizeof(in), err_tr(" in portal %s"), portal->name);
    return refuse_key(l, node, portal_key_names, in);
}

static int take_portal(struct loader *l, const struct node *node)
{
    char word[SHOWN_SIZE];

    if (!is_word(node->key, LOWER, LOWER DIGIT "_-", 32))
        return REFUSE(l, node, "\"%s\" is no portal name: a small letter and up to 31 of a-z 0-9 _ -",
            config_shown(node->key, word));
    if (l->config->portal_count == CONFIG_PORTALS_MAX)
        return REFUSE(l, node, "more than %d portals", CONFIG_PORTALS_MAX);
    if (node->kind != NODE_MAP && !is_empty(node))
        return REFUSE(
            l, node, "portal %s wants keys under it: url, tariff, entities, prefix, drift", node->key);

    struct config_portal *portal = config_portal_add(l->config, node->key);
    put_where(l, node, portal->where, sizeof(portal->where));
    for (const struct node *n = node->first; n; n = n->next)
        if (take_portal_key(l, portal, n) < 0)
            return -1;
    return 0;
}

/* --- settings --- */

static int refuse_setting(struct loader *l, const struct node *node)
{
    char word[SHOWN_SIZE], guess[GUESS_SIZE];

    if (guess_setting(node->key, l->checks->setting, guess))
        return REFUSE(
            l, node, "unknown setting \"%s\" (did you mean \"%s\"?)", config_shown(node->key, word), guess);
    return REFUSE(l, node, "unknown setting \"%s\"", config_shown(node->key, word));
}

static int take_setting(struct loader *l, const struct node *node)
{
    struct config *c = l->config;

    if (!is_word(node->key, UPPER, UPPER DIGIT "_", 63) ||
        (l->checks->setting && !l->checks->setting(node->key)))
        return refuse_setting(l, node);
    if (node->kind != NODE_TEXT)
        return REFUSE(l, node, "%s wants a single value", node->key);

    c->pairs = xrealloc(c->pairs, sizeof(*c->pairs) * (size_t)(c->pair_count + 1));
    struct config_pair *pair = &c->pairs[c->pair_count++];
    *pair = (struct config_pair){ .name = xstrdup(node->key), .value = xstrdup(node->text) };
    put_where(l, node, pair->where, sizeof(pair->where));
    return 0;
}

/* --- the whole --- */

static int take_section(struct loader *l, const struct node *node)
{
    int (*take)(struct loader *, const struct node *) = NULL;

    if (strcmp(node->key, "portals") == 0)
        take = take_portal;
    else if (strcmp(node->key, "settings") == 0)
        take = take_setting;
    else
        return refuse_key(l, node, root_key_names, "");
    if (is_empty(node))
        return 0; /* "portals:" with everything under it commented out */
    if (node->kind != NODE_MAP)
        return REFUSE(l, node, "%s wants names with values under it", node->key);
    for (const struct node *n = node->first; n; n = n->next)
        if (take(l, n) < 0)
            return -1;
    return 0;
}

static int take_root(struct loader *l, const struct node *root)
{
    if (is_empty(root))
        return 0;
    if (root->kind != NODE_MAP)
        return REFUSE(l, root, "the file must begin with portals: or settings:");
    for (const struct node *n = root->first; n; n = n->next)
        if (take_section(l, n) < 0)
            return -1;
    return 0;
}

int config_file_read(struct config *c, const char *path, const struct config_checks *checks, struct err *err)
{
    struct loader l = { .config = c, .checks = checks, .path = path, .err = err };
    struct node *root = NULL;
    char *text;

    if (file_read(path, FILE_MAX_BYTES, &text, err) < 0)
        return -1;

    int result = node_read(text, strlen(text), path, &root, err);
    if (result == 0 && root)
        result = take_root(&l, root);
    node_free(root);
    explicit_bzero(text, strlen(text));
    free(text);
    return result;
}
