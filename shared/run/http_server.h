/* http_server.h - libmicrohttpd's epoll descriptor inside the libuv loop. A handler gets whole requests (bounded
 * body) and answers at once or later (the connection is suspended meanwhile). Loop thread only. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct http_server;

struct http_in {                    /* valid until answered; its header lines until the handler returns */
    const char *method, *path;      /* path without the query, percent-decoded by nobody */
    struct str query;               /* raw, without '?' */
    struct str body;
    const char *content_type;       /* "" when absent */
    const char *remote;             /* address of the peer without the port */
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
    size_t max_head_bytes;          /* request line and headers; each request costs to clear it. 0 = 32 KB */
    uint64_t idle_timeout_s;        /* slow and half-open connections are cut */
    int listen_fd;                  /* a socket that listens already, taken over; 0 = `listen` is opened */
    unsigned connections;           /* at a time; more wait in the kernel. 0 = the library's bound */
    unsigned per_address;           /* connections of one address at a time; 0 = any number */
    bool answers_soon;              /* most within a few milliseconds: the same for the client, cheaper for us */
    const char *tls_cert, *tls_key; /* PEM texts, read once: TLS 1.3 alone; NULL = plain */
    http_handler *handler;
    void *ctx;
};

/* ERR_CONF: address in use (names the address), no such address, not an address; a certificate or key that is none, or that do
 * not belong together. */
struct http_server *http_server_new(uv_loop_t *loop, const struct http_server_def *def, struct err *err) MUST_CHECK;
/* Pending requests are cut; their http_in die. Not from inside a handler. The loop must turn once more afterwards. */
void http_server_free(struct http_server **s);
/* No new connection is taken any more (whoever else holds the socket gets it), and each one closes after its next answer. */
void http_server_quiesce(struct http_server *s);
/* New connections get another certificate, those that are open stay as they are; ERR_CONF: nothing changes. */
int http_server_renew_tls(struct http_server *s, const char *cert, const char *key, struct err *err) MUST_CHECK;
int http_server_check_tls(const char *cert, const char *key, struct err *err) MUST_CHECK;    /* ERR_CONF */
uint64_t http_server_tls_until_ms(const struct http_server *s);     /* the certificate is good until then; 0: plain */
int http_server_requests(const struct http_server *s);  /* begun and not answered to the end */
int http_server_handed(const struct http_server *s);    /* of these: read whole */
uint64_t http_server_too_big(const struct http_server *s);  /* requests refused for their size since start */
const char *http_server_address(const struct http_server *s);   /* "127.0.0.1:34567" */
/* body is copied unless take: then the buf's memory is taken over (buf comes back empty). headers: "K: v\n..." or NULL */
void http_reply(struct http_in *in, int status, const char *content_type, struct buf *body, bool take,
    const char *headers);
void http_reply_text(struct http_in *in, int status, const char *text);
/* An answer that many requests get: made once, given to each. */
struct http_page;
struct http_page *http_page_new(int status, const char *content_type, struct str body, const char *headers);
void http_reply_page(struct http_in *in, struct http_page *page);
void http_page_free(struct http_page **page);   /* NULL-safe; who was answered with it still gets it */
/* Fault injection for the sandbox: sends `status` and half of the body, then cuts the connection. */
void http_reply_cut(struct http_in *in, int status, const char *content_type, struct buf *body);
const char *http_in_header(const struct http_in *in, const char *name);     /* NULL: absent */
