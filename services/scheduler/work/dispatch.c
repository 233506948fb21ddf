/* Has a plan numbered by the database, and only then sends it. */
#include "dispatch.h"

#include "budget.h"
#include "spend.h"

#include "access/access.h"
#include "base/clock.h"
#include "base/log.h"
#include "proto/msg.h"
#include "run/crash.h"

#include <stdlib.h>
#include <string.h>

#define FULL_WAIT_MS 200 /* a fetcher's socket takes no more: look again then */

static void dispatch_free(struct step *step)
{
    struct dispatch *x = (struct dispatch *)step;

    store_dispatch_fini(&x->store);
    free(x);
}

/* 0 is none. */
static uint32_t lesser_cap(uint32_t a, uint32_t b)
{
    return a == 0 ? b : b == 0 || a < b ? a : b;
}

/* What changed is mostly what changed when it was looked for last; its list always has room for its greatest
 * id. */
static uint32_t pages_of(const struct mirror *m, const struct job *job, uint32_t cap)
{
    if (job_kind_whole(job->kind)) /* ids alone are small */
        return cut_pages_within(job->first, job->last,
            cut_pages(cut_estimate(&m->bounds, job->first, job->last),
                job->kind == JOB_SWEEP ? 0 : m->record_bytes, cap));
    return cut_pages(
        job->first == 1 ? m->changed_last : UINT64_MAX, m->record_bytes, lesser_cap(cap, BATCH_COMMANDS - 1));
}

static struct msg *job_message(const struct scheduler *s, const struct portal *p,
    const struct dispatch_item *item, struct job *job, uint32_t pages_most, struct buf *names)
{
    struct msg *m = msg_new(MSG_JOB);
    const bool probe = job->kind == JOB_PROBE;

    m->job = (struct msg_job){ .job = item->job,
        .d = item->d,
        .epoch = p->epoch,
        .run = job->run,
        .portal = p->name,
        .kind = str_of(job_kind_name(item->kind)),
        .deadline_ms = (uint64_t)s->job_deadline_ms * 13 / 15 };
    for (int i = 0; probe && i < p->mirror_count; i++)
        if (job->probes & (uint64_t)1 << i)
            buf_fmt(names, "%s%s", names->n > 0 ? " " : "", p->mirrors[i].entity->plural);
    m->job.entities = buf_view(names);
    if (job->kind == JOB_CALL)
        m->job.calls = (struct str){ job->calls, job->calls_bytes };
    if (job_kind_learns(job->kind))
        return m;

    const struct mirror *mirror = &p->mirrors[job->entity];
    m->job.entity = str_of(mirror->entity->plural);
    m->job.table = str_of(mirror->table);
    m->job.schema = (struct str){ mirror->schema, mirror->schema_bytes };
    m->job.ids = (struct ids){ job->ids, job->id_count };
    if (!job_kind_walks(job->kind))
        return m;
    m->job.first = job->first;
    m->job.last = job->last;
    m->job.since = job->since;
    job->pages = pages_of(mirror, job, lesser_cap(job->pages_cap, pages_most));
    m->job.pages = job->pages;
    return m;
}

static void flight_begin(struct scheduler *s, const struct dispatch *x, int i, struct job *job,
    const struct fetcher *fetcher, const struct msg *m)
{
    const struct dispatch_item *item = &x->store.items[i];
    struct flight *f = flights_add(&s->flights);

    *f = (struct flight){ .d = item->d,
        .portal = x->portal,
        .job = job,
        .job_id = item->job,
        .run = job->run,
        .pays = item->pays,
        .entity = job->entity,
        .kind = job->kind,
        .tries = item->tries,
        .bucket = x->plan[i].bucket,
        .host_no = access_host_no(s, x->portal),
        .boot = fetcher->boot,
        .sent_ms = clock_mono_ms(),
        .phase = FLIGHT_SENT };
    f->deadline_ms = f->sent_ms + (uint64_t)s->job_deadline_ms;
    snprintf(f->fetcher, sizeof(f->fetcher), "%s", fetcher->name);
    snprintf(f->correlation, sizeof(f->correlation), "%s", m->correlation);
    snprintf(f->method, sizeof(f->method), "%s", x->plan[i].method);
}

static void not_sent(struct scheduler *s, const struct dispatch *x, int i, struct job *job, uint64_t wait_ms)
{
    const int portal = x->portal;
    struct portal *p = &s->portals[portal].portal;

    pace_cancel(spend_pace(s, x->plan[i].bucket));
    if (x->plan[i].method[0] != '\0')
        operate_end(&p->operate, x->plan[i].method);
    if (job == NULL)
        return;
    job->busy = false;
    job->not_before_ms = clock_mono_ms() + wait_ms;
    if (job->kind == JOB_PROBE || job->gone)
        mend_drop(s, portal, job);
}

static void send_job(struct scheduler *s, struct dispatch *x, int i, struct job *job)
{
    struct portal *p = &s->portals[x->portal].portal;
    struct buf sealed;
    struct fetcher *fetcher = s->stopping || job->gone ? NULL : crew_take(&s->crew, x->plan[i].source);
    struct buf names;

    if (fetcher == NULL) {
        portal_count_calls(p, x->store.items[i].pays, -1);
        not_sent(s, x, i, job, 0);
        return;
    }
    buf_init(&names, 4096);
    struct msg *m = job_message(s, p, &x->store.items[i], job, x->plan[i].pages_most, &names);
    buf_init(&sealed, 4096);
    access_put(s, x->portal, &m->job, &sealed);
    flight_begin(s, x, i, job, fetcher, m);
    log_correlate(m->correlation);
    log_ev(LOG_DEBUG, "job.sent", kv_u("job", m->job.job), kv_u("d", m->job.d), kv_str("kind", m->job.kind),
        kv_str("entity", m->job.entity), kv_u("first", m->job.first), kv_u("last", m->job.last),
        kv_u("pages", m->job.pages), kv_u("ids", m->job.ids.n), kv_s("fetcher", fetcher->name));
    log_correlate(NULL);

    int sent = bus_send_to(s->router, fetcher->peer, &m);
    buf_fini(&names);
    buf_fini(&sealed);
    if (sent == BUS_SENT) {
        crash_point(SCHEDULER_AFTER_JOB);
        p->requests++;
        figures_count("potok_scheduler_dispatches_total", "Jobs sent to fetchers", p->config->name, 1);
        return;
    }
    flights_remove(&s->flights, flights_find(&s->flights, x->portal, x->store.items[i].d));
    portal_count_calls(p, x->store.items[i].pays, -1);
    not_sent(s, x, i, job, sent == BUS_FULL ? FULL_WAIT_MS : 0);
    if (sent == BUS_GONE)
        crew_remove(&s->crew, fetcher);
    msg_free(&m);
}

/* The row's truth over what we remembered. */
static void take_truth(struct portal *p, struct job *job, struct dispatch_item *item)
{
    job->id = item->job;
    if (job->kind != JOB_PROBE)
        job->run = item->run;
    if (job_kind_walks(job->kind)) {
        job->first = item->first;
        job->last = item->last;
        job->since = item->since;
    }
    p->tick = item->d;
    if (item->other == 0)
        return;

    struct job *other = job_new(JOB_RANGE, job->entity);
    other->id = item->other;
    other->run = job->run;
    other->first = item->last + 1;
    other->last = item->other_last;
    other->born = other->order = p->next_order++;
    job_put(&p->jobs, other);
}

static struct job *job_of_marks(struct portal *p, struct dispatch_item *item, int mirror)
{
    struct job *job = job_new(item->kind, mirror);

    job->ids = item->ids;
    job->id_count = item->id_count;
    item->ids = NULL;
    job->busy = true;
    job->born = job->order = p->next_order++;
    job_put(&p->jobs, job);
    return job;
}

static void dispatch_done(struct step *step)
{
    struct dispatch *x = (struct dispatch *)step;
    struct scheduler *s = step->s;
    struct portal *p = &s->portals[x->portal].portal;

    crash_point(SCHEDULER_AFTER_NUMBER);
    if (x->covers)
        buckets_cover(&s->buckets, p->bucket_host, clock_mono_ms());
    for (int i = 0; i < x->store.count; i++) {
        struct dispatch_item *item = &x->store.items[i];
        struct job *job = x->plan[i].job;

        if (item->d == 0) { /* no marks, or the job is no longer open */
            not_sent(s, x, i, NULL, 0);
            if (job == NULL) {
                p->mirrors[x->plan[i].mirror].marks_due[item->kind == JOB_GET] = false;
            } else {
                p->scan_wanted = true;
                job_take(&p->jobs, job);
                job_free(&job);
            }
            continue;
        }
        if (job == NULL) {
            struct mirror *m = &p->mirrors[x->plan[i].mirror];

            gather_read(&m->gather[item->kind == JOB_GET], p->config->drain_per_s,
                item->id_count == item->most, clock_mono_ms());
            job = job_of_marks(p, item, x->plan[i].mirror);
        }
        take_truth(p, job, item);
        send_job(s, x, i, job);
    }
}

static void dispatch_failed(struct step *step, const struct err *err)
{
    struct dispatch *x = (struct dispatch *)step;

    for (int i = 0; i < x->store.count; i++)
        not_sent(step->s, x, i, x->plan[i].job, 0);
    if (err->kind == ERR_PERM || err->kind == ERR_BUG || err->kind == ERR_CONF)
        app_fail(step->s->app, err);
}

static int dispatch_work(struct step *step, struct db *db, struct err *err)
{
    return store_dispatch(db, &((struct dispatch *)step)->store, err);
}

struct step *dispatch_step(struct scheduler *s, int portal)
{
    struct portal *p = &s->portals[portal].portal;
    uint64_t now_ms = clock_mono_ms();
    struct dispatch *x = xcalloc(1, sizeof(*x));

    x->step = (struct step){ .name = "dispatch",
        .work = dispatch_work,
        .done = dispatch_done,
        .failed = dispatch_failed,
        .free = dispatch_free,
        .once = true };
    x->portal = portal;
    if (!plan_fill(s, x, now_ms)) {
        free(x);
        return NULL;
    }
    x->store.who = scheduler_who(p);
    x->covers = budget_is_asked(s, now_ms);
    x->store.bucket = buckets_level(&s->buckets, p->bucket_host, now_ms) + (x->covers ? BUCKET_COVER : 0);
    return &x->step;
}
