#include "run/app_private.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metric.h"

enum {
    PAGE_MAX_BYTES = 4 << 20, /* of /metrics */
    WHY_MAX_BYTES = 512,
    TRIM_EVERY_MS = 5000,
    TRIM_GROWTH_BYTES = 16 << 20, /* freed memory is given back when the process has grown by this much */
    IDLE_TIMEOUT_S = 30,
};

static struct metric loop_lag = { .name = "potok_loop_lag_seconds",
    .kind = METRIC_HISTOGRAM,
    .help = "Time one turn of the loop took: nothing else was served meanwhile." };
static struct metric resident = {
    .name = "process_resident_memory_bytes", .kind = METRIC_GAUGE, .help = "Resident memory size in bytes."
};

/* --- what is told --- */

/* Ready to serve; else *why says what is missing. */
static bool is_ready(struct app *app, struct buf *why)
{
    struct app_private *p = app->private_;

    if (app->stopping || !p->started) {
        buf_str(why, app->stopping ? "stopping" : "starting");
        return false;
    }
    return app->def->ready == NULL || app->def->ready(p->state, why);
}

static const char *state_of(struct app *app)
{
    struct app_private *p = app->private_;
    struct buf why;

    if (app->stopping)
        return "stopping";
    buf_init(&why, WHY_MAX_BYTES);
    bool ready = is_ready(app, &why);
    buf_fini(&why);
    if (!ready)
        return p->started && app->def->standby != NULL && app->def->standby(p->state) ? "standby"
                                                                                      : "starting";
    return app->def->busy != NULL && app->def->busy(p->state) ? "busy" : "ready";
}

/* --- pages --- */

static void page_health(struct app *app, struct http_in *in)
{
    struct buf body;

    buf_init(&body, WHY_MAX_BYTES);
    buf_str(&body, "{\"status\":\"ok\"}\n");
    http_reply(in, 200, "application/json", &body, true, NULL);
}

static void page_ready(struct app *app, struct http_in *in)
{
    struct buf body, why;

    buf_init(&body, WHY_MAX_BYTES * 8);
    buf_init(&why, WHY_MAX_BYTES);
    bool ready = is_ready(app, &why);
    buf_str(&body, ready ? "{\"status\":\"ready\"" : "{\"status\":\"not ready\",\"reason\":");
    if (!ready)
        buf_json(&body, buf_view(&why));
    buf_str(&body, "}\n");
    buf_fini(&why);
    http_reply(in, ready ? 200 : 503, "application/json", &body, true, NULL);
}

static void page_metrics(struct app *app, struct http_in *in)
{
    struct buf body;

    buf_init(&body, PAGE_MAX_BYTES);
    metric_render(&body);
    http_reply(in, 200, "text/plain; version=0.0.4; charset=utf-8", &body, true, NULL);
}

static const struct {
    const char *path;
    void (*page)(struct app *app, struct http_in *in);
} pages[] = {
    { "/health", page_health },
    { "/ready", page_ready },
    { "/metrics", page_metrics },
};

static void on_request(struct http_in *in)
{
    struct app *app = in->ctx;

    if (strcmp(in->method, "GET") != 0 && strcmp(in->method, "HEAD") != 0) {
        http_reply_text(in, 405, "Only GET here.\n");
        return;
    }
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (strcmp(in->path, pages[i].path) == 0) {
            pages[i].page(app, in);
            return;
        }
    }
    http_reply_text(in, 404, "Here are /health, /ready and /metrics.\n");
}

int app_health_serve(struct app *app, struct err *err)
{
    struct app_private *p = app->private_;
    struct http_server_def def = { .listen = p->set.metrics_listen,
        .max_body_bytes = 1024,
        .idle_timeout_s = IDLE_TIMEOUT_S,
        .handler = on_request,
        .ctx = app };
    bool wished = def.listen != NULL && def.listen[0] != '\0';
    char usual[32];

    snprintf(usual, sizeof(usual), "127.0.0.1:%d", p->set.instance == 1 ? app->def->metrics_port : 0);
    if (!wished)
        def.listen = usual;
    p->server = http_server_new(app->loop, &def, err);
    if (p->server == NULL && !wished && err->code == EADDRINUSE) {
        /* nobody asked for the usual port: a second system on this machine may have it */
        def.listen = "127.0.0.1:0";
        p->server = http_server_new(app->loop, &def, err);
    }
    if (p->server == NULL)
        return err_wrap(err, "METRICS_LISTEN");
    snprintf(app->metrics_address, sizeof(app->metrics_address), "%s", http_server_address(p->server));
    return 0;
}

/* --- figures --- */

static uint64_t resident_bytes(void)
{
    unsigned long long size, pages_in = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f == NULL)
        return 0;
    if (fscanf(f, "%llu %llu", &size, &pages_in) != 2)
        pages_in = 0;
    fclose(f);
    return pages_in * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The allocator keeps what was freed in the middle of its heap; a mirror's bodies come in bursts, so it is
 * asked for it back now and then. */
static void watch_memory(struct app_private *p)
{
    uint64_t now_ms = clock_mono_ms();

    p->rss_bytes = resident_bytes();
    if (p->trimmed_bytes == 0 || p->rss_bytes < p->trimmed_bytes)
        p->trimmed_bytes = p->rss_bytes;
    if (p->rss_bytes > p->trimmed_bytes + TRIM_GROWTH_BYTES && now_ms - p->trimmed_ms >= TRIM_EVERY_MS) {
        malloc_trim(0);
        p->trimmed_ms = now_ms;
        p->rss_bytes = p->trimmed_bytes = resident_bytes();
    }
    metric_set(&resident, (double)p->rss_bytes);
}

/* Runs once a turn, just before the loop waits: what passed since the last time, less the waiting, was the
 * turn. */
static void on_turn(uv_prepare_t *prepare)
{
    struct app *app = prepare->data;
    struct app_private *p = app->private_;
    uint64_t now_ns = uv_hrtime();
    uint64_t idle_ns = uv_metrics_idle_time(app->loop);
    uint64_t spent_ns = now_ns - p->turn_ns;
    uint64_t waited_ns = idle_ns - p->idle_ns;
    uint64_t lag_ns = spent_ns > waited_ns ? spent_ns - waited_ns : 0;

    p->turn_ns = now_ns;
    p->idle_ns = idle_ns;
    metric_observe(&loop_lag, (double)lag_ns / 1e9);
    if (lag_ns > p->lag_ns)
        p->lag_ns = lag_ns;
}

/* --- STATUS --- */

static char *detail_text(struct app *app)
{
    json_t *detail = json_object();

    if (app->def->detail != NULL && app->private_->started)
        app->def->detail(app->private_->state, detail);
    char *text = json_object_size(detail) > 0 ? json_dumps(detail, JSON_COMPACT) : NULL;
    json_decref(detail);
    return text;
}

void app_health_status(struct app *app)
{
    struct app_private *p = app->private_;
    struct msg *m = msg_new(MSG_STATUS);
    char *detail = detail_text(app);

    m->status = (struct msg_status){
        .service = str_of(app->def->name),
        .instance = str_of(app->instance),
        .pid = (uint64_t)getpid(),
        .state = str_of(state_of(app)),
        .uptime_ms = clock_mono_ms() - p->started_ms,
        .rss_bytes = p->rss_bytes,
        .lag_ms = p->lag_ns / 1000000,
        .metrics = str_of(app->metrics_address),
        .detail = str_of(detail),
    };
    p->lag_ns = 0;
    if (bus_send(p->status, &m) != BUS_SENT)
        msg_free(&m); /* nobody misses it: the next one comes in a second */
    free(detail);
}

static void on_status(uv_timer_t *timer)
{
    struct app *app = timer->data;

    watch_memory(app->private_);
    app_health_status(app);
}

/* Whoever asks what runs here knows at once, not with the next turn of the timer. */
static void on_listener(void *ctx, struct bus_plug *plug)
{
    app_health_status(ctx);
}

int app_health_start(struct app *app, struct err *err)
{
    struct app_private *p = app->private_;

    metric_register(&loop_lag);
    metric_register(&resident);
    char labels[160];
    snprintf(labels, sizeof(labels), "{service=\"%s\",instance=\"%s\",version=\"%s\"}", app->def->name,
        app->instance, POTOK_VERSION);
    metric_set(metric_series("potok_up", "The service runs.", METRIC_GAUGE, labels), 1);

    p->status = bus_open(app->bus,
        &(struct bus_def){ .kind = BUS_PUB_BIND,
            .service = app->def->name,
            .plug = "status",
            .where = "ipc",
            .high_water = 100,
            .on_listener = on_listener,
            .ctx = app },
        err);
    if (p->status == NULL)
        return -1;
    p->turn.data = p->status_timer.data = app;
    p->turn_ns = uv_hrtime();
    uv_prepare_init(app->loop, &p->turn);
    uv_prepare_start(&p->turn, on_turn);
    uv_timer_init(app->loop, &p->status_timer);
    uv_timer_start(&p->status_timer, on_status, 0, (uint64_t)p->set.status_interval_ms);
    return 0;
}

static void close_handle(uv_handle_t *handle)
{
    if (handle->loop != NULL && !uv_is_closing(handle))
        uv_close(handle, NULL);
}

void app_health_stop(struct app *app)
{
    struct app_private *p = app->private_;

    close_handle((uv_handle_t *)&p->turn);
    close_handle((uv_handle_t *)&p->status_timer);
    bus_close(&p->status);
    http_server_free(&p->server);
}
