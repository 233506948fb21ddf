/* http_client.h - HTTP requests by curl's multi interface on the loop: keep-alive, gzip, deadlines, bounded bodies.
 * Redirects are not followed (a renamed portal answers 302: facts section 1.4). URLs are secrets: they are masked in
 * every error text. Certificates are always verified. Loop thread only. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct http_client;
struct http_answer;
struct http_call;

/* Nothing of a request of kind `once` reaches the other end so long after the caller's end of it, though the caller be
 * killed. */
#define HTTP_ONCE_UNHEARD_MS 10000

struct http_request {
    const char *method;             /* "GET", "POST" */
    const char *url;                /* copied */
    const char *content_type;       /* NULL: none */
    struct str body;                /* must live until on_done, or be given with free_body */
    char *free_body;                /* freed by the client when the call ends (not when the start fails); NULL: the
                                       caller's */
    uint64_t deadline_ms;           /* whole call, > 0 */
    size_t max_bytes;               /* of the decompressed body */
    bool once;                      /* what it does is done twice when it is sent twice: on a connection of its own, since
                                       curl sends again what a kept one broke at, and one that gives up when what was sent
                                       is not acknowledged for HTTP_ONCE_UNHEARD_MS */
    void (*on_done)(void *ctx, struct http_answer *answer);    /* exactly once, also on cancel; never from start */
    void *ctx;
};

struct http_answer {
    int status;                     /* 0: no answer: see err */
    bool sent;                      /* a byte of the request left; with status 0 and without it nothing happened there */
    struct err err;                 /* ERR_TEMP network/deadline/cut body; ERR_LIMIT body too big; ERR_CONF TLS/URL */
    struct buf body;                /* with JSON_PADDING writable bytes after n; take it by copying the struct and zeroing this one */
    char content_type[64];
    char location[512];             /* of a 3xx */
    uint64_t retry_after_ms;        /* of a Retry-After header; 0 = none */
    uint64_t took_ms;
};

struct http_client *http_client_new(uv_loop_t *loop, const char *user_agent);
/* Cancels what is under way: on_done is called with ERR_TEMP before this returns, and never after. Not from inside
 * on_done. The loop must turn once more afterwards. */
void http_client_free(struct http_client **c);
/* NULL: on_done will not be called. */
struct http_call *http_start(struct http_client *c, const struct http_request *r, struct err *err) MUST_CHECK;
void http_cancel(struct http_call *call);       /* on_done is called with ERR_TEMP before this returns */
enum err_kind http_client_kind(int curl_code);  /* what a CURLcode other than CURLE_OK means for the work */
