/* The floor rises all the time (model rule 6): below the smallest number still awaited. Asked for between
 * steps only, so that every number given out is either awaited in memory or settled. */
#include "scheduler.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

struct floor_rise {
    struct step step;
    int portal;
    struct str entities[PORTAL_ENTITIES_MAX], tables[PORTAL_ENTITIES_MAX];
    bool ghosts[PORTAL_ENTITIES_MAX];
    struct store_floor store;
};

static int floor_work(struct step *step, struct db *db, struct err *err)
{
    return store_floor(db, &((struct floor_rise *)step)->store, err);
}

static void floor_done(struct step *step)
{
    struct floor_rise *x = (struct floor_rise *)step;

    step->s->portals[x->portal].portal.floor = x->store.low;
}

static void floor_free(struct step *step)
{
    free(step);
}

struct step *floor_step(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct portal *p = &s->portals[portal].portal;
    uint64_t low = flights_floor(&s->flights, portal, p->tick);

    if (now_ms < p->floor_at_ms + (uint64_t)s->floor_interval_ms || low <= p->floor)
        return NULL;

    struct floor_rise *x = xcalloc(1, sizeof(*x));
    x->step = (struct step){ .name = "floor", .work = floor_work, .done = floor_done, .free = floor_free };
    x->portal = portal;
    x->store = (struct store_floor){ .who = scheduler_who(p),
        .low = low,
        .entities = x->entities,
        .tables = x->tables,
        .ghosts = x->ghosts,
        .count = p->mirror_count };
    for (int i = 0; i < p->mirror_count; i++) {
        struct mirror *m = &p->mirrors[i];

        x->entities[i] = str_of(m->entity->plural);
        x->tables[i] = str_of(m->table);
        x->ghosts[i] =
            m->ghosts && m->run == 0; /* it reads the whole table: not while that is being filled */
        if (x->ghosts[i])
            m->ghosts = false;
    }
    p->floor_at_ms = now_ms;
    return &x->step;
}
