/* curl's multi-socket interface on the loop. Curl calls back to say which descriptors it watches (on_watch)
 * and when it wants to be called at the latest (on_timeout); it is only ever entered from the loop's
 * callbacks, never from its own. Finished transfers are collected after each entry. */
#include "run/http_client.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "run/http_call.h"

enum {
    IDLE_CONNECTIONS = 32,
    ADDRESSES_AT_ONCE = 16, /* of a host, that fail one after the other without a moment between them */
};

struct watch { /* a descriptor of curl */
    struct http_client *client;
    uv_poll_t poll;
    curl_socket_t fd;
};

struct http_client {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer;
    char *user_agent;
    struct http_call *calls;
    int open_handles; /* timer and watches */
    bool closing;
};

static void unlink_call(struct http_call *call)
{
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        call->client->calls = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
}

/* Ends the call and tells its owner, who may start or cancel others. */
static void finish(struct http_call *call)
{
    unlink_call(call);
    call->answer.sent = http_call_sent(call);
    curl_multi_remove_handle(call->client->multi, call->easy);
    curl_easy_cleanup(call->easy);
    call->easy = NULL;
    call->answer.took_ms = clock_mono_ms() - call->started_ms;
    if (call->answer.err.kind != ERR_NONE)
        buf_clear(&call->answer.body);
    buf_room(&call->answer.body, JSON_PADDING);
    call->on_done(call->ctx, &call->answer);
    http_call_free(call);
}

static void collect(struct http_client *c)
{
    CURLMsg *m;
    int left;

    /* the message dies with the removal of its handle, and a callback may add others: one at a time */
    while (c->multi != NULL && (m = curl_multi_info_read(c->multi, &left)) != NULL) {
        struct http_call *call = NULL;
        CURLcode code = m->data.result;
        long status = 0;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        call->answer.status = (int)status;
        if (code != CURLE_OK)
            http_call_failed(call, code);
        finish(call);
    }
}

static void release(struct http_client *c)
{
    if (--c->open_handles > 0)
        return;
    free(c->user_agent);
    free(c);
}

/* A call that has sent nothing and waits for no descriptor. */
static bool is_stalled(const struct http_client *c)
{
    for (const struct http_call *call = c->calls; call != NULL; call = call->next)
        if (!call->watched && !http_call_sent(call))
            return true;
    return false;
}

/* When an address of a host is refused or silent for its share of the time, curl 7.88 goes on to the next one
 * only the next time the call is run, and asks for no such time (lib/connect.c, is_connected()): with two
 * addresses, of which the first is silent, the second is never tried. The programs of curl run every call
 * once a second anyway; we run them when one stands there. */
static void run_stalled(struct http_client *c)
{
    int running;

    for (int n = 0; n < ADDRESSES_AT_ONCE && c->multi != NULL && is_stalled(c); n++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* nothing else runs a call without a descriptor \
                                                            */
        curl_multi_socket_all(c->multi, &running);
#pragma GCC diagnostic pop
        collect(c);
    }
}

static void act(struct http_client *c, curl_socket_t fd, int flags)
{
    int running;

    curl_multi_socket_action(c->multi, fd, flags, &running);
    collect(c);
    run_stalled(c);
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* Curl is not to be entered from here: even "now" goes through the loop. */
static int on_timeout(CURLM *multi, long timeout_ms, void *ctx)
{
    struct http_client *c = ctx;

    if (c->closing)
        return 0;
    if (timeout_ms < 0)
        uv_timer_stop(&c->timer);
    else
        uv_timer_start(&c->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    int flags = 0;

    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    act(w->client, w->fd, flags);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *w = handle->data;

    release(w->client);
    free(w);
}

static struct watch *watch_new(struct http_client *c, curl_socket_t fd)
{
    struct watch *w = xcalloc(1, sizeof(*w));

    w->client = c;
    w->fd = fd;
    w->poll.data = w;
    if (uv_poll_init_socket(c->loop, &w->poll, fd) < 0) {
        free(w);
        return NULL;
    }
    c->open_handles++;
    curl_multi_assign(c->multi, fd, w);
    return w;
}

static int on_watch(CURL *easy, curl_socket_t fd, int what, void *ctx, void *of_fd)
{
    struct http_client *c = ctx;
    struct watch *w = of_fd;
    struct http_call *call = NULL;
    int events = 0;

    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call) == CURLE_OK && call != NULL)
        call->watched = what != CURL_POLL_REMOVE;
    if (what == CURL_POLL_REMOVE) {
        if (w != NULL) {
            curl_multi_assign(c->multi, fd, NULL);
            uv_close((uv_handle_t *)&w->poll, on_watch_closed);
        }
        return 0;
    }
    if (w == NULL && (w = watch_new(c, fd)) == NULL)
        return -1;
    if (what & CURL_POLL_IN)
        events |= UV_READABLE;
    if (what & CURL_POLL_OUT)
        events |= UV_WRITABLE;
    uv_poll_start(&w->poll, events, on_event);
    return 0;
}

struct http_client *http_client_new(uv_loop_t *loop, const char *user_agent)
{
    struct http_client *c = xcalloc(1, sizeof(*c));

    c->loop = loop;
    c->user_agent = xstrdup(user_agent);
    c->timer.data = c;
    c->open_handles = 1;
    uv_timer_init(loop, &c->timer);
    c->multi = curl_multi_init();
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_watch);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
    return c;
}

static void on_client_closed(uv_handle_t *handle)
{
    release(handle->data);
}

void http_client_free(struct http_client **client)
{
    struct http_client *c = *client;

    if (c == NULL)
        return;
    *client = NULL;
    c->closing = true; /* a callback that starts another call gets an error */
    while (c->calls != NULL)
        http_cancel(c->calls); /* NOLINT(clang-analyzer-unix.Malloc): it takes itself out of the list */
    uv_close((uv_handle_t *)&c->timer, on_client_closed);
    curl_multi_cleanup(c->multi); /* closes idle connections: on_watch is called for them */
    c->multi = NULL;
}

struct http_call *http_start(struct http_client *c, const struct http_request *r, struct err *err)
{
    if (c->closing) {
        err_set(err, ERR_TEMP, "the HTTP client is closing");
        return NULL;
    }
    struct http_call *call = http_call_new(r, c->user_agent, err);
    if (call == NULL)
        return NULL;
    CURLMcode code = curl_multi_add_handle(c->multi, call->easy); /* arms the timer; nothing is sent yet */
    if (code != CURLM_OK) {
        err_set(err, ERR_BUG, "%s: %s", call->host, curl_multi_strerror(code));
        http_call_free(call);
        return NULL;
    }
    call->client = c;
    call->free_body = r->free_body;
    call->next = c->calls;
    if (call->next != NULL)
        call->next->prev = call;
    c->calls = call;
    return call;
}

void http_cancel(struct http_call *call)
{
    call->answer.status = 0;
    err_set(&call->answer.err, ERR_TEMP, "%s: cancelled", call->host);
    finish(call);
}
