/* Fields that the operator accepted (`potok schema accept`): copied from now on, and everything is read
 * again. */
#include "scheduler.h"

#include "base/log.h"
#include "base/mem.h"
#include "run/crash.h"

#include <stdlib.h>

struct accept {
    struct step step;
    int portal, mirror;
    struct store_shape store;
};

static int accept_work(struct step *step, struct db *db, struct err *err)
{
    return store_shape(db, &((struct accept *)step)->store, err);
}

static void accept_free(struct step *step)
{
    struct accept *x = (struct accept *)step;

    step->s->portals[x->portal].portal.mirrors[x->mirror].accepting = false;
    store_shape_fini(&x->store);
    free(x);
}

/* Jobs of the run as it was; those under way end by themselves: the database knows them no more. */
static void drop_jobs(struct portal *p, int mirror)
{
    struct job *next;

    for (struct job *job = p->jobs; job != NULL; job = next) {
        next = job->next;
        if (job->entity != mirror || job->kind != JOB_RANGE || job->busy)
            continue;
        job_take(&p->jobs, job);
        job_free(&job);
    }
}

void accept_again(struct scheduler *s, int portal, int mirror, uint64_t run)
{
    struct portal *p = &s->portals[portal].portal;
    struct mirror *m = &p->mirrors[mirror];

    portal_resume(p); /* somebody wants it read */
    drop_jobs(p, mirror);
    m->run = run;
    m->run_state = RUN_PROBING;
    m->refused = false;
    m->probe_not_before_ms = 0;
    mirror_probe_anew(m);
    mirror_range_done(m);
    log_ev(LOG_INFO, "sync.again", kv_str("portal", p->name), kv_s("entity", m->entity->plural),
        kv_u("run", run));
}

static void accept_done(struct step *step)
{
    struct accept *x = (struct accept *)step;
    struct mirror *m = &step->s->portals[x->portal].portal.mirrors[x->mirror];

    crash_point(SCHEDULER_AFTER_ACCEPT);
    m->shape = x->store.shape;
    if (!x->store.lifted)
        return; /* columns were changed, and that is the writers' business */
    mirror_set_schema(m, buf_view(&x->store.schema));
    accept_again(step->s, x->portal, x->mirror, x->store.run);
}

void accept_step(struct scheduler *s, int portal, int mirror)
{
    struct portal *p = &s->portals[portal].portal;
    struct mirror *m = &p->mirrors[mirror];
    struct accept *x;

    if (m->accepting)
        return;
    x = xcalloc(1, sizeof(*x));
    x->step =
        (struct step){ .name = "accept", .work = accept_work, .done = accept_done, .free = accept_free };
    x->portal = portal;
    x->mirror = mirror;
    x->store.who = scheduler_who(p);
    x->store.entity = str_of(m->entity->plural);
    m->accepting = true;
    scheduler_step(s, &x->step);
}
