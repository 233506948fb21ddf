/* A renamed portal (facts 1.4): its new host is committed, then everything is asked there. */
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
    alarms_portal(s, x->portal, "portal.moved", x->host);
    snprintf(a->host, sizeof(a->host), "%s", x->host);
    gateways_changed(s);
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

bool access_moved(struct scheduler *s, int portal, struct str host)
{
    struct portal_access *a = access_of(s, portal);
    struct move *x;

    if (!is_host(s, portal, host))
        return false;
    if (a->moving || str_is(host, a->host))
        return true;
    if (too_often(a, clock_mono_ms())) {
        mend_stop_portal(s, portal,
            "the portal sends its callers from one address to another, more than three times within an hour: "
            "look "
            "what its address is now");
        return true;
    }
    x = xcalloc(1, sizeof(*x));
    x->step = (struct step){ .name = "moved", .work = move_work, .done = move_done, .free = move_free };
    x->portal = portal;
    x->who = scheduler_who(&s->portals[portal].portal);
    snprintf(x->host, sizeof(x->host), STR_FMT, STR_ARG(host));
    a->moving = true;
    scheduler_step(s, &x->step);
    return true;
}
