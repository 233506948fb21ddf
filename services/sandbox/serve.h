/* serve.h - the portal on a socket: requests in, answers out, at once or late. Loop thread. */
#pragma once

#include "events/deliver.h"
#include "portal.h"

#include "run/http_server.h"

#include <uv.h>

struct serve {
    struct portal *portal;
    struct serve_door {
        struct serve *serve;
        struct http_server *http;
    } doors[DOORS];                 /* by enum portal_door */
    struct deliver deliver;         /* events */
    uv_timer_t ticker;              /* background changes, events that are due */
    struct late *late;              /* answers that wait */
};

struct serve_place {
    const char *address;
    uint64_t port;                  /* of the portal, 0: a free one; the other doors are at free ports of the address */
    const char *tls_cert, *tls_key; /* PEM texts; NULL: plain HTTP */
};

int serve_start(struct serve *s, uv_loop_t *loop, struct portal *p, const struct serve_place *place,
    struct err *err) MUST_CHECK;
void serve_stop(struct serve *s);   /* the loop must turn once more afterwards */
