/* What gateways brought and waits in the database for its turn, and which of their rows are dealt with: one
 * may be handed over again. */
#include "access.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static bool is_done(const struct access_book *b, uint64_t spool, uint64_t seq)
{
    for (int i = 0; i < ACCESS_DONE; i++)
        if (b->done[i].seq == seq && b->done[i].spool == spool)
            return true;
    return false;
}

static void note_done(struct access_book *b, uint64_t spool, uint64_t seq)
{
    if (seq == 0 || is_done(b, spool, seq))
        return;
    b->done[b->done_next].spool = spool;
    b->done[b->done_next].seq = seq;
    b->done_next = (b->done_next + 1) % ACCESS_DONE;
}

/* ---- their end ---- */

struct dealt {
    struct step step;
    struct store_who who;
    uint64_t spool, seq;
};

static int dealt_work(struct step *step, struct db *db, struct err *err)
{
    const struct dealt *x = (const struct dealt *)step;

    return store_offer_end(db, &x->who, x->spool, x->seq, err);
}

static void dealt_done(struct step *step)
{
}

static void dealt_free(struct step *step)
{
    free(step);
}

/* A row of a gateway is dealt with. A crash before it is gone from the database: it is looked at once more,
 * and known by then. */
void offer_dealt_with(struct scheduler *s, int portal, uint64_t spool, uint64_t seq)
{
    struct dealt *x;

    note_done(s->access, spool, seq);
    if (seq == 0)
        return;
    x = xcalloc(1, sizeof(*x));
    x->step = (struct step){ .name = "offer", .work = dealt_work, .done = dealt_done, .free = dealt_free };
    x->who = scheduler_who(scheduler_portal(s, portal));
    x->spool = spool;
    x->seq = seq;
    scheduler_step(s, &x->step);
}

/* ---- their turn ---- */

static void take_first(struct portal_access *a, struct store_offer *ret)
{
    *ret = a->waiting[0];
    a->waiting_count--;
    memmove(&a->waiting[0], &a->waiting[1], (size_t)a->waiting_count * sizeof(a->waiting[0]));
}

static bool is_here(const struct portal_access *a, uint64_t spool, uint64_t seq)
{
    bool here = a->offer.any && a->offer.spool == spool && a->offer.seq == seq;

    for (int i = 0; i < a->waiting_count; i++)
        here |= a->waiting[i].spool == spool && a->waiting[i].seq == seq;
    return here;
}

void offer_next(struct scheduler *s, int portal)
{
    struct portal_access *a = access_of(s, portal);

    while (!a->offer.any && a->waiting_count > 0) {
        struct store_offer o;
        struct access given = { 0 };
        struct err err;

        take_first(a, &o);
        if (offer_open(s, portal, buf_view(&o.sealed), &given, &err) == 0) {
            offer_begin(
                s, portal, &given, &(struct offer){ .spool = o.spool, .seq = o.seq, .at_ms = o.at_ms });
        } else {
            log_ev(LOG_WARNING, "access.refused", kv_str("portal", scheduler_portal(s, portal)->name),
                kv_s("by", "gateway"), kv_err(&err));
            offer_dealt_with(s, portal, o.spool, o.seq);
        }
        store_offer_fini(&o);
    }
}

/* While nobody can tell what they are worth the newest are kept: anybody may bring one. */
static void make_room(struct scheduler *s, int portal)
{
    struct portal_access *a = access_of(s, portal);
    struct store_offer o;

    while (a->waiting_count >= ACCESS_WAITING) {
        take_first(a, &o);
        log_ev(LOG_WARNING, "access.refused", kv_str("portal", scheduler_portal(s, portal)->name),
            kv_s("by", "gateway"),
            kv_s("error", "newer ones came while the OAuth server was away: install the application again"));
        offer_dealt_with(s, portal, o.spool, o.seq);
        store_offer_fini(&o);
    }
}

void access_offered(struct scheduler *s, int portal, struct store_offer *o)
{
    struct portal_access *a = access_of(s, portal);

    if (is_here(a, o->spool, o->seq))
        return;
    if (is_done(s->access, o->spool, o->seq)) { /* its gateway was not told, and the row is there again */
        offer_dealt_with(s, portal, o->spool, o->seq);
        return;
    }
    make_room(s, portal);
    a->waiting[a->waiting_count++] = *o;
    *o = (struct store_offer){ 0 };
    if (!a->offer.any)
        offer_next(s, portal);
}

int access_offers_load(struct scheduler *s, struct db *db, int portal, struct err *err)
{
    struct portal_access *a = access_of(s, portal);

    access_offers_free(a);
    return store_offers(
        db, scheduler_portal(s, portal)->name, a->waiting, ACCESS_LEFT, &a->waiting_count, err);
}

void access_offers_free(struct portal_access *a)
{
    for (int i = 0; i < a->waiting_count; i++)
        store_offer_fini(&a->waiting[i]);
    a->waiting_count = 0;
}
