/* Messages in and out of a plug. */
#include "run/bus_plug.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

#include "base/log.h"
#include "base/metric.h"
#include "run/bus_frames.h"
#include "run/bus_hold.h"

enum { TURN_MESSAGES = 16 };

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

bool bus_plug_tell_room(struct bus_plug *plug)
{
    plug->full = false;
    if (plug->def.on_room != NULL)
        plug->def.on_room(plug->def.ctx, plug);
    return true;
}

/* Of PUB: the library's own messages, a byte (1: listens, 0: no longer) and a topic, of which there is but
 * the empty one. */
static bool hear_listeners(struct bus_plug *plug)
{
    bool worked = false, came = false;
    char said[64] = "";

    for (int i = 0; i < TURN_MESSAGES; i++) {
        int n = zmq_recv(plug->zmq, said, sizeof(said), ZMQ_DONTWAIT);

        if (n < 0)
            break;
        worked = true;
        came |= n == 1 && said[0] == 1;
    }
    if (came && plug->def.on_listener != NULL)
        plug->def.on_listener(plug->def.ctx, plug);
    return worked;
}

bool bus_plug_pump(struct bus_plug *plug)
{
    bool worked = false;
    int events = events_of(plug);

    if (plug->def.kind == BUS_PUB_BIND)
        return (events & ZMQ_POLLIN) && hear_listeners(plug);

    if (plug->full && plug->kind->fills && (events & ZMQ_POLLOUT))
        worked = bus_plug_tell_room(plug);
    worked |= read_held(plug);
    if (plug->def.on_msg == NULL || !(events & ZMQ_POLLIN))
        return worked;
    for (int i = 0; i < TURN_MESSAGES && !plug->paused && !plug->closed && read_one(plug); i++)
        worked = true;
    return worked;
}

/* --- out --- */

static int refuse(struct bus_plug *plug)
{
    plug->full = true;
    metric_add(plug->refused, 1);
    if (!plug->kind->fills)
        bus_scan_soon(plug->bus);
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
