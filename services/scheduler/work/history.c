/* Old runs are forgotten now and then, a few rows at a time, when nothing else is to be done. */
#include "scheduler.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

#define DAY_MS   86400000ull
#define EVERY_MS 3600000 /* it is looked whether something has become old */
#define AGAIN_MS 1000    /* when there was more than one transaction takes */

struct history_step {
    struct step step;
    int portal;
    struct str entities[PORTAL_ENTITIES_MAX];
    struct store_history store;
};

static int history_work(struct step *step, struct db *db, struct err *err)
{
    return store_history(db, &((struct history_step *)step)->store, err);
}

static void history_done(struct step *step)
{
    struct history_step *x = (struct history_step *)step;
    struct portal *p = scheduler_portal(step->s, x->portal);

    if (x->store.more)
        p->history_at_ms = clock_mono_ms() + AGAIN_MS;
    if (x->store.gone > 0)
        log_ev(LOG_INFO, "history.forgotten", kv_str("portal", p->name), kv_u("rows", x->store.gone));
}

/* Whatever it was, it must not hold what copies records. */
static void history_failed(struct step *step, const struct err *err)
{
    struct history_step *x = (struct history_step *)step;

    log_ev(LOG_WARNING, "history.kept", kv_str("portal", scheduler_portal(step->s, x->portal)->name),
        kv_err(err));
}

static void history_free(struct step *step)
{
    free(step);
}

struct step *history_due(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct portal *p = scheduler_portal(s, portal);
    uint64_t keep_ms = (uint64_t)s->history_days * DAY_MS;

    if (keep_ms == 0 || now_ms < p->history_at_ms)
        return NULL;

    struct history_step *x = xcalloc(1, sizeof(*x));
    x->step = (struct step){ .name = "history",
        .work = history_work,
        .done = history_done,
        .failed = history_failed,
        .free = history_free };
    x->portal = portal;
    x->store = (struct store_history){ .who = scheduler_who(p),
        .keep_ms = keep_ms,
        .empty_ms = keep_ms / 10 > DAY_MS ? keep_ms / 10 : DAY_MS,
        .entities = x->entities,
        .count = p->mirror_count };
    for (int i = 0; i < p->mirror_count; i++)
        x->entities[i] = str_of(p->mirrors[i].entity->plural);
    p->history_at_ms = now_ms + EVERY_MS;
    return &x->step;
}
