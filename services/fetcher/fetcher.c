#include "fetcher.h"

#include "work.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "services/ports.h"

#define READY_EVERY_MS 1000
#define LEAVE_MS       200 /* what the bus took last is on its way by then; lost, it would only be repeated */
#define HAND_OVER_MS   500 /* works past their call, when told to stop */
#define HIGH_WATER     2   /* messages a pipe to a mapper: they are megabytes */

static const struct setting SETTINGS[] = {
    SET_STR(struct fetcher, bus_scheduler, "BUS_SCHEDULER", "ipc",
        "where fetchers find the scheduler: ipc or tcp://host:port"),
    SET_STR(struct fetcher, bus_mapper, "BUS_MAPPER", "ipc",
        "where fetchers find mappers: ipc or tcp://host:port"),
    SET_SECRET(struct fetcher, secret_key, "POTOK_SECRET_KEY",
        "opens the access tokens of portals that are reached as an application; the scheduler's"),
    SET_STR(struct fetcher, source, "FETCHER_SOURCE", "",
        "address its calls come from, as portals see it: these fetchers have a request limit of their own; "
        "empty: "
        "all share one"),
    SET_INT(struct fetcher, jobs, "FETCHER_JOBS", "4", 1, FETCHER_JOBS_MAX, "jobs in hand at a time"),
    SET_INT(struct fetcher, answer_max_bytes, "ANSWER_MAX_BYTES", "33554432", 65536, 64 << 20,
        "an answer's body, decompressed; a longer one is asked for in smaller pieces"),
    SET_MS(struct fetcher, call_deadline_ms, "CALL_DEADLINE", "65s", 1000, 600000,
        "a call may take this long when its job does not say; portals cut at 60 s"),
    SET_END,
};

static struct metric in_hand = {
    .name = "potok_fetcher_in_hand",
    .help = "Jobs in hand",
    .kind = METRIC_GAUGE,
};
static struct metric waiting = {
    .name = "potok_fetcher_waiting",
    .help = "Jobs whose records or report the bus does not take yet",
    .kind = METRIC_GAUGE,
};

/* ---- READY ---- */

static void measure(struct fetcher *f)
{
    int stuck = 0;

    for (const struct work *w = f->first; w != NULL; w = w->next)
        stuck += w->state != WORK_CALLING;
    metric_set(&in_hand, f->in_hand);
    metric_set(&waiting, stuck);
}

/* One that finds no room is not kept: the next says more. */
static void send_ready(struct fetcher *f)
{
    uint64_t holding[FETCHER_JOBS_MAX];
    struct msg *m = msg_new(MSG_READY);
    size_t n = 0;

    for (const struct work *w = f->first; w != NULL && n < FETCHER_JOBS_MAX; w = w->next)
        holding[n++] = w->job->job.d;
    m->ready = (struct msg_ready){
        .instance = str_of(f->app->instance),
        .boot = f->boot,
        .credit = f->app->stopping || f->in_hand >= f->jobs ? 0 : (uint64_t)(f->jobs - f->in_hand),
        .holding = { holding, n },
        .source = str_of(f->source),
    };
    if (bus_send(f->scheduler, &m) != BUS_SENT)
        msg_free(&m);
    measure(f);
}

static void on_tick(uv_timer_t *timer)
{
    send_ready(timer->data);
}

static void on_leave(uv_timer_t *timer)
{
    struct fetcher *f = timer->data;

    app_quit(f->app);
}

static void leave_when_idle(struct fetcher *f)
{
    if (f->app->stopping && f->in_hand == 0)
        uv_timer_start(&f->tick, on_leave, LEAVE_MS, 0);
}

/* ---- jobs ---- */

void fetcher_work_done(struct fetcher *f, struct work *w, bool ok)
{
    struct work **at = &f->first;

    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    if (w->next == NULL)
        f->last = at;
    f->in_hand--;
    f->done += ok;
    f->failed += !ok;
    work_free(w);
    send_ready(f);
    leave_when_idle(f);
}

static bool in_hand_already(const struct fetcher *f, const struct msg_job *job)
{
    for (const struct work *w = f->first; w != NULL; w = w->next)
        if (w->job->job.d == job->d && str_eq(w->job->job.portal, job->portal))
            return true;
    return false;
}

/* A job beyond the credit is not taken: the scheduler sees in READY that it is not held, and sends it again.
 */
static void take_job(struct fetcher *f, struct msg **m)
{
    if (in_hand_already(f, &(*m)->job))
        return;
    if (f->app->stopping || f->in_hand >= f->jobs) {
        log_ev(LOG_DEBUG, "job.refused", kv_u("job", (*m)->job.job), kv_u("d", (*m)->job.d),
            kv_i("in_hand", f->in_hand));
        return;
    }
    struct work *w = work_new(f, m);
    *f->last = w;
    f->last = &w->next;
    f->in_hand++;
    work_start(w);
    send_ready(f);
}

static void on_scheduler(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    if ((*m)->type == MSG_JOB)
        take_job(ctx, m);
    else
        log_ev(LOG_WARNING, "fetcher.unexpected_message", kv_s("type", msg_name((*m)->type)));
}

/* A plug is free again, or a scheduler came: it wants to know at once who is there. */
static void on_room(void *ctx, struct bus_plug *plug)
{
    struct fetcher *f = ctx;
    struct work *next;

    for (struct work *w = f->first; w != NULL; w = next) {
        next = w->next;
        work_go_on(w, plug);
    }
    if (plug == f->scheduler)
        send_ready(f);
}

/* ---- life ---- */

static int open_plugs(struct fetcher *f, struct err *err)
{
    struct bus_def scheduler = {
        .kind = BUS_DEALER_CONNECT,
        .service = "scheduler",
        .plug = "router",
        .where = f->bus_scheduler,
        .on_msg = on_scheduler,
        .on_room = on_room,
        .ctx = f,
    };
    struct bus_def bulk = {
        .kind = BUS_PUSH_CONNECT,
        .service = "mapper",
        .plug = "bulk",
        .where = f->bus_mapper,
        .high_water = HIGH_WATER,
        .on_room = on_room,
        .ctx = f,
    };
    struct bus_def urgent = bulk;

    urgent.plug = "urgent";
    urgent.port_offset = 1;
    if ((f->bulk = bus_open(f->app->bus, &bulk, err)) == NULL ||
        (f->urgent = bus_open(f->app->bus, &urgent, err)) == NULL ||
        (f->scheduler = bus_open(f->app->bus, &scheduler, err)) == NULL)
        return -1;
    return 0;
}

static int start(struct app *app, void *state, struct err *err)
{
    struct fetcher *f = state;

    f->app = app;
    f->last = &f->first;
    f->boot = clock_wall_ms();
    if (seal_keys_read(&f->keys, f->secret_key, err) < 0)
        return -1;
    metric_register(&in_hand);
    metric_register(&waiting);
    f->http = http_client_new(app->loop, "potok/" POTOK_VERSION);
    uv_timer_init(app->loop, &f->tick);
    f->tick.data = f;
    f->tick_open = true;
    if (open_plugs(f, err) < 0)
        return -1;
    uv_timer_start(&f->tick, on_tick, 0, READY_EVERY_MS);
    return 0;
}

/* A slow portal is not waited for: what its calls would bring is asked for again. */
static void drop_calls(struct fetcher *f)
{
    struct work **at = &f->first;

    f->closing = true;
    for (struct work *w; (w = *at) != NULL;) {
        if (w->state != WORK_CALLING) {
            at = &w->next;
            continue;
        }
        if (w->call != NULL)
            http_cancel(w->call);
        *at = w->next;
        f->in_hand--;
        work_free(w);
    }
    f->last = at;
    f->closing = false;
}

/* Records that are there already may still find a mapper: for a moment, since it stops as well. */
static void stop_soon(void *state)
{
    struct fetcher *f = state;

    drop_calls(f);
    send_ready(f); /* no credit any more, and what is not held is given back */
    uv_timer_start(&f->tick, on_leave, f->in_hand > 0 ? HAND_OVER_MS : LEAVE_MS, 0);
}

/* What is still in hand is given back by silence. */
static void stop(void *state)
{
    struct fetcher *f = state;

    f->closing = true;
    http_client_free(&f->http);
    for (struct work *w; (w = f->first) != NULL;) {
        f->first = w->next;
        work_free(w);
    }
    bus_close(&f->scheduler);
    bus_close(&f->bulk);
    bus_close(&f->urgent);
    if (f->tick_open)
        uv_close((uv_handle_t *)&f->tick, NULL);
    f->tick_open = false;
}

static bool ready(void *state, struct buf *why_not)
{
    struct fetcher *f = state;

    if (bus_peers(f->scheduler) > 0)
        return true;
    buf_str(why_not, "no scheduler yet");
    return false;
}

static bool busy(void *state)
{
    struct fetcher *f = state;

    return f->in_hand > 0;
}

static void detail(void *state, json_t *into)
{
    struct fetcher *f = state;

    json_object_set_new(into, "in_hand", json_integer(f->in_hand));
    json_object_set_new(into, "jobs", json_integer((json_int_t)f->jobs));
    json_object_set_new(into, "done", json_integer((json_int_t)f->done));
    json_object_set_new(into, "failed", json_integer((json_int_t)f->failed));
    json_object_set_new(into, "schedulers", json_integer(bus_peers(f->scheduler)));
    json_object_set_new(into, "mappers", json_integer(bus_peers(f->bulk)));
}

const struct app_def FETCHER = {
    .name = "fetcher",
    .about = "makes the calls to the portals, one per job",
    .metrics_port = PORT_fetcher,
    .settings = SETTINGS,
    .state_size = sizeof(struct fetcher),
    .start = start,
    .stop_soon = stop_soon,
    .stop = stop,
    .ready = ready,
    .busy = busy,
    .detail = detail,
};
