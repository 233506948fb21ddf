/* Reads again what the database says is open and makes memory agree: hints may be lost, tables are true. */
#include "scheduler.h"

#include "alarms.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/crash.h"

#include <stdlib.h>
#include <string.h>

#define SCAN_WANTED_MS 500  /* no more often when wanted */
#define SCAN_ANYWAY_MS 5000 /* marks whose pause is over, hints that were lost */

struct scan {
    struct step step;
    int portal;
    unsigned no;
    uint64_t born; /* jobs younger than the scan are not judged by it */
    struct str entities[PORTAL_ENTITIES_MAX];
    struct store_scan store;
};

static int scan_work(struct step *step, struct db *db, struct err *err)
{
    return store_scan(db, &((struct scan *)step)->store, err);
}

static void scan_free(struct step *step)
{
    struct scan *x = (struct scan *)step;

    store_scan_fini(&x->store);
    free(x);
}

static const struct store_job *find_row(const struct store_scan *s, uint64_t id)
{
    for (int i = 0; i < s->job_count; i++)
        if (s->jobs[i].id == id)
            return &s->jobs[i];
    return NULL;
}

static void add_missing(struct portal *p, const struct store_scan *s)
{
    for (int i = 0; i < s->job_count; i++) {
        const struct store_job *row = &s->jobs[i];
        int mirror = portal_mirror(p, str_of(row->entity));

        if (!job_kind_walks(row->kind) || mirror < 0 ||
            (row->kind == JOB_RANGE && p->mirrors[mirror].run != row->run))
            continue;
        if (job_find(p->jobs, row->id) != NULL)
            continue;
        struct job *job = job_new(row->kind, mirror);

        job->id = row->id;
        job->run = row->run;
        job->first = row->first;
        job->last = row->last;
        job->born = job->order = p->next_order++;
        job_put(&p->jobs, job);
    }
}

static bool is_known(const struct scheduler *s, int portal, uint64_t id)
{
    if (job_find(s->portals[portal].portal.jobs, id) != NULL)
        return true;
    for (int i = 0; i < s->flights.count; i++)
        if (s->flights.list[i].portal == portal && s->flights.list[i].job_id == id)
            return true;
    return false;
}

static bool was_stray(const struct portal *p, uint64_t id)
{
    for (int i = 0; i < p->stray_count; i++)
        if (p->strays[i] == id)
            return true;
    return false;
}

/* A dispatch that was committed and of which only the answer was lost leaves rows of readings by id and of
 * probes that nobody sent; what they were for is asked anew. One that is forgotten here may have its own end
 * on the way to the database; those steps come before the next scan, so what two scans in a row find is
 * nobody's. */
static void sweep_strays(struct scheduler *s, const struct scan *x)
{
    struct portal *p = &s->portals[x->portal].portal;
    uint64_t found[PORTAL_STRAYS_MAX] = { 0 };
    int count = 0;

    for (int i = 0; i < x->store.job_count && count < PORTAL_STRAYS_MAX; i++) {
        const struct store_job *row = &x->store.jobs[i];

        if (job_kind_walks(row->kind) || is_known(s, x->portal, row->id))
            continue;
        found[count++] = row->id;
        if (!was_stray(p, row->id))
            continue;
        log_ev(LOG_INFO, "job.stray", kv_str("portal", p->name), kv_u("job", row->id),
            kv_s("kind", job_kind_name(row->kind)), kv_u("d", row->d));
        mend_stray(s, x->portal, row->id);
    }
    memcpy(p->strays, found, sizeof(found));
    p->stray_count = count;
}

static void drop_closed(struct scheduler *s, const struct scan *x)
{
    struct portal *p = &s->portals[x->portal].portal;
    struct job *next;

    for (struct job *job = p->jobs; job != NULL; job = next) {
        next = job->next;
        if (job->busy || job->id == 0 || !job_kind_walks(job->kind) || job->born >= x->born)
            continue;
        if (find_row(&x->store, job->id) == NULL)
            mend_finished(s, x->portal, job);
    }
}

static void check_flights(struct scheduler *s, const struct scan *x)
{
    for (int i = s->flights.count - 1; i >= 0; i--) {
        struct flight *f = &s->flights.list[i];

        if (f->portal != x->portal || f->checking == 0 || f->checking > x->no)
            continue;
        attempt_checked(s, f, find_row(&x->store, f->job_id) != NULL);
    }
}

static void tell_finished(const struct portal *p, const struct mirror *m, const struct store_run *r)
{
    log_ev(LOG_INFO, "sync.finished", kv_str("portal", p->name), kv_s("entity", m->entity->plural),
        kv_u("run", r->id), kv_s("state", r->state), kv_i("expected", r->expected), kv_i("read", r->read),
        kv_i("written", r->written), kv_i("same", r->same), kv_i("gone", r->gone),
        kv_i("rejected", r->rejected), kv_i("took_ms", r->finished_ms - r->started_ms),
        kv_s("error", r->error));
}

static void end_run(struct scheduler *s, int portal, struct mirror *m, const struct store_run *r)
{
    struct step *step = requests_step(s, portal, true);

    if (step != NULL)
        scheduler_step(s, step);
    if (r->state[0] != '\0')
        tell_finished(&s->portals[portal].portal, m, r);
    alarms_run(s, portal, (int)(m - s->portals[portal].portal.mirrors), r->state, r->error);
    m->run = 0;
    m->run_state = RUN_NONE;
    m->ghosts = true;
    m->ever_full |= strcmp(r->state, "done") == 0;
    m->marks_due[0] = m->marks_due[1] = true;
}

static void see_runs(struct scheduler *s, const struct scan *x)
{
    struct portal *p = &s->portals[x->portal].portal;

    for (int i = 0; i < x->store.run_count; i++)
        for (int k = 0; k < p->mirror_count; k++) {
            const struct store_run *r = &x->store.runs[i];

            if (p->mirrors[k].run != r->id || strcmp(r->state, "open") == 0 ||
                strcmp(r->state, "probing") == 0)
                continue;
            end_run(s, x->portal, &p->mirrors[k], r);
        }
}

static void scan_done(struct step *step)
{
    struct scan *x = (struct scan *)step;
    struct scheduler *s = step->s;
    struct portal *p = &s->portals[x->portal].portal;

    crash_point(SCHEDULER_AFTER_SCAN);
    check_flights(s, x);
    drop_closed(s, x);
    add_missing(p, &x->store);
    see_runs(s, x);
    sweep_strays(s, x);
    for (int i = 0; i < p->mirror_count; i++) {
        for (int ask = 0; ask < 2; ask++)
            p->mirrors[i].marks_due[ask] |= x->store.due[i][ask];
        if (x->store.shapes[i] > p->mirrors[i].shape)
            accept_step(s, x->portal, i);
    }
}

/* Begun anew, not repeated: what it is to check has changed by then. */
static void scan_failed(struct step *step, const struct err *err)
{
    struct scan *x = (struct scan *)step;

    step->s->portals[x->portal].portal.scan_wanted = true;
    if (err->kind != ERR_TEMP && err->kind != ERR_WAIT && err->kind != ERR_LIMIT)
        app_fail(step->s->app, err);
}

int scan_last(struct scheduler *s, int portal, struct db *db, struct err *err)
{
    const struct portal *p = &s->portals[portal].portal;
    struct store_scan x = { .portal = p->name, .now_ms = clock_wall_ms() };

    for (int i = 0; i < p->mirror_count; i++)
        if (p->mirrors[i].run > 0)
            x.runs[x.run_count++].id = p->mirrors[i].run;
    int failed = x.run_count > 0 ? store_scan(db, &x, err) : 0;
    for (int i = 0; i < x.run_count && failed == 0; i++)
        for (int k = 0; k < p->mirror_count; k++)
            if (p->mirrors[k].run == x.runs[i].id && x.runs[i].finished_ms > 0)
                tell_finished(p, &p->mirrors[k], &x.runs[i]);
    store_scan_fini(&x);
    return failed;
}

struct step *scan_step(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct scheduler_portal *sp = &s->portals[portal];
    struct portal *p = &sp->portal;

    if (p->scan_at_ms > 0 && now_ms < p->scan_at_ms + (p->scan_wanted ? SCAN_WANTED_MS : SCAN_ANYWAY_MS))
        return NULL;

    struct scan *x = xcalloc(1, sizeof(*x));
    x->step = (struct step){ .name = "scan",
        .work = scan_work,
        .done = scan_done,
        .failed = scan_failed,
        .free = scan_free,
        .once = true };
    x->portal = portal;
    x->no = ++sp->scan_no;
    x->born = p->next_order;
    x->store = (struct store_scan){
        .portal = p->name, .now_ms = clock_wall_ms(), .entities = x->entities, .entity_count = p->mirror_count
    };
    for (int i = 0; i < p->mirror_count; i++) {
        x->entities[i] = str_of(p->mirrors[i].entity->plural);
        if (p->mirrors[i].run > 0)
            x->store.runs[x->store.run_count++].id = p->mirrors[i].run;
    }
    p->scan_wanted = false;
    p->scan_at_ms = now_ms;
    return &x->step;
}
