#include "gateway.h"

#include "base/handler_key.h"
#include "base/mem.h"
#include "base/webhook.h"
#include "run/listen.h"
#include "services/ports.h"

#include <stdlib.h>
#include <string.h>

static void add_portal(struct intake_rules *rules, const struct config_portal *c)
{
    struct intake_portal *p = &rules->portals[rules->portal_count++];

    p->name = c->name;
    p->app = config_portal_is_app(c);
    webhook_identity(config_portal_url(c), p->identity);
    for (int i = 0; i < ENTITY_COUNT; i++) {
        bool mirrored = c->entity_count == 0;

        for (int k = 0; k < c->entity_count; k++)
            mirrored |= strcmp(c->entities[k], ENTITIES[i].plural) == 0;
        p->mirrors |= (uint64_t)mirrored << i;
    }
}

bool rules_loopback(const char *address)
{
    char host[256], port[8];

    return listen_split(address, host, sizeof(host), port, sizeof(port)) == 0 &&
           (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strncmp(host, "127.", 4) == 0);
}

/* An installation proves itself: the scheduler takes it to the OAuth server. What it brings is the token of
 * all that follows. */
static bool can_be_installed(const struct gateway *g)
{
    bool app = false;

    for (int i = 0; i < g->rules.portal_count; i++)
        app |= g->rules.portals[i].app;
    return app && g->secret_keys.n > 0;
}

bool rules_fit(struct gateway *g, const char *address)
{
    if (!intake_open(&g->rules) || rules_loopback(address))
        return true;
    g->rules.closed = can_be_installed(g);
    return g->rules.closed;
}

/* Without any secret everybody who reaches us is believed: so nobody from outside may. */
static int choose_address(struct gateway *g, bool fit, struct err *err)
{
    bool open = intake_open(&g->rules);
    char host[256], port[8];

    if (g->listen[0] == '\0') {
        free(g->listen);
        g->listen = xstrdup(open ? GATEWAY_LISTEN_CLOSED : GATEWAY_LISTEN_OPEN);
    }
    if (listen_split(g->listen, host, sizeof(host), port, sizeof(port)) < 0)
        return err_set(
            err, ERR_CONF, "GATEWAY_LISTEN=%s: an address is HOST:PORT, as 127.0.0.1:8080", g->listen);
    if (fit && !rules_fit(g, g->listen))
        return err_set(err, ERR_CONF,
            "GATEWAY_LISTEN=%s can be reached from outside, and there is neither BITRIX_APPLICATION_TOKEN "
            "nor API_KEY: set "
            "one of them, or listen on 127.0.0.1",
            g->listen);
    return 0;
}

static void make_handler_keys(struct gateway *g)
{
    for (int i = 0; i < g->rules.portal_count; i++) {
        struct intake_portal *p = &g->rules.portals[i];

        for (int k = 0; p->app && k < g->secret_keys.n; k++) {
            char key[HANDLER_KEY_SIZE];

            handler_key(&g->secret_keys, k, p->name, key);
            secret_make(&g->rules.tokens, str_of(key), &p->handler_keys[k]);
            explicit_bzero(key, sizeof(key));
        }
    }
}

/* The secrets, each by itself. */
static int parse_secrets(struct gateway *g, struct mistakes *all, struct err *err)
{
    const struct {
        struct secrets *to;
        const char *text, *name;
    } lists[] = { { &g->rules.tokens, g->tokens, "BITRIX_APPLICATION_TOKEN" },
        { &g->rules.keys, g->keys, "API_KEY" }, { &g->rules.bearers, g->bearers, "WEBHOOK_BEARER_TOKEN" } };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (secrets_parse(lists[i].to, lists[i].text, lists[i].name, err) < 0 && mistakes_note(all, err) < 0)
            return -1;
    return 0;
}

int rules_make(struct gateway *g, const struct config *c, struct mistakes *all, struct err *err)
{
    for (int i = 0; i < c->portal_count; i++)
        add_portal(&g->rules, &c->portals[i]);
    g->rules.domains = g->domains;
    if (seal_keys_read(&g->secret_keys, g->secret_key, err) < 0 && mistakes_note(all, err) < 0)
        return -1;
    if (parse_secrets(g, all, err) < 0)
        return -1;
    if (choose_address(g, all == NULL || all->count == 0, err) < 0 && mistakes_note(all, err) < 0)
        return -1;
    make_handler_keys(g);
    return tls_read(g, err) < 0 ? mistakes_note(all, err) : 0;
}
