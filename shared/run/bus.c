/* How messages get from ZeroMQ's descriptors, which are edge-triggered, into callbacks: pump() asks every
 * plug for its event flags before the loop blocks (prepare) and after it woke (check), in order of opening,
 * and reads at most TURN_MESSAGES of each. As long as a pass did anything, an idle handle keeps the loop from
 * blocking; so the loop only sleeps after a pass that found nothing, and whatever was sent since (which may
 * eat an edge) is seen. */
#include "run/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>
#include <zmq.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "run/bus_frames.h"
#include "run/bus_hold.h"
#include "run/bus_plug.h"
#include "run/listen.h"
#include "run/lock.h"

enum {
    TURN_MESSAGES = 16,
    SCAN_MS = 1000,
    SCAN_QUICK_MS = 100, /* while a connector knows nobody, or a router waits for room */
};

struct bus {
    uv_loop_t *loop;
    char *run_dir;
    char *number; /* of the instance: "1" */
    struct bus_plug *plugs;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_timer_t scan;
    uv_timer_t held;  /* wakes the loop for messages that a test delays */
    int open_handles; /* its own and one a plug */
};

static const struct bus_kind_def kinds[] = {
    [BUS_ROUTER_BIND] = { ZMQ_ROUTER, true, false },
    [BUS_DEALER_CONNECT] = { ZMQ_DEALER, false, true },
    [BUS_PULL_BIND] = { ZMQ_PULL, true, false },
    [BUS_PUSH_CONNECT] = { ZMQ_PUSH, false, true },
    [BUS_PUB_BIND] = { ZMQ_PUB, true, false },
    [BUS_SUB_CONNECT] = { ZMQ_SUB, false, false },
};

static bool is_ipc(const struct bus_def *def)
{
    return def->where == NULL || strcmp(def->where, "ipc") == 0 || def->kind == BUS_PUB_BIND ||
           def->kind == BUS_SUB_CONNECT;
}

/* --- messages in --- */

static void trace(const char *event, const struct bus_plug *plug, const struct msg *m, size_t bytes)
{
    if (plug->def.kind == BUS_PUB_BIND || plug->def.kind == BUS_SUB_CONNECT)
        return; /* once a second and service: it would drown the rest */
    log_ev(LOG_DEBUG, event, kv_s("plug", plug->name), kv_s("type", msg_name(m->type)), kv_u("bytes", bytes),
        kv_s("correlation", m->correlation));
}

static void refuse_garbage(struct bus_plug *plug, const struct err *err)
{
    plug->garbage++;
    metric_add(plug->bad, 1);
    log_ev(LOG_WARNING, "bus.garbage", kv_s("plug", plug->name), kv_err(err));
}

static void deliver(struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    log_correlate((*m)->correlation);
    plug->def.on_msg(plug->def.ctx, plug, from, m);
    log_correlate(NULL);
    msg_free(m);
}

/* One message or piece of garbage; false: nothing there. */
static bool read_one(struct bus_plug *plug)
{
    struct bus_peer from;
    struct msg *m = NULL;
    size_t bytes;
    struct err err = { 0 };
    int got = bus_frames_recv(plug->zmq, plug->def.kind == BUS_ROUTER_BIND, &from, &m, &bytes, &err);

    if (got < 0)
        refuse_garbage(plug, &err);
    if (got <= 0)
        return got < 0;
    metric_add(plug->received, 1);
    trace("bus.received", plug, m, bytes);
    if (plug->hold == NULL || bus_hold_passes(plug->hold, from, &m))
        deliver(plug, from, &m);
    return true;
}

/* What a test delayed until now. */
static bool read_held(struct bus_plug *plug)
{
    struct bus_held held;
    bool worked = false;

    while (plug->hold != NULL && !plug->paused && !plug->closed && bus_hold_due(plug->hold, &held)) {
        deliver(plug, held.from, &held.m);
        worked = true;
    }
    return worked;
}

static int events_of(struct bus_plug *plug)
{
    int events = 0;
    size_t n = sizeof(events);

    return zmq_getsockopt(plug->zmq, ZMQ_EVENTS, &events, &n) == 0 ? events : 0;
}

static bool tell_room(struct bus_plug *plug)
{
    plug->full = false;
    if (plug->def.on_room != NULL)
        plug->def.on_room(plug->def.ctx, plug);
    return true;
}

static bool pump_plug(struct bus_plug *plug)
{
    bool worked = false;
    int events = events_of(plug);

    if (plug->full && plug->kind->fills && (events & ZMQ_POLLOUT))
        worked = tell_room(plug);
    worked |= read_held(plug);
    if (plug->def.on_msg == NULL || !(events & ZMQ_POLLIN))
        return worked;
    for (int i = 0; i < TURN_MESSAGES && !plug->paused && !plug->closed && read_one(plug); i++)
        worked = true;
    return worked;
}

static void on_idle(uv_idle_t *idle)
{
}

/* Only wakes the loop. */
static void on_held(uv_timer_t *timer)
{
}

/* Those of a paused plug wait for its resumption, which wakes the loop by itself. */
static void wait_for_held(struct bus *bus)
{
    uint64_t wait = UINT64_MAX;

    for (struct bus_plug *plug = bus->plugs; plug != NULL; plug = plug->next)
        if (plug->hold != NULL && !plug->closed && !plug->paused && bus_hold_wait_ms(plug->hold) < wait)
            wait = bus_hold_wait_ms(plug->hold);
    if (wait != UINT64_MAX)
        uv_timer_start(&bus->held, on_held, wait, 0);
}

static void pump(struct bus *bus)
{
    bool worked = false;

    for (struct bus_plug *plug = bus->plugs; plug != NULL; plug = plug->next)
        if (!plug->closed && pump_plug(plug))
            worked = true;
    if (uv_is_closing((uv_handle_t *)&bus->idle))
        return; /* a callback freed the bus; its memory goes with its handles */
    if (worked)
        uv_idle_start(&bus->idle, on_idle);
    else
        uv_idle_stop(&bus->idle);
    wait_for_held(bus);
}

static void on_prepare(uv_prepare_t *prepare)
{
    pump(prepare->data);
}

static void on_check(uv_check_t *check)
{
    pump(check->data);
}

/* Only wakes the loop: check does the work. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
}

/* --- who is there --- */

static void on_scan(uv_timer_t *timer)
{
    struct bus *bus = timer->data;
    uint64_t next_ms = SCAN_MS;

    for (struct bus_plug *plug = bus->plugs; plug != NULL; plug = plug->next) {
        if (plug->closed)
            continue;
        if (!plug->kind->binds && is_ipc(&plug->def))
            bus_peers_scan(plug, bus->run_dir);
        if (!plug->kind->binds && plug->peer_count == 0)
            next_ms = SCAN_QUICK_MS;
        if (plug->full && !plug->kind->fills)
            tell_room(plug); /* one peer had none: the socket cannot say when it has */
        if (plug->full)
            next_ms = SCAN_QUICK_MS;
        if (uv_is_closing((uv_handle_t *)timer))
            return;
    }
    uv_timer_start(timer, on_scan, next_ms, 0);
}

/* --- opening and closing --- */

static int bind_ipc(struct bus_plug *plug, struct err *err)
{
    const char *path = plug->place.path;
    int fd;

    if (lock_take(plug->place.lock, &plug->lock_fd, NULL, err) < 0 || listen_unix(path, &fd, err) < 0)
        return err_wrap(err, "%s", plug->name);
    if (bus_sock_bind_fd(plug->sock, path, fd) < 0)
        return err_code(
            err, ERR_CONF, errno, "%s: cannot bind %s: %s", plug->name, path, zmq_strerror(errno));
    return 0;
}

static int attach_ipc(struct bus_plug *plug, struct err *err)
{
    struct bus *bus = plug->bus;

    /* connectors too: a path too long is told at the start and not by nobody ever being found */
    if (bus_place(&plug->place, bus->run_dir, plug->def.service, bus->number, plug->def.plug, err) < 0)
        return -1;
    if (plug->kind->binds)
        return bind_ipc(plug, err);
    bus_peers_scan(plug, bus->run_dir);
    uv_timer_start(&bus->scan, on_scan, SCAN_QUICK_MS, 0);
    return 0;
}

static int attach_tcp(struct bus_plug *plug, struct err *err)
{
    char endpoint[96];

    if (bus_tcp(plug->def.where, plug->def.service, plug->def.port_offset, endpoint, sizeof(endpoint), err) <
        0)
        return -1;
    if (!plug->kind->binds) {
        bus_peers_connect(plug, endpoint);
        return 0;
    }
    if (bus_sock_bind(plug->sock, endpoint) < 0)
        return err_code(
            err, ERR_CONF, errno, "%s: cannot bind %s: %s", plug->name, endpoint, zmq_strerror(errno));
    return 0;
}

static struct metric *plug_metric(const struct bus_plug *plug, const char *name, const char *help)
{
    char labels[128];

    metric_label(labels, sizeof(labels), "plug", str_of(plug->name));
    return metric_series(name, help, METRIC_COUNTER, labels);
}

static struct bus_plug *make_plug(struct bus *bus, const struct bus_def *def)
{
    struct bus_plug *plug = xcalloc(1, sizeof(*plug));

    plug->bus = bus;
    plug->def = *def;
    plug->def.service = xstrdup(def->service);
    plug->def.plug = xstrdup(def->plug);
    plug->def.where = xstrdup(def->where ? def->where : "ipc");
    plug->kind = &kinds[def->kind];
    plug->lock_fd = -1;
    snprintf(plug->name, sizeof(plug->name), "%s.%s", def->service, def->plug);
    plug->sent = plug_metric(plug, "potok_bus_sent_total", "Messages sent.");
    plug->received = plug_metric(plug, "potok_bus_received_total", "Messages received.");
    plug->refused =
        plug_metric(plug, "potok_bus_full_total", "Sends refused because the other side had no room.");
    plug->bad = plug_metric(plug, "potok_bus_garbage_total", "Messages received that were none.");
    return plug;
}

/* Everything but the memory, which its handle may still need. */
static void shut_plug(struct bus_plug *plug)
{
    plug->closed = true;
    bus_hold_free(&plug->hold);
    if (plug->sock != NULL && plug->kind->binds && is_ipc(&plug->def) && plug->lock_fd >= 0)
        unlink(plug->place.path);
    bus_sock_free(&plug->sock);
    lock_release(plug->place.lock, &plug->lock_fd);
    bus_peers_free(plug);
}

static void free_plug(struct bus_plug *plug)
{
    free((void *)plug->def.service);
    free((void *)plug->def.plug);
    free((void *)plug->def.where);
    free(plug);
}

static void start_plug(struct bus_plug *plug)
{
    struct bus *bus = plug->bus;
    struct bus_plug **at = &bus->plugs;

    while (*at != NULL)
        at = &(*at)->next;
    *at = plug;
    plug->poll.data = plug;
    bus->open_handles++;
    uv_poll_init(bus->loop, &plug->poll, bus_sock_fd(plug->sock));
    uv_poll_start(&plug->poll, UV_READABLE, on_readable);
    uv_idle_start(&bus->idle, on_idle); /* the first flags are read without waiting for an edge */
}

struct bus_plug *bus_open(struct bus *bus, const struct bus_def *def, struct err *err)
{
    struct bus_plug *plug = make_plug(bus, def);
    int result = -1;

    plug->sock = bus_sock_new(&plug->def, plug->kind->type);
    if (plug->sock == NULL) {
        err_code(err, ERR_TEMP, errno, "%s: no socket: %s", plug->name, zmq_strerror(errno));
    } else {
        plug->zmq = bus_sock_zmq(plug->sock);
        result = is_ipc(&plug->def) ? attach_ipc(plug, err) : attach_tcp(plug, err);
    }
    if (result < 0) {
        shut_plug(plug);
        free_plug(plug);
        return NULL;
    }
    if (def->on_msg != NULL)
        plug->hold = bus_hold_new(plug->name);
    start_plug(plug);
    return plug;
}

static void release_bus(struct bus *bus)
{
    if (--bus->open_handles > 0)
        return;
    free(bus->run_dir);
    free(bus->number);
    free(bus);
}

static void on_plug_closed(uv_handle_t *handle)
{
    struct bus_plug *plug = handle->data;
    struct bus *bus = plug->bus;

    for (struct bus_plug **at = &bus->plugs; *at != NULL; at = &(*at)->next) {
        if (*at == plug) {
            *at = plug->next;
            break;
        }
    }
    free_plug(plug);
    release_bus(bus);
}

void bus_close(struct bus_plug **p)
{
    struct bus_plug *plug = *p;

    if (plug == NULL || plug->closed)
        return;
    *p = NULL;
    uv_close((uv_handle_t *)&plug->poll, on_plug_closed); /* before the descriptor goes */
    shut_plug(plug);
}

static void on_bus_closed(uv_handle_t *handle)
{
    release_bus(handle->data);
}

struct bus *bus_new(uv_loop_t *loop, const char *run_dir, const char *instance)
{
    struct bus *bus = xcalloc(1, sizeof(*bus));
    const char *dot = strrchr(instance, '.');

    bus_sock_setup();
    bus->loop = loop;
    bus->run_dir = xstrdup(run_dir);
    bus->number = xstrdup(dot ? dot + 1 : "1");
    bus->prepare.data = bus->check.data = bus->idle.data = bus->scan.data = bus->held.data = bus;
    bus->open_handles = 5;
    uv_prepare_init(loop, &bus->prepare);
    uv_check_init(loop, &bus->check);
    uv_idle_init(loop, &bus->idle);
    uv_timer_init(loop, &bus->scan);
    uv_timer_init(loop, &bus->held);
    uv_prepare_start(&bus->prepare, on_prepare);
    uv_check_start(&bus->check, on_check);
    return bus;
}

void bus_free(struct bus **b)
{
    struct bus *bus = *b;

    if (bus == NULL)
        return;
    *b = NULL;
    for (struct bus_plug *plug = bus->plugs; plug != NULL; plug = plug->next) {
        struct bus_plug *closing = plug;
        bus_close(&closing);
    }
    uv_close((uv_handle_t *)&bus->prepare, on_bus_closed);
    uv_close((uv_handle_t *)&bus->check, on_bus_closed);
    uv_close((uv_handle_t *)&bus->idle, on_bus_closed);
    uv_close((uv_handle_t *)&bus->scan, on_bus_closed);
    uv_close((uv_handle_t *)&bus->held, on_bus_closed);
}

/* --- messages out --- */

static int refuse(struct bus_plug *plug)
{
    plug->full = true;
    metric_add(plug->refused, 1);
    if (!plug->kind->fills)
        uv_timer_start(&plug->bus->scan, on_scan, SCAN_QUICK_MS, 0);
    return BUS_FULL;
}

static int send_to(struct bus_plug *plug, const struct bus_peer *to, struct msg **m)
{
    struct err err = { 0 };
    struct msg copy = { .type = (*m)->type };
    size_t bytes = 0;

    if (plug->kind->fills && !(events_of(plug) & ZMQ_POLLOUT))
        return refuse(plug); /* without encoding it first */
    memcpy(copy.correlation, (*m)->correlation, sizeof(copy.correlation));
    if (bus_frames_send(plug->zmq, to, m, &bytes, &err) == 0) {
        metric_add(plug->sent, 1);
        trace("bus.sent", plug, &copy, bytes);
        return BUS_SENT;
    }
    if (errno == EAGAIN)
        return refuse(plug);
    if (errno == EHOSTUNREACH)
        return BUS_GONE;
    log_ev(LOG_ERROR, "bus.lost", kv_s("plug", plug->name), kv_s("type", msg_name(copy.type)), kv_err(&err));
    msg_free(m);
    return BUS_SENT; /* and lost: to offer it again would not help */
}

int bus_send(struct bus_plug *plug, struct msg **m)
{
    return send_to(plug, NULL, m);
}

int bus_send_to(struct bus_plug *plug, struct bus_peer to, struct msg **m)
{
    return send_to(plug, &to, m);
}

void bus_pause(struct bus_plug *plug)
{
    plug->paused = true;
}

void bus_resume(struct bus_plug *plug)
{
    plug->paused = false;
    uv_idle_start(&plug->bus->idle, on_idle);
}

int bus_peers(const struct bus_plug *plug)
{
    return plug->peer_count;
}

uint64_t bus_garbage(const struct bus_plug *plug)
{
    return plug->garbage;
}
