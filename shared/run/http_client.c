/* curl's multi-socket interface on the loop. Curl calls back to say which descriptors it watches (on_watch)
 * and when it wants to be called at the latest (on_timeout); it is only ever entered from the loop's
 * callbacks, never from its own. Finished transfers are collected after each entry. */
#include "run/http_client.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

enum {
    CONNECT_TIMEOUT_MS = 20000,
    IDLE_CONNECTIONS = 32,
    RETRY_AFTER_MAX_S = 86400,
    HOST_SIZE = 128,
};

struct http_call {
    struct http_client *client;
    CURL *easy;
    struct curl_slist *headers;
    char *url;
    char *free_body;
    struct http_answer answer;
    size_t max_bytes;
    bool too_big;
    uint64_t started_ms;
    char host[HOST_SIZE]; /* for errors: the rest of the URL is a secret */
    void (*on_done)(void *ctx, struct http_answer *answer);
    void *ctx;
    struct http_call *prev, *next;
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

/* --- errors --- */

/* What a failure of curl means for the work. Not listed: the network's fault, try again. */
static const struct {
    CURLcode code;
    enum err_kind kind;
} kinds[] = {
    { CURLE_UNSUPPORTED_PROTOCOL, ERR_CONF },
    { CURLE_URL_MALFORMAT, ERR_CONF },
    { CURLE_PEER_FAILED_VERIFICATION, ERR_CONF },
    { CURLE_SSL_CERTPROBLEM, ERR_CONF },
    { CURLE_SSL_CIPHER, ERR_CONF },
    { CURLE_SSL_CACERT_BADFILE, ERR_CONF },
    { CURLE_SSL_ISSUER_ERROR, ERR_CONF },
    { CURLE_SSL_INVALIDCERTSTATUS, ERR_CONF },
    { CURLE_SSL_PINNEDPUBKEYNOTMATCH, ERR_CONF },
    { CURLE_NOT_BUILT_IN, ERR_CONF },
    { CURLE_UNKNOWN_OPTION, ERR_BUG },
    { CURLE_BAD_FUNCTION_ARGUMENT, ERR_BUG },
    { CURLE_FAILED_INIT, ERR_BUG },
    { CURLE_RECURSIVE_API_CALL, ERR_BUG },
};

enum err_kind http_client_kind(int curl_code)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (kinds[i].code == (CURLcode)curl_code)
            return kinds[i].kind;
    return ERR_TEMP;
}

/* The host (and port) of a URL, without credentials; what does not parse is not shown at all. */
static void name_host(const char *url, char ret[static HOST_SIZE])
{
    CURLU *parsed = curl_url();
    char *host = NULL;
    char *port = NULL;

    snprintf(ret, HOST_SIZE, "the URL");
    if (curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        if (curl_url_get(parsed, CURLUPART_PORT, &port, 0) != CURLUE_OK)
            port = NULL;
        snprintf(ret, HOST_SIZE, "%.100s%s%.6s", host, port ? ":" : "", port ? port : "");
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parsed);
}

static void classify(struct http_call *call, CURLcode code)
{
    struct http_answer *a = &call->answer;

    a->status = 0;
    if (call->too_big)
        err_code(
            &a->err, ERR_LIMIT, 0, "%s: the answer is larger than %zu bytes", call->host, call->max_bytes);
    else
        err_code(
            &a->err, http_client_kind((int)code), (int)code, "%s: %s", call->host, curl_easy_strerror(code));
}

/* --- the answer --- */

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct http_call *call = ctx;
    size_t n = size * count;

    if (n > call->max_bytes - call->answer.body.n) {
        call->too_big = true;
        return 0; /* ends the transfer */
    }
    buf_add(&call->answer.body, data, n);
    return n;
}

static struct str trim(struct str s)
{
    while (s.n > 0 && strchr(" \t\r\n", s.p[s.n - 1]) != NULL)
        s.n--;
    while (s.n > 0 && (*s.p == ' ' || *s.p == '\t')) {
        s.p++;
        s.n--;
    }
    return s;
}

static void copy_text(char *ret, size_t size, struct str s)
{
    snprintf(ret, size, STR_FMT, STR_ARG(s));
}

static void take_content_type(struct http_answer *a, struct str value)
{
    copy_text(a->content_type, sizeof(a->content_type), value);
}

static void take_location(struct http_answer *a, struct str value)
{
    copy_text(a->location, sizeof(a->location), value);
}

/* Seconds or a date. */
static void take_retry_after(struct http_answer *a, struct str value)
{
    char text[64];
    int64_t seconds;

    if (!str_i64(value, &seconds)) {
        copy_text(text, sizeof(text), value);
        time_t at = curl_getdate(text, NULL);
        seconds = at < 0 ? 0 : (int64_t)at - (int64_t)(clock_wall_ms() / 1000);
    }
    if (seconds > 0)
        a->retry_after_ms = (uint64_t)(seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S) * 1000;
}

static const struct {
    const char *name;
    void (*take)(struct http_answer *a, struct str value);
} headers[] = {
    { "content-type", take_content_type },
    { "location", take_location },
    { "retry-after", take_retry_after },
};

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
    struct http_call *call = ctx;
    size_t n = size * count;
    const char *colon = memchr(data, ':', n);
    struct http_answer *a = &call->answer;

    if (colon == NULL) {
        if (n > 5 && memcmp(data, "HTTP/", 5) == 0) { /* another answer begins: 100 Continue was before it */
            a->content_type[0] = a->location[0] = '\0';
            a->retry_after_ms = 0;
        }
        return n;
    }
    struct str name = { data, (size_t)(colon - data) };
    struct str value = trim((struct str){ colon + 1, n - name.n - 1 });
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
        if (str_case_eq(name, str_of(headers[i].name)))
            headers[i].take(a, value);
    return n;
}

/* --- calls --- */

static void free_call(struct http_call *call)
{
    buf_fini(&call->answer.body);
    curl_slist_free_all(call->headers);
    free(call->free_body);
    free(call->url);
    free(call);
}

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
    curl_multi_remove_handle(call->client->multi, call->easy);
    curl_easy_cleanup(call->easy);
    call->answer.took_ms = clock_mono_ms() - call->started_ms;
    if (call->answer.err.kind != ERR_NONE)
        buf_clear(&call->answer.body);
    buf_room(&call->answer.body, JSON_PADDING);
    call->on_done(call->ctx, &call->answer);
    free_call(call);
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
            classify(call, code);
        finish(call);
    }
}

/* --- the loop's side --- */

static void release(struct http_client *c)
{
    if (--c->open_handles > 0)
        return;
    free(c->user_agent);
    free(c);
}

static void on_timer(uv_timer_t *timer)
{
    struct http_client *c = timer->data;
    int running;

    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(c);
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
    struct http_client *c = w->client;
    int flags = 0;
    int running;

    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(c->multi, w->fd, flags, &running);
    collect(c);
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
    int events = 0;

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
        http_cancel(c->calls);
    uv_close((uv_handle_t *)&c->timer, on_client_closed);
    curl_multi_cleanup(c->multi); /* closes idle connections: on_watch is called for them */
    c->multi = NULL;
}

/* --- starting --- */

static void set_body(struct http_call *call, const struct http_request *r)
{
    if (strcmp(r->method, "GET") == 0)
        return;
    if (strcmp(r->method, "POST") != 0)
        curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, r->method);
    curl_easy_setopt(call->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, r->body.p ? r->body.p : "");
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
}

static void set_headers(struct http_call *call, const struct http_request *r)
{
    char line[160];

    /* no "100 Continue" dance: it costs a round trip, and servers that ignore it cost a second */
    call->headers = curl_slist_append(call->headers, "Expect:");
    if (r->content_type != NULL)
        snprintf(line, sizeof(line), "Content-Type: %s", r->content_type);
    else
        snprintf(line, sizeof(line), "Content-Type:");
    call->headers = curl_slist_append(call->headers, line);
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
           strcmp(host, "localhost") == 0 || strncmp(host, "localhost:", 10) == 0;
}

static void set_options(struct http_call *call, const struct http_request *r)
{
    CURL *easy = call->easy;

    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    if (is_loopback(call->host))
        curl_easy_setopt(
            easy, CURLOPT_NOPROXY, "*"); /* http_proxy of the environment is for the world outside */
    curl_easy_setopt(easy, CURLOPT_USERAGENT, call->client->user_agent);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 262144L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)r->deadline_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    set_headers(call, r);
    set_body(call, r);
}

static struct http_call *make_call(struct http_client *c, const struct http_request *r)
{
    struct http_call *call = xcalloc(1, sizeof(*call));

    call->client = c;
    call->url = xstrdup(r->url);
    call->max_bytes = r->max_bytes;
    call->on_done = r->on_done;
    call->ctx = r->ctx;
    call->started_ms = clock_mono_ms();
    buf_init(&call->answer.body, r->max_bytes + JSON_PADDING);
    name_host(r->url, call->host);
    return call;
}

struct http_call *http_start(struct http_client *c, const struct http_request *r, struct err *err)
{
    if (c->closing) {
        err_set(err, ERR_TEMP, "the HTTP client is closing");
        return NULL;
    }
    struct http_call *call = make_call(c, r);
    call->easy = curl_easy_init();
    if (call->easy == NULL) {
        err_set(err, ERR_TEMP, "%s: no more HTTP calls", call->host);
        free_call(call);
        return NULL;
    }
    set_options(call, r);
    CURLMcode code =
        curl_multi_add_handle(c->multi, call->easy); /* only arms the timer: nothing is sent yet */
    if (code != CURLM_OK) {
        err_set(err, ERR_BUG, "%s: %s", call->host, curl_multi_strerror(code));
        curl_easy_cleanup(call->easy);
        free_call(call);
        return NULL;
    }
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
