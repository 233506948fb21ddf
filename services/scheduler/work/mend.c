/* What becomes of jobs, runs and portals after an attempt failed: again, smaller, aside, or the end of the
 * run. */
#include "scheduler.h"

#include "events/call.h"
#include "events/guard.h"

#include "alarms.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum mend_kind { MEND_SPLIT, MEND_ASIDE, MEND_ALONE, MEND_LEFT_OUT, MEND_FAIL_RUNS };

struct mend {
    struct step step;
    enum mend_kind kind;
    int portal;
    uint64_t job, middle, id; /* id 0 of MEND_ALONE: only the row goes */
    uint64_t *ids;            /* MEND_LEFT_OUT: of the answered job; owned */
    size_t id_count;
    uint64_t d;
    uint64_t other; /* out */
    uint64_t runs[PORTAL_ENTITIES_MAX];
    int mirrors[PORTAL_ENTITIES_MAX]; /* whose runs */
    bool failed[PORTAL_ENTITIES_MAX]; /* out */
    int run_count;
    char entity[64];
    char text[ERR_TEXT_SIZE];
    struct store_who who;
};

static int mend_work(struct step *step, struct db *db, struct err *err)
{
    struct mend *x = (struct mend *)step;

    switch (x->kind) {
    case MEND_SPLIT:
        return store_split(db, &x->who, x->job, x->middle, &x->other, err);
    case MEND_ASIDE:
        return store_aside(db, &x->who, x->job, str_of(x->text), err);
    case MEND_ALONE:
        return store_alone(db, &x->who, x->job, str_of(x->entity), x->id, str_of(x->text), err);
    case MEND_LEFT_OUT:
        return store_left_out(db, &x->who, str_of(x->entity), x->ids, x->id_count, x->d, err);
    case MEND_FAIL_RUNS:
        return store_fail_runs(db, &x->who, x->runs, x->run_count, str_of(x->text), x->failed, err);
    }
    return 0;
}

static void mend_done(struct step *step)
{
    struct mend *x = (struct mend *)step;
    struct portal *p = &step->s->portals[x->portal].portal;

    for (int i = 0; i < x->run_count; i++)
        if (x->failed[i])
            log_ev(LOG_ERROR, "sync.failed", kv_str("portal", p->name),
                kv_s("entity", p->mirrors[x->mirrors[i]].entity->plural), kv_u("run", x->runs[i]),
                kv_s("error", x->text));
    /* The halves, the marks and the runs' ends are read from the database: there they are certain. */
    p->scan_wanted = true;
}

static void mend_free(struct step *step)
{
    free(((struct mend *)step)->ids);
    free(step);
}

static struct mend *mend_new(struct scheduler *s, int portal, enum mend_kind kind, const char *name)
{
    struct mend *x = xcalloc(1, sizeof(*x));

    x->step = (struct step){ .name = name, .work = mend_work, .done = mend_done, .free = mend_free };
    x->kind = kind;
    x->portal = portal;
    x->who = scheduler_who(&s->portals[portal].portal);
    return x;
}

/* ---- jobs ---- */

static void forget(struct portal *p, struct job *job)
{
    if (job->kind == JOB_PROBE)
        for (int i = 0; i < p->mirror_count; i++)
            if (job->probes & (uint64_t)1 << i)
                p->mirrors[i].probe_flying = false;
    job_take(&p->jobs, job);
    job_free(&job);
}

void mend_finished(struct scheduler *s, int portal, struct job *job)
{
    forget(&s->portals[portal].portal, job);
}

static void drop_row(struct scheduler *s, int portal, struct job *job, uint64_t id, const char *error)
{
    struct portal *p = &s->portals[portal].portal;
    struct mend *x = mend_new(s, portal, MEND_ALONE, "drop");

    x->job = job->id;
    x->id = id;
    snprintf(x->text, sizeof(x->text), "%s", error);
    if (job->entity >= 0) {
        snprintf(x->entity, sizeof(x->entity), "%s", p->mirrors[job->entity].entity->plural);
        p->mirrors[job->entity].marks_due[job->kind == JOB_GET] = true;
    }
    scheduler_step(s, &x->step);
}

void mend_stray(struct scheduler *s, int portal, uint64_t id)
{
    struct mend *x = mend_new(s, portal, MEND_ALONE, "stray");

    x->job = id;
    scheduler_step(s, &x->step);
}

void mend_drop(struct scheduler *s, int portal, struct job *job)
{
    if (job->id > 0 && job->kind != JOB_RANGE)
        drop_row(s, portal, job, 0, "");
    forget(&s->portals[portal].portal, job);
}

void mend_left_out(struct scheduler *s, int portal, struct job *job, uint64_t d)
{
    struct portal *p = &s->portals[portal].portal;
    struct mend *x = mend_new(s, portal, MEND_LEFT_OUT, "left out");

    snprintf(x->entity, sizeof(x->entity), "%s", p->mirrors[job->entity].entity->plural);
    x->d = d;
    x->ids = job->ids;
    x->id_count = job->id_count;
    job->ids = NULL;
    job->id_count = 0;
    scheduler_step(s, &x->step);
}

/* The portal's word about one record; failures of the whole request tell nothing of it. */
static const char *word_of_record(const struct job *job, const struct failure *why)
{
    return job->kind == JOB_GET && why->end == JOB_END_ERROR && !why->whole_portal ? why->text : "";
}

/* One half keeps the row, the other will be written with its first dispatch. */
static void halve_ids(struct portal *p, struct job *job)
{
    struct job *other = job_new(job->kind, job->entity);
    size_t half = job->id_count / 2;

    other->id_count = job->id_count - half;
    other->ids = xcalloc(other->id_count, sizeof(uint64_t));
    memcpy(other->ids, job->ids + half, other->id_count * sizeof(uint64_t));
    other->born = other->order = p->next_order++;
    job->id_count = half;
    job_put(&p->jobs, other);
}

static void split_range(struct scheduler *s, int portal, struct job *job)
{
    struct mirror *m = &s->portals[portal].portal.mirrors[job->entity];
    uint64_t middle = cut_middle(&m->bounds, job->first, job->last);

    if (middle == 0) { /* nothing is known up there: perhaps a probe tells more */
        m->probe_wanted = true;
        job->not_before_ms = clock_mono_ms() + job_backoff(job->fails, (uint32_t)job->id);
        return;
    }
    struct mend *x = mend_new(s, portal, MEND_SPLIT, "split");

    x->job = job->id;
    x->middle = middle;
    scheduler_step(s, &x->step);
    job->last = x->middle; /* the new job above it is found by the scan that follows */
}

static void set_aside(struct scheduler *s, int portal, struct job *job, const char *text)
{
    struct portal *p = &s->portals[portal].portal;
    struct mend *x = mend_new(s, portal, MEND_ASIDE, "aside");

    x->job = job->id;
    snprintf(x->text, sizeof(x->text), "%s", text);
    log_ev(LOG_WARNING, "record.aside", kv_str("portal", p->name),
        kv_s("entity", p->mirrors[job->entity].entity->plural), kv_u("id", job->first), kv_s("error", text));
    scheduler_step(s, &x->step);
}

static void stop_job(struct scheduler *s, int portal, struct job *job, const struct failure *why)
{
    int mirror = job->entity;
    uint64_t probes = job->probes;
    struct portal *p = &s->portals[portal].portal;

    enum job_kind kind = job->kind;
    if (kind == JOB_CALL)
        call_failed(s, portal, job, why->kind, why->text);
    else
        mend_drop(s, portal, job);
    if (why->whole_portal && (why->kind == ERR_AUTH || why->kind == ERR_CONF)) {
        mend_stop_portal(s, portal, why->text);
        return;
    }
    if (kind == JOB_CHANGED ||
        kind == JOB_SWEEP) /* a full sync may do better, and says so when it does not */
        changed_failed(s, portal, mirror, kind, why->text);
    else if (mirror >= 0)
        mend_fail_mirror(s, portal, mirror, why->text);
    for (int i = 0; i < p->mirror_count; i++)
        if (probes & (uint64_t)1 << i)
            mend_fail_mirror(s, portal, i, why->text);
}

static void tell_retry(
    const struct portal *p, const struct job *job, unsigned tries, const struct failure *why, uint64_t now_ms)
{
    if (why->end == JOB_END_LOST || why->end == JOB_END_TURNED || why->kind == ERR_WAIT)
        return; /* told where it was found, once for all */
    enum log_level level = portal_is_unwell(p) ? LOG_DEBUG : tries >= 2 ? LOG_WARNING : LOG_INFO;

    log_ev(level, "job.retry", kv_str("portal", p->name), kv_u("job", job->id),
        kv_s("kind", job_kind_name(job->kind)),
        kv_s("entity", job->entity >= 0 ? p->mirrors[job->entity].entity->plural : ""),
        kv_u("attempt", tries + 1),
        kv_u("wait_ms", job->not_before_ms > now_ms ? job->not_before_ms - now_ms : 0),
        kv_s("error_type", err_kind_name(why->kind)), kv_s("reason", why->text));
}

static unsigned probe_tries(const struct portal *p, const struct job *job)
{
    unsigned most = 0;

    for (int i = 0; i < p->mirror_count; i++)
        if ((job->probes & (uint64_t)1 << i) && p->mirrors[i].probe_fails > most)
            most = p->mirrors[i].probe_fails;
    return most + 1;
}

/* A probe is made anew from what is wanted then; only its entities remember to wait. */
static void probe_again(struct scheduler *s, int portal, struct job *job, const char *why)
{
    struct portal *p = &s->portals[portal].portal;

    for (int i = 0; i < p->mirror_count; i++) {
        struct mirror *m = &p->mirrors[i];

        if ((job->probes & (uint64_t)1 << i) == 0)
            continue;
        if (job->fails > 0)
            mirror_probe_failed(m, why);
        m->probe_not_before_ms = job->not_before_ms;
        if (job->fails > 0)
            m->probe_not_before_ms =
                clock_mono_ms() + job_backoff(m->probe_fails, (uint32_t)p->next_order * 7919);
    }
    mend_drop(s, portal, job);
}

/* A list that answers no question at all is not narrowed down to each of its records. */
static bool list_fails(struct portal *p, const struct job *job, const struct failure *why)
{
    if (!job_kind_walks(job->kind) || why->end != JOB_END_ERROR)
        return false;

    struct mirror *m = &p->mirrors[job->entity];
    bool passes = why->kind == ERR_TEMP || why->kind == ERR_WAIT || why->kind == ERR_LIMIT;
    bool stuck = !passes && job->fails >= JOB_LAST_TRIES && job->first != job->last &&
                 cut_middle(&m->bounds, job->first, job->last) == 0;
    bool blamed = job_blames_list(job, why->kind, p->ok_count);

    return (blamed && mirror_range_failed(m, job->first, job->last)) || stuck;
}

void mend_job(struct scheduler *s, int portal, struct job *job, unsigned tries, const struct failure *why)
{
    struct portal *p = &s->portals[portal].portal;
    uint64_t now_ms = clock_mono_ms();

    job->busy = false;
    if (job->gone) {
        mend_drop(s, portal, job);
        return;
    }
    if (job->kind == JOB_PROBE)
        tries = probe_tries(p, job); /* each is a job of its own: what counts is how long it has been asked */
    if (job->kind == JOB_CALL) {
        tries = job->fails + 1; /* no row counts them */
        if (job_end_is_open(why->end, why->kind))
            queue_unsure(s, portal, job);
    }
    bool hopeless = list_fails(p, job, why) || job_is_unsure(job, why->end, why->kind);
    enum job_next next =
        job_failed(job, why->end, why->kind, p->ok_count, now_ms, (uint32_t)(job->id * 2654435761u));
    if (job_kind_learns(job->kind) && why->end == JOB_END_ERROR && why->kind != ERR_TEMP &&
        why->kind != ERR_WAIT)
        next = JOB_STOP; /* the same question would get the same answer */
    if (hopeless)
        next = JOB_STOP;
    switch (next) {
    case JOB_STOP:
        stop_job(s, portal, job, why);
        return;
    case JOB_ALONE:
        tell_retry(p, job, tries, why, now_ms);
        drop_row(s, portal, job, job->ids[0], word_of_record(job, why));
        forget(p, job);
        return;
    case JOB_ASIDE:
        set_aside(s, portal, job, why->text);
        forget(p, job);
        return;
    case JOB_SPLIT:
    case JOB_AGAIN:
        break;
    }
    tell_retry(p, job, tries, why, now_ms);
    if (job->entity >= 0 && job->fails >= JOB_FEEL_FAILS)
        p->mirrors[job->entity].probe_wanted = true; /* is it the job, or the portal? */
    if (next == JOB_SPLIT && job_kind_walks(job->kind))
        split_range(s, portal, job);
    else if (next == JOB_SPLIT)
        halve_ids(p, job);
    else if (job->kind == JOB_PROBE)
        probe_again(s, portal, job, why->text);
}

/* ---- runs and portals ---- */

static void end_jobs(struct portal *p, int mirror, uint64_t run)
{
    struct job *next;

    for (struct job *job = p->jobs; job != NULL; job = next) {
        next = job->next;
        if (job->entity != mirror || job->run != run || job->kind != JOB_RANGE)
            continue;
        if (job->busy)
            job->gone = true;
        else
            forget(p, job);
    }
}

static void fail_mirrors(struct scheduler *s, int portal, uint64_t mirrors, const char *text)
{
    struct portal *p = &s->portals[portal].portal;
    struct mend *x = mend_new(s, portal, MEND_FAIL_RUNS, "fail");

    struct step *requests = requests_step(s, portal, true);
    if (requests != NULL)
        scheduler_step(s, requests);
    snprintf(x->text, sizeof(x->text), "%s", text);
    for (int i = 0; i < p->mirror_count; i++) {
        struct mirror *m = &p->mirrors[i];

        if ((mirrors & (uint64_t)1 << i) == 0)
            continue;
        m->probe_wanted = m->probe_first = false;
        if (m->run == 0)
            continue;
        end_jobs(p, i, m->run);
        x->mirrors[x->run_count] = i;
        x->runs[x->run_count++] = m->run;
        m->run = 0;
        m->run_state = RUN_NONE;
    }
    scheduler_step(s, &x->step);
}

/* Nothing of this entity may be asked: its marks stay and are read after the next sync command. */
static void end_by_id(struct scheduler *s, int portal, int mirror)
{
    struct job *next;

    for (struct job *job = s->portals[portal].portal.jobs; job != NULL; job = next) {
        next = job->next;
        if (job->entity != mirror || job->kind == JOB_RANGE)
            continue;
        if (job->busy)
            job->gone = true;
        else
            mend_drop(s, portal, job);
    }
}

void mend_fail_mirror(struct scheduler *s, int portal, int mirror, const char *text)
{
    s->portals[portal].portal.mirrors[mirror].refused = true;
    end_by_id(s, portal, mirror);
    alarms_run(s, portal, mirror, "failed", text);
    fail_mirrors(s, portal, (uint64_t)1 << mirror, text);
}

void mend_stop_portal(struct scheduler *s, int portal, const char *text)
{
    struct portal *p = &s->portals[portal].portal;

    if (p->state != PORTAL_STOPPED)
        log_ev(LOG_ERROR, "portal.stopped", kv_str("portal", p->name), kv_s("url", p->url),
            kv_s("error", text), kv_s("hint", "put it right, then: potok sync"));
    portal_stop(p, text);
    fail_mirrors(s, portal, UINT64_MAX, text);
}
