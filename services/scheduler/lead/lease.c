#include "scheduler.h"

#include "here.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

#include <stdlib.h>

#define AGAIN_MS 5000 /* after a taking that failed */

/* ---- what the leases say ---- */

static enum standby_verdict judge(
    struct scheduler *s, const struct lease_seen *seen, uint64_t begun_ms, uint64_t *ret_again_ms)
{
    struct lease *l = &s->lease;
    int who;

    for (int i = 0; i < s->portal_count; i++) {
        l->seen[i] = seen[i];
        l->seen[i].dead = here_is_dead(&l->me, &seen[i].holder, s->app->run_dir);
    }
    enum standby_verdict verdict = standby_look(&l->standby, l->seen, s->portal_count, &l->me, begun_ms,
        clock_mono_ms(), (uint64_t)s->takeover_ms, ret_again_ms, &who);
    holder_name(&l->seen[who].holder, l->other);
    return verdict;
}

static int look(struct scheduler *s, struct db *db, struct lease_seen *ret, struct err *err)
{
    struct str portals[CONFIG_PORTALS_MAX];

    for (int i = 0; i < s->portal_count; i++)
        portals[i] = s->portals[i].portal.name;
    return store_look_leases(db, portals, s->portal_count, ret, err);
}

/* ---- active or not ---- */

static void show(const struct scheduler *s)
{
    metric_set(metric_series(
                   "potok_scheduler_active", "1: it holds the leases; 0: it stands by", METRIC_GAUGE, NULL),
        s->lease.active);
    metric_add(metric_series("potok_scheduler_takeovers_total", "Leases taken from another scheduler",
                   METRIC_COUNTER, NULL),
        0);
}

static void on_timer(uv_timer_t *timer);

static void again(struct scheduler *s, uint64_t at_ms)
{
    uint64_t now_ms = clock_mono_ms();

    if (!s->stopping && s->lease.timer != NULL)
        uv_timer_start(s->lease.timer, on_timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

static void stand_by(struct scheduler *s, uint64_t again_ms)
{
    if (s->lease.stood_by_ms == 0) {
        s->lease.stood_by_ms = clock_mono_ms();
        log_ev(LOG_INFO, "standby.begun", kv_s("holder", s->lease.other));
    }
    show(s);
    again(s, again_ms);
}

/* They are ours, and the bus is bound. */
static void become_active(struct scheduler *s, enum standby_verdict why)
{
    struct lease *l = &s->lease;
    uint64_t now_ms = clock_mono_ms();

    if (why == STANDBY_STILL || l->stood_by_ms > 0)
        metric_add(metric_series("potok_scheduler_takeovers_total", "Leases taken from another scheduler",
                       METRIC_COUNTER, NULL),
            1);
    log_ev(LOG_INFO, "lease.taken", kv_s("why", standby_why(why)), kv_s("from", l->other),
        kv_u("stood_by_ms", l->stood_by_ms > 0 ? now_ms - l->stood_by_ms : 0));
    l->active = true;
    l->beaten_ms = now_ms;
    show(s);
    scheduler_begin(s);
    again(s, now_ms);
}

void lease_lost(struct scheduler *s, const struct err *err)
{
    if (s->stopping)
        return;
    log_ev(LOG_WARNING, "lease.lost", kv_err(err));
    s->stopping = s->lease.lost = true;
    s->lease.active = false;
    app_again(s->app);
}

/* ---- the beat ---- */

static int beat_work(void *ctx, struct db *db, struct err *err)
{
    struct scheduler *s = ctx;

    return store_beat(db, str_of(s->lease.holder), clock_wall_ms(), s->portal_count, err);
}

static void beat_done(void *ctx, int status, const struct err *err)
{
    struct scheduler *s = ctx;
    struct lease *l = &s->lease;
    uint64_t now_ms = clock_mono_ms();

    l->busy = false;
    if (s->stopping)
        return;
    if (status < 0 && err->kind == ERR_PERM && err->code == STORE_LEASE_LOST) {
        lease_lost(s, err);
        return;
    }
    if (status == 0)
        l->beaten_ms = now_ms;
    else if (!l->late)
        log_ev(LOG_INFO, "lease.beat_failed", kv_err(err)); /* what it means, the steps tell */
    l->late = status < 0;
    again(s, now_ms + STANDBY_BEAT_MS);
}

/* ---- the takeover ---- */

struct taking {
    struct scheduler *s;
    enum standby_verdict why;
    bool taken;
};

static int take_work(void *ctx, struct db *db, struct err *err)
{
    struct taking *t = ctx;
    struct err ignored;
    uint64_t patience_ms = t->why == STANDBY_STILL ? (uint64_t)t->s->takeover_ms / 2 : 0;
    int failed = take_all(t->s, db, patience_ms, &t->taken, err);

    if (failed < 0 && t->taken)
        (void)!store_give_up(db, str_of(t->s->lease.holder), &ignored); /* whoever can shall have them */
    return failed;
}

static int give_up_work(void *ctx, struct db *db, struct err *err)
{
    struct scheduler *s = ctx;

    return store_give_up(db, str_of(s->lease.holder), err);
}

static void give_up_done(void *ctx, int status, const struct err *err)
{
    struct scheduler *s = ctx;

    s->lease.busy = false;
    again(s, clock_mono_ms() + AGAIN_MS);
}

/* Taken, and not to be used: somebody else may have them, we try again later. */
static void drop(struct scheduler *s, const struct err *why)
{
    struct err err = { 0 };

    log_ev(LOG_WARNING, "takeover.failed", kv_err(why));
    if (scheduler_portals_anew(s, &err) < 0) {
        app_fail(s->app, &err);
        return;
    }
    s->lease.busy = true;
    db_pool_do(s->lease.pool, DB_URGENT, give_up_work, give_up_done, s);
}

static bool is_final(const struct err *err)
{
    return err->kind == ERR_CONF || (err->kind == ERR_PERM && err->code != STORE_LEASE_LOST) ||
           err->kind == ERR_BUG;
}

static void take_done(void *ctx, int status, const struct err *err)
{
    struct taking t = *(struct taking *)ctx;
    struct scheduler *s = t.s;
    struct err why = { 0 };

    free(ctx);
    s->lease.busy = false;
    if (s->stopping) {
        s->lease.active = status == 0 && t.taken; /* to be given up with all the rest */
        return;
    }
    if (status < 0 && is_final(err))
        app_fail(s->app, err);
    else if (status < 0)
        drop(s, err);
    else if (!t.taken)
        again(s, clock_mono_ms());
    else if (scheduler_bind(s, &why) < 0)
        drop(s, &why);
    else
        become_active(s, t.why);
}

static void take(struct scheduler *s, enum standby_verdict why)
{
    struct taking *t = xcalloc(1, sizeof(*t));

    *t = (struct taking){ .s = s, .why = why };
    s->lease.busy = true;
    db_pool_do(s->lease.pool, DB_URGENT, take_work, take_done, t);
}

/* ---- looks ---- */

struct view {
    struct scheduler *s;
    uint64_t begun_ms;
    struct lease_seen seen[CONFIG_PORTALS_MAX];
};

static int look_work(void *ctx, struct db *db, struct err *err)
{
    struct view *v = ctx;

    v->begun_ms = clock_mono_ms();
    return look(v->s, db, v->seen, err);
}

static void look_done(void *ctx, int status, const struct err *err)
{
    struct view *v = ctx;
    struct scheduler *s = v->s;
    uint64_t again_ms = clock_mono_ms() + STANDBY_LOOK_MS;

    s->lease.busy = false;
    if (!s->stopping && status == 0) {
        enum standby_verdict verdict = judge(s, v->seen, v->begun_ms, &again_ms);

        if (verdict != STANDBY_WAIT)
            take(s, verdict);
    } else if (!s->stopping && is_final(err)) {
        app_fail(s->app, err);
    } else if (!s->stopping && !s->lease.late) {
        log_ev(LOG_INFO, "standby.look_failed", kv_err(err)); /* nobody can do anything without a database */
    }
    s->lease.late = status < 0;
    if (!s->lease.busy)
        again(s, again_ms);
    free(v);
}

static void on_timer(uv_timer_t *timer)
{
    struct scheduler *s = timer->data;

    if (s->stopping || s->lease.busy)
        return;
    s->lease.busy = true;
    if (s->lease.active) {
        db_pool_do(s->lease.pool, DB_URGENT, beat_work, beat_done, s);
        return;
    }
    struct view *v = xcalloc(1, sizeof(*v));

    v->s = s;
    db_pool_do(s->lease.pool, DB_URGENT, look_work, look_done, v);
}

/* ---- start and stop ---- */

/* At the start the leases are looked at and taken before the loop runs, so that what is wrong with the
 * database is told at once. */
static int first_look(struct scheduler *s, struct db *db, enum standby_verdict *ret, bool *ret_taken,
    uint64_t *ret_again_ms, struct err *err)
{
    struct lease_seen seen[CONFIG_PORTALS_MAX];
    uint64_t begun_ms;

    if (db_migrate(db, err) < 0 || take_check(s, db, err) < 0)
        return -1;
    begun_ms = clock_mono_ms();
    if (look(s, db, seen, err) < 0)
        return -1;
    *ret = judge(s, seen, begun_ms, ret_again_ms);
    *ret_taken = false;
    return *ret == STANDBY_WAIT ? 0 : take_all(s, db, 0, ret_taken, err);
}

static int start_with(struct scheduler *s, struct db *db, struct err *err)
{
    enum standby_verdict verdict;
    uint64_t again_ms;
    bool taken = false;
    struct err ignored;
    int failed = first_look(s, db, &verdict, &taken, &again_ms, err);

    if (failed < 0)
        err_wrap(err, "database");
    if (failed == 0 && taken)
        failed = scheduler_bind(s, err);
    if (failed < 0 && taken)
        (void)!store_give_up(db, str_of(s->lease.holder), &ignored);
    if (failed < 0)
        return -1;
    s->lease.pool = db_pool_new(s->app->loop, s->database_url, 1);
    if (taken)
        become_active(s, verdict);
    else
        stand_by(s, again_ms);
    return 0;
}

int lease_start(struct scheduler *s, struct err *err)
{
    struct db *db = NULL;

    here_holder(&s->lease.me, s->app->instance, s->app->run_dir);
    holder_write(&s->lease.me, s->lease.holder);
    s->lease.timer = xcalloc(1, sizeof(*s->lease.timer));
    uv_timer_init(s->app->loop, s->lease.timer);
    s->lease.timer->data = s;
    held_start(s);
    if (db_open(&db, s->database_url, err) < 0)
        return err_wrap(err, "database");
    int failed = start_with(s, db, err);

    db_close(&db);
    return failed;
}

static void free_timer(uv_handle_t *handle)
{
    free(handle);
}

void lease_stop(struct scheduler *s)
{
    held_stop(s);
    db_pool_free(&s->lease.pool);
    if (s->lease.timer != NULL)
        uv_close((uv_handle_t *)s->lease.timer, free_timer);
    s->lease.timer = NULL;
}

bool lease_ready(void *state, struct buf *why_not)
{
    const struct scheduler *s = state;

    if (!s->lease.active)
        buf_fmt(why_not, "standby: the lease is held by %s%s%s", s->lease.other,
            s->lease.held.text[0] != '\0' ? "; " : "", s->lease.held.text);
    return s->lease.active;
}

bool lease_stands_by(void *state)
{
    return !((struct scheduler *)state)->lease.active;
}
