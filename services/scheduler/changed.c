/* What changed is looked for now and then: what no webhook told, or a lost one, is found here. Such a look is
 * a chain of jobs without a run; what it found and where the next begins is in the database when the last of
 * them is stored. */
#include "scheduler.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/msg.h"

#include <stdlib.h>

#define FAILS_MOST 6 /* after so many in a row the pause no longer doubles */

struct changed {
    struct step step;
    int portal;
    int mirrors[PORTAL_ENTITIES_MAX];
    struct store_changed store;
};

static int changed_work(struct step *step, struct db *db, struct err *err)
{
    return store_changed(db, &((struct changed *)step)->store, err);
}

static void begin(struct portal *p, int mirror, uint64_t id)
{
    struct mirror *m = &p->mirrors[mirror];
    struct job *job = job_new(JOB_CHANGED, mirror);

    m->changed_last = m->changed_read;
    m->changed_read = 0;
    job->id = id;
    job->first = 1;
    job->last = RANGE_OPEN;
    job->born = job->order = p->next_order++;
    job_put(&p->jobs, job);
}

static void changed_stored(struct step *step)
{
    struct changed *x = (struct changed *)step;
    struct portal *p = &step->s->portals[x->portal].portal;

    for (int i = 0; i < x->store.count; i++)
        if (x->store.jobs[i] > 0)
            begin(p, x->mirrors[i], x->store.jobs[i]);
}

static void changed_free(struct step *step)
{
    free(step);
}

static bool under_way(const struct portal *p, int mirror)
{
    for (const struct job *job = p->jobs; job != NULL; job = job->next)
        if (job->entity == mirror && job->kind == JOB_CHANGED)
            return true;
    return false;
}

static bool is_due(const struct portal *p, int mirror, uint64_t now_ms)
{
    const struct mirror *m = &p->mirrors[mirror];

    return m->run == 0 && m->schema != NULL && !m->refused && m->changed_at_ms <= now_ms &&
           !under_way(p, mirror);
}

/* Each look is so far from the beginning of the one before it, also where nothing may be asked yet. */
static uint64_t pause_ms(const struct scheduler *s, const struct mirror *m)
{
    unsigned fails = m->changed_fails < FAILS_MOST ? m->changed_fails : FAILS_MOST;

    return ((uint64_t)s->incremental_s * 1000) << fails;
}

struct step *changed_due(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct portal *p = &s->portals[portal].portal;
    struct changed *x = NULL;

    if (s->incremental_s == 0 || p->state == PORTAL_STOPPED)
        return NULL;
    for (int i = 0; i < p->mirror_count; i++) {
        if (!is_due(p, i, now_ms))
            continue;
        if (x == NULL) {
            x = xcalloc(1, sizeof(*x));
            x->step = (struct step){
                .name = "changed", .work = changed_work, .done = changed_stored, .free = changed_free
            };
            x->portal = portal;
            x->store.who = scheduler_who(p);
        }
        p->mirrors[i].changed_at_ms = now_ms + pause_ms(s, &p->mirrors[i]);
        x->mirrors[x->store.count] = i;
        x->store.entities[x->store.count++] = str_of(p->mirrors[i].entity->plural);
    }
    return x == NULL ? NULL : &x->step;
}

void changed_done(const struct portal *p, struct mirror *m, const struct msg_done *done)
{
    m->changed_fails = 0;
    if (done->written > 0)
        log_ev(LOG_INFO, "changes.found", kv_str("portal", p->name), kv_s("entity", m->entity->plural),
            kv_u("written", done->written), kv_u("same", done->same));
}

void changed_failed(struct scheduler *s, int portal, int mirror, const char *text)
{
    const struct portal *p = &s->portals[portal].portal;
    struct mirror *m = &p->mirrors[mirror];

    m->changed_fails++;
    m->changed_at_ms = clock_mono_ms() + pause_ms(s, m);
    log_ev(LOG_WARNING, "changes.failed", kv_str("portal", p->name), kv_s("entity", m->entity->plural),
        kv_u("again_in_ms", pause_ms(s, m)), kv_s("error", text));
}
