#include "scheduler.h"

#include "access/access.h"
#include "work/budget.h"
#include "work/chance.h"
#include "events/guard.h"
#include "work/spend.h"

#include "alarms.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/stopwatch.h"

#include <stdio.h>
#include <stdlib.h>

#define TURN_MOST_MS  1000
#define LAST_WORDS_MS 2000 /* with the database: one that is away reads them in us no more */
#define CLOSING_MS    500  /* before the watch: who gives up by himself tells more */

struct store_who scheduler_who(const struct portal *p)
{
    return (struct store_who){ p->name, p->epoch, clock_wall_ms() };
}

int scheduler_portal_of(const struct scheduler *s, struct str name)
{
    for (int i = 0; i < s->portal_count; i++)
        if (str_eq(s->portals[i].portal.name, name))
            return i;
    return -1;
}

/* ---- the timer ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t turn_wait(struct scheduler *s, uint64_t now_ms)
{
    uint64_t deadline = flights_next_deadline(&s->flights);
    uint64_t wait = TURN_MOST_MS;

    if (deadline != UINT64_MAX)
        wait = least(wait, deadline > now_ms ? deadline - now_ms : 1);
    if (s->running != NULL)
        return wait;
    if (s->step_not_before_ms > now_ms)
        return least(wait, s->step_not_before_ms - now_ms);
    for (int i = 0; i < s->portal_count; i++)
        wait = least(wait, chance_wait(s, i, now_ms));
    wait = least(wait, budget_wait(s, now_ms));
    return wait > 0 ? wait : 1;
}

static void on_turn(uv_timer_t *timer)
{
    struct scheduler *s = timer->data;
    uint64_t now_ms = clock_mono_ms();

    if (s->stopping)
        return;
    attempt_sweep(s, now_ms);
    budget_turn(s, now_ms);
    for (int i = 0; i < s->portal_count; i++)
        access_turn(s, i, now_ms);
    guard_turn(s, now_ms);
    step_run(s, now_ms);
    figures_refresh(s);
    uv_timer_start(timer, on_turn, turn_wait(s, now_ms), 0);
}

void scheduler_wake(struct scheduler *s)
{
    if (!s->stopping && s->timer != NULL)
        uv_timer_start(s->timer, on_turn, 0, 0);
}

/* ---- messages ---- */

static void on_router(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct scheduler *s = ctx;

    log_correlate((*m)->correlation);
    if ((*m)->type == MSG_READY)
        attempt_on_ready(s, from, *m);
    else if ((*m)->type == MSG_REPORT)
        report_on_message(s, *m);
    else if ((*m)->type == MSG_CONTROL)
        control_on_command(s, from, *m);
    else if ((*m)->type == MSG_EVENT)
        events_on_event(s, from, *m);
    else if ((*m)->type == MSG_BUDGET_ASK)
        budget_on_ask(s, from, *m);
    log_correlate(NULL);
    scheduler_wake(s);
}

static void on_done(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct scheduler *s = ctx;

    log_correlate((*m)->correlation);
    if ((*m)->type == MSG_DONE)
        attempt_on_done(s, *m);
    log_correlate(NULL);
    scheduler_wake(s);
}

int scheduler_bind(struct scheduler *s, struct err *err)
{
    struct bus_def router = { .kind = BUS_ROUTER_BIND,
        .service = "scheduler",
        .plug = "router",
        .where = s->bus_where,
        .on_msg = on_router,
        .ctx = s };
    struct bus_def dones = { .kind = BUS_PULL_BIND,
        .service = "scheduler",
        .plug = "done",
        .where = s->bus_where,
        .port_offset = 1,
        .on_msg = on_done,
        .ctx = s };

    s->router = bus_open(s->app->bus, &router, err);
    if (s->router == NULL)
        return -1;
    s->dones = bus_open(s->app->bus, &dones, err);
    if (s->dones == NULL)
        bus_close(&s->router);
    return s->dones == NULL ? -1 : 0;
}

/* ---- start ---- */

static void free_portals(struct scheduler *s)
{
    for (int i = 0; i < s->portal_count; i++)
        portal_fini(&s->portals[i].portal);
    free(s->portals);
    s->portals = NULL;
    s->portal_count = 0;
}

static int make_portals(struct scheduler *s, struct err *err)
{
    const struct config *config = s->app->config;

    if (config->portal_count == 0)
        return err_set(err, ERR_CONF, "no portal: set BITRIX_WEBHOOK_URL or write portals: in potok.yaml");
    s->portals = xcalloc((size_t)config->portal_count, sizeof(*s->portals));
    for (int i = 0; i < config->portal_count; i++) {
        struct portal *p = &s->portals[s->portal_count++].portal;

        portal_init(p, &config->portals[i], (uint64_t)s->operating_limit_s * 1000);
        (void)spend_bucket(s, p, "", clock_mono_ms());
        portal_add_mirrors(p);
        if (zone_load(&p->zone, config->portals[i].zone, err) < 0)
            return -1;
    }
    return 0;
}

int scheduler_portals_anew(struct scheduler *s, struct err *err)
{
    free_portals(s);
    return make_portals(s, err);
}

void scheduler_begin(struct scheduler *s)
{
    s->pool = db_pool_new(s->app->loop, s->database_url, 2);
    alarms_begin(s);
    s->timer = xcalloc(1, sizeof(*s->timer));
    uv_timer_init(s->app->loop, s->timer);
    s->timer->data = s;
    scheduler_wake(s);
}

int scheduler_start(struct app *app, void *state, struct err *err)
{
    struct scheduler *s = state;

    s->app = app;
    s->incremental_s = when_incremental_s(app->config, s->incremental_s, s->sync_interval_min);
    if (alarms_new(&s->alarms, app->loop, &s->alarm, app->instance, true, err) < 0)
        return -1;
    s->steps_end = &s->steps;
    if (guard_start(s, err) < 0)
        return -1;
    if (make_portals(s, err) < 0 || access_start(s, err) < 0)
        return -1;
    return lease_start(s, err);
}

/* ---- stop ---- */

void scheduler_stop_soon(void *state)
{
    struct scheduler *s = state;

    s->stopping = true; /* nothing is lost with us: marks, jobs and runs lie in the database */
    app_quit(s->app);
}

/* What memory alone knows, and what nobody was told yet. */
static void last_words(struct scheduler *s)
{
    struct db *db = NULL;
    struct err err = { 0 };
    struct db_opening soon = { .patience_ms = LAST_WORDS_MS };
    int failed = db_open_as(&db, s->database_url, &soon, &err);

    for (int i = 0; i < s->portal_count && failed == 0; i++) {
        failed = scan_last(s, i, db, &err);
        if (failed == 0 && s->portals[i].portal.run_calls_count > 0)
            failed = requests_flush(&s->portals[i].portal, db, &err);
    }
    if (failed == 0)
        failed = alarms_last(s, db, &err);
    if (failed == 0)
        failed = store_give_up(db, str_of(s->lease.holder), &err);
    if (failed < 0)
        log_ev(LOG_DEBUG, "stop.unwritten", kv_err(&err));
    db_close(&db);
}

uint64_t scheduler_closing(struct scheduler *s, const char *doing, uint64_t most_ms)
{
    uint64_t now_ms = clock_mono_ms(), left_ms = s->stop_until_ms > now_ms ? s->stop_until_ms - now_ms : 0;

    if (most_ms > left_ms)
        most_ms = left_ms;
    app_closing(s->app, doing, most_ms + CLOSING_MS);
    return most_ms;
}

static void free_timer(uv_handle_t *handle)
{
    free(handle);
}

void scheduler_stop(void *state)
{
    struct scheduler *s = state;
    struct step *step;

    s->stopping = true;
    /* tokens that were renewed and not written are gone for good: more patience, and the last words behind
     * them */
    s->stop_until_ms = clock_mono_ms() + app_stop_ms(s->app) - LAST_WORDS_MS;
    if (access_is_unkept(s))
        scheduler_closing(s, "waiting for the database", UINT64_MAX);
    else
        app_closing(s->app, "waiting for the database", 0);
    lease_stop(s);
    db_pool_free(&s->pool);
    bus_close(&s->router);
    bus_close(&s->dones);
    access_finish(s);
    access_stop(s);
    while ((step = step_take(s)) != NULL) {
        access_last(s, step);
        step->free(step);
    }
    bool late = clock_mono_ms() + STOPWATCH_CLOSE_MS > s->stop_until_ms + LAST_WORDS_MS;
    app_closing(s->app, "giving the lease back", late ? LAST_WORDS_MS + CLOSING_MS : 0);
    if (s->lease.active)
        last_words(s);
    if (s->timer != NULL)
        uv_close((uv_handle_t *)s->timer, free_timer);
    s->timer = NULL;
    alarms_free(&s->alarms);
    flights_fini(&s->flights);
    public_urls_free(&s->urls);
    buckets_fini(&s->buckets);
    senders_fini(&s->senders);
    access_free_all(s);
    free_portals(s);
}

bool scheduler_busy(void *state)
{
    struct scheduler *s = state;

    return s->flights.count > 0;
}
