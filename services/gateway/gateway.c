#include "gateway.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"
#include "run/listen.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define HEAD_MAX         (16 << 10) /* request line and headers */
#define BODY_MAX         (10 << 20)
#define BODIES_MAX       (32 << 20) /* of all requests together */
#define IDLE_S           30
#define CONNECTIONS_MOST 4096
#define SPARE_FILES      64
#define PER_ADDRESS      2048
#define TICK_MS          100
#define QUIET_MS         300  /* stopping: so long nothing may have come by connections that are still open */
#define HALF_SENT_MS     2000 /* stopping: so long a request may take that was begun before */

/* ---- the spool ---- */

static void on_open(void *ctx, uint64_t spool, uint64_t last)
{
    struct gateway *g = ctx;

    g->open = true;
    hand_opened(&g->hand, spool, last);
    known_opened(g, spool);
    log_event(LOG_INFO, "spool.open");
}

static void on_trouble(void *ctx, const struct err *err)
{
    struct gateway *g = ctx;

    if (err == NULL) {
        g->trouble[0] = '\0';
        alarm_clear(g->alarms, "", "", "spool.full");
        log_event(LOG_INFO, "spool.well");
        return;
    }
    if (err->kind == ERR_CONF && !g->open) {
        app_fail(g->app, err);
        return;
    }
    snprintf(g->trouble, sizeof(g->trouble), "%s", err->text);
    log_ev(LOG_WARNING, "spool.trouble", kv_err(err));
    alarm_raise(g->alarms, &(struct alarm){ "spool.full", "", "", err->text });
}

static void tell_damaged(struct gateway *g, const char *what)
{
    alarm_raise(g->alarms, &(struct alarm){ "spool.damaged", "", "", what });
}

static void on_salvaged(void *ctx, int64_t saved)
{
    tell_damaged(ctx, "the spool's file was damaged; what could be read of it goes on");
    log_ev(LOG_ERROR, "spool.damaged", kv_i("saved", saved),
        kv_s("message",
            "the spool's file was damaged and is kept beside the new one; what could be read of it goes on: "
            "run a full sync to be sure of the rest"));
}

static void on_moved(void *ctx, int64_t saved)
{
    log_ev(LOG_ERROR, "spool.moved", kv_i("saved", saved),
        kv_s("message",
            "somebody deleted or replaced the spool's file; what waited was written to the one that "
            "has its name now"));
}

/* ---- the scheduler ---- */

static bool send_event(void *ctx, struct msg **m)
{
    struct gateway *g = ctx;

    return bus_send(g->scheduler, m) == BUS_SENT;
}

static void on_scheduler(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct gateway *g = ctx;

    if ((*m)->type != MSG_EVENT_ACK) {
        log_ev(LOG_WARNING, "message.unexpected", kv_s("type", msg_name((*m)->type)));
        return;
    }
    known_told(g, *m);
    hand_acked(&g->hand, &(*m)->event_ack, clock_wall_ms());
}

static void on_room(void *ctx, struct bus_plug *plug)
{
    struct gateway *g = ctx;

    hand_turn(&g->hand, clock_mono_ms());
}

/* ---- life ---- */

/* What was sent whole is answered; what never comes to its end is waited for a moment only. */
static bool nothing_left(const struct gateway *g, uint64_t now_ms)
{
    if (g->server == NULL)
        return true;
    if (g->in_hand > 0 || http_server_handed(g->server) > 0 || now_ms < g->quiet_ms + QUIET_MS)
        return false;
    return http_server_requests(g->server) == 0 || now_ms >= g->stop_ms + HALF_SENT_MS;
}

static void on_tick(uv_timer_t *timer)
{
    struct gateway *g = timer->data;
    uint64_t now_ms = clock_mono_ms();

    hand_turn(&g->hand, now_ms);
    known_turn(g, now_ms);
    count_state(g);
    if (hand_age(&g->hand, clock_wall_ms()) > (uint64_t)g->alarm.mark_age_ms)
        alarm_raise(
            g->alarms, &(struct alarm){ "spool.old", "", "", "the scheduler does not acknowledge them" });
    else
        alarm_clear(g->alarms, "", "", "spool.old");
    if (g->hand.damaged > 0) {
        log_ev(LOG_ERROR, "spool.row_damaged", kv_u("rows", g->hand.damaged),
            kv_s("message", "set aside: `potok spool check` lists them; run a full sync to be sure"));
        g->hand.damaged = 0;
        tell_damaged(g, "rows of the spool were set aside");
    }
    if (g->server != NULL)
        tls_look(g, now_ms, false);
    drain_turn(g);
    if (g->app->stopping && nothing_left(g, now_ms))
        app_quit(g->app);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct gateway *g = handle->data;

    if (number == SIGUSR1)
        drain_begin(g);
    else if (g->server != NULL)
        tls_look(g, clock_mono_ms(), true);
}

static void watch_signals(struct gateway *g)
{
    static const int numbers[] = { SIGHUP, SIGUSR1 };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        g->signals[i].data = g;
        uv_signal_init(g->app->loop, &g->signals[i]);
        uv_signal_start(&g->signals[i], on_signal, numbers[i]);
    }
    g->signals_open = true;
}

/* So many that one address cannot take them all, and so few that files, log and scheduler always get a
 * descriptor. */
static unsigned connections_most(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return 0;
    files.rlim_cur =
        files.rlim_max < CONNECTIONS_MOST + SPARE_FILES ? files.rlim_max : CONNECTIONS_MOST + SPARE_FILES;
    if (setrlimit(RLIMIT_NOFILE, &files) < 0 && getrlimit(RLIMIT_NOFILE, &files) < 0)
        return 0;
    return files.rlim_cur > 2 * SPARE_FILES ? (unsigned)(files.rlim_cur - SPARE_FILES) : SPARE_FILES;
}

/* Without any secret everybody who reaches us is believed: a socket that we were given may be reached from
 * outside. */
static int check_address(struct gateway *g, struct err *err)
{
    if (rules_fit(g, http_server_address(g->server)))
        return 0;
    return err_set(err, ERR_CONF,
        "the socket handed over by LISTEN_FDS, %s, can be reached from outside, and there is neither "
        "BITRIX_APPLICATION_TOKEN nor API_KEY: set one of them, or listen on 127.0.0.1",
        http_server_address(g->server));
}

static int open_server(struct gateway *g, struct err *err)
{
    g->server = http_server_new(g->app->loop,
        &(struct http_server_def){ .listen = g->listen,
            .listen_fd = listen_inherited(),
            .max_head_bytes = HEAD_MAX,
            .max_body_bytes = BODY_MAX,
            .max_held_bytes = BODIES_MAX,
            .idle_timeout_s = IDLE_S,
            .connections = connections_most(),
            .per_address = PER_ADDRESS,
            .answers_soon = true,
            .tls_cert = g->tls_cert,
            .tls_key = g->tls_key,
            .handler = request_on_http,
            .ctx = g },
        err);
    if (g->server == NULL && err->code == EADDRINUSE)
        return err_wrap(err, "GATEWAY_LISTEN");
    if (g->server == NULL || check_address(g, err) < 0)
        return -1;
    log_ev(LOG_INFO, "gateway.listening", kv_s("address", http_server_address(g->server)),
        kv_s("scheme", g->tls_cert != NULL ? "https" : "http"));
    tls_started(g);
    return 0;
}

static int open_spool(struct gateway *g, struct err *err)
{
    struct keeper_events events = { on_open, on_trouble, on_salvaged, on_moved, g };
    char path[700], name[100];

    snprintf(name, sizeof(name), "spool/%s.db", g->app->instance);
    if (paths_make(paths_home(), name, path, sizeof(path), err) < 0)
        return -1;
    known_recall(g, path);
    g->keeper = keeper_new(g->app->loop, path, &events);
    hand_init(&g->hand, g->keeper, g->app->instance, send_event, g);
    return 0;
}

void gateway_check(const struct config *config, void *state, struct mistakes *all)
{
    struct gateway *g = state;
    struct err err;

    alarm_settings_check_all(&g->alarm, all);
    if (rules_make(g, config, all, &err) < 0)
        mistakes_add(all, &err);
    tls_forget(g);
}

int gateway_start(struct app *app, void *state, struct err *err)
{
    struct gateway *g = state;

    g->app = app;
    count_init();
    if (alarms_new(&g->alarms, app->loop, &g->alarm, app->instance, false, err) < 0)
        return -1;
    if (app->config->portal_count == 0)
        return err_set(err, ERR_CONF, "no portal is configured: set BITRIX_WEBHOOK_URL, or write potok.yaml");
    if (rules_make(g, app->config, NULL, err) < 0)
        return -1;
    g->scheduler = bus_open(app->bus,
        &(struct bus_def){ .kind = BUS_DEALER_CONNECT,
            .service = "scheduler",
            .plug = "router",
            .where = g->bus_scheduler,
            .on_msg = on_scheduler,
            .on_room = on_room,
            .ctx = g },
        err);
    if (g->scheduler == NULL || open_spool(g, err) < 0 || (!g->drain && open_server(g, err) < 0))
        return -1;
    drain_forget(g);
    if (g->drain)
        drain_begin(g);
    watch_signals(g);
    uv_timer_init(app->loop, &g->tick);
    g->tick.data = g;
    g->tick_open = true;
    uv_timer_start(&g->tick, on_tick, TICK_MS, TICK_MS);
    return 0;
}

/* The socket outlives us where somebody else holds it: what comes now waits for the next gateway. */
void gateway_stop_soon(void *state)
{
    struct gateway *g = state;

    g->quiet_ms = g->stop_ms = clock_mono_ms();
    if (g->server != NULL)
        http_server_quiesce(g->server);
}

void gateway_stop(void *state)
{
    struct gateway *g = state;

    g->hand.stopping = true;
    keeper_free(&g->keeper); /* requests on their way are answered */
    http_server_free(&g->server);
    request_fini(g);
    bus_close(&g->scheduler);
    alarms_free(&g->alarms);
    hand_fini(&g->hand);
    known_fini(g);
    if (g->tick_open)
        uv_close((uv_handle_t *)&g->tick, NULL);
    g->tick_open = false;
    for (size_t i = 0; g->signals_open && i < ARRAY_SIZE(g->signals); i++)
        uv_close((uv_handle_t *)&g->signals[i], NULL);
    g->signals_open = false;
    tls_forget(g);
}

bool gateway_ready(void *state, struct buf *why_not)
{
    const struct gateway *g = state;

    if (g->open && g->trouble[0] == '\0' && !g->draining)
        return true;
    if (g->draining) {
        buf_str(why_not, g->drained ? "drained: to be removed" : "draining: to be removed");
        return false;
    }
    buf_str(why_not, g->trouble[0] != '\0' ? g->trouble : "the spool is not open yet");
    return false;
}

bool gateway_busy(void *state)
{
    const struct gateway *g = state;

    return g->in_hand > 0;
}

void gateway_detail(void *state, json_t *into)
{
    const struct gateway *g = state;

    if (g->trouble[0] != '\0')
        json_object_set_new(into, "trouble", json_string(g->trouble));
    json_object_set_new(into, "listen", json_string(g->server != NULL ? http_server_address(g->server) : ""));
    json_object_set_new(into, "alarms", alarms_json(g->alarms));
    json_object_set_new(into, "waiting", json_integer((json_int_t)hand_waiting(&g->hand)));
    count_detail(g, into);
    if (g->draining)
        json_object_set_new(into, "draining", json_string(g->drained ? "over" : "on"));
    if (g->rules.closed && !intake_learnt(&g->rules))
        json_object_set_new(into, "not_installed", json_true());
    json_object_set_new(into, "handed", json_integer((json_int_t)g->hand.sent));
    json_object_set_new(into, "again", json_integer((json_int_t)g->hand.again));
    json_object_set_new(into, "lag_ms", json_integer((json_int_t)g->hand.lag_ms));
    json_object_set_new(into, "schedulers", json_integer(bus_peers(g->scheduler)));
}
