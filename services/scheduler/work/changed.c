/* What changed is looked for every minute: what no webhook told, or a lost one, is found here. Every hour
 * what is gone: a sweep of all ids (the settings say how often). Such a look is a chain of jobs without a
 * run; what it found and where the next begins is in the database when the last of them is stored. */
#include "scheduler.h"

#include "events/guard.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/msg.h"
#include "run/crash.h"

#include <stdlib.h>

#define FAILS_MOST    6     /* after so many in a row the pause no longer doubles */
#define SWEEP_LOOK_MS 60000 /* so often the database is asked when the last sweep was */
#define WISH_AGAIN_MS 5000  /* what is wanted, and may not begin yet, is tried again */

struct changed {
    struct step step;
    int portal;
    int mirrors[PORTAL_ENTITIES_MAX];
    struct store_changed store;
};

static int changed_work(struct step *step, struct db *db, struct err *err)
{
    crash_point(SCHEDULER_BEFORE_CHANGED);
    return store_changed(db, &((struct changed *)step)->store, err);
}

static void begin(struct portal *p, int mirror, enum job_kind kind, uint64_t id)
{
    struct mirror *m = &p->mirrors[mirror];
    struct job *job = job_new(kind, mirror);

    if (kind == JOB_CHANGED) {
        m->changed_last = m->changed_read;
        m->changed_read = 0;
    }
    job->id = id;
    job->first = 1;
    job->last = RANGE_OPEN;
    job->born = job->order = p->next_order++;
    job_put(&p->jobs, job);
}

/* It is not to begin before at_ms. */
static void want(struct mirror *m, enum job_kind kind, bool wanted, uint64_t at_ms)
{
    *(kind == JOB_CHANGED ? &m->changed_wanted : &m->sweep_wanted) = wanted;
    *(kind == JOB_CHANGED ? &m->changed_wait_ms : &m->sweep_wait_ms) = at_ms;
}

static bool is_wanted(const struct mirror *m, enum job_kind kind)
{
    return kind == JOB_CHANGED ? m->changed_wanted : m->sweep_wanted;
}

/* A wish is answered by a job, and by nothing else: the queue's lines it stands for are confirmed then. */
static void changed_stored(struct step *step)
{
    struct changed *x = (struct changed *)step;
    struct portal *p = &step->s->portals[x->portal].portal;
    const enum job_kind kind = x->store.kind;

    crash_point(SCHEDULER_AFTER_CHANGED);
    for (int i = 0; i < x->store.count; i++) {
        struct mirror *m = &p->mirrors[x->mirrors[i]];

        if (x->store.jobs[i] > 0) {
            want(m, kind, false, 0);
            begin(p, x->mirrors[i], kind, x->store.jobs[i]);
        } else {
            want(m, kind, is_wanted(m, kind), clock_mono_ms() + WISH_AGAIN_MS);
        }
    }
}

static void changed_free(struct step *step)
{
    free(step);
}

static bool under_way(const struct portal *p, int mirror, enum job_kind kind)
{
    for (const struct job *job = p->jobs; job != NULL; job = job->next)
        if (job->entity == mirror && job->kind == kind)
            return true;
    return false;
}

static bool is_due(const struct portal *p, int mirror, enum job_kind kind, uint64_t now_ms)
{
    const struct mirror *m = &p->mirrors[mirror];
    const uint64_t wait_ms = kind == JOB_CHANGED ? m->changed_wait_ms : m->sweep_wait_ms;
    const uint64_t at_ms = kind == JOB_CHANGED ? m->changed_at_ms : m->sweep_at_ms;

    return m->run == 0 && m->schema != NULL && !m->refused && !m->paused &&
           (is_wanted(m, kind) ? wait_ms : at_ms) <= now_ms && !under_way(p, mirror, kind);
}

/* Each look is so far from the beginning of the one before it, also where nothing may be asked yet. */
static uint64_t pause_ms(const struct scheduler *s, const struct mirror *m, enum job_kind kind)
{
    unsigned fails = kind == JOB_CHANGED ? m->changed_fails : m->sweep_fails;
    uint64_t ms =
        kind == JOB_CHANGED && s->incremental_s > 0 ? (uint64_t)s->incremental_s * 1000 : SWEEP_LOOK_MS;

    return ms << (fails < FAILS_MOST ? fails : FAILS_MOST);
}

static struct changed *changed_new(struct scheduler *s, int portal, enum job_kind kind)
{
    struct changed *x = xcalloc(1, sizeof(*x));

    x->step = (struct step){
        .name = job_kind_name(kind), .work = changed_work, .done = changed_stored, .free = changed_free
    };
    x->portal = portal;
    x->store.who = scheduler_who(&s->portals[portal].portal);
    x->store.kind = kind;
    return x;
}

static void add(struct scheduler *s, struct changed *x, int mirror, uint64_t now_ms)
{
    struct mirror *m = &s->portals[x->portal].portal.mirrors[mirror];

    *(x->store.kind == JOB_CHANGED ? &m->changed_at_ms : &m->sweep_at_ms) =
        now_ms + pause_ms(s, m, x->store.kind);
    x->mirrors[x->store.count] = mirror;
    x->store.entities[x->store.count++] = str_of(m->entity->plural);
}

static struct step *look_for_changes(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct portal *p = &s->portals[portal].portal;
    struct changed *x = NULL;

    for (int i = 0; i < p->mirror_count; i++) {
        if ((s->incremental_s == 0 && !p->mirrors[i].changed_wanted) || !is_due(p, i, JOB_CHANGED, now_ms))
            continue;
        if (x == NULL)
            x = changed_new(s, portal, JOB_CHANGED);
        add(s, x, i, now_ms);
    }
    return x == NULL ? NULL : &x->step;
}

/* One entity after the other. What the operator wants is not asked whether it is due. */
static struct step *sweep(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct portal *p = &s->portals[portal].portal;

    for (int i = 0; i < p->mirror_count; i++) {
        struct mirror *m = &p->mirrors[i];

        if ((s->sweep_min == 0 && !m->sweep_wanted) || !is_due(p, i, JOB_SWEEP, now_ms))
            continue;
        struct changed *x = changed_new(s, portal, JOB_SWEEP);
        x->store.every_ms = m->sweep_wanted ? 0 : (uint64_t)s->sweep_min * 60000;
        add(s, x, i, now_ms);
        return &x->step;
    }
    return NULL;
}

struct step *changed_due(struct scheduler *s, int portal, uint64_t now_ms)
{
    if (portal_is_shut(&s->portals[portal].portal))
        return NULL;
    struct step *step = look_for_changes(s, portal, now_ms);
    return step != NULL ? step : sweep(s, portal, now_ms);
}

void changed_done(struct portal *p, struct mirror *m, const struct msg_done *done)
{
    m->changed_fails = 0;
    guard_found(p, done->written);
    if (done->written > 0)
        log_ev(LOG_INFO, "changes.found", kv_str("portal", p->name), kv_s("entity", m->entity->plural),
            kv_u("written", done->written), kv_u("same", done->same));
}

void changed_failed(struct scheduler *s, int portal, int mirror, enum job_kind kind, const char *text)
{
    const struct portal *p = &s->portals[portal].portal;
    struct mirror *m = &p->mirrors[mirror];

    ++*(kind == JOB_CHANGED ? &m->changed_fails : &m->sweep_fails);
    const uint64_t at_ms = clock_mono_ms() + pause_ms(s, m, kind);
    *(kind == JOB_CHANGED ? &m->changed_at_ms : &m->sweep_at_ms) = at_ms;
    want(m, kind, true, at_ms); /* somebody may have wished it, and it was not done */
    log_ev(LOG_WARNING, kind == JOB_CHANGED ? "changes.failed" : "sweep.failed", kv_str("portal", p->name),
        kv_s("entity", m->entity->plural), kv_u("again_in_ms", pause_ms(s, m, kind)), kv_s("error", text));
}

void changed_look_now(struct scheduler *s, int portal, uint64_t mirrors)
{
    struct portal *p = &s->portals[portal].portal;

    for (int i = 0; i < p->mirror_count; i++)
        p->mirrors[i].changed_wanted |= (mirrors & (uint64_t)1 << i) != 0;
}

void changed_sweep_now(struct scheduler *s, int portal, uint64_t mirrors)
{
    struct portal *p = &s->portals[portal].portal;

    for (int i = 0; i < p->mirror_count; i++)
        if (mirrors & (uint64_t)1 << i)
            want(&p->mirrors[i], JOB_SWEEP, true, 0);
}
