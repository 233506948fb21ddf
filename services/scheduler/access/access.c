/* How portals are reached: what is remembered of it, and what jobs are told. */
#include "access.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct portal_access *access_of(const struct scheduler *s, int portal)
{
    return s->access != NULL ? &s->access->list[portal] : NULL;
}

static bool is_app(const struct scheduler *s, int portal)
{
    return config_portal_is_app(s->portals[portal].portal.config);
}

/* ---- life ---- */

static int need_key(const struct config *config, const struct seal_keys *keys, struct err *err)
{
    for (int i = 0; i < config->portal_count && keys->n == 0; i++)
        if (config_portal_is_app(&config->portals[i]))
            return err_set(err, ERR_CONF,
                "portal %s is reached as an application, and its tokens are kept sealed: set "
                "POTOK_SECRET_KEY, the "
                "same for scheduler, fetchers and gateway (make one: head -c 32 /dev/urandom | base64)",
                config->portals[i].name);
    return 0;
}

void access_check(const struct config *config, const struct scheduler *s, struct mistakes *all)
{
    struct seal_keys keys = { 0 };
    struct err err;

    if (seal_keys_read(&keys, s->secret_key, &err) < 0 ||
        (all->count == 0 && need_key(config, &keys, &err) < 0))
        mistakes_add(all, &err);
    seal_keys_wipe(&keys);
}

int access_start(struct scheduler *s, struct err *err)
{
    struct access_book *book = xcalloc(1, sizeof(*book));

    s->access = book;
    if (seal_keys_read(&book->keys, s->secret_key, err) < 0 || need_key(s->app->config, &book->keys, err) < 0)
        return -1;
    book->http = http_client_new(s->app->loop, "potok/" POTOK_VERSION);
    s->http = book->http;
    return 0;
}

void access_stop(struct scheduler *s)
{
    if (s->access == NULL)
        return;
    http_client_free(&s->access->http);
    s->http = NULL;
}

void access_free_all(struct scheduler *s)
{
    if (s->access == NULL)
        return;
    for (int i = 0; i < CONFIG_PORTALS_MAX; i++) {
        oauth_free(&s->access->list[i].oauth);
        access_free(&s->access->list[i].offer.given);
        access_offers_free(&s->access->list[i]);
    }
    seal_keys_wipe(&s->access->keys);
    gateways_free(&s->access->gateways);
    free(s->access);
    s->access = NULL;
}

int access_open(struct scheduler *s, int portal, struct str sealed, struct access *ret, struct err *err)
{
    const char *name = s->portals[portal].portal.config->name;
    char purpose[80];
    struct buf plain;
    int result;

    snprintf(purpose, sizeof(purpose), "token:%s", name);
    buf_init(&plain, 1 << 16);
    result = seal_open(&s->access->keys, str_of(purpose), sealed, &plain, err);
    if (result == 0)
        result = access_decode(ret, buf_view(&plain), err);
    seal_wipe(&plain);
    return result < 0 ? err_wrap(err, "portal %s: its tokens", name) : 0;
}

/* Tokens that another key sealed are as good as none, but it is said before anything is touched. */
int access_load(struct scheduler *s, struct db *db, int portal, struct err *err)
{
    struct portal_access *a = access_of(s, portal);
    struct store_access row = { .portal = s->portals[portal].portal.name };
    struct access pair = { 0 };
    int result = store_access(db, &row, err);

    if (result == 0 && is_app(s, portal) && row.sealed.n > 0)
        result = access_open(s, portal, buf_view(&row.sealed), &pair, err);
    if (result == 0) {
        snprintf(a->host, sizeof(a->host), "%s", row.host);
        snprintf(a->kept_host, sizeof(a->kept_host), "%s", row.host);
        snprintf(a->member, sizeof(a->member), "%s", row.member);
        a->moving = false;
        s->access->gateways.made = false;
        a->kept_ms = a->given_ms = row.at_ms;
        if (is_app(s, portal))
            oauth_loaded(&a->oauth, row.number, &pair, row.error, clock_mono_ms());
    }
    if (result == 0)
        result = access_offers_load(s, db, portal, err);
    access_free(&pair);
    store_access_fini(&row);
    return result;
}

/* ---- turns ---- */

/* No pair was ever kept, and nobody said a word against us. */
static bool was_never(const struct portal_access *a)
{
    return a->oauth.state == OAUTH_NONE && a->kept_ms == 0 && a->oauth.error[0] == '\0';
}

/* There is no access, and the operator may just have asked for a sync: what can be tried is tried once. Where
 * there never was any, syncs wait for it: nothing failed. */
static void without(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct portal_access *a = access_of(s, portal);
    struct portal *p = &s->portals[portal].portal;
    char text[ERR_TEXT_SIZE];

    if (portal_is_shut(p) || a->offer.any)
        return;
    if (was_never(a)) {
        snprintf(text, sizeof(text),
            "the application is not connected to the portal yet: potok portal login %s", p->config->name);
        portal_wait_access(p, text);
        log_ev(LOG_INFO, "portal.unconnected", kv_str("portal", p->name), kv_s("url", p->url),
            kv_s("hint", text));
        return;
    }
    oauth_again(&a->oauth, now_ms);
    if (a->oauth.state == OAUTH_RENEWING)
        return;
    if (a->oauth.error[0] != '\0')
        snprintf(text, sizeof(text),
            "%.600s; the application has no access to this portal: potok portal login %s", a->oauth.error,
            p->config->name);
    else
        snprintf(text, sizeof(text), "the application has no access to this portal: potok portal login %s",
            p->config->name);
    mend_stop_portal(s, portal, text);
}

void access_turn(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct portal_access *a = access_of(s, portal);

    if (a == NULL || !is_app(s, portal))
        return;
    offer_turn(s, portal, now_ms);
    if (a->oauth.state == OAUTH_NONE || a->oauth.state == OAUTH_LOST)
        without(s, portal, now_ms);
    access_look_around(s, portal, now_ms);
    if (oauth_due(&a->oauth, now_ms))
        access_ask(s, portal, false);
}

bool access_ready(const struct scheduler *s, int portal)
{
    const struct portal_access *a = access_of(s, portal);

    return a == NULL || !is_app(s, portal) || a->oauth.state == OAUTH_GOOD;
}

/* ---- jobs ---- */

void access_put(struct scheduler *s, int portal, struct msg_job *job, struct buf *room)
{
    const struct portal_access *a = access_of(s, portal);
    char purpose[80];
    struct err err;

    if (a == NULL)
        return;
    job->host = str_of(a->host);
    if (!is_app(s, portal))
        return;
    snprintf(purpose, sizeof(purpose), "job:%s", s->portals[portal].portal.config->name);
    if (a->oauth.pair.access_token == NULL ||
        seal(&s->access->keys, str_of(purpose), str_of(a->oauth.pair.access_token), room, &err) < 0)
        return; /* the fetcher says that there is none */
    job->token = a->oauth.number;
    job->sealed = buf_view(room);
}

static bool refuses_token(const struct msg_report *r)
{
    return str_case_eq(r->code, STR("expired_token")) || str_case_eq(r->code, STR("invalid_token"));
}

bool access_reported(struct scheduler *s, int portal, unsigned host_no, const struct msg_report *r)
{
    struct portal_access *a = access_of(s, portal);

    if (a == NULL)
        return false;
    if (r->moved.n > 0)
        return access_moved(s, portal, host_no, r->moved);
    if (!is_app(s, portal) || !refuses_token(r))
        return false;
    switch (oauth_refused(&a->oauth, r->token, clock_mono_ms())) {
    case OAUTH_AGAIN:
        return true;
    case OAUTH_WAIT:
        access_turn(s, portal, clock_mono_ms());
        return true;
    case OAUTH_STOP:
        if (s->portals[portal].portal.state != PORTAL_STOPPED)
            access_refused(s, portal, a->oauth.error);
        return true;
    }
    return false;
}

unsigned access_host_no(const struct scheduler *s, int portal)
{
    const struct portal_access *a = access_of(s, portal);

    return a != NULL ? a->host_no : 0;
}

void access_proved(struct scheduler *s, int portal, unsigned host_no)
{
    struct portal_access *a = access_of(s, portal);

    if (a == NULL)
        return;
    oauth_proved(&a->oauth, a->oauth.number);
    access_host_proved(s, portal, host_no);
}
