/* One writing step at a time, on a thread of the pool: those that were asked for, then what is due by itself.
 */
#include "scheduler.h"

#include "access/access.h"

#include "alarms.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>

#define STEP_BACKOFF_MS      200
#define STEP_BACKOFF_MOST_MS 5000

void scheduler_step(struct scheduler *s, struct step *step)
{
    step->s = s;
    step->next = NULL;
    *s->steps_end = step;
    s->steps_end = &step->next;
    scheduler_wake(s);
}

struct step *step_take(struct scheduler *s)
{
    struct step *step = s->steps;

    if (step == NULL)
        return NULL;
    s->steps = step->next;
    if (s->steps == NULL)
        s->steps_end = &s->steps;
    return step;
}

static void put_back(struct scheduler *s, struct step *step)
{
    step->next = s->steps;
    s->steps = step;
    if (step->next == NULL)
        s->steps_end = &step->next;
}

static int step_work(void *ctx, struct db *db, struct err *err)
{
    struct step *step = ctx;

    return step->work(step, db, err);
}

static bool curable(const struct err *err)
{
    return err->kind == ERR_TEMP || err->kind == ERR_WAIT || err->kind == ERR_LIMIT;
}

static void step_failed(struct scheduler *s, struct step *step, const struct err *err)
{
    uint64_t wait = (uint64_t)STEP_BACKOFF_MS << (step->fails < 5 ? step->fails : 5);
    bool lost = err->kind == ERR_PERM && err->code == STORE_LEASE_LOST;

    if (curable(err) && !s->stopping) {
        s->step_not_before_ms = clock_mono_ms() + (wait < STEP_BACKOFF_MOST_MS ? wait : STEP_BACKOFF_MOST_MS);
        if (!s->step_lost)
            log_ev(LOG_WARNING, "database.retry", kv_s("step", step->name), kv_err(err));
        s->step_lost = true;
        snprintf(s->step_error, sizeof(s->step_error), "%s", err->text);
        if (!step->once) {
            step->fails++;
            put_back(s, step);
            return;
        }
    }
    if (s->stopping && curable(err) && access_is_pair(step)) {
        put_back(s, step); /* scheduler_stop() writes it */
        return;
    }
    if (lost)
        lease_lost(s, err);
    else if (step->failed != NULL)
        step->failed(step, err);
    else if (!curable(err))
        app_fail(s->app, err);
    step->free(step);
}

static void step_done(void *ctx, int status, const struct err *err)
{
    struct step *step = ctx;
    struct scheduler *s = step->s;

    s->running = NULL;
    if (status < 0) {
        step_failed(s, step, err);
    } else {
        s->step_lost = false;
        step->done(step);
        step->free(step);
    }
    if (!s->stopping)
        scheduler_wake(s);
}

/* What is due by itself when nothing waits: portals take turns, what tells us the truth comes first. */
static struct step *make_step(struct scheduler *s, uint64_t now_ms)
{
    struct step *alarms = alarms_step(s);

    if (alarms != NULL)
        return alarms;
    for (int i = 0; i < s->portal_count; i++) {
        int portal = (s->portal_turn + i) % s->portal_count;
        struct step *step = scan_step(s, portal, now_ms);

        if (step == NULL)
            step = sync_due(s, portal);
        if (step == NULL)
            step = changed_due(s, portal, now_ms);
        if (step == NULL)
            step = dispatch_step(s, portal);
        if (step == NULL)
            step = floor_step(s, portal, now_ms);
        if (step == NULL)
            step = requests_step(s, portal, false);
        if (step == NULL)
            step = history_due(s, portal, now_ms);
        if (step != NULL) {
            s->portal_turn = portal + 1;
            return step;
        }
    }
    return NULL;
}

void step_run(struct scheduler *s, uint64_t now_ms)
{
    if (s->running != NULL || s->stopping || now_ms < s->step_not_before_ms)
        return;

    struct step *step = step_take(s);
    if (step == NULL)
        step = make_step(s, now_ms);
    if (step == NULL)
        return;
    step->s = s;
    s->running = step;
    db_pool_do(s->pool, DB_URGENT, step_work, step_done, step);
}
