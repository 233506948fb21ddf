/* What gateways hand over becomes marks; only then do they hear of it. An EVENT that comes twice does no
 * harm. */
#include "scheduler.h"

#include "guard.h"

#include "access/access.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/change.h"
#include "run/crash.h"
#include "store/offer.h"

#include <stdlib.h>
#include <string.h>

struct events {
    struct step step;
    struct bus_peer peer;
    char gateway[65];
    uint64_t spool, last, marked, skipped;
    struct store_marks *groups;
    int *portals, *mirrors; /* of each group */
    int count;
    struct events_offer *offers; /* to the access of portals */
    int offer_count;
};

struct events_offer {
    int portal;
    struct store_who who;
    struct store_offer offer;
};

static int events_work(struct step *step, struct db *db, struct err *err)
{
    struct events *x = (struct events *)step;

    for (int i = 0; i < x->offer_count; i++)
        if (store_offer(db, &x->offers[i].who, &x->offers[i].offer, err) < 0)
            return -1;
    return store_events(db, x->groups, x->count, err);
}

static void acknowledge(struct scheduler *s, const struct events *x)
{
    struct msg *m = msg_new(MSG_EVENT_ACK);

    m->event_ack = (struct msg_event_ack){ .gateway = str_of(x->gateway),
        .spool = x->spool,
        .last = x->last,
        .marked = x->marked,
        .skipped = x->skipped };
    gateways_put(s, &m->event_ack);
    if (bus_send_to(s->router, x->peer, &m) != BUS_SENT)
        msg_free(&m); /* it has gone: its successor hands over again */
}

void events_kept(struct mirror *m, const struct store_marks *group)
{
    m->marks_due[group->ask] |= group->count > 0;
    m->probe_wanted |= (group->wishes & 1U << CURSOR_FIELDS) != 0;
    m->sweep_wanted |= (group->wishes & 1U << CURSOR_SWEEP) != 0;
}

static void events_done(struct step *step)
{
    struct events *x = (struct events *)step;
    struct scheduler *s = step->s;

    crash_point(SCHEDULER_AFTER_MARKS);
    for (int i = 0; i < x->count; i++)
        events_kept(&s->portals[x->portals[i]].portal.mirrors[x->mirrors[i]], &x->groups[i]);
    acknowledge(s, x);
    for (int i = 0; i < x->offer_count; i++)
        access_offered(s, x->offers[i].portal, &x->offers[i].offer);
}

static void events_free(struct step *step)
{
    struct events *x = (struct events *)step;

    for (int i = 0; i < x->count; i++)
        free(x->groups[i].ids);
    for (int i = 0; i < x->offer_count; i++)
        store_offer_fini(&x->offers[i].offer);
    free(x->offers);
    free(x->groups);
    free(x->portals);
    free(x->mirrors);
    free(x);
}

/* The group of a portal's entity and way to ask; a new one where there is none. */
static struct store_marks *group_of(
    struct scheduler *s, struct events *x, int portal, int mirror, int ask, size_t room)
{
    for (int i = 0; i < x->count; i++)
        if (x->portals[i] == portal && x->mirrors[i] == mirror && x->groups[i].ask == ask)
            return &x->groups[i];

    const struct portal *p = &s->portals[portal].portal;
    size_t n = (size_t)x->count + 1;

    x->groups = xrealloc(x->groups, n * sizeof(*x->groups));
    x->portals = xrealloc(x->portals, n * sizeof(*x->portals));
    x->mirrors = xrealloc(x->mirrors, n * sizeof(*x->mirrors));
    x->portals[x->count] = portal;
    x->mirrors[x->count] = mirror;
    x->groups[x->count] = (struct store_marks){ .who = scheduler_who(p),
        .entity = str_of(p->mirrors[mirror].entity->plural),
        .ask = ask,
        .again = true,
        .ids = xmalloc(room * sizeof(uint64_t)) };
    return &x->groups[x->count++];
}

/* What it is worth the OAuth server says, who may be away for long: nothing waits for that but the offer. */
static void add_offer(struct scheduler *s, struct events *x, int portal, const struct change *c)
{
    const size_t n = (size_t)x->offer_count + 1;

    x->offers = xrealloc(x->offers, n * sizeof(*x->offers));
    struct events_offer *o = &x->offers[x->offer_count++];
    *o = (struct events_offer){ .portal = portal,
        .who = scheduler_who(&s->portals[portal].portal),
        .offer = { .spool = x->spool, .seq = c->seq, .at_ms = c->at_ms } };
    buf_init(&o->offer.sealed, CHANGE_SEALED_MAX + 1);
    buf_add(&o->offer.sealed, c->sealed.p, c->sealed.n);
}

static void add_change(struct scheduler *s, struct events *x, const struct change *c, size_t room)
{
    int portal = scheduler_portal_of(s, c->portal);
    int mirror = portal >= 0 ? portal_mirror(&s->portals[portal].portal, c->entity) : -1;

    if (portal >= 0)
        guard_heard(s, portal);
    if (portal >= 0 && (c->kind == CHANGE_KIND_QUEUE || c->kind == CHANGE_KIND_NEWER))
        queue_wake(s, portal);
    if (portal >= 0 && c->kind == CHANGE_KIND_RENEWED)
        guard_now(s, portal);
    if (portal >= 0 && c->kind == CHANGE_KIND_NEWER)
        changed_look_now(s, portal, UINT64_MAX);
    if (portal >= 0 && c->kind == CHANGE_KIND_ACCESS)
        add_offer(s, x, portal, c);
    if (mirror < 0) {
        x->skipped++;
        return;
    }
    struct store_marks *g = group_of(s, x, portal, mirror, c->kind == CHANGE_KIND_GONE, room);

    if (c->kind == CHANGE_KIND_FIELDS) {
        g->wishes |= 1U << CURSOR_FIELDS;
        return;
    }
    g->ids[g->count++] = c->id;
    x->marked++;
}

#define NEWER_TOLD_MS 60000

static void tell_newer(struct scheduler *s, struct str gateway, int sealed)
{
    const uint64_t now_ms = clock_mono_ms();

    if (s->newer_told_ms != 0 && now_ms < s->newer_told_ms + NEWER_TOLD_MS)
        return;
    s->newer_told_ms = now_ms;
    log_ev(LOG_WARNING, "event.newer", kv_str("gateway", gateway),
        kv_s("message",
            sealed > 0
                ? "this gateway is newer than the scheduler, which does not understand what it brings: "
                  "the gateway keeps it, and all that follows, until the scheduler is as new"
                : "this gateway is newer than the scheduler: what it says is answered by looking "
                  "at everything"));
}

/* A hint that is not understood is answered by looking at everything; what is sealed is no hint, and only who
 * understands it may say that it is kept. */
static bool is_beyond_us(struct scheduler *s, const struct change_list *changes, struct str gateway)
{
    int newer = 0, sealed = 0;

    for (int i = 0; i < changes->count; i++) {
        newer += changes->list[i].kind == CHANGE_KIND_NEWER;
        sealed += changes->list[i].kind == CHANGE_KIND_NEWER && changes->list[i].sealed.n > 0;
    }
    if (newer > 0)
        tell_newer(s, gateway, sealed);
    return sealed > 0;
}

static void name_gateway(struct events *x, struct str name)
{
    size_t n = name.n < sizeof(x->gateway) - 1 ? name.n : sizeof(x->gateway) - 1;

    memcpy(x->gateway, name.p, n);
}

static struct events *same(struct step *step, const struct msg_event *m)
{
    struct events *x = (struct events *)step;

    return step != NULL && step->work == events_work && x->spool == m->spool && x->last == m->last ? x : NULL;
}

/* A gateway says it again every two seconds; a database that is away for hours must not fill memory with
 * them. */
static bool waits_already(struct scheduler *s, struct bus_peer from, const struct msg_event *m)
{
    struct events *x = same(s->running, m);

    for (struct step *step = s->steps; x == NULL && step != NULL; step = step->next)
        x = same(step, m);
    if (x != NULL)
        x->peer = from; /* perhaps it was started anew meanwhile */
    return x != NULL;
}

void events_on_event(struct scheduler *s, struct bus_peer from, const struct msg *m)
{
    struct change_list changes;
    struct events *x;
    struct err err;

    gateways_heard(s, from, &m->event);
    if (m->event.last == 0) { /* nothing is handed over: it wants to hear */
        gateways_hello(s, from, &m->event);
        return;
    }
    if (waits_already(s, from, &m->event))
        return;
    if (change_list_decode(&changes, m->event.changes, &err) < 0) {
        log_ev(LOG_ERROR, "event.garbage", kv_str("gateway", m->event.gateway), kv_err(&err));
        return;
    }
    if (is_beyond_us(s, &changes, m->event.gateway)) {
        change_list_free(&changes);
        return;
    }
    x = xcalloc(1, sizeof(*x));
    x->step =
        (struct step){ .name = "events", .work = events_work, .done = events_done, .free = events_free };
    x->peer = from;
    x->spool = m->event.spool;
    x->last = m->event.last;
    name_gateway(x, m->event.gateway);
    for (int i = 0; i < changes.count; i++)
        add_change(s, x, &changes.list[i], (size_t)changes.count);
    x->skipped += (uint64_t)changes.unsound;
    if (changes.unsound > 0)
        log_ev(LOG_WARNING, "event.unsound", kv_s("gateway", x->gateway), kv_i("changes", changes.unsound));
    change_list_free(&changes);
    log_ev(LOG_DEBUG, "event.taken", kv_s("gateway", x->gateway), kv_u("last", x->last),
        kv_u("marked", x->marked), kv_u("skipped", x->skipped));
    crash_point(SCHEDULER_BEFORE_MARKS);
    scheduler_step(s, &x->step);
}
