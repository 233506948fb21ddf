#include "scheduler.h"

#include "alarms.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/webhook.h"

#include <stdio.h>
#include <stdlib.h>

#define TURN_MOST_MS         1000
#define STEP_BACKOFF_MS      200
#define STEP_BACKOFF_MOST_MS 5000

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

/* ---- steps ---- */

void scheduler_step(struct scheduler *s, struct step *step)
{
    step->s = s;
    step->next = NULL;
    *s->steps_end = step;
    s->steps_end = &step->next;
    scheduler_wake(s);
}

static struct step *take_step(struct scheduler *s)
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
    if (step->failed != NULL && !lost)
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
        if (step != NULL) {
            s->portal_turn = portal + 1;
            return step;
        }
    }
    return NULL;
}

static void run_step(struct scheduler *s, uint64_t now_ms)
{
    if (s->running != NULL || s->stopping || now_ms < s->step_not_before_ms)
        return;

    struct step *step = take_step(s);
    if (step == NULL)
        step = make_step(s, now_ms);
    if (step == NULL)
        return;
    step->s = s;
    s->running = step;
    db_pool_do(s->pool, DB_URGENT, step_work, step_done, step);
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
        wait = least(wait, plan_wait(s, i, now_ms));
    return wait > 0 ? wait : 1;
}

static void on_turn(uv_timer_t *timer)
{
    struct scheduler *s = timer->data;
    uint64_t now_ms = clock_mono_ms();

    if (s->stopping)
        return;
    attempt_sweep(s, now_ms);
    run_step(s, now_ms);
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
        attempt_on_report(s, *m);
    else if ((*m)->type == MSG_CONTROL)
        control_on_command(s, from, *m);
    else if ((*m)->type == MSG_EVENT)
        events_on_event(s, from, *m);
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

static int open_bus(struct scheduler *s, struct err *err)
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
    return s->dones == NULL ? -1 : 0;
}

/* ---- start: the database is read before the loop runs, so that what is wrong with it is told at once ----
 */

static void take_up(struct scheduler *s, struct mirror *m, const struct store_mirror *row, struct portal *p)
{
    mirror_set_schema(m, buf_view(&row->schema));
    m->run = row->run;
    m->run_state = row->run == 0 ? RUN_NONE : row->probing ? RUN_PROBING : RUN_OPEN;
    m->probe_wanted = m->run_state == RUN_OPEN; /* the bounds were only remembered */
    m->ever_full = m->ghosts = row->ever_full;
    m->shape = row->shape;
    m->paused = row->paused;
    m->run_started_ms = row->started_ms;
    struct config_when plan = config_when(p->config, m->entity->plural);
    when_init(
        &m->when, &plan, s->sync_interval_min * 60000, row->ever_full, row->started_ms, clock_wall_ms());
    if (row->floor > p->floor)
        p->floor = row->floor;
}

/* Whose copy the tables are to be. The views point into the portal and into `host`. */
static struct db_identity identity_of(
    const struct portal *p, struct str tables[PORTAL_ENTITIES_MAX], char host[static WEBHOOK_IDENTITY_SIZE])
{
    webhook_identity(config_portal_url(p->config), host);
    for (int i = 0; i < p->mirror_count; i++)
        tables[i] = str_of(p->mirrors[i].table);
    return (struct db_identity){ p->name, str_of(host), tables, p->mirror_count };
}

static int check_portal(struct db *db, const struct portal *p, struct err *err)
{
    struct str tables[PORTAL_ENTITIES_MAX];
    char host[WEBHOOK_IDENTITY_SIZE];
    struct db_identity who = identity_of(p, tables, host);

    return db_identity_check(db, &who, err);
}

static int take_lease(struct scheduler *s, struct db *db, struct portal *p, struct err *err)
{
    struct str tables[PORTAL_ENTITIES_MAX];
    char host[WEBHOOK_IDENTITY_SIZE];
    struct db_identity who = identity_of(p, tables, host);
    struct store_lease lease;
    uint64_t now = clock_mono_ms(), wall = clock_wall_ms();

    if (store_take_lease(db, &who, str_of(s->app->instance), wall, &lease, err) < 0)
        return -1;
    p->epoch = lease.epoch;
    p->tick = lease.tick;
    pace_restore(&p->pace, lease.bucket, lease.bucket_ms, wall, now);
    return 0;
}

static int load_portal(struct scheduler *s, struct db *db, struct portal *p, struct err *err)
{
    if (take_lease(s, db, p, err) < 0)
        return -1;
    for (int i = 0; i < p->mirror_count; i++) {
        struct store_who who = scheduler_who(p);
        struct store_mirror row = { .entity = str_of(p->mirrors[i].entity->plural),
            .table = str_of(p->mirrors[i].table) };
        int failed = store_load_mirror(db, &who, &row, err);

        if (failed == 0)
            take_up(s, &p->mirrors[i], &row, p);
        if (failed == 0 && row.lifted)
            log_ev(LOG_INFO, "sync.again", kv_str("portal", p->name), kv_str("entity", row.entity),
                kv_u("run", row.run));
        if (failed == 0 && row.former[0] != '\0')
            log_ev(LOG_INFO, "mirror.moved", kv_str("portal", p->name), kv_str("entity", row.entity),
                kv_s("from", row.former), kv_str("to", row.table));
        store_mirror_fini(&row);
        if (failed < 0)
            return -1;
    }
    p->scan_wanted = true;
    log_ev(LOG_INFO, "portal.opened", kv_str("portal", p->name), kv_url("url", config_portal_url(p->config)),
        kv_u("epoch", p->epoch), kv_u("tick", p->tick), kv_i("entities", p->mirror_count));
    return 0;
}

/* Every portal is looked at before any lease is taken: a mistake in one changes nothing of the others. */
static int load(struct scheduler *s, struct err *err)
{
    struct db *db = NULL;

    if (db_open(&db, s->database_url, err) < 0)
        return -1;

    int failed = db_migrate(db, err);
    for (int i = 0; i < s->portal_count && failed == 0; i++)
        failed = check_portal(db, &s->portals[i].portal, err);
    for (int i = 0; i < s->portal_count && failed == 0; i++)
        failed = load_portal(s, db, &s->portals[i].portal, err);
    db_close(&db);
    return failed;
}

static int make_portals(struct scheduler *s, struct err *err)
{
    const struct config *config = s->app->config;

    if (config->portal_count == 0)
        return err_set(err, ERR_CONF, "no portal: set BITRIX_WEBHOOK_URL or write portals: in potok.yaml");
    s->portals = xcalloc((size_t)config->portal_count, sizeof(*s->portals));
    for (int i = 0; i < config->portal_count; i++) {
        struct portal *p = &s->portals[s->portal_count++].portal;

        portal_init(p, &config->portals[i], (uint64_t)s->operating_limit_s * 1000, clock_mono_ms());
        portal_add_mirrors(p);
        if (zone_load(&p->zone, config->portals[i].zone, err) < 0)
            return -1;
    }
    return 0;
}

int scheduler_start(struct app *app, void *state, struct err *err)
{
    struct scheduler *s = state;

    s->app = app;
    if (alarms_new(&s->alarms, app->loop, &s->alarm, app->instance, true, err) < 0)
        return -1;
    s->steps_end = &s->steps;
    if (make_portals(s, err) < 0 || open_bus(s, err) < 0)
        return -1; /* the bus first: who cannot bind must not take the lease from who can */
    if (load(s, err) < 0)
        return err_wrap(err, "database");
    s->pool = db_pool_new(app->loop, s->database_url, 2);
    s->timer = xcalloc(1, sizeof(*s->timer));
    uv_timer_init(app->loop, s->timer);
    s->timer->data = s;
    scheduler_wake(s);
    return 0;
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
    int failed = db_open(&db, s->database_url, &err);

    for (int i = 0; i < s->portal_count && failed == 0; i++) {
        failed = scan_last(s, i, db, &err);
        if (failed == 0 && s->portals[i].portal.run_calls_count > 0)
            failed = requests_flush(&s->portals[i].portal, db, &err);
    }
    if (failed < 0)
        log_ev(LOG_DEBUG, "stop.unwritten", kv_err(&err));
    db_close(&db);
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
    bool begun = s->pool != NULL;
    if (begun)
        db_pool_free(&s->pool);
    while ((step = take_step(s)) != NULL)
        step->free(step);
    if (begun)
        last_words(s);
    if (s->timer != NULL)
        uv_close((uv_handle_t *)s->timer, free_timer);
    s->timer = NULL;
    bus_close(&s->router);
    bus_close(&s->dones);
    alarms_free(&s->alarms);
    flights_fini(&s->flights);
    for (int i = 0; i < s->portal_count; i++)
        portal_fini(&s->portals[i].portal);
    free(s->portals);
    s->portals = NULL;
    s->portal_count = 0;
}

bool scheduler_busy(void *state)
{
    struct scheduler *s = state;

    return s->flights.count > 0;
}
