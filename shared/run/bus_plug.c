#include "run/bus_plug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

#include "base/mem.h"
#include "base/metric.h"
#include "run/bus_hold.h"
#include "run/listen.h"
#include "run/lock.h"

static const struct bus_kind_def kinds[] = {
    [BUS_ROUTER_BIND] = { ZMQ_ROUTER, true, false },
    [BUS_DEALER_CONNECT] = { ZMQ_DEALER, false, true },
    [BUS_PULL_BIND] = { ZMQ_PULL, true, false },
    [BUS_PUSH_CONNECT] = { ZMQ_PUSH, false, true },
    [BUS_PUB_BIND] = { ZMQ_XPUB, true, false }, /* a PUB that hears who listens */
    [BUS_SUB_CONNECT] = { ZMQ_SUB, false, false },
};

bool bus_plug_is_ipc(const struct bus_plug *plug)
{
    const struct bus_def *def = &plug->def;

    return def->where == NULL || strcmp(def->where, "ipc") == 0 || def->kind == BUS_PUB_BIND ||
           def->kind == BUS_SUB_CONNECT;
}

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
    bus_scan_soon(bus);
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
    if (plug->sock != NULL && plug->kind->binds && bus_plug_is_ipc(plug) && plug->lock_fd >= 0)
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

/* Only wakes the loop: check does the work. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
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
    bus_wake(bus); /* the first flags are read without waiting for an edge */
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
        result = bus_plug_is_ipc(plug) ? attach_ipc(plug, err) : attach_tcp(plug, err);
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
    bus_release(bus);
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

void bus_pause(struct bus_plug *plug)
{
    plug->paused = true;
}

void bus_resume(struct bus_plug *plug)
{
    plug->paused = false;
    bus_wake(plug->bus);
}

int bus_peers(struct bus_plug *plug)
{
    if (plug->peer_count == 0 && !plug->kind->binds && bus_plug_is_ipc(plug))
        bus_peers_scan(plug, plug->bus->run_dir);
    return plug->peer_count;
}

uint64_t bus_garbage(const struct bus_plug *plug)
{
    return plug->garbage;
}
