#include "run/bus_plug.h"

#include <czmq.h>

enum {
    HIGH_WATER = 1000,
    FRAME_MAX_BYTES = (64 << 20) + (1 << 20), /* the largest payload and some */
    HEARTBEAT_MS = 1000,
    HEARTBEAT_TIMEOUT_MS = 5000,
};

void bus_sock_setup(void)
{
    zsys_handler_set(NULL);
    zsys_init();
    zsys_set_logstream(NULL);
}

void bus_shutdown(void)
{
    zsys_shutdown();
}

/* Lanes of records and rows have no heartbeats: a reader that pauses until its water mark is reached stops
 * reading the connection altogether, heartbeats included; after the timeout the library would cut a healthy
 * connection and lose what waits in it. Death is seen by the kernel there. */
static void set_liveness(zsock_t *sock, enum bus_kind kind)
{
    if (kind == BUS_PUSH_CONNECT || kind == BUS_PULL_BIND) {
        zsock_set_tcp_keepalive(sock, 1);
        zsock_set_tcp_keepalive_idle(sock, HEARTBEAT_TIMEOUT_MS / 1000);
        zsock_set_tcp_keepalive_intvl(sock, HEARTBEAT_MS / 1000);
        zsock_set_tcp_keepalive_cnt(sock, HEARTBEAT_TIMEOUT_MS / HEARTBEAT_MS);
        return;
    }
    zsock_set_heartbeat_ivl(sock, HEARTBEAT_MS);
    zsock_set_heartbeat_timeout(sock, HEARTBEAT_TIMEOUT_MS);
    zsock_set_heartbeat_ttl(sock, HEARTBEAT_TIMEOUT_MS);
}

static void set_options(zsock_t *sock, const struct bus_def *def)
{
    int water = def->high_water > 0 ? def->high_water : HIGH_WATER;

    zsock_set_sndhwm(sock, water);
    zsock_set_rcvhwm(sock, water);
    zsock_set_linger(sock, 0);
    zsock_set_immediate(sock, 1);
    zsock_set_maxmsgsize(sock, FRAME_MAX_BYTES);
    set_liveness(sock, def->kind);
    if (def->kind == BUS_ROUTER_BIND)
        zsock_set_router_mandatory(sock, 1);
    if (def->kind == BUS_PUB_BIND)
        zsock_set_xpub_verbose(sock, 1); /* each listener is told of, and not only the first */
    if (def->kind == BUS_SUB_CONNECT)
        zsock_set_subscribe(sock, "");
}

struct bus_sock *bus_sock_new(const struct bus_def *def, int type)
{
    zsock_t *sock = zsock_new(type);

    if (sock != NULL)
        set_options(sock, def);
    return (struct bus_sock *)sock;
}

void bus_sock_free(struct bus_sock **sock)
{
    zsock_t *s = (zsock_t *)*sock;

    zsock_destroy(&s);
    *sock = NULL;
}

void *bus_sock_zmq(struct bus_sock *sock)
{
    return zsock_resolve(sock);
}

int bus_sock_fd(struct bus_sock *sock)
{
    return (int)zsock_fd(sock);
}

int bus_sock_bind(struct bus_sock *sock, const char *endpoint)
{
    return zsock_bind((zsock_t *)sock, "%s", endpoint) < 0 ? -1 : 0;
}

int bus_sock_bind_fd(struct bus_sock *sock, const char *path, int fd)
{
    if (zmq_setsockopt(zsock_resolve(sock), ZMQ_USE_FD, &fd, sizeof(fd)) == 0 &&
        zsock_bind((zsock_t *)sock, "ipc://%s", path) >= 0)
        return 0;

    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

int bus_sock_connect(struct bus_sock *sock, const char *endpoint)
{
    return zsock_connect((zsock_t *)sock, "%s", endpoint) < 0 ? -1 : 0;
}

void bus_sock_disconnect(struct bus_sock *sock, const char *endpoint)
{
    zsock_disconnect((zsock_t *)sock, "%s", endpoint);
}
