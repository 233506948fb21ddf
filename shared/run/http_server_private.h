/* http_server_private.h - for the files of the server only.
 *
 * Life of a request: the library's callbacks in http_server_request.c make it, gather its body and hand it to
 * the handler once. A handler that does not answer at once leaves it suspended: the library then neither
 * reads, times out nor drops the connection. http_reply() resumes it, the answer is queued, and the end of
 * the request frees it.
 *
 * To suspend and resume takes the connection out of epoll and puts it back, which costs about as much as all
 * the rest of a small request. Where answers come soon a request is awaited first: its connection stays where
 * it is, the library asks for the answer in each of its turns, and only who was asked AWAIT_TURNS times in
 * vain is suspended. A connection that is awaited may break: its request lives on until it is answered. */
#pragma once

#include "run/http_server.h"
#include "run/http_server_tls.h"
#include "run/listen.h"

#include <microhttpd.h>

struct http_page {
    struct MHD_Response *response;
    int refs; /* of its maker, and of answers not yet queued */
    int status;
    char *content_type, *body, *headers;
    size_t n;
};

struct http_in_private {
    struct http_in in;
    struct MHD_Connection *connection;
    struct MHD_Response *response; /* answer not yet queued */
    struct http_page *page;        /* whose response it is; NULL: its own */
    unsigned status;
    char *uri; /* path, NUL, query */
    struct buf body;
    size_t swallowed;
    bool begun; /* headers seen */
    bool too_big;
    bool handed; /* the handler has it */
    bool suspended;
    bool awaited;  /* not answered, not suspended yet */
    bool gone;     /* its connection broke while it was awaited; no longer the library's */
    uint8_t asked; /* turns in which it was awaited */
    struct http_in_private *prev, *next; /* of the server's requests */
};

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_tls *tls; /* NULL: plain */
    uv_poll_t poll;
    uv_timer_t timer;
    int open_handles;
    unsigned idle_s;
    size_t max_body_bytes, max_held_bytes;
    size_t held; /* of the bodies of all requests */
    http_handler *handler;
    void *ctx;
    struct http_in_private *requests;
    uint64_t too_big;
    bool turn_due; /* the timer stands at once */
    int hurry;     /* turns in a row in which nothing was to be done */
    bool patient;  /* answers come soon: requests are awaited */
    bool stopping;
    unsigned progress; /* somebody was read from or answered: so many turns more are wanted at once */
    unsigned awaited;
    bool quiet; /* no new connections, none is kept */
    char address[LISTEN_ADDRESS_SIZE];
};

/* http_server.c: the library gets a turn at once. */
void http_server_turn_soon(struct http_server *s);

/* http_server_request.c: the library's callbacks. */
void *http_server_on_uri(void *ctx, const char *uri, struct MHD_Connection *connection);
enum MHD_Result http_server_on_access(void *ctx, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *data, size_t *size, void **request);
void http_server_on_completed(
    void *ctx, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode code);
void http_server_on_connection(void *ctx, struct MHD_Connection *connection, void **socket_ctx,
    enum MHD_ConnectionNotificationCode code);

/* http_server_request.c: its answer was dropped, and nobody has it any more. */
void http_server_forget(struct http_in_private *p);

/* http_server_answer.c */
void http_server_drop_answer(struct http_in_private *p); /* that was queued, or never will be */
void http_server_answer(struct http_in *in, int status, const char *content_type,
    struct MHD_Response *response, const char *headers);
