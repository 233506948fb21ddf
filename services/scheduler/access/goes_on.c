/* What was brought, once the OAuth server took it for another pair, and nobody knows yet whose that is. What
 * was brought is spent: its row in the database holds the successor before anything else is asked. */
#include "access.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct goes_on {
    struct step step;
    struct store_who who;
    int portal;
    uint64_t spool, seq;
    struct access pair; /* to be proved afterwards */
    struct buf sealed;
};

static int goes_on_work(struct step *step, struct db *db, struct err *err)
{
    struct goes_on *x = (struct goes_on *)step;

    return store_offer_goes_on(db, &x->who, x->spool, x->seq, buf_view(&x->sealed), err);
}

static void goes_on_done(struct step *step)
{
    struct goes_on *x = (struct goes_on *)step;

    if (!step->s->stopping)
        access_prove(step->s, x->portal, &x->pair);
}

/* It lies in memory alone, then: as good as before. */
static void goes_on_failed(struct step *step, const struct err *err)
{
    struct goes_on *x = (struct goes_on *)step;

    log_ev(LOG_WARNING, "access.unkept", kv_str("portal", scheduler_portal(step->s, x->portal)->name),
        kv_err(err));
    goes_on_done(step);
}

static void goes_on_free(struct step *step)
{
    struct goes_on *x = (struct goes_on *)step;

    access_free(&x->pair);
    seal_wipe(&x->sealed);
    free(x);
}

bool offer_is_going_on(const struct step *step)
{
    return step->work == goes_on_work;
}

int offer_portal_of(const struct step *step)
{
    return ((const struct goes_on *)step)->portal;
}

/* As it was brought, but for the tokens. */
static int seal_successor(
    struct scheduler *s, int portal, const struct access *pair, struct buf *ret, struct err *err)
{
    struct access next = { 0 };
    char purpose[80];
    struct buf plain;
    int result;

    access_copy(&next, &access_of(s, portal)->offer.given);
    access_set(&next.access_token, str_of(pair->access_token));
    access_set(&next.refresh_token, str_of(pair->refresh_token));
    snprintf(purpose, sizeof(purpose), "access:%s", scheduler_portal(s, portal)->config->name);
    buf_init(&plain, 1 << 15);
    access_encode(&next, &plain);
    result = plain.failed ? err_set(err, ERR_LIMIT, "the tokens are too long")
                          : seal(&s->access->keys, str_of(purpose), buf_view(&plain), ret, err);
    seal_wipe(&plain);
    access_free(&next);
    return result;
}

void offer_goes_on(struct scheduler *s, int portal, struct access *pair)
{
    const struct offer *o = &access_of(s, portal)->offer;
    struct goes_on *x;
    struct err err;

    if (o->seq == 0) { /* a command's: who sent it still waits */
        access_prove(s, portal, pair);
        return;
    }
    x = xcalloc(1, sizeof(*x));
    x->step = (struct step){ .s = s,
        .name = "offer",
        .work = goes_on_work,
        .done = goes_on_done,
        .failed = goes_on_failed,
        .free = goes_on_free };
    x->who = scheduler_who(scheduler_portal(s, portal));
    x->portal = portal;
    x->spool = o->spool;
    x->seq = o->seq;
    x->pair = *pair;
    *pair = (struct access){ 0 };
    buf_init(&x->sealed, 1 << 16);
    if (seal_successor(s, portal, &x->pair, &x->sealed, &err) < 0) {
        goes_on_failed(&x->step, &err);
        goes_on_free(&x->step);
        return;
    }
    scheduler_step(s, &x->step);
}
