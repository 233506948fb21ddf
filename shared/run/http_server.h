/* http_server.h - libmicrohttpd's epoll descriptor inside the libuv loop. A handler gets whole requests (bounded
 * body) and answers at once or later (the connection is suspended meanwhile). Loop thread only. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct http_server;

struct http_in {                    /* valid until answered */
    const char *method, *path;      /* path without the query, percent-decoded by nobody */
    struct str query;               /* raw, without '?' */
    struct str body;
    const char *content_type;       /* "" when absent */
    char remote[64];                /* address of the peer without the port */
    void *ctx;                      /* of http_server_new */
    struct http_server *server;
    struct http_in_private *private_;
};

/* Must lead to exactly one http_reply() for `in`, now or later (a handler may keep `in`). */
typedef void http_handler(struct http_in *in);

struct http_server_def {
    const char *listen;             /* "127.0.0.1:8080"; port 0 = chosen free */
    size_t max_body_bytes;          /* more: 413 by the server itself */
    size_t max_held_bytes;          /* of all bodies together; beyond it those of more than 64 KB: 503. 0 = any */
    uint64_t idle_timeout_s;        /* slow and half-open connections are cut */
    int listen_fd;                  /* a socket that listens already, taken over; 0 = `listen` is opened */
    unsigned connections;           /* at a time; more wait in the kernel. 0 = the library's bound */
    unsigned per_address;           /* connections of one address at a time; 0 = any number */
    const char *tls_cert, *tls_key; /* PEM texts, valid as long as the server: TLS 1.3 alone; NULL = plain */
    http_handler *handler;
    void *ctx;
};

/* ERR_CONF: address in use (names the address), no such address, not an address. */
struct http_server *http_server_new(uv_loop_t *loop, const struct http_server_def *def, struct err *err) MUST_CHECK;
/* Pending requests are cut; their http_in die. Not from inside a handler. The loop must turn once more afterwards. */
void http_server_free(struct http_server **s);
/* No new connection is taken any more (whoever else holds the socket gets it), and each one closes after its next answer. */
void http_server_quiesce(struct http_server *s);
int http_server_requests(const struct http_server *s);  /* begun and not answered to the end */
int http_server_handed(const struct http_server *s);    /* of these: read whole */
uint64_t http_server_too_big(const struct http_server *s);  /* requests refused for their size since start */
const char *http_server_address(const struct http_server *s);   /* "127.0.0.1:34567" */
/* body is copied unless take: then the buf's memory is taken over (buf comes back empty). headers: "K: v\n..." or NULL */
void http_reply(struct http_in *in, int status, const char *content_type, struct buf *body, bool take,
    const char *headers);
void http_reply_text(struct http_in *in, int status, const char *text);
/* Fault injection for the sandbox: sends `status` and half of the body, then cuts the connection. */
void http_reply_cut(struct http_in *in, int status, const char *content_type, struct buf *body);
const char *http_in_header(const struct http_in *in, const char *name);     /* NULL: absent */
