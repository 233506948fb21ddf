/* What a fetcher reports of its call: sent on, learnt or failed, and how the portal does. */
#include "scheduler.h"

#include "access/access.h"
#include "rules/breaker.h"
#include "events/call.h"
#include "events/guard.h"
#include "overload.h"
#include "told.h"

#include "base/clock.h"
#include "base/log.h"
#include "run/crash.h"

#include <stdio.h>

#define UNKNOWN_TRIES 5 /* readings in a row that showed fields no probe explains */

/* Records showed fields the schema lacks: the fields are learnt before anything else of the entity is read.
 */
static void told_unknown(struct scheduler *s, struct flight *f, const struct msg_report *r)
{
    struct portal *p = &s->portals[f->portal].portal;
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
    attempt_failed(s, f, &why);
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
    struct portal *p = &s->portals[f->portal].portal;
    char text[ERR_TEXT_SIZE];
    struct failure why = {
        .end = JOB_END_ERROR, .kind = err_kind_of(r->error_kind.p, r->error_kind.n), .text = text
    };

    snprintf(text, sizeof(text), STR_FMT, STR_ARG(r->error));
    why.whole_portal = r->whole || r->error_code != 200; /* version 2 tells by the status alone */
    if (why.kind == ERR_NONE)
        why.kind = ERR_TEMP;
    if (access_reported(s, f->portal, f->host_no, r)) { /* again, with another token or at another host */
        why.end = why.whole_portal ? JOB_END_TURNED : JOB_END_LOST; /* commands before the refused one ran */
        why.kind = ERR_TEMP; /* neither the portal nor the credentials are at fault, whatever the word was */
        why.whole_portal = false;
        attempt_failed(s, f, &why);
        return;
    }
    if (access_astray(s, f->portal, f->host_no, r))
        why.kind = ERR_TEMP;        /* whatever was met there is perhaps not the portal */
    if (breaker_is_word(r->code)) { /* all wait, and no job is to blame */
        why.kind = ERR_WAIT;
        attempt_failed(s, f, &why);
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
        attempt_failed(s, f, &why);
}

/* That of a limit is only asked for again. */
static bool left_out(const struct flight *f, const struct msg_report *r)
{
    const enum err_kind kind = err_kind_of(r->error_kind.p, r->error_kind.n);

    return f->kind == JOB_GET && r->error_kind.n > 0 &&
           (kind == ERR_TEMP || kind == ERR_PERM || kind == ERR_LIMIT);
}

static void reported_sent(struct scheduler *s, struct flight *f, const struct msg_report *r)
{
    struct portal *p = &s->portals[f->portal].portal;

    f->left_out = left_out(f, r);

    told_good(p);
    access_proved(s, f->portal, f->host_no);
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

    told_good(&s->portals[portal].portal);
    access_proved(s, portal, f->host_no);
    job = attempt_end(s, f);
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

void report_on_message(struct scheduler *s, struct msg *m)
{
    const struct msg_report *r = &m->report;
    int portal = scheduler_portal_of(s, r->portal);
    struct flight *f = portal < 0 ? NULL : flights_find(&s->flights, portal, r->d);

    if (f == NULL || f->phase != FLIGHT_SENT) {
        log_ev(LOG_DEBUG, "report.ignored", kv_u("job", r->job), kv_u("d", r->d));
        if (portal >= 0 && f == NULL)
            queue_ignored(s, portal, r);
        return;
    }
    crash_point(SCHEDULER_BEFORE_REPORT);
    crew_give(&s->crew, f->fetcher);
    count_request(&s->portals[portal].portal, f, r->requests);
    attempt_call_over(s, f, r->requests > 0);
    overload_report(s, f, r);
    told_operating(&s->portals[portal].portal, r->operating);
    if (str_is(r->outcome, "sent"))
        reported_sent(s, f, r);
    else if (str_is(r->outcome, "learnt"))
        reported_learnt(s, f, r);
    else
        reported_failure(s, f, r);
}
