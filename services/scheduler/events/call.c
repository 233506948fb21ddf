#include "call.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Takes the job over. */
static void put(struct scheduler *s, int portal, const struct call *calls, int n, struct job *job)
{
    struct portal *p = &s->portals[portal].portal;
    struct buf bytes;

    buf_init(&bytes, CALLS_BYTES_MAX);
    calls_encode(calls, n, &bytes);
    if (n < 1 || n > CALLS_MAX || bytes.failed) {
        buf_fini(&bytes);
        call_failed(s, portal, job, ERR_BUG, "the calls do not fit one batch");
        return;
    }
    job->calls = bytes.p; /* the job's from here on */
    job->calls_bytes = bytes.n;
    job->born = job->order = p->next_order++;
    job_put(&p->jobs, job);
    scheduler_wake(s);
}

void call_job(struct scheduler *s, int portal, const struct call *calls, int n, call_done *done, bool urgent)
{
    struct job *job = job_new(JOB_CALL, -1);

    job->done = done;
    job->urgent = urgent;
    put(s, portal, calls, n, job);
}

void call_once(struct scheduler *s, int portal, const struct call *calls, int n, call_done *done)
{
    struct job *job = job_new(JOB_CALL, -1);

    job->done = done;
    job->once = true;
    put(s, portal, calls, n, job);
}

bool call_waits(const struct portal *p, call_done *done)
{
    for (const struct job *job = p->jobs; job != NULL; job = job->next)
        if (job->kind == JOB_CALL && job->done == done && !job->gone)
            return true;
    return false;
}

struct job *call_next(const struct portal *p, uint64_t now_ms)
{
    struct job *best = NULL;

    for (struct job *job = p->jobs; job != NULL; job = job->next) {
        if (job->kind != JOB_CALL || job->busy || job->gone || job->not_before_ms > now_ms)
            continue;
        if (best == NULL || job->urgent > best->urgent ||
            (job->urgent == best->urgent && job->order < best->order))
            best = job;
    }
    return best;
}

static void over(struct scheduler *s, int portal, struct job *job, const struct call_answers *answers,
    const struct err *err)
{
    call_done *done = job->done;

    job_take(&s->portals[portal].portal.jobs, job);
    job_free(&job);
    if (done != NULL)
        done(s, portal, answers, err);
}

void call_answered(struct scheduler *s, int portal, struct job *job, struct str bytes)
{
    struct call_answers answers;
    struct err err = { .kind = ERR_NONE };

    if (call_answers_decode(&answers, bytes, &err) < 0) {
        call_failed(s, portal, job, err.kind, err.text);
        return;
    }
    over(s, portal, job, &answers, NULL);
    call_answers_free(&answers);
}

void call_failed(struct scheduler *s, int portal, struct job *job, enum err_kind kind, const char *text)
{
    static const struct call_answers none = { 0 };
    struct err err = { .kind = ERR_NONE };

    err_set(&err, kind, "%s", text);
    over(s, portal, job, &none, &err);
}
