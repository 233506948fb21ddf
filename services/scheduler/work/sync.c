/* Full syncs begin: by command, or by themselves when one is due. */
#include "scheduler.h"

#include "base/clock.h"
#include "overload.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/crash.h"

#include <stdlib.h>
#include <string.h>

struct sync {
    struct step step;
    struct sync_wish wishes[CONFIG_PORTALS_MAX];
    struct store_sync *store; /* one a wish */
    int *mirrors;             /* [wish * 64 + i] */
    int count;
    struct bus_peer peer;
    char correlation[UUID_SIZE];
};

static int sync_work(struct step *step, struct db *db, struct err *err)
{
    struct sync *x = (struct sync *)step;

    for (int i = 0; i < x->count; i++)
        if (store_sync(db, &x->store[i], err) < 0)
            return -1;
    return 0;
}

static void sync_free(struct step *step)
{
    struct sync *x = (struct sync *)step;

    free(x->store);
    free(x->mirrors);
    free(x);
}

static void begin_run(
    struct scheduler *s, struct portal *p, struct mirror *m, const struct store_sync *row, int i)
{
    m->refused = false;
    m->probe_not_before_ms = 0;
    mirror_probe_anew(m);
    m->run_started_ms = row->who.now_ms;
    when_began(&m->when, row->who.now_ms);
    if (m->run == row->runs[i])
        return;
    m->run = row->runs[i];
    m->run_state = row->open[i] ? RUN_OPEN : RUN_PROBING;
    mirror_range_done(m);
    p->scan_wanted |= row->joined[i];
    log_ev(LOG_INFO, "sync.started", kv_str("portal", p->name), kv_s("entity", m->entity->plural),
        kv_u("run", m->run));
}

static json_t *run_of(const struct portal *p, const struct mirror *m)
{
    json_t *run = json_object();

    json_object_set_new(run, "id", json_integer((json_int_t)m->run));
    json_object_set_new(run, "portal", json_string(p->config->name));
    json_object_set_new(run, "entity", json_string(m->entity->plural));
    json_object_set_new(run, "table", json_string(m->table));
    return run;
}

static void sync_done(struct step *step)
{
    struct sync *x = (struct sync *)step;
    struct scheduler *s = step->s;
    json_t *runs = json_array(), *body = json_object();

    crash_point(SCHEDULER_AFTER_SYNC);
    for (int w = 0; w < x->count; w++) {
        struct portal *p = &s->portals[x->wishes[w].portal].portal;

        portal_resume(p);
        if (x->peer.n > 0)
            overload_force(s, x->wishes[w].portal);
        for (int i = 0; i < x->store[w].count; i++) {
            struct mirror *m = &p->mirrors[x->mirrors[w * PORTAL_ENTITIES_MAX + i]];

            begin_run(s, p, m, &x->store[w], i);
            json_array_append_new(runs, run_of(p, m));
        }
    }
    json_object_set_new(body, "runs", runs);
    if (x->peer.n > 0)
        control_reply(s, x->peer, x->correlation, NULL, body);
    json_decref(body);
}

struct step *sync_step(struct scheduler *s, const struct sync_wish *wishes, int count, struct bus_peer peer,
    const char *correlation)
{
    struct sync *x = xcalloc(1, sizeof(*x));

    x->step = (struct step){ .name = "sync", .work = sync_work, .done = sync_done, .free = sync_free };
    x->count = count;
    x->peer = peer;
    if (correlation != NULL)
        memcpy(x->correlation, correlation, strnlen(correlation, UUID_SIZE - 1));
    x->store = xcalloc((size_t)count, sizeof(*x->store));
    x->mirrors = xcalloc((size_t)count * PORTAL_ENTITIES_MAX, sizeof(*x->mirrors));
    for (int w = 0; w < count; w++) {
        const struct portal *p = &s->portals[wishes[w].portal].portal;
        struct store_sync *row = &x->store[w];

        x->wishes[w] = wishes[w];
        row->who = scheduler_who(p);
        for (int i = 0; i < p->mirror_count; i++) {
            if ((wishes[w].mirrors & (uint64_t)1 << i) == 0)
                continue;
            x->mirrors[w * PORTAL_ENTITIES_MAX + row->count] = i;
            row->entities[row->count++] = str_of(p->mirrors[i].entity->plural);
        }
    }
    return &x->step;
}

struct step *sync_due(struct scheduler *s, int portal)
{
    struct portal *p = &s->portals[portal].portal;
    struct sync_wish wish = { portal, 0 };
    struct bus_peer nobody = { { 0 }, 0 };
    uint64_t wall_ms = clock_wall_ms();

    for (int i = 0; i < p->mirror_count; i++) {
        struct mirror *m = &p->mirrors[i];

        if (!m->paused && when_due(&m->when, &p->zone, m->run != 0, wall_ms))
            wish.mirrors |= (uint64_t)1 << i;
    }
    return wish.mirrors == 0 ? NULL : sync_step(s, &wish, 1, nobody, NULL);
}

/* ---- calls of a run that were more or fewer than its dispatches, written now and then ---- */

struct requests {
    struct step step;
    int portal;
    bool written;
    struct store_who who;
    uint64_t runs[2 * PORTAL_ENTITIES_MAX];
    int64_t requests[2 * PORTAL_ENTITIES_MAX];
    int count;
};

static int requests_work(struct step *step, struct db *db, struct err *err)
{
    struct requests *x = (struct requests *)step;

    return store_add_requests(db, &x->who, x->runs, x->requests, x->count, err);
}

static void requests_done(struct step *step)
{
    ((struct requests *)step)->written = true;
}

static void requests_free(struct step *step)
{
    struct requests *x = (struct requests *)step;

    for (int i = 0; i < x->count && !x->written; i++)
        portal_count_calls(&step->s->portals[x->portal].portal, x->runs[i], x->requests[i]);
    free(x);
}

static bool take_requests(struct portal *p, struct requests *x)
{
    x->who = scheduler_who(p);
    for (int i = 0; i < p->run_calls_count; i++) {
        x->runs[i] = p->run_calls[i].run;
        x->requests[i] = p->run_calls[i].calls;
    }
    x->count = p->run_calls_count;
    p->run_calls_count = 0;
    return x->count > 0;
}

int requests_flush(struct portal *p, struct db *db, struct err *err)
{
    struct requests x = { .written = false };

    return take_requests(p, &x) ? store_add_requests(db, &x.who, x.runs, x.requests, x.count, err) : 0;
}

struct step *requests_step(struct scheduler *s, int portal, bool now)
{
    struct portal *p = &s->portals[portal].portal;
    uint64_t now_ms = clock_mono_ms();
    struct requests *x;

    if (p->run_calls_count == 0 || (!now && now_ms < p->requests_at_ms + (uint64_t)s->floor_interval_ms))
        return NULL;
    x = xcalloc(1, sizeof(*x));
    x->step = (struct step){
        .name = "requests", .work = requests_work, .done = requests_done, .free = requests_free
    };
    x->portal = portal;
    take_requests(p, x);
    p->requests_at_ms = now_ms;
    return &x->step;
}
