#include "mapper.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "run/crash.h"
#include "services/ports.h"

#include <sodium.h>

#define SLICE_BYTES (512 * 1024) /* of rows a turn of the loop: a few milliseconds */
#define HIGH_WATER  2            /* messages a pipe: bulk messages are megabytes */
#define LOOK_MS     100
#define LEAVE_MS    3000 /* rows that no writer takes are made again: the writers stop as well */

static const struct setting SETTINGS[] = { SET_STR(struct mapper, bus_mapper, "BUS_MAPPER", "ipc",
                                               "where fetchers find mappers: ipc or tcp://host:port"),
    SET_STR(
        struct mapper, bus_writer, "BUS_WRITER", "ipc", "where mappers find writers: ipc or tcp://host:port"),
    SET_END };

static struct metric rows_total = {
    .name = "potok_mapper_rows_total", .help = "Rows made", .kind = METRIC_COUNTER
};
static struct metric rejects_total = { .name = "potok_mapper_rejects_total",
    .help = "Values that did not fit their column",
    .kind = METRIC_COUNTER };
static struct metric unknown_total = { .name = "potok_mapper_unknown_values_total",
    .help = "Values of fields that the schema does not describe",
    .kind = METRIC_COUNTER };
static struct metric bad_total = { .name = "potok_mapper_bad_messages_total",
    .help = "Messages that could not be mapped; their jobs are repeated",
    .kind = METRIC_COUNTER };
static struct metric message_seconds = { .name = "potok_mapper_message_seconds",
    .help = "From a message read to its rows sent",
    .kind = METRIC_HISTOGRAM };

static void lane_clear(struct lane *lane)
{
    msg_free(&lane->rows);
    msg_free(&lane->records);
}

static bool lane_mapping(const struct lane *lane)
{
    return lane->records != NULL && lane->rows == NULL;
}

static void idle_settle(struct mapper *m);

/* The message is out of hand: the next one may come, or the process may end. */
static void lane_next(struct lane *lane)
{
    struct mapper *m = lane->mapper;

    lane_clear(lane);
    idle_settle(m);
    if (!m->app->stopping)
        bus_resume(lane->in);
    else if (m->urgent.records == NULL && m->bulk.records == NULL)
        app_quit(m->app);
}

static void lane_drop(struct lane *lane, const struct err *err)
{
    const struct msg_records *r = &lane->records->records;

    log_ev(LOG_ERROR, "mapper.bad_message", kv_u("job", r->job), kv_u("d", r->d), kv_str("portal", r->portal),
        kv_str("entity", r->entity), kv_u("records", r->count), kv_err(err));
    metric_add(&bad_total, 1);
    lane->mapper->bad_messages++;
    lane_next(lane);
}

static void lane_send(struct lane *lane)
{
    crash_point(MAPPER_AFTER_MAPPING);
    if (bus_send(lane->out, &lane->rows) != BUS_SENT) {
        metric_set(lane->waiting, 1);
        return;
    }
    crash_point(MAPPER_AFTER_ROWS);
    metric_set(lane->waiting, 0);
    metric_add(lane->messages, 1);
    metric_observe(&message_seconds, (double)(clock_mono_ms() - lane->began_ms) / 1000);
    lane_next(lane);
}

/* ROWS say of the job what RECORDS said; only schema and payload are others. */
static struct msg *rows_new(struct lane *lane)
{
    const struct msg_records *r = &lane->records->records;
    struct msg *m = msg_new(MSG_ROWS);

    memcpy(m->correlation, lane->records->correlation, sizeof(m->correlation));
    m->rows = (struct msg_rows){
        .job = r->job,
        .d = r->d,
        .epoch = r->epoch,
        .run = r->run,
        .portal = r->portal,
        .kind = r->kind,
        .entity = r->entity,
        .table = r->table,
        .first = r->first,
        .last = r->last,
        .next_first = r->next_first,
        .next_last = r->next_last,
        .asked = r->asked,
        .absent = r->absent,
        .unlisted = r->unlisted,
        .denied = r->denied,
        .fetched_ms = r->fetched_ms,
        .started_ms = r->started_ms,
        .columns = buf_view(&lane->map.shape.encoded),
        .count = lane->map.stats.rows,
        .rejects = buf_view(&lane->map.rejects),
    };
    msg_take_payload(m, &lane->map.rows);
    return m;
}

static void payload_release(struct frame *f)
{
    if (f->release != NULL)
        f->release(f->owner);
    *f = (struct frame){ NULL, 0, NULL, NULL };
}

static void lane_mapped(struct lane *lane)
{
    struct mapper *m = lane->mapper;
    const struct map_stats *s = &lane->map.stats;

    m->stats.rows += s->rows;
    m->stats.rejects += s->rejects;
    m->stats.unknown += s->unknown;
    metric_add(&rows_total, (double)s->rows);
    metric_add(&rejects_total, (double)s->rejects);
    metric_add(&unknown_total, (double)s->unknown);
    lane->rows = rows_new(lane);
    payload_release(
        &lane->records->payload); /* the rows are copies: never hold both while the writer is slow */
    lane_send(lane);
}

static void lane_step(struct lane *lane)
{
    struct err err = { 0 };

    log_correlate(lane->records->correlation);
    int left = map_step(&lane->map, SLICE_BYTES, &err);

    if (left < 0)
        lane_drop(lane, &err);
    else if (left == 0)
        lane_mapped(lane);
    log_correlate(NULL);
}

static void on_idle(uv_idle_t *idle)
{
    struct mapper *m = idle->data;

    if (lane_mapping(&m->urgent))
        lane_step(&m->urgent);
    else if (lane_mapping(&m->bulk))
        lane_step(&m->bulk);
    idle_settle(m);
}

static void idle_settle(struct mapper *m)
{
    if (lane_mapping(&m->urgent) || lane_mapping(&m->bulk))
        uv_idle_start(&m->idle, on_idle);
    else
        uv_idle_stop(&m->idle);
}

static void on_records(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **msg)
{
    struct lane *lane = ctx;
    struct err err = { 0 };

    if ((*msg)->type != MSG_RECORDS) {
        log_ev(LOG_WARNING, "mapper.unexpected_message", kv_s("type", msg_name((*msg)->type)));
        return;
    }
    bus_pause(plug);
    lane->records = *msg;
    *msg = NULL;
    lane->began_ms = clock_mono_ms();
    crash_point(MAPPER_BEFORE_ROWS);

    const struct msg_records *r = &lane->records->records;
    struct str payload = { lane->records->payload.p, lane->records->payload.n };

    log_correlate(lane->records->correlation);
    log_ev(LOG_DEBUG, "records.received", kv_u("job", r->job), kv_str("entity", r->entity),
        kv_u("records", r->count), kv_u("bytes", payload.n));
    if (map_begin(&lane->map, r->schema, payload, r->count, &err) < 0)
        lane_drop(lane, &err);
    else
        lane_step(lane); /* small messages are done here and now */
    idle_settle(lane->mapper);
    log_correlate(NULL);
}

static void on_room(void *ctx, struct bus_plug *plug)
{
    struct lane *lane = ctx;

    if (lane->rows != NULL)
        lane_send(lane);
}

static struct metric *lane_metric(const char *lane, const char *name, const char *help, enum metric_kind kind)
{
    char labels[32];

    snprintf(labels, sizeof(labels), "{lane=\"%s\"}", lane);
    return metric_series(name, help, kind, labels);
}

static int lane_open(struct mapper *m, struct lane *lane, const char *name, int port_offset, struct err *err)
{
    struct bus_def in = { .kind = BUS_PULL_BIND,
        .service = "mapper",
        .plug = name,
        .where = m->bus_mapper,
        .port_offset = port_offset,
        .high_water = HIGH_WATER,
        .on_msg = on_records,
        .ctx = lane };
    struct bus_def out = { .kind = BUS_PUSH_CONNECT,
        .service = "writer",
        .plug = name,
        .where = m->bus_writer,
        .port_offset = port_offset,
        .high_water = HIGH_WATER,
        .on_room = on_room,
        .ctx = lane };

    lane->mapper = m;
    lane->name = name;
    map_init(&lane->map);
    lane->messages =
        lane_metric(name, "potok_mapper_messages_total", "Messages mapped and sent", METRIC_COUNTER);
    lane->waiting =
        lane_metric(name, "potok_mapper_waiting", "1 while writers take nothing more", METRIC_GAUGE);
    lane->out = bus_open(m->app->bus, &out, err);
    if (lane->out == NULL)
        return -1;
    lane->in = bus_open(m->app->bus, &in, err);
    return lane->in == NULL ? -1 : 0;
}

static int start(struct app *app, void *state, struct err *err)
{
    static struct metric *const metrics[] = { &rows_total, &rejects_total, &unknown_total, &bad_total,
        &message_seconds };
    struct mapper *m = state;

    m->app = app;
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
        metric_register(metrics[i]);
    if (sodium_init() < 0)
        return err_set(err, ERR_BUG, "libsodium cannot start");
    uv_idle_init(app->loop, &m->idle);
    uv_timer_init(app->loop, &m->leave);
    m->idle.data = m->leave.data = m;
    m->idle_open = true;
    if (lane_open(m, &m->urgent, "urgent", 1, err) < 0)
        return -1;
    return lane_open(m, &m->bulk, "bulk", 0, err);
}

/* Rows are waiting for a writer that is not there. */
static bool is_in_vain(const struct lane *lane)
{
    return lane->rows != NULL && bus_peers(lane->out) == 0;
}

static void on_leave(uv_timer_t *timer)
{
    struct mapper *m = timer->data;

    if (clock_mono_ms() >= m->leave_ms || is_in_vain(&m->urgent) || is_in_vain(&m->bulk))
        app_quit(m->app);
}

static void stop_soon(void *state)
{
    struct mapper *m = state;

    bus_pause(m->urgent.in);
    bus_pause(m->bulk.in);
    m->leave_ms = clock_mono_ms() + LEAVE_MS;
    if (m->urgent.records == NULL && m->bulk.records == NULL)
        app_quit(m->app);
    else
        uv_timer_start(&m->leave, on_leave, LOOK_MS, LOOK_MS);
}

static void lane_close(struct lane *lane)
{
    if (lane->mapper == NULL)
        return;
    bus_close(&lane->in);
    bus_close(&lane->out);
    lane_clear(lane);
    map_fini(&lane->map);
}

static void stop(void *state)
{
    struct mapper *m = state;

    lane_close(&m->urgent);
    lane_close(&m->bulk);
    if (m->idle_open) {
        uv_close((uv_handle_t *)&m->idle, NULL);
        uv_close((uv_handle_t *)&m->leave, NULL);
    }
    m->idle_open = false;
}

static bool busy(void *state)
{
    struct mapper *m = state;

    return m->urgent.records != NULL || m->bulk.records != NULL;
}

static void detail(void *state, json_t *into)
{
    struct mapper *m = state;

    json_object_set_new(into, "rows", json_integer((json_int_t)m->stats.rows));
    json_object_set_new(into, "rejected", json_integer((json_int_t)m->stats.rejects));
    json_object_set_new(into, "bad_messages", json_integer((json_int_t)m->bad_messages));
    json_object_set_new(into, "writers", json_integer(bus_peers(m->bulk.out)));
    json_object_set_new(into, "waiting", json_boolean(m->urgent.rows != NULL || m->bulk.rows != NULL));
}

const struct app_def MAPPER = {
    .name = "mapper",
    .about = "turns a portal's records into typed rows",
    .metrics_port = PORT_mapper,
    .settings = SETTINGS,
    .state_size = sizeof(struct mapper),
    .start = start,
    .stop_soon = stop_soon,
    .stop = stop,
    .busy = busy,
    .detail = detail,
};
