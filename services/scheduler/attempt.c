/* What becomes of attempts: reported, done, given up. Every attempt ends here exactly once. */
#include "scheduler.h"

#include "call.h"
#include "spend.h"
#include "told.h"

#include "breaker.h"
#include "overload.h"

#include "access.h"
#include "base/clock.h"
#include "base/log.h"
#include "run/crash.h"

#include <stdio.h>
#include <string.h>

#define UNKNOWN_TRIES 5 /* readings in a row that showed fields no probe explains */

static struct portal *portal_of(struct scheduler *s, int i)
{
    return &s->portals[i].portal;
}

/* ---- the call is over ---- */

static void call_over(struct scheduler *s, struct flight *f, bool was_made)
{
    struct portal *p = portal_of(s, f->portal);

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

/* The attempt is over: its job, no longer busy, is the caller's. NULL when DONE had come before. */
static struct job *end(struct scheduler *s, struct flight *f)
{
    struct job *job = f->job;

    call_over(s, f, true);
    if (job != NULL)
        job->busy = false;
    flights_remove(&s->flights, f);
    return job;
}

static void end_failed(struct scheduler *s, struct flight *f, const struct failure *why)
{
    int portal = f->portal;
    unsigned tries = f->tries;
    struct job *job = end(s, f);

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
        portal_of(s, f->portal)->config->name, 1);
    end_failed(s, f, &why);
}

/* ---- REPORT ---- */

/* Records showed fields the schema lacks: the fields are learnt before anything else of the entity is read.
 */
static void told_unknown(struct scheduler *s, struct flight *f, const struct msg_report *r)
{
    struct portal *p = portal_of(s, f->portal);
    struct failure why = { JOB_END_REFUSED, ERR_TEMP, false, "records show fields that are not described" };

    if (f->entity >= 0) {
        struct mirror *m = &p->mirrors[f->entity];

        mirror_unknown(m, r->unknown);
        m->probe_wanted = m->probe_first = true;
    }
    if (f->job != NULL && f->job->fails + 1 >= UNKNOWN_TRIES)
        why = (struct failure){ JOB_END_ERROR, ERR_PERM, false,
            "records show fields that no description explains" };
    else if (f->job != NULL && f->tries == 1)
        f->tries = 0; /* new fields are ordinary: not worth a warning */
    end_failed(s, f, &why);
}

/* retry_ms: what a gateway asks for by Retry-After; 0 = nothing. */
static void told_bad(struct portal *p, const char *text, uint64_t retry_ms)
{
    if (retry_ms > 0)
        portal_pause(p, retry_ms, text, clock_mono_ms());
    if (portal_bad(p, text, clock_mono_ms()))
        log_ev(LOG_WARNING, "portal.unwell", kv_str("portal", p->name), kv_u("calls_failed", p->fails),
            kv_s("error", text));
}

static void told_good(struct portal *p)
{
    if (portal_is_unwell(p))
        log_ev(LOG_INFO, "portal.well", kv_str("portal", p->name), kv_u("calls_failed", p->fails));
    portal_good(p);
}

static void reported_failure(struct scheduler *s, struct flight *f, const struct msg_report *r)
{
    struct portal *p = portal_of(s, f->portal);
    char text[ERR_TEXT_SIZE];
    struct failure why = {
        .end = JOB_END_ERROR, .kind = err_kind_of(r->error_kind.p, r->error_kind.n), .text = text
    };

    snprintf(text, sizeof(text), STR_FMT, STR_ARG(r->error));
    why.whole_portal = r->error_code != 200;
    if (why.kind == ERR_NONE)
        why.kind = ERR_TEMP;
    if (access_reported(s, f->portal, r)) { /* again, with another token or at another host */
        why.end = JOB_END_LOST;
        end_failed(s, f, &why);
        return;
    }
    if (breaker_is_word(r->code)) { /* all wait, and no job is to blame */
        why.kind = ERR_WAIT;
        end_failed(s, f, &why);
        return;
    }
    if (why.kind == ERR_WAIT)
        told_limit(
            s, f->portal, f->bucket, &(struct told){ r->blocked, r->error, r->error_code, r->retry_ms });
    else if (why.kind == ERR_TEMP && r->unknown.n == 0)
        told_bad(p, text, r->retry_ms);
    else if (why.kind != ERR_AUTH && why.kind != ERR_CONF)
        told_good(p); /* it answered: the question is at fault */
    if (r->unknown.n > 0)
        told_unknown(s, f, r);
    else
        end_failed(s, f, &why);
}

static void reported_sent(struct scheduler *s, struct flight *f, const struct msg_report *r)
{
    struct portal *p = portal_of(s, f->portal);

    told_good(p);
    access_proved(s, f->portal);
    if (r->retry_ms > 0) /* a part was answered, then a limit was met */
        told_limit(
            s, f->portal, f->bucket, &(struct told){ r->blocked, r->error, r->error_code, r->retry_ms });
    if (f->entity >= 0 && f->kind != JOB_SWEEP)
        mirror_saw(&p->mirrors[f->entity], r->records, r->bytes);
    if (f->entity >= 0 && f->kind == JOB_CHANGED)
        p->mirrors[f->entity].changed_read += r->records;
    if (!f->done && s->unwritten_ms == 0)
        s->unwritten_ms = clock_mono_ms();
    if (f->done)
        flights_remove(&s->flights, f);
    else
        f->deadline_ms = flight_done_deadline(clock_mono_ms(), (uint64_t)s->done_deadline_ms, f->tries);
}

static void reported_learnt(struct scheduler *s, struct flight *f, const struct msg_report *r)
{
    int portal = f->portal;
    struct job *job;

    told_good(portal_of(s, portal));
    access_proved(s, portal);
    job = end(s, f);
    if (job != NULL && job->kind == JOB_CALL)
        call_answered(s, portal, job, r->answers);
    else if (job != NULL)
        learn_step(s, portal, job, r->learnt);
}

/* One call was counted when the attempt was dispatched. */
static void count_request(struct portal *p, const struct flight *f, uint64_t requests)
{
    figures_count(
        "potok_portal_requests_total", "Calls made to the portal", p->config->name, (double)requests);
    portal_count_calls(p, f->pays, (int64_t)requests - 1);
}

void attempt_on_report(struct scheduler *s, struct msg *m)
{
    const struct msg_report *r = &m->report;
    int portal = scheduler_portal_of(s, r->portal);
    struct flight *f = portal < 0 ? NULL : flights_find(&s->flights, portal, r->d);

    if (f == NULL || f->phase != FLIGHT_SENT) {
        log_ev(LOG_DEBUG, "report.ignored", kv_u("job", r->job), kv_u("d", r->d));
        return;
    }
    crash_point(SCHEDULER_BEFORE_REPORT);
    crew_give(&s->crew, f->fetcher);
    count_request(portal_of(s, portal), f, r->requests);
    call_over(s, f, r->requests > 0);
    overload_report(s, f, r);
    told_operating(portal_of(s, portal), r->operating);
    if (str_is(r->outcome, "sent"))
        reported_sent(s, f, r);
    else if (str_is(r->outcome, "learnt"))
        reported_learnt(s, f, r);
    else
        reported_failure(s, f, r);
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
    struct portal *p = portal_of(s, f->portal);
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
    end_failed(s, f, &why);
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
            portal_of(s, portal)->scan_wanted = true;
        return;
    }
    if (str_is(d->outcome, "ok")) {
        done_ok(s, f, d);
    } else if (str_is(d->outcome, "refused")) {
        f->refused = true;
        f->checking = s->portals[portal].scan_no + 1;
        portal_of(s, portal)->scan_wanted = true;
    } else {
        done_failed(s, f, d);
    }
}

void attempt_checked(struct scheduler *s, struct flight *f, bool still_open)
{
    int portal = f->portal;
    struct portal *p = portal_of(s, portal);

    if (still_open) {
        attempt_lost(s, f, f->refused ? JOB_END_REFUSED : JOB_END_DIED);
        return;
    }
    /* Its DONE was lost, or somebody else closed the job: either way it is closed. */
    s->unwritten_ms = 0;
    if (f->entity >= 0)
        p->mirrors[f->entity].marks_due[0] = p->mirrors[f->entity].marks_due[1] =
            p->mirrors[f->entity].ghosts = true;
    struct job *job = end(s, f);
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
    struct portal *p = portal_of(s, f->portal);

    if (f->done) {
        end(s, f);
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
