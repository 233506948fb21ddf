/* Portals that were renamed: followed from memory at first, and noted down once the new address gave a good
 * answer. */
#include "access.h"

#include "alarms.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define HOUR_MS UINT64_C(3600000)

struct move {
    struct step step;
    int portal;
    struct store_who who;
    char host[WEBHOOK_HOST_SIZE];
};

static int move_work(struct step *step, struct db *db, struct err *err)
{
    struct move *x = (struct move *)step;

    return store_host(db, &x->who, str_of(x->host), err);
}

static void move_done(struct step *step)
{
    struct move *x = (struct move *)step;
    struct scheduler *s = step->s;
    struct portal_access *a = access_of(s, x->portal);

    a->moving = false;
    snprintf(a->kept_host, sizeof(a->kept_host), "%s", x->host);
    gateways_changed(s);
    if (x->host[0] == '\0') {
        log_ev(LOG_INFO, "portal.back", kv_str("portal", s->portals[x->portal].portal.name));
        return;
    }
    alarms_portal(s, x->portal, "portal.moved", x->host);
    log_ev(LOG_WARNING, "portal.moved", kv_str("portal", s->portals[x->portal].portal.name),
        kv_s("host", x->host),
        kv_s("message", "the portal was renamed; it is asked at its new address, and events from there are "
                        "taken; put that into the configuration when it suits you"));
}

static void move_free(struct step *step)
{
    free(step);
}

/* Nothing is asked by http that was asked by https: what the fetcher did not send on for that reason is
 * looked at once more, since it is the fetcher's word alone. */
static bool is_host(const struct scheduler *s, int portal, struct str host)
{
    char *at = webhook_at(config_portal_url(s->portals[portal].portal.config), host);
    char same[WEBHOOK_HOST_SIZE] = "";

    if (at != NULL)
        webhook_host(at, same);
    seal_free(at);
    return same[0] != '\0' && str_is(host, same);
}

static bool too_often(struct portal_access *a, uint64_t now_ms)
{
    int oldest = 0;

    for (int i = 1; i < ACCESS_MOVES_MOST; i++)
        if (a->moved_ms[i] < a->moved_ms[oldest])
            oldest = i;
    if (a->moved_ms[oldest] != 0 && now_ms < a->moved_ms[oldest] + HOUR_MS)
        return true;
    a->moved_ms[oldest] = now_ms;
    return false;
}

static void keep(struct scheduler *s, int portal)
{
    struct portal_access *a = access_of(s, portal);
    struct move *x = xcalloc(1, sizeof(*x));

    x->step = (struct step){ .name = "moved", .work = move_work, .done = move_done, .free = move_free };
    x->portal = portal;
    x->who = scheduler_who(&s->portals[portal].portal);
    snprintf(x->host, sizeof(x->host), "%s", a->host);
    a->moving = true;
    scheduler_step(s, &x->step);
}

void access_host_proved(struct scheduler *s, int portal, unsigned host_no)
{
    struct portal_access *a = access_of(s, portal);

    if (host_no != a->host_no)
        return;
    a->astray = 0;
    a->left_host[0] = a->asked_host[0] = '\0';
    if (!a->moving && strcmp(a->host, a->kept_host) != 0)
        keep(s, portal);
}

/* "" where it is the configured one. */
static void go_to(struct scheduler *s, int portal, struct str host)
{
    struct portal_access *a = access_of(s, portal);
    char configured[WEBHOOK_HOST_SIZE];

    webhook_host(config_portal_url(s->portals[portal].portal.config), configured);
    if (str_is(host, configured))
        host.n = 0;
    snprintf(a->host, sizeof(a->host), STR_FMT, STR_ARG(host));
    a->host_no++;
    a->astray = 0;
}

/* ---- where an access token may go ---- */

static void stop(struct scheduler *s, int portal, struct str host)
{
    char text[ERR_TEXT_SIZE];

    snprintf(text, sizeof(text),
        "the portal sends its callers to " STR_FMT
        ", which the OAuth server does not name as its address: no token "
        "goes there; look what its address is, and put it into the configuration",
        STR_ARG(host));
    alarms_portal(s, portal, "portal.moved", text);
    mend_stop_portal(s, portal, text);
}

/* A redirect alone may lead an access token anywhere: it is followed below the portal's own name, and where
 * the OAuth server says that the portal is. It is asked once. */
static bool may_go(struct scheduler *s, int portal, struct str host)
{
    struct portal_access *a = access_of(s, portal);
    const struct config_portal *config = s->portals[portal].portal.config;

    if (!config_portal_is_app(config) || webhook_is_kin(config_portal_url(config), host) ||
        str_is(host, a->kept_host))
        return true;
    if (a->oauth.pair.domain != NULL && str_is(host, a->oauth.pair.domain))
        return true;
    if (a->oauth.state == OAUTH_RENEWING)
        return false;
    if (str_is(host, a->asked_host) ||
        oauth_refused(&a->oauth, a->oauth.number, clock_mono_ms()) == OAUTH_STOP)
        stop(s, portal, host);
    else
        snprintf(a->asked_host, sizeof(a->asked_host), STR_FMT, STR_ARG(host));
    return false;
}

/* ---- redirects ---- */

bool access_moved(struct scheduler *s, int portal, unsigned host_no, struct str host)
{
    struct portal_access *a = access_of(s, portal);

    if (!is_host(s, portal, host))
        return false;
    if (host_no != a->host_no || !may_go(s, portal, host))
        return true;
    if (!str_is(host, a->left_host) && too_often(a, clock_mono_ms())) {
        mend_stop_portal(s, portal,
            "the portal sends its callers from one address to another, more than three times within an hour: "
            "look what its address is now");
        return true;
    }
    go_to(s, portal, host);
    log_ev(LOG_INFO, "portal.redirected", kv_str("portal", s->portals[portal].portal.name),
        kv_str("host", host));
    return true;
}

/* ---- addresses that lead nowhere ---- */

static bool is_word(const struct portal_access *a, const struct msg_report *r)
{
    enum err_kind kind = err_kind_of(r->error_kind.p, r->error_kind.n);
    bool proved = strcmp(a->host, a->kept_host) == 0;

    if (r->unknown.n > 0)
        return true; /* records of it were read */
    if (kind == ERR_AUTH || kind == ERR_PERM)
        return proved || (kind == ERR_PERM && r->code.n > 0);
    return kind != ERR_CONF && (kind != ERR_TEMP || r->code.n > 0);
}

bool access_astray(struct scheduler *s, int portal, unsigned host_no, const struct msg_report *r)
{
    struct portal_access *a = access_of(s, portal);
    char configured[WEBHOOK_HOST_SIZE];

    if (a == NULL || host_no != a->host_no || a->host[0] == '\0')
        return false;
    webhook_host(config_portal_url(s->portals[portal].portal.config), configured);
    if (strcmp(a->host, configured) == 0)
        return false;
    if (is_word(a, r)) {
        a->astray = 0;
        return false;
    }
    if (++a->astray < ACCESS_ASTRAY_MOST)
        return true;
    log_ev(LOG_WARNING, "portal.astray", kv_str("portal", s->portals[portal].portal.name),
        kv_s("host", a->host), kv_str("error", r->error),
        kv_s("message",
            "the address that the portal sent its callers to does not answer as a portal; the configured "
            "one is asked again"));
    snprintf(a->left_host, sizeof(a->left_host), "%s", a->host);
    go_to(s, portal, STR(""));
    return true;
}
