/* What the operator orders beside syncs: single records to be read, entities to be left alone for a while. */
#include "scheduler.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GET_MOST 50 /* so few are asked for one by one: the portal's own word, in one call */

struct order {
    struct step step;
    struct sync_wish wishes[CONFIG_PORTALS_MAX];
    struct store_marks groups[CONFIG_PORTALS_MAX]; /* of marks: one a wish */
    struct store_marks *sweeps;                    /* one an entity, nothing but wishes */
    int sweep_count;
    struct store_pause pauses[CONFIG_PORTALS_MAX]; /* of pauses: one a wish */
    int count;
    bool marks, paused;
    uint64_t *ids; /* shared by all groups */
    struct bus_peer peer;
    char correlation[UUID_SIZE];
};

static void order_free(struct step *step)
{
    struct order *x = (struct order *)step;

    free(x->sweeps);
    free(x->ids);
    free(x);
}

static struct order *order_new(const struct sync_wish *wishes, int count, struct bus_peer peer,
    const char *correlation, const char *name)
{
    struct order *x = xcalloc(1, sizeof(*x));

    x->step = (struct step){ .name = name, .free = order_free };
    x->count = count;
    memcpy(x->wishes, wishes, (size_t)count * sizeof(*wishes));
    x->peer = peer;
    memcpy(x->correlation, correlation, strnlen(correlation, UUID_SIZE - 1));
    return x;
}

/* "portal", "entity" of every mirror of these. */
static json_t *names_of(const struct scheduler *s, const struct sync_wish *wishes, int count)
{
    json_t *list = json_array();

    for (int w = 0; w < count; w++) {
        const struct portal *p = &s->portals[wishes[w].portal].portal;

        for (int i = 0; i < p->mirror_count; i++)
            if (wishes[w].mirrors & (uint64_t)1 << i)
                json_array_append_new(list, json_pack("{s:s, s:s}", "portal", p->config->name, "entity",
                                                p->mirrors[i].entity->plural));
    }
    return list;
}

static void reply(struct scheduler *s, const struct order *x, const char *key)
{
    json_t *body = json_object();

    json_object_set_new(body, key, names_of(s, x->wishes, x->count));
    control_reply(s, x->peer, x->correlation, NULL, body);
    json_decref(body);
}

/* ---- records ---- */

static int mirror_of(const struct sync_wish *wish)
{
    return __builtin_ctzll(wish->mirrors);
}

static int marks_work(struct step *step, struct db *db, struct err *err)
{
    struct order *x = (struct order *)step;

    return store_events(db, x->groups, x->count, err);
}

static void marks_done(struct step *step)
{
    struct order *x = (struct order *)step;
    struct scheduler *s = step->s;

    for (int w = 0; w < x->count; w++) {
        struct portal *p = &s->portals[x->wishes[w].portal].portal;
        struct mirror *m = &p->mirrors[mirror_of(&x->wishes[w])];

        portal_resume(p);
        m->refused = false;
        m->marks_due[x->groups[w].ask] = true;
    }
    reply(s, x, "marked");
}

struct step *order_marks(struct scheduler *s, const struct sync_wish *wishes, int count, const json_t *ids,
    struct bus_peer peer, const char *correlation)
{
    struct order *x = order_new(wishes, count, peer, correlation, "marks");
    size_t n = json_array_size(ids);

    x->step.work = marks_work;
    x->step.done = marks_done;
    x->ids = xcalloc(n, sizeof(uint64_t));
    for (size_t i = 0; i < n; i++)
        x->ids[i] = (uint64_t)json_integer_value(json_array_get(ids, i));
    for (int w = 0; w < count; w++) {
        const struct portal *p = &s->portals[wishes[w].portal].portal;

        x->groups[w] = (struct store_marks){ .who = scheduler_who(p),
            .entity = str_of(p->mirrors[mirror_of(&wishes[w])].entity->plural),
            .ask = n <= GET_MOST,
            .ids = x->ids,
            .count = n };
    }
    return &x->step;
}

/* ---- sweeps ---- */

static int sweep_work(struct step *step, struct db *db, struct err *err)
{
    struct order *x = (struct order *)step;

    return store_events(db, x->sweeps, x->sweep_count, err);
}

/* It begins on a next turn: what is gone becomes marks, and they are waited for. */
static void sweep_done(struct step *step)
{
    struct order *x = (struct order *)step;

    for (int w = 0; w < x->count; w++)
        changed_sweep_now(step->s, x->wishes[w].portal, x->wishes[w].mirrors);
    reply(step->s, x, "sweeps");
}

struct step *order_sweep(struct scheduler *s, const struct sync_wish *wishes, int count, struct bus_peer peer,
    const char *correlation)
{
    struct order *x = order_new(wishes, count, peer, correlation, "sweeps");

    x->step.work = sweep_work;
    x->step.done = sweep_done;
    x->sweeps = xcalloc((size_t)count * PORTAL_ENTITIES_MAX, sizeof(*x->sweeps));
    for (int w = 0; w < count; w++) {
        const struct portal *p = &s->portals[wishes[w].portal].portal;

        for (int i = 0; i < p->mirror_count; i++)
            if (wishes[w].mirrors & (uint64_t)1 << i)
                x->sweeps[x->sweep_count++] = (struct store_marks){ .who = scheduler_who(p),
                    .entity = str_of(p->mirrors[i].entity->plural),
                    .wishes = 1U << CURSOR_SWEEP };
    }
    return &x->step;
}

/* ---- pauses ---- */

static int pause_work(struct step *step, struct db *db, struct err *err)
{
    struct order *x = (struct order *)step;

    for (int i = 0; i < x->count; i++)
        if (store_pause(db, &x->pauses[i], err) < 0)
            return -1;
    return 0;
}

/* False: it was so already. */
static bool pause_mirror(struct portal *p, struct mirror *m, bool paused)
{
    bool changes = m->paused != paused;

    if (changes)
        log_ev(LOG_INFO, paused ? "mirror.paused" : "mirror.resumed", kv_str("portal", p->name),
            kv_s("entity", m->entity->plural));
    m->paused = paused;
    if (!paused)
        m->marks_due[0] = m->marks_due[1] = true;
    return changes;
}

static void reply_paused(struct scheduler *s, const struct order *x, const struct sync_wish *changed)
{
    struct sync_wish already[CONFIG_PORTALS_MAX];
    json_t *body = json_object();

    for (int w = 0; w < x->count; w++)
        already[w] = (struct sync_wish){ x->wishes[w].portal, x->wishes[w].mirrors & ~changed[w].mirrors };
    json_object_set_new(body, x->paused ? "paused" : "resumed", names_of(s, changed, x->count));
    json_object_set_new(body, "already", names_of(s, already, x->count));
    control_reply(s, x->peer, x->correlation, NULL, body);
    json_decref(body);
}

static void pause_done(struct step *step)
{
    struct order *x = (struct order *)step;
    struct scheduler *s = step->s;
    struct sync_wish changed[CONFIG_PORTALS_MAX];

    for (int w = 0; w < x->count; w++) {
        struct portal *p = &s->portals[x->wishes[w].portal].portal;

        changed[w] = (struct sync_wish){ x->wishes[w].portal, 0 };
        for (int i = 0; i < p->mirror_count; i++) {
            uint64_t bit = (uint64_t)1 << i;

            if ((x->wishes[w].mirrors & bit) != 0 && pause_mirror(p, &p->mirrors[i], x->paused))
                changed[w].mirrors |= bit;
        }
    }
    reply_paused(s, x, changed);
}

struct step *order_pause(struct scheduler *s, const struct sync_wish *wishes, int count, bool paused,
    struct bus_peer peer, const char *correlation)
{
    struct order *x = order_new(wishes, count, peer, correlation, paused ? "pause" : "resume");

    x->step.work = pause_work;
    x->step.done = pause_done;
    x->paused = paused;
    for (int w = 0; w < count; w++) {
        const struct portal *p = &s->portals[wishes[w].portal].portal;
        struct store_pause *row = &x->pauses[w];

        *row = (struct store_pause){ .who = scheduler_who(p), .paused = paused };
        for (int i = 0; i < p->mirror_count; i++)
            if (wishes[w].mirrors & (uint64_t)1 << i)
                row->entities[row->count++] = str_of(p->mirrors[i].entity->plural);
    }
    return &x->step;
}
