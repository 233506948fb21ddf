/* bus_plug.h - the inside of a plug, shared by the files of the bus: bus.c (the loop's turns), bus_plug.c (a plug's
 * life), bus_message.c (in and out), bus_peers.c (who is there), bus_sock.c (the only one that knows czmq, whose
 * header brings syslog's names). Loop thread only. */
#pragma once

#include "run/bus.h"
#include "run/bus_where.h"

struct bus_sock;                /* a zsock_t */

struct peer {                   /* a binder a connector is connected to */
    char *endpoint;             /* "ipc://..." */
    bool seen;                  /* in the scan under way */
};

struct bus_kind_def {
    int type;                   /* ZMQ_PUSH */
    bool binds;
    bool fills;                 /* POLLOUT tells whether there is room */
};

struct bus_plug {
    struct bus *bus;
    struct bus_def def;         /* strings owned */
    const struct bus_kind_def *kind;
    char name[96];              /* "mapper.bulk" */
    struct bus_sock *sock;
    void *zmq;                  /* the same, for zmq_* */
    uv_poll_t poll;
    bool paused, full, closed;
    struct peer *peers;         /* connectors */
    int peer_count;
    struct bus_place place;     /* ipc binders */
    int lock_fd;
    struct bus_hold *hold;      /* NULL but for tests: messages that are lost, doubled, late */
    uint64_t garbage;
    struct metric *sent, *received, *refused, *bad;
    struct bus_plug *next;      /* in order of opening */
};

struct bus {
    uv_loop_t *loop;
    char *run_dir;
    char *number;               /* of the instance: "1" */
    struct bus_plug *plugs;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_timer_t scan;
    uv_timer_t held;            /* wakes the loop for messages that a test delays */
    int open_handles;           /* its own and one a plug */
};

/* --- bus.c --- */

void bus_wake(struct bus *bus);         /* the next turn does not wait for an edge */
void bus_scan_soon(struct bus *bus);    /* looks for binders, and for room of routers */
void bus_release(struct bus *bus);      /* one of its open_handles is closed */

/* --- bus_plug.c --- */

bool bus_plug_is_ipc(const struct bus_plug *plug);

/* --- bus_message.c --- */

/* Reads at most a turn's messages, tells of room; was there anything to do? */
bool bus_plug_pump(struct bus_plug *plug);
bool bus_plug_tell_room(struct bus_plug *plug);     /* true */

/* --- bus_sock.c --- */

void bus_sock_setup(void);      /* before the first socket: signals and the log stay ours */
struct bus_sock *bus_sock_new(const struct bus_def *def, int type);     /* NULL: no more sockets (errno) */
void bus_sock_free(struct bus_sock **sock);
void *bus_sock_zmq(struct bus_sock *sock);
int bus_sock_fd(struct bus_sock *sock);
int bus_sock_bind(struct bus_sock *sock, const char *endpoint);         /* 0 or -1 (errno) */
/* On a socket of ours that listens at `path`: then the library does not remove the file when, some time after
 * closing, one of its threads gets to it, which might be after another process bound the same path. Takes fd. */
int bus_sock_bind_fd(struct bus_sock *sock, const char *path, int fd);
int bus_sock_connect(struct bus_sock *sock, const char *endpoint);
void bus_sock_disconnect(struct bus_sock *sock, const char *endpoint);

/* --- bus_peers.c --- */

void bus_peers_connect(struct bus_plug *plug, const char *endpoint);
/* Looks into the run folder: connects to binders that have come, drops those that are gone. */
void bus_peers_scan(struct bus_plug *plug, const char *run_dir);
void bus_peers_free(struct bus_plug *plug);
