/* bus.h - czmq sockets on the libuv loop. Knows endpoints, frames and fairness; what messages mean is msg.h's.
 *
 * Plugs (who binds; ipc file in run/ or tcp port of BUS_<SERVICE>):
 *   scheduler.router  ROUTER  fetchers' READY/REPORT, CONTROL      <run>/scheduler.<n>.router.sock   port
 *   scheduler.done    PULL    DONE                                 <run>/scheduler.<n>.done.sock     port + 1
 *   mapper.bulk       PULL    RECORDS of ranges                    <run>/mapper.<n>.bulk.sock        port
 *   mapper.urgent     PULL    RECORDS of ids and gets              <run>/mapper.<n>.urgent.sock      port + 1
 *   writer.bulk / writer.urgent   PULL   ROWS
 *   <service>.status  PUB     STATUS; always ipc
 * Connectors scan the folder (or resolve the name) every second and connect to every binder they find, and drop
 * those whose file is gone. A binder holds a lock file (<plug>.lock, flock) so that two never steal one path.
 * ZMQ_IMMEDIATE, ROUTER_MANDATORY, LINGER 0, water marks set before attach; heartbeats (1 s, timeout 5 s) but on
 * PUSH and PULL, where a paused reader would be taken for dead.
 * tcp: only loopback addresses are accepted (ERR_CONF: elsewhere it would travel unencrypted).
 * ZMQ_FD is edge-triggered: ZMQ_EVENTS is read in prepare and check, drained with a cap per turn.
 * Loop thread only. */
#pragma once

#include "base/err.h"
#include "proto/msg.h"

#include <stdbool.h>
#include <uv.h>

struct bus;
struct bus_plug;

struct bus_peer {           /* ROUTER: who sent; give it back to bus_send_to() */
    uint8_t id[32];
    uint8_t n;
};

/* Called for each message read; *m is the callee's to keep (set NULL) or it is freed after the call.
 * Not called while the plug is paused, and never from inside bus_send(). */
typedef void bus_on_msg(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m);
/* The plug can take messages again after bus_send() returned BUS_FULL. */
typedef void bus_on_room(void *ctx, struct bus_plug *plug);
/* PUB: somebody has begun to listen, who knows nothing of what was sent before; once a turn, however many came. */
typedef void bus_on_listener(void *ctx, struct bus_plug *plug);

enum bus_kind {
    BUS_ROUTER_BIND,
    BUS_DEALER_CONNECT,     /* one peer at a time: the newest scheduler */
    BUS_PULL_BIND,
    BUS_PUSH_CONNECT,       /* every peer found, round robin */
    BUS_PUB_BIND,
    BUS_SUB_CONNECT,        /* every <service>.*.status.sock */
};

struct bus_def {
    enum bus_kind kind;
    const char *service;    /* whose plug it is: "mapper" */
    const char *plug;       /* "bulk" */
    const char *where;      /* value of BUS_MAPPER: "ipc" or "tcp://host:port" */
    int port_offset;        /* tcp: 0, or 1 for the second plug */
    int high_water;         /* messages each way; 0 = 1000 */
    bool newest;            /* connectors: one peer at a time, the one bound last; a DEALER always */
    bus_on_msg *on_msg;     /* NULL: nothing is read */
    bus_on_room *on_room;   /* optional */
    bus_on_listener *on_listener;   /* optional */
    void *ctx;
};

enum {
    BUS_SENT = 0,
    BUS_FULL = -1,          /* no room, or nobody is there; the message is still the caller's; on_room() tells when */
    BUS_GONE = -2,          /* ROUTER: no such peer; the message is still the caller's */
};

struct bus *bus_new(uv_loop_t *loop, const char *run_dir, const char *instance);
void bus_free(struct bus **bus);        /* closes all plugs; before the loop's last uv_run */
void bus_shutdown(void);                /* once, after the last bus is gone and the loop has ended */
struct bus_plug *bus_open(struct bus *bus, const struct bus_def *def, struct err *err) MUST_CHECK;  /* NULL = failed */
void bus_close(struct bus_plug **plug);
/* BUS_SENT: taken, *m is NULL. Payload frames go without a copy, released by a thread of the library. A message
 * taken may still be lost (the peer dies; it breaks a limit of its .def, which is logged as an error): whoever sent it
 * looks for the effect. */
int bus_send(struct bus_plug *plug, struct msg **m);
int bus_send_to(struct bus_plug *plug, struct bus_peer to, struct msg **m);
void bus_pause(struct bus_plug *plug);  /* read nothing until bus_resume(): the water mark does the rest */
void bus_resume(struct bus_plug *plug);
int bus_peers(struct bus_plug *plug);   /* connectors: how many binders are known; ipc: looked for anew where none is */
/* Bad frames received since start, by plug (also metric potok_bus_garbage_total). */
uint64_t bus_garbage(const struct bus_plug *plug);
