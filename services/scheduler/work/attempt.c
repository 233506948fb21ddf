/* What becomes of attempts: reported, done, given up. Every attempt ends here exactly once. */
#include "scheduler.h"

#include "spend.h"

#include "base/clock.h"
#include "base/log.h"
#include "run/crash.h"

#include <stdio.h>
#include <string.h>

/* ---- the call is over ---- */

void attempt_call_over(struct scheduler *s, struct flight *f, bool was_made)
{
    struct portal *p = scheduler_portal(s, f->portal);

    if (f->phase != FLIGHT_SENT)
        return;
    if (was_made)
        pace_arrived(spend_pace(s, f->bucket), clock_mono_ms());
    else
        pace_cancel(spend_pace(s, f->bucket));
    if (f->method[0] != '\0')
        operate_end(&p->operate, f->method);
    f->phase = FLIGHT_REPORTED;
}

struct job *attempt_end(struct scheduler *s, struct flight *f)
{
    struct job *job = f->job;

    attempt_call_over(s, f, true);
    if (job != NULL)
        job->busy = false;
    flights_remove(&s->flights, f);
    return job;
}

void attempt_failed(struct scheduler *s, struct flight *f, const struct failure *why)
{
    int portal = f->portal;
    unsigned tries = f->tries;
    struct job *job = attempt_end(s, f);

    if (job != NULL)
        mend_job(s, portal, job, tries, why);
}

void attempt_lost(struct scheduler *s, struct flight *f, enum job_end how)
{
    static const char *const texts[] = { [JOB_END_LOST] = "its fetcher is gone",
        [JOB_END_LATE] = "no REPORT before JOB_DEADLINE",
        [JOB_END_DIED] = "no DONE before its deadline",
        [JOB_END_REFUSED] = "the writer refused it and the job is still open" };
    struct failure why = { how, ERR_TEMP, false, texts[how] };

    figures_count("potok_scheduler_given_up_total", "Attempts no longer waited for",
        scheduler_portal(s, f->portal)->config->name, 1);
    attempt_failed(s, f, &why);
}

/* ---- DONE ---- */

static void done_hints(struct portal *p, const struct flight *f, const struct msg_done *d)
{
    if (f->entity < 0)
        return;
    struct mirror *m = &p->mirrors[f->entity];

    if (d->marked > 0 || d->late > 0 || !job_kind_walks(f->kind)) /* perhaps not all ids were answered */
        m->marks_due[0] = m->marks_due[1] = true;
    if (d->marked > 0) /* or for a second look */
        for (int ask = 0; ask < 2; ask++)
            gather_look_later(&m->gather[ask], clock_mono_ms());
    if (d->gone > 0 || f->kind == JOB_GET)
        m->ghosts = true;
}

static bool run_has_jobs(const struct portal *p, uint64_t run)
{
    for (const struct job *job = p->jobs; job != NULL; job = job->next)
        if (job->run == run && job->kind == JOB_RANGE)
            return true;
    return false;
}

static void done_ok(struct scheduler *s, struct flight *f, const struct msg_done *d)
{
    struct portal *p = scheduler_portal(s, f->portal);
    struct job *job = f->job;

    done_hints(p, f, d);
    if (f->kind == JOB_RANGE && f->entity >= 0)
        mirror_range_done(&p->mirrors[f->entity]);
    if (f->kind == JOB_CHANGED && f->entity >= 0)
        changed_done(p, &p->mirrors[f->entity], d);
    if (f->kind == JOB_SWEEP && f->entity >= 0)
        p->mirrors[f->entity].sweep_fails = 0;
    if (d->next_job > 0 && d->next_first > 0 && f->entity >= 0 &&
        (f->kind != JOB_RANGE || p->mirrors[f->entity].run == f->run) &&
        job_find(p->jobs, d->next_job) == NULL) {
        struct job *next = job_new(f->kind, f->entity);

        next->id = d->next_job;
        next->run = f->run;
        next->first = d->next_first;
        next->last = d->next_last;
        next->pages_cap = job != NULL ? job_next_cap(job) : 0;
        next->born = next->order = p->next_order++;
        job_put(&p->jobs, next);
    }
    if (job != NULL && f->left_out)
        mend_left_out(s, f->portal, job, f->d);
    if (job != NULL)
        mend_finished(s, f->portal, job);
    f->job = NULL;
    if (f->kind == JOB_RANGE && !run_has_jobs(p, f->run))
        p->scan_wanted = true;
    if (f->phase == FLIGHT_SENT)
        f->done = true; /* DONE overtook REPORT */
    else
        flights_remove(&s->flights, f);
}

static void done_failed(struct scheduler *s, struct flight *f, const struct msg_done *d)
{
    char text[ERR_TEXT_SIZE];
    struct failure why = { .end = JOB_END_ERROR,
        .kind = err_kind_of(d->error_kind.p, d->error_kind.n),
        .whole_portal = false,
        .text = text };

    snprintf(text, sizeof(text), STR_FMT, STR_ARG(d->error));
    if (why.kind == ERR_TEMP || why.kind == ERR_WAIT || why.kind == ERR_NONE) {
        why.end = JOB_END_REFUSED;
        why.kind = ERR_TEMP;
    }
    attempt_failed(s, f, &why);
}

void attempt_on_done(struct scheduler *s, struct msg *m)
{
    crash_point(SCHEDULER_BEFORE_DONE);
    const struct msg_done *d = &m->done;
    int portal = scheduler_portal_of(s, d->portal);
    struct flight *f = portal < 0 ? NULL : flights_find(&s->flights, portal, d->d);

    s->unwritten_ms = 0;
    if (f == NULL || f->done) {
        if (portal >= 0 && f == NULL)
            scheduler_portal(s, portal)->scan_wanted = true;
        return;
    }
    if (str_is(d->outcome, "ok")) {
        done_ok(s, f, d);
    } else if (str_is(d->outcome, "refused")) {
        f->refused = true;
        f->checking = s->portals[portal].scan_no + 1;
        scheduler_portal(s, portal)->scan_wanted = true;
    } else {
        done_failed(s, f, d);
    }
}

void attempt_checked(struct scheduler *s, struct flight *f, bool still_open)
{
    int portal = f->portal;
    struct portal *p = scheduler_portal(s, portal);

    if (still_open) {
        attempt_lost(s, f, f->refused ? JOB_END_REFUSED : JOB_END_DIED);
        return;
    }
    /* Its DONE was lost, or somebody else closed the job: either way it is closed. */
    s->unwritten_ms = 0;
    if (f->entity >= 0)
        p->mirrors[f->entity].marks_due[0] = p->mirrors[f->entity].marks_due[1] =
            p->mirrors[f->entity].ghosts = true;
    struct job *job = attempt_end(s, f);
    if (job != NULL)
        mend_finished(s, portal, job);
}

/* ---- giving up ---- */

static void lose_calls(struct scheduler *s, const char *fetcher, uint64_t boot, const uint64_t *holding,
    size_t n, uint64_t now_ms, const char *why)
{
    int lost = 0;

    for (int i = s->flights.count - 1; i >= 0; i--) {
        struct flight *f = &s->flights.list[i];

        if (!flight_lost(f, fetcher, boot, holding, n, now_ms))
            continue;
        attempt_lost(s, f, JOB_END_LOST);
        lost++;
    }
    if (lost > 0)
        log_ev(
            LOG_WARNING, "job.given_up", kv_s("fetcher", fetcher), kv_i("count", lost), kv_s("reason", why));
}

void attempt_on_ready(struct scheduler *s, struct bus_peer from, struct msg *m)
{
    const struct msg_ready *r = &m->ready;
    uint64_t now_ms = clock_mono_ms();
    uint32_t in_transit = 0;
    char name[64];

    if (r->instance.n == 0 || r->instance.n >= sizeof(name))
        return;
    snprintf(name, sizeof(name), STR_FMT, STR_ARG(r->instance));
    lose_calls(s, name, r->boot, r->holding.p, r->holding.n, now_ms, "the fetcher does not hold them");
    for (int i = 0; i < s->flights.count; i++) {
        const struct flight *f = &s->flights.list[i];
        bool held = false;

        for (size_t k = 0; k < r->holding.n; k++)
            held |= r->holding.p[k] == f->d;
        in_transit += f->phase == FLIGHT_SENT && !held && strcmp(f->fetcher, name) == 0;
    }
    if (crew_find(&s->crew, name) == NULL)
        log_ev(LOG_INFO, "fetcher.joined", kv_s("fetcher", name), kv_u("credit", r->credit));
    crew_ready(&s->crew, r->instance, r->boot, from, r->credit, r->holding.n, in_transit, r->source, now_ms);
}

static void sweep_crew(struct scheduler *s, uint64_t now_ms)
{
    struct fetcher *f;

    while ((f = crew_silent(&s->crew, now_ms)) != NULL) {
        const struct fetcher lost = *f;

        crew_remove(&s->crew, f);
        log_ev(LOG_WARNING, "fetcher.lost", kv_s("fetcher", lost.name));
        lose_calls(s, lost.name, 0, NULL, 0, UINT64_MAX, "the fetcher is silent");
    }
}

static void expire(struct scheduler *s, struct flight *f, int *late)
{
    struct portal *p = scheduler_portal(s, f->portal);

    if (f->done) {
        attempt_end(s, f);
    } else if (f->phase == FLIGHT_REPORTED) {
        f->checking = s->portals[f->portal].scan_no + 1; /* perhaps only its DONE was lost */
        p->scan_wanted = true;
    } else {
        attempt_lost(s, f, JOB_END_LATE);
        ++*late;
    }
}

void attempt_sweep(struct scheduler *s, uint64_t now_ms)
{
    int late = 0;

    sweep_crew(s, now_ms);
    for (int i = s->flights.count - 1; i >= 0; i--)
        if (flight_expired(&s->flights.list[i], now_ms))
            expire(s, &s->flights.list[i], &late);
    if (late > 0)
        log_ev(LOG_WARNING, "job.given_up", kv_i("count", late),
            kv_s("reason", "no REPORT before JOB_DEADLINE"));
}
