/* Access that is taken back: the application was removed, or the operator says so. */
#include "access.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct forget {
    struct step step;
    int portal;
    struct store_who who;
    uint64_t number; /* of what is there since */
    char text[160];
};

static int forget_work(struct step *step, struct db *db, struct err *err)
{
    struct forget *x = (struct forget *)step;

    return store_pair_forget(db, &x->who, str_of(x->text), &x->number, err);
}

static void forget_done(struct step *step)
{
    struct forget *x = (struct forget *)step;
    struct scheduler *s = step->s;
    struct oauth *o = &access_of(s, x->portal)->oauth;

    oauth_forgotten(o, x->number);
    snprintf(o->error, sizeof(o->error), "%s", x->text);
    gateways_changed(s);
    log_ev(LOG_INFO, "access.removed", kv_str("portal", scheduler_portal(s, x->portal)->name));
    offer_end(s, x->portal, NULL);
    scheduler_wake(s);
}

static void forget_free(struct step *step)
{
    free(step);
}

void offer_forget(struct scheduler *s, int portal)
{
    struct offer *offer = &access_of(s, portal)->offer;
    bool by_operator = offer->given.by != NULL && strcmp(offer->given.by, "operator") == 0;
    struct forget *x = xcalloc(1, sizeof(*x));

    offer->storing = true;
    x->step =
        (struct step){ .name = "forget", .work = forget_work, .done = forget_done, .free = forget_free };
    x->portal = portal;
    x->who = scheduler_who(scheduler_portal(s, portal));
    snprintf(x->text, sizeof(x->text), "%s",
        by_operator ? ACCESS_TAKEN_BACK : "the application was removed from the portal");
    scheduler_step(s, &x->step);
}
