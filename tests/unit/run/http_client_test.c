#include "run/http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/http_call.h"
#include "run/http_server.h"
#include "support/check.h"
#include "turn.h"

enum { PLAIN = 100000 };

/* 100000 letters 'a', as gzip made them: what a bomb is made of. */
static const unsigned char GZIPPED[] = {
#include "gzipped.inc"
};

/* A server and a client on one loop. */
struct site {
    uv_loop_t loop;
    struct http_server *server;
    struct http_client *client;
    struct http_in *late;
    int requests;
    char seen[512];
};

/* One call and what came of it. */
struct outcome {
    struct site *site;
    int count, status;
    enum err_kind kind;
    char text[ERR_TEXT_SIZE], body[256], content_type[64], location[512];
    size_t n;
    bool sent, once;
    bool padded; /* JSON_PADDING bytes after the body are there to write */
    uint64_t retry_after_ms, took_ms;
    struct http_call *cancel; /* in on_done: another call to end */
    const char *start;        /* in on_done: another call to make */
    struct outcome *next;
};

static void reply(struct http_in *in, int status, const void *p, size_t n, const char *headers)
{
    struct buf body;

    buf_init(&body, 1 << 20);
    buf_add(&body, p, n);
    http_reply(in, status, "application/json", &body, true, headers);
}

static void page_echo(struct http_in *in)
{
    reply(in, 200, in->body.p, in->body.n, NULL);
}

static void page_late(struct http_in *in)
{
    ((struct site *)in->ctx)->late = in;
}

static void page_gzip(struct http_in *in)
{
    reply(in, 200, GZIPPED, sizeof(GZIPPED), "Content-Encoding: gzip");
}

static void page_plain(struct http_in *in)
{
    static char text[PLAIN];

    memset(text, 'a', sizeof(text));
    reply(in, 200, text, sizeof(text), NULL);
}

static void page_moved(struct http_in *in)
{
    reply(in, 302, "", 0, "Location: https://new.example/rest/");
}

static void page_busy(struct http_in *in)
{
    reply(in, 503, "busy", 4, "Retry-After: 7");
}

static void page_busy_until(struct http_in *in)
{
    reply(in, 429, "busy", 4, "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT");
}

static void page_cut(struct http_in *in)
{
    struct buf body;

    buf_init(&body, 100);
    buf_str(&body, "0123456789");
    http_reply_cut(in, 200, "text/plain", &body);
    buf_fini(&body);
}

static const struct {
    const char *path;
    void (*page)(struct http_in *in);
} pages[] = {
    { "/echo", page_echo },
    { "/late", page_late },
    { "/gzip", page_gzip },
    { "/plain", page_plain },
    { "/moved", page_moved },
    { "/busy", page_busy },
    { "/until", page_busy_until },
    { "/cut", page_cut },
};

static void on_request(struct http_in *in)
{
    struct site *s = in->ctx;
    const char *agent = http_in_header(in, "User-Agent");
    const char *encoding = http_in_header(in, "Accept-Encoding");
    const char *expect = http_in_header(in, "Expect");

    s->requests++;
    snprintf(s->seen, sizeof(s->seen), "%s %s (%s) %s %s %s", in->method, in->path, in->content_type, agent,
        encoding, expect ? expect : "-");
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
        if (strcmp(in->path, pages[i].path) == 0) {
            pages[i].page(in);
            return;
        }
    }
    http_reply_text(in, 404, "no such page");
}

static void site_open(struct site *s)
{
    struct err err = { 0 };

    *s = (struct site){ 0 };
    uv_loop_init(&s->loop);
    s->server = http_server_new(&s->loop,
        &(struct http_server_def){
            .listen = "127.0.0.1:0", .max_body_bytes = 1 << 20, .handler = on_request, .ctx = s },
        &err);
    CHECK(s->server != NULL);
    s->client = http_client_new(&s->loop, "potok/1");
}

static void site_close(struct site *s)
{
    http_client_free(&s->client);
    http_server_free(&s->server);
    turn_end(&s->loop);
}

static struct http_call *call(
    struct site *s, const char *method, const char *path, const char *body, struct outcome *o);

static void on_done(void *ctx, struct http_answer *a)
{
    struct outcome *o = ctx;

    o->count++;
    o->status = a->status;
    o->kind = a->err.kind;
    o->sent = a->sent;
    o->n = a->body.n;
    o->retry_after_ms = a->retry_after_ms;
    o->took_ms = a->took_ms;
    snprintf(o->text, sizeof(o->text), "%s", a->err.text);
    snprintf(o->body, sizeof(o->body), "%.*s", (int)a->body.n, a->body.p ? a->body.p : "");
    snprintf(o->content_type, sizeof(o->content_type), "%s", a->content_type);
    snprintf(o->location, sizeof(o->location), "%s", a->location);
    o->padded = a->body.cap - a->body.n >= 64;
    if (o->padded)
        memset(a->body.p + a->body.n, 0, 64);
    if (o->cancel != NULL)
        http_cancel(o->cancel);
    if (o->start != NULL)
        call(o->site, "GET", o->start, NULL, o->next);
}

static struct http_call *call_url(struct site *s, const char *method, const char *url, const char *body,
    struct outcome *o, uint64_t deadline_ms, size_t max_bytes)
{
    struct err err = { 0 };
    char *kept = body ? xstrdup(body) : NULL;

    o->site = s;
    struct http_call *ret = http_start(s->client,
        &(struct http_request){ .method = method,
            .url = url,
            .content_type = body ? "application/json" : NULL,
            .body = str_of(kept),
            .free_body = kept,
            .deadline_ms = deadline_ms,
            .max_bytes = max_bytes,
            .once = o->once,
            .on_done = on_done,
            .ctx = o },
        &err);
    if (ret == NULL)
        check_ok(-1, &err, __FILE__, __LINE__);
    CHECK_EQ(o->count, 0); /* never from inside the start */
    return ret;
}

static struct http_call *call(
    struct site *s, const char *method, const char *path, const char *body, struct outcome *o)
{
    char url[256];

    snprintf(url, sizeof(url), "http://%s%s", http_server_address(s->server), path);
    return call_url(s, method, url, body, o, 5000, 1 << 20);
}

static struct outcome fetch(struct site *s, const char *method, const char *path, const char *body)
{
    struct outcome o = { 0 };

    call(s, method, path, body, &o);
    turn_until(&s->loop, &o.count, 1);
    CHECK_EQ(o.count, 1);
    return o;
}

TEST(a_post_carries_its_body_and_brings_the_answer)
{
    struct site s;

    site_open(&s);
    struct outcome o = fetch(&s, "POST", "/echo", "{\"halt\":0}");
    CHECK_EQ(o.kind, ERR_NONE);
    CHECK_EQ(o.status, 200);
    CHECK_STR(o.body, "{\"halt\":0}");
    CHECK_STR(o.content_type, "application/json");
    CHECK(o.padded);
    CHECK_STR(s.seen, "POST /echo (application/json) potok/1 gzip -");
    site_close(&s);
}

TEST(statuses_and_headers_are_told_not_acted_upon)
{
    static const struct {
        const char *path;
        int status;
        const char *location;
        uint64_t retry_after_ms;
    } cases[] = {
        { "/moved", 302, "https://new.example/rest/", 0 },
        { "/busy", 503, "", 7000 },
        { "/until", 429, "", 86400000 },
        { "/nowhere", 404, "", 0 },
    };
    struct site s;

    site_open(&s);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        s.requests = 0;
        struct outcome o = fetch(&s, "GET", cases[i].path, NULL);
        CHECK_EQ(o.kind, ERR_NONE);
        CHECK_EQ(o.status, cases[i].status);
        CHECK_STR(o.location, cases[i].location);
        CHECK_EQ(o.retry_after_ms, cases[i].retry_after_ms);
        CHECK_EQ(s.requests, 1);
    }
    site_close(&s);
}

TEST(a_gzipped_answer_is_unpacked)
{
    struct site s;

    site_open(&s);
    struct outcome o = fetch(&s, "GET", "/gzip", NULL);
    CHECK_EQ(o.status, 200);
    CHECK_EQ(o.n, PLAIN);
    CHECK_EQ(o.body[0], 'a');
    CHECK(o.padded);
    site_close(&s);
}

TEST(an_answer_over_the_limit_after_unpacking_is_too_big)
{
    struct site s;
    char url[256];
    static const struct {
        const char *page;
        size_t max_bytes;
        enum err_kind kind;
    } cases[] = { { "plain", PLAIN, ERR_NONE }, { "plain", PLAIN - 1, ERR_LIMIT }, { "plain", 1, ERR_LIMIT },
        /* 100,000 letters in 133 bytes are a bomb: smaller pieces would not help */
        { "gzip", PLAIN, ERR_NONE }, { "gzip", PLAIN - 1, ERR_TEMP }, { "gzip", 1, ERR_TEMP } };

    site_open(&s);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        snprintf(url, sizeof(url), "http://%s/%s", http_server_address(s.server), cases[i].page);
        struct outcome o = { 0 };
        call_url(&s, "GET", url, NULL, &o, 5000, cases[i].max_bytes);
        turn_until(&s.loop, &o.count, 1);
        CHECK_EQ(o.kind, cases[i].kind);
        CHECK_EQ(o.status, cases[i].kind ? 0 : 200);
        CHECK_EQ(o.n, cases[i].kind ? 0 : PLAIN);
    }
    site_close(&s);
}

TEST(a_deadline_ends_the_call)
{
    struct site s;
    struct outcome o = { 0 };
    char url[256];

    site_open(&s);
    snprintf(url, sizeof(url), "http://%s/late?auth=topsecret", http_server_address(s.server));
    call_url(&s, "GET", url, NULL, &o, 200, 1000);
    turn_until(&s.loop, &o.count, 1);
    CHECK_EQ(o.status, 0);
    CHECK_EQ(o.kind, ERR_TEMP);
    CHECK(o.took_ms >= 190);
    CHECK_HAS(o.text, http_server_address(s.server));
    CHECK(strstr(o.text, "secret") == NULL);
    CHECK(strstr(o.text, "late") == NULL);
    http_reply_text(s.late, 200, "nobody hears it");
    site_close(&s);
}

TEST(a_cut_answer_is_a_passing_error)
{
    struct site s;

    site_open(&s);
    struct outcome o = fetch(&s, "GET", "/cut", NULL);
    CHECK_EQ(o.status, 0);
    CHECK_EQ(o.kind, ERR_TEMP);
    CHECK_EQ(o.n, 0);
    site_close(&s);
}

TEST(errors_name_the_host_and_never_the_path)
{
    static const struct {
        const char *url;
        enum err_kind kind;
        const char *part;
    } cases[] = {
        { "http://127.0.0.1:1/rest/1/topsecret/", ERR_TEMP, "127.0.0.1:1" },
        { "ftp://127.0.0.1/topsecret", ERR_CONF, "127.0.0.1" },
        { "file:///etc/topsecret", ERR_CONF, "" },
        { "https://127.0.0.1:1/topsecret", ERR_TEMP, "127.0.0.1:1" },
        { "http://user:topsecret@127.0.0.1:1/", ERR_TEMP, "127.0.0.1:1" },
        { "http://[topsecret", ERR_CONF, "" },
        { "topsecret://x", ERR_CONF, "" },
        { "", ERR_CONF, "" },
    };
    struct site s;

    site_open(&s);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct outcome o = { 0 };
        call_url(&s, "GET", cases[i].url, NULL, &o, 5000, 1000);
        turn_until(&s.loop, &o.count, 1);
        CHECK_EQ(o.status, 0);
        CHECK_EQ(o.kind, cases[i].kind);
        CHECK_HAS(o.text, cases[i].part);
        CHECK(strstr(o.text, "secret") == NULL);
    }
    site_close(&s);
}

TEST(curl_codes_are_classified)
{
    static const struct {
        CURLcode code;
        enum err_kind kind;
    } cases[] = {
        { CURLE_COULDNT_RESOLVE_HOST, ERR_TEMP },
        { CURLE_COULDNT_CONNECT, ERR_TEMP },
        { CURLE_OPERATION_TIMEDOUT, ERR_TEMP },
        { CURLE_GOT_NOTHING, ERR_TEMP },
        { CURLE_PARTIAL_FILE, ERR_TEMP },
        { CURLE_RECV_ERROR, ERR_TEMP },
        { CURLE_SSL_CONNECT_ERROR, ERR_TEMP },
        { CURLE_PEER_FAILED_VERIFICATION, ERR_CONF },
        { CURLE_URL_MALFORMAT, ERR_CONF },
        { CURLE_UNSUPPORTED_PROTOCOL, ERR_CONF },
        { CURLE_BAD_FUNCTION_ARGUMENT, ERR_BUG },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_EQ(http_client_kind((int)cases[i].code), cases[i].kind);
}

TEST(many_calls_at_once_all_end)
{
    enum { CALLS = 50 };
    struct site s;
    struct outcome o[CALLS] = { 0 };
    char body[16];

    site_open(&s);
    for (int i = 0; i < CALLS; i++) {
        snprintf(body, sizeof(body), "%d", i);
        call(&s, "POST", "/echo", body, &o[i]);
    }
    for (int i = 0; i < CALLS; i++) {
        turn_until(&s.loop, &o[i].count, 1);
        CHECK_EQ(o[i].status, 200);
        CHECK_EQ(atoi(o[i].body), i);
    }
    site_close(&s);
}

TEST(a_cancelled_call_ends_once_and_at_once)
{
    struct site s;
    struct outcome o = { 0 };

    site_open(&s);
    struct http_call *c = call(&s, "GET", "/late", NULL, &o);
    turn_until(&s.loop, &s.requests, 1);
    http_cancel(c);
    CHECK_EQ(o.count, 1);
    CHECK_EQ(o.status, 0);
    CHECK_EQ(o.kind, ERR_TEMP);
    http_reply_text(s.late, 200, "too late");
    turn_for(&s.loop, 50);
    CHECK_EQ(o.count, 1);
    site_close(&s);
}

TEST(a_callback_may_cancel_one_call_and_start_another)
{
    struct site s;
    struct outcome late = { 0 }, next = { 0 }, o = { 0 };

    site_open(&s);
    o.cancel = call(&s, "GET", "/late", NULL, &late);
    turn_until(&s.loop, &s.requests, 1);
    o.start = "/moved";
    o.next = &next;
    call(&s, "GET", "/busy", NULL, &o);
    turn_until(&s.loop, &next.count, 1);
    CHECK_EQ(late.count, 1);
    CHECK_EQ(o.status, 503);
    CHECK_EQ(next.status, 302);
    site_close(&s);
}

TEST(freeing_the_client_ends_every_call_before_it_returns)
{
    struct site s;
    struct outcome o[3] = { 0 };

    site_open(&s);
    fetch(&s, "GET", "/moved", NULL); /* leaves an idle connection behind */
    for (int i = 0; i < 3; i++)
        call(&s, "GET", "/late", NULL, &o[i]);
    turn_until(&s.loop, &s.requests, 2);
    http_client_free(&s.client);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(o[i].count, 1);
        CHECK_EQ(o[i].kind, ERR_TEMP);
    }
    turn_for(&s.loop, 50);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(o[i].count, 1);
    site_close(&s);
}

/* A server of one page that counts connections: keep-alive is not visible through http_server.h. */
struct counter {
    uv_tcp_t tcp, peers[4];
    int connections, requests, breaks_at, closed;
};

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    static char into[4096];

    *buf = uv_buf_init(into, sizeof(into));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    static char page[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    uv_buf_t out = uv_buf_init(page, sizeof(page) - 1);
    struct counter *c = stream->data;

    c->requests += n > 0 && (buf->base[0] == 'G' || buf->base[0] == 'P'); /* GET, POST; else the body */
    if (n < 0 || (n > 0 && c->requests == c->breaks_at)) {
        c->breaks_at = 0;
        c->closed++;
        uv_close((uv_handle_t *)stream, NULL);
    } else if (n > 0)
        CHECK_EQ(uv_try_write(stream, &out, 1), (int)out.len);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct counter *c = server->data;
    uv_tcp_t *peer = &c->peers[c->connections++];

    uv_tcp_init(server->loop, peer);
    peer->data = c;
    CHECK_EQ(uv_accept(server, (uv_stream_t *)peer), 0);
    uv_read_start((uv_stream_t *)peer, on_alloc, on_read);
}

/* Opens the counting server; its address goes to url. */
static void counter_open(struct site *s, struct counter *c, char url[static 64])
{
    struct sockaddr_in address;
    int n = sizeof(address);

    c->tcp.data = c;
    uv_tcp_init(&s->loop, &c->tcp);
    uv_ip4_addr("127.0.0.1", 0, &address);
    CHECK_EQ(uv_tcp_bind(&c->tcp, (struct sockaddr *)&address, 0), 0);
    CHECK_EQ(uv_listen((uv_stream_t *)&c->tcp, 10, on_connection), 0);
    uv_tcp_getsockname(&c->tcp, (struct sockaddr *)&address, &n);
    snprintf(url, 64, "http://127.0.0.1:%d/", ntohs(address.sin_port));
}

TEST(connections_are_kept_and_used_again)
{
    struct site s;
    struct counter c = { 0 };
    char url[64];

    site_open(&s);
    counter_open(&s, &c, url);
    for (int i = 0; i < 3; i++) {
        struct outcome o = { 0 };
        call_url(&s, "GET", url, NULL, &o, 5000, 1000);
        turn_until(&s.loop, &o.count, 1);
        CHECK_STR(o.body, "ok");
        CHECK(o.sent);
    }
    CHECK_EQ(c.connections, 1);
    CHECK_EQ(c.requests, 3);
    uv_close((uv_handle_t *)&c.tcp, NULL);
    site_close(&s);
}

/* The server takes the second request and breaks: whether it did what it was asked for nobody knows. Curl
 * makes the request again on a new connection by itself, which does no harm to questions. */
TEST(a_request_that_must_not_be_made_twice_is_not)
{
    for (int once = 0; once < 2; once++) {
        struct site s;
        struct counter c = { .breaks_at = 2 };
        struct outcome first = { 0 }, o = { .once = once };
        char url[64];

        site_open(&s);
        counter_open(&s, &c, url);
        call_url(&s, "POST", url, "{}", &first, 5000, 1000);
        turn_until(&s.loop, &first.count, 1);
        call_url(&s, "POST", url, "{}", &o, 5000, 1000);
        turn_until(&s.loop, &o.count, 1);
        CHECK_EQ(c.requests, once ? 2 : 3);
        CHECK_EQ(o.status, once ? 0 : 200);
        CHECK_EQ(o.kind, once ? ERR_TEMP : ERR_NONE);
        CHECK(o.sent);
        uv_close((uv_handle_t *)&c.tcp, NULL);
        site_close(&s);
    }
}

TEST(what_is_sent_once_leaves_no_connection_behind)
{
    struct site s;
    struct counter c = { 0 };
    char url[64];

    site_open(&s);
    counter_open(&s, &c, url);
    for (int i = 0; i < 3; i++) {
        struct outcome o = { .once = true };
        call_url(&s, "POST", url, "{}", &o, 5000, 1000);
        turn_until(&s.loop, &o.count, 1);
        CHECK_STR(o.body, "ok");
    }
    CHECK_EQ(c.connections, 3);
    turn_until(&s.loop, &c.closed, 3);
    uv_close((uv_handle_t *)&c.tcp, NULL);
    site_close(&s);
}

/* TCP_USER_TIMEOUT of the client's connection to the server; -1: there is none. */
static int unheard_ms(struct site *s)
{
    const int port = atoi(strrchr(http_server_address(s->server), ':') + 1);

    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in peer = { 0 };
        socklen_t n = sizeof(peer), size = sizeof(int);
        int ms;

        if (getpeername(fd, (struct sockaddr *)&peer, &n) == 0 && ntohs(peer.sin_port) == port &&
            getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &size) == 0)
            return ms;
    }
    return -1;
}

/* The kernel keeps that after the process is killed: how long a write may still be on its way rests on it. */
TEST(what_is_sent_once_is_not_on_its_way_for_long)
{
    for (int once = 0; once < 2; once++) {
        struct site s;
        struct outcome o = { .once = once };

        site_open(&s);
        call(&s, "POST", "/late", "{}", &o);
        while (s.late == NULL)
            uv_run(&s.loop, UV_RUN_ONCE);
        CHECK_EQ(unheard_ms(&s), once ? HTTP_ONCE_UNHEARD_MS : 0);
        http_reply_text(s.late, 200, "ok");
        turn_until(&s.loop, &o.count, 1);
        site_close(&s);
    }
}

TEST(a_call_that_found_nobody_sent_nothing)
{
    struct site s;
    struct counter c = { 0 };
    struct outcome o = { .once = true };
    char url[64];

    site_open(&s);
    counter_open(&s, &c, url);
    uv_close((uv_handle_t *)&c.tcp, NULL);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    call_url(&s, "POST", url, "{}", &o, 5000, 1000);
    turn_until(&s.loop, &o.count, 1);
    CHECK_EQ(o.kind, ERR_TEMP);
    CHECK(!o.sent);
    site_close(&s);
}

/* ---- a host of several addresses ---- */

#define HOLE_CALLERS 3

struct hole { /* an address that is silent: its queue is full, and what else comes is dropped */
    int listener, callers[HOLE_CALLERS];
};

static void hole_open(struct hole *h, const char *address, int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    const int on = 1;

    CHECK_EQ(inet_pton(AF_INET, address, &at.sin_addr), 1);
    h->listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(h->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    CHECK_EQ(bind(h->listener, (struct sockaddr *)&at, sizeof(at)), 0);
    CHECK_EQ(listen(h->listener, 0), 0);
    for (int i = 0; i < HOLE_CALLERS; i++) {
        h->callers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(h->callers[i], (struct sockaddr *)&at, sizeof(at));
    }
}

static void hole_close(const struct hole *h)
{
    for (int i = 0; i < HOLE_CALLERS; i++)
        close(h->callers[i]);
    close(h->listener);
}

/* The name stands for several addresses, the last of them the site's; as a resolver would have said. */
static struct outcome call_past(struct site *s, const char *others, bool once)
{
    struct outcome o = { .once = once };
    const char *port = strrchr(http_server_address(s->server), ':') + 1;
    char url[64], told[160];

    snprintf(url, sizeof(url), "http://localhost:%s/echo", port);
    snprintf(told, sizeof(told), "localhost:%s:%s,127.0.0.1", port, others);
    struct curl_slist *names = curl_slist_append(NULL, told);
    struct http_call *made = call_url(s, "POST", url, "{}", &o, 4000, 1000);

    curl_easy_setopt(made->easy, CURLOPT_RESOLVE, names); /* read when the loop turns */
    turn_until(&s->loop, &o.count, 1);
    curl_slist_free_all(names);
    CHECK_STR(o.text, "");
    CHECK_EQ(o.status, 200);
    CHECK_EQ(s->requests, 1);
    return o;
}

/* Each has half of the time that is left; a portal's host may have an address that is down. */
TEST(of_a_hosts_addresses_the_next_is_tried_when_one_is_silent)
{
    static const char *const others[] = { "127.0.0.2", "127.0.0.2,127.0.0.3" };

    for (int i = 0; i < 4; i++) {
        struct site s;
        struct hole holes[2];

        site_open(&s);
        int port = atoi(strrchr(http_server_address(s.server), ':') + 1);
        hole_open(&holes[0], "127.0.0.2", port);
        hole_open(&holes[1], "127.0.0.3", port);
        struct outcome o = call_past(&s, others[i / 2], i % 2 == 1);

        CHECK(o.took_ms >= 1900); /* the holes were holes */
        hole_close(&holes[0]);
        hole_close(&holes[1]);
        site_close(&s);
    }
}

TEST(of_a_hosts_addresses_the_next_is_tried_at_once_when_one_is_refused)
{
    static const char *const others[] = { "127.0.0.4", "127.0.0.4,127.0.0.5,127.0.0.6", "255.255.255.255" };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        struct site s;

        site_open(&s);
        CHECK(call_past(&s, others[i], false).took_ms < 1000);
        site_close(&s);
    }
}

TEST_MAIN(CASE(a_post_carries_its_body_and_brings_the_answer),
    CASE(statuses_and_headers_are_told_not_acted_upon), CASE(a_gzipped_answer_is_unpacked),
    CASE(an_answer_over_the_limit_after_unpacking_is_too_big), CASE(a_deadline_ends_the_call),
    CASE(a_cut_answer_is_a_passing_error), CASE(errors_name_the_host_and_never_the_path),
    CASE(curl_codes_are_classified), CASE(many_calls_at_once_all_end),
    CASE(a_cancelled_call_ends_once_and_at_once), CASE(a_callback_may_cancel_one_call_and_start_another),
    CASE(freeing_the_client_ends_every_call_before_it_returns), CASE(connections_are_kept_and_used_again),
    CASE(a_request_that_must_not_be_made_twice_is_not), CASE(what_is_sent_once_leaves_no_connection_behind),
    CASE(what_is_sent_once_is_not_on_its_way_for_long), CASE(a_call_that_found_nobody_sent_nothing),
    CASE(of_a_hosts_addresses_the_next_is_tried_when_one_is_silent),
    CASE(of_a_hosts_addresses_the_next_is_tried_at_once_when_one_is_refused))
