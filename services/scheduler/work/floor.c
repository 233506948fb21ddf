/* The floor rises all the time (model rule 6): below the smallest number still awaited. Asked for between
 * steps only, so that every number given out is either awaited in memory or settled. */
#include "scheduler.h"

#include "base/clock.h"
#include "base/mem.h"
#include "run/crash.h"

#include <stdlib.h>

struct floor_rise {
    struct step step;
    int portal;
    struct str entities[PORTAL_ENTITIES_MAX], tables[PORTAL_ENTITIES_MAX];
    bool ghosts[PORTAL_ENTITIES_MAX], busy[PORTAL_ENTITIES_MAX];
    struct store_floor store;
};

static int floor_work(struct step *step, struct db *db, struct err *err)
{
    return store_floor(db, &((struct floor_rise *)step)->store, err);
}

static void floor_done(struct step *step)
{
    struct floor_rise *x = (struct floor_rise *)step;
    struct portal *p = &step->s->portals[x->portal].portal;
    bool whole = true;

    crash_point(SCHEDULER_AFTER_FLOOR);
    for (int i = 0; i < x->store.count; i++) {
        whole = whole && !x->busy[i];
        p->mirrors[i].ghosts = p->mirrors[i].ghosts || (x->busy[i] && x->ghosts[i]);
    }
    if (whole)
        p->floor = x->store.low;
}

static void floor_free(struct step *step)
{
    free(step);
}

/* A ghost is as old as the tick it was made at, and goes when the floor has come there. */
static bool ghosts_wanted(const struct portal *p, struct mirror *m)
{
    if (m->ghosts)
        m->ghosts_until = p->tick;
    m->ghosts = false;
    return m->ghosts_until > 0 && m->run == 0; /* it reads the whole table: not while that is being filled */
}

static bool any_ghosts(const struct portal *p, uint64_t low)
{
    for (int i = 0; i < p->mirror_count; i++)
        if (ghosts_wanted(p, &p->mirrors[i]) && low >= p->mirrors[i].ghosts_until)
            return true;
    return false;
}

struct step *floor_step(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct portal *p = &s->portals[portal].portal;
    uint64_t low = flights_floor(&s->flights, portal, p->tick);

    if (now_ms < p->floor_at_ms + (uint64_t)s->floor_interval_ms || (low <= p->floor && !any_ghosts(p, low)))
        return NULL;

    struct floor_rise *x = xcalloc(1, sizeof(*x));
    x->step = (struct step){ .name = "floor", .work = floor_work, .done = floor_done, .free = floor_free };
    x->portal = portal;
    x->store = (struct store_floor){ .who = scheduler_who(p),
        .low = low,
        .entities = x->entities,
        .tables = x->tables,
        .ghosts = x->ghosts,
        .busy = x->busy,
        .count = p->mirror_count };
    for (int i = 0; i < p->mirror_count; i++) {
        struct mirror *m = &p->mirrors[i];

        x->entities[i] = str_of(m->entity->plural);
        x->tables[i] = str_of(m->table);
        x->ghosts[i] = ghosts_wanted(p, m);
        if (x->ghosts[i] && low >= m->ghosts_until)
            m->ghosts_until = 0;
    }
    p->floor_at_ms = now_ms;
    return &x->step;
}
