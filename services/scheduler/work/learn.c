/* What a probe told goes into the database (fields, ranges of new runs), then into memory. */
#include "scheduler.h"

#include "alarms.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/probe.h"
#include "proto/schema.h"
#include "run/crash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES_TOLD_MOST 100   /* of one entity at a time; the tables have all */
#define BLOCKED_MS        60000 /* a blocked method whose end the portal does not tell */

static const char *const HELD[HOLDS] = { "", "left out", "set aside" };

struct learn {
    struct step step;
    int portal;
    uint64_t probes; /* what was asked */
    char *bytes;     /* the probe's answer; all views point into it */
    struct probe probe;
    struct store_learn store;
    int *mirrors; /* of each store entity */
    char **owned; /* copies of names */
    int owned_count;
};

static int learn_work(struct step *step, struct db *db, struct err *err)
{
    return store_learn(db, &((struct learn *)step)->store, err);
}

static void learn_free(struct step *step)
{
    struct learn *x = (struct learn *)step;

    store_learn_fini(&x->store);
    for (int i = 0; i < x->owned_count; i++)
        free(x->owned[i]);
    probe_free(&x->probe);
    free(x->owned);
    free(x->mirrors);
    free(x->store.list);
    free(x->bytes);
    free(x);
}

static struct str own(struct learn *x, const char *p, size_t n)
{
    if (n == 0)
        return STR("");
    x->owned[x->owned_count] = xmalloc(n);
    memcpy(x->owned[x->owned_count], p, n);
    return (struct str){ x->owned[x->owned_count++], n };
}

/* ---- done ---- */

/* Once, when it is noticed. What somebody has to act upon is a warning, and says how. */
static void tell_change(const struct portal *p, const struct learn_entity *e, const struct field_change *c)
{
    char event[32], act[240] = "";

    snprintf(event, sizeof(event), "field.%s", change_name(c->what));
    if (c->act && c->what == CHANGE_ADDED)
        snprintf(act, sizeof(act), "its values are set aside: potok schema accept " STR_FMT " %s",
            STR_ARG(e->entity), c->name);
    else if (c->act)
        snprintf(act, sizeof(act),
            "its column keeps its kind, values that do not fit go to potok_reject: "
            "potok schema widen " STR_FMT " %s (where one kind holds both; `potok status` tells)",
            STR_ARG(e->entity), c->name);
    log_ev(c->act ? LOG_WARNING : LOG_INFO, event, kv_str("portal", p->name), kv_str("entity", e->entity),
        kv_s("field", c->name), kv_s("title", c->title), kv_s("was", c->was != NULL ? c->was : ""),
        kv_s("now", c->now != NULL ? c->now : ""), kv_s("held", HELD[c->hold]), kv_s("act", act));
}

static void tell_schema(const struct portal *p, const struct learn_entity *e)
{
    if (e->first)
        log_ev(LOG_INFO, "schema.learnt", kv_str("portal", p->name), kv_str("entity", e->entity),
            kv_i("fields", e->fields));
    else if (e->change_count > 0)
        log_ev(LOG_INFO, "schema.changed", kv_str("portal", p->name), kv_str("entity", e->entity),
            kv_i("fields", e->fields), kv_i("added", e->counts[CHANGE_ADDED]),
            kv_i("gone", e->counts[CHANGE_GONE]), kv_i("back", e->counts[CHANGE_BACK]),
            kv_i("retyped", e->counts[CHANGE_RETYPED]), kv_i("renamed", e->counts[CHANGE_RENAMED]),
            kv_i("items", e->counts[CHANGE_ITEMS]), kv_i("emptied_rows", e->emptied));
    for (int i = 0; i < e->change_count && i < CHANGES_TOLD_MOST; i++)
        tell_change(p, e, &e->changes[i]);
}

/* An alarm of one line. */
static void tell_gone(struct scheduler *s, int portal, const struct learn_entity *e)
{
    struct buf names;

    buf_init(&names, ERR_TEXT_SIZE / 2);
    for (int i = 0; i < e->change_count; i++)
        if (e->changes[i].what == CHANGE_GONE)
            buf_fmt(&names, "%s%s", names.n > 0 ? ", " : "", e->changes[i].name);
    if (names.n > 0)
        alarms_fields_gone(s, portal, e->entity, buf_cstr(&names));
    buf_fini(&names);
}

static void put_ranges(struct portal *p, int mirror, const struct learn_entity *e)
{
    for (int i = 0; i < e->range_count; i++) {
        struct job *job = job_new(JOB_RANGE, mirror);

        job->id = e->jobs[i];
        job->run = e->run;
        job->first = e->ranges[i].first;
        job->last = e->ranges[i].last;
        job->born = job->order = p->next_order++;
        job_put(&p->jobs, job);
    }
}

static void learnt_entity(struct scheduler *s, int portal, int mirror, const struct learn_entity *e)
{
    struct portal *p = &s->portals[portal].portal;
    struct mirror *m = &p->mirrors[mirror];

    tell_schema(p, e);
    tell_gone(s, portal, e);
    mirror_set_schema(m, buf_view(&e->merged));
    m->shape = e->shape;
    m->bounds = e->bounds;
    mirror_probe_anew(m);
    m->probe_wanted = e->wished;
    m->probe_first = false;
    free(m->unknown);
    m->unknown = NULL;
    if (e->again > 0)
        accept_again(s, portal, mirror, e->again);
    if (e->run == 0 || m->run != e->run)
        return;
    if (e->range_count == 0) {
        p->scan_wanted = true; /* the run is no longer what we thought */
        return;
    }
    m->run_state = RUN_OPEN;
    put_ranges(p, mirror, e);
    log_ev(LOG_DEBUG, "sync.cut", kv_str("portal", p->name), kv_s("entity", m->entity->plural),
        kv_u("run", e->run), kv_u("expected", e->bounds.total), kv_i("ranges", e->range_count));
}

static void land(struct portal *p, uint64_t probes)
{
    for (int i = 0; i < p->mirror_count; i++)
        if (probes & (uint64_t)1 << i)
            p->mirrors[i].probe_flying = false;
}

/* Asked for, not answered, and no reason told: asked again, but not at once. */
static void wait_for_missing(struct portal *p, uint64_t probes)
{
    uint64_t now_ms = clock_mono_ms();

    for (int i = 0; i < p->mirror_count; i++) {
        struct mirror *m = &p->mirrors[i];

        if ((probes & (uint64_t)1 << i) && (m->run_state == RUN_PROBING || m->probe_wanted) &&
            m->probe_not_before_ms <= now_ms) {
            mirror_probe_failed(m, "the answer leaves it out");
            m->probe_not_before_ms = now_ms + job_backoff(m->probe_fails, (uint32_t)m->run);
        }
    }
}

static void learn_done(struct step *step)
{
    struct learn *x = (struct learn *)step;
    struct portal *p = &step->s->portals[x->portal].portal;

    crash_point(SCHEDULER_AFTER_LEARN);
    land(p, x->probes);
    for (int i = 0; i < x->store.count; i++)
        learnt_entity(step->s, x->portal, x->mirrors[i], &x->store.list[i]);
    wait_for_missing(p, x->probes);
}

static void learn_failed(struct step *step, const struct err *err)
{
    struct learn *x = (struct learn *)step;

    land(&step->s->portals[x->portal].portal, x->probes);
    if (step->s->stopping) /* it says nothing of the portal: the run goes on with the next one */
        return;
    for (int i = 0; i < x->store.count; i++)
        mend_fail_mirror(step->s, x->portal, x->mirrors[i], err->text);
}

/* ---- the answer ---- */

static void add_entity(struct learn *x, struct portal *p, int mirror, const struct probe_entity *e)
{
    struct mirror *m = &p->mirrors[mirror];
    int i = x->store.count++;

    x->mirrors[i] = mirror;
    x->store.list[i] = (struct learn_entity){ .entity = str_of(m->entity->plural),
        .run = m->run_state == RUN_PROBING ? m->run : 0,
        .schema = e->schema,
        .labels = e->labels,
        .policy = config_drift(p->config, m->entity->plural),
        .bounds = { e->least_id, e->most_id, e->total } };
    x->store.list[i].unknown = own(x, m->unknown, m->unknown != NULL ? strlen(m->unknown) : 0);
}

/* How long the entity waits: longer each time, and as long as its method is blocked. */
static uint64_t refused_wait(struct portal *p, struct mirror *m, enum err_kind kind, const char *text)
{
    uint64_t now_ms = clock_mono_ms(), wait_ms = job_backoff(m->probe_fails + 2, (uint32_t)m->run);
    char method[64];

    if (kind != ERR_WAIT)
        return wait_ms;
    p->refusals++;
    figures_refused(p, 200);
    snprintf(method, sizeof(method), "%.*s", (int)strcspn(text, " "), text); /* errors begin with it */
    if (strstr(text, "OPERATION_TIME_LIMIT") == NULL)
        return wait_ms;
    uint64_t reset_ms = BLOCKED_MS;
    for (int i = 0; i < p->operate.count; i++)
        if (strcmp(p->operate.list[i].name, method) == 0 && operate_reset(&p->operate.list[i], now_ms) > 0)
            reset_ms = operate_reset(&p->operate.list[i], now_ms);
    operate_block(&p->operate, method, reset_ms, now_ms);
    return reset_ms > wait_ms ? reset_ms : wait_ms;
}

/* One entity cannot be read: only its run fails; what passes by itself is asked again. An error that is one
 * of the portal's own, for this entity alone, is not waited for endlessly: the next sync tries again. */
static void entity_refused(struct scheduler *s, int portal, int mirror, const struct probe_entity *e)
{
    struct mirror *m = &s->portals[portal].portal.mirrors[mirror];
    enum err_kind kind = err_kind_of(e->error_kind.p, e->error_kind.n);
    char *text = str_dup(e->error);

    mirror_probe_failed(m, text);
    if (kind == ERR_WAIT || (kind == ERR_TEMP && m->probe_fails < MIRROR_PROBE_TRIES)) {
        uint64_t wait_ms = refused_wait(&s->portals[portal].portal, m, kind, text);

        m->probe_not_before_ms = clock_mono_ms() + wait_ms;
        log_ev(LOG_WARNING, "probe.retry", kv_str("portal", s->portals[portal].portal.name),
            kv_str("entity", e->entity), kv_u("wait_ms", wait_ms), kv_s("reason", text));
    } else {
        mend_fail_mirror(s, portal, mirror, text);
    }
    free(text);
}

static void take_entities(struct scheduler *s, struct learn *x)
{
    struct portal *p = &s->portals[x->portal].portal;

    for (int i = 0; i < x->probe.count; i++) {
        const struct probe_entity *e = &x->probe.entities[i];
        int mirror = portal_mirror(p, e->entity);

        if (mirror < 0 || (x->probes & (uint64_t)1 << mirror) == 0)
            continue;
        if (e->error.n == 0) {
            add_entity(x, p, mirror, e);
            continue;
        }
        p->mirrors[mirror].probe_flying = false;
        entity_refused(s, x->portal, mirror, e);
    }
}

void learn_step(struct scheduler *s, int portal, struct job *job, struct str learnt)
{
    struct portal *p = &s->portals[portal].portal;
    struct learn *x = xcalloc(1, sizeof(*x));
    struct err err;

    x->step = (struct step){
        .name = "learn", .work = learn_work, .done = learn_done, .failed = learn_failed, .free = learn_free
    };
    crash_point(SCHEDULER_BEFORE_LEARN);
    x->portal = portal;
    x->probes = job->probes;
    x->bytes = xmalloc(learnt.n + 1);
    memcpy(x->bytes, learnt.p, learnt.n);
    if (probe_decode(&x->probe, (struct str){ x->bytes, learnt.n }, &err) < 0) {
        struct failure why = { JOB_END_ERROR, ERR_TEMP, false, err.text };

        learn_free(&x->step);
        mend_job(s, portal, job, 1, &why);
        return;
    }
    x->store.who = scheduler_who(p);
    x->store.job = job->id;
    x->store.list = xcalloc((size_t)x->probe.count + 1, sizeof(*x->store.list));
    x->mirrors = xcalloc((size_t)x->probe.count + 1, sizeof(*x->mirrors));
    x->owned = xcalloc((size_t)x->probe.count + 1, sizeof(*x->owned));
    take_entities(s, x);
    job_take(&p->jobs, job);
    job_free(&job);
    scheduler_step(s, &x->step);
}
