#include "run/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/check.h"
#include "turn.h"

enum { BODY_MAX = 1000, LARGE = 8 << 20, ANSWER_MAX = LARGE + 4096 };

/* One server, and a raw client that sends bytes and gathers what comes. */
struct site {
    uv_loop_t loop;
    struct http_server *server;
    int requests;
    struct http_in *late; /* kept by /late */
    char seen[512];       /* method path query body of the last request */
    char header[64], remote[64];
    char *large; /* the memory that /large handed over */

    uv_tcp_t client;
    uv_connect_t connect;
    bool client_open;
    struct buf got;
    int bytes; /* of got */
    int ended; /* the server closed the connection */
};

static void reply_filled(struct http_in *in, size_t n, bool take)
{
    struct site *s = in->ctx;
    struct buf body;

    buf_init(&body, n);
    CHECK(buf_room(&body, n));
    memset(body.p, 'x', n);
    body.n = n;
    s->large = body.p;
    http_reply(in, 200, "application/octet-stream", &body, take, "X-One: 1\nX-Two: 2\n");
    if (take)
        CHECK(body.p == NULL); /* handed over */
    buf_fini(&body);
}

static void on_request(struct http_in *in)
{
    struct site *s = in->ctx;
    const char *header = http_in_header(in, "x-test");
    struct buf body;

    s->requests++;
    snprintf(s->seen, sizeof(s->seen), "%s %s ?%.*s [%.*s] %s", in->method, in->path, STR_ARG(in->query),
        STR_ARG(in->body), in->content_type);
    snprintf(s->header, sizeof(s->header), "%s", header ? header : "(none)");
    snprintf(s->remote, sizeof(s->remote), "%s", in->remote);
    if (strcmp(in->path, "/late") == 0) {
        s->late = in;
    } else if (strcmp(in->path, "/large") == 0) {
        reply_filled(in, LARGE, true);
    } else if (strcmp(in->path, "/copied") == 0) {
        reply_filled(in, 1000, false);
    } else if (strcmp(in->path, "/cut") == 0) {
        buf_init(&body, 100);
        buf_str(&body, "0123456789");
        http_reply_cut(in, 200, "text/plain", &body);
        buf_fini(&body);
    } else if (strcmp(in->path, "/empty") == 0) {
        http_reply(in, 204, NULL, NULL, false, NULL);
    } else {
        http_reply_text(in, 200, "hello");
    }
}

/* Soon: answers are awaited before their connections are suspended. */
static void site_open_with(struct site *s, bool soon)
{
    struct err err = { 0 };

    *s = (struct site){ 0 };
    uv_loop_init(&s->loop);
    s->server = http_server_new(&s->loop,
        &(struct http_server_def){ .listen = "127.0.0.1:0",
            .max_body_bytes = BODY_MAX,
            .idle_timeout_s = 1,
            .answers_soon = soon,
            .handler = on_request,
            .ctx = s },
        &err);
    if (s->server == NULL)
        check_ok(-1, &err, __FILE__, __LINE__);
    buf_init(&s->got, ANSWER_MAX);
}

static void site_open(struct site *s)
{
    site_open_with(s, false);
}

static void client_close(struct site *s)
{
    if (s->client_open)
        uv_close((uv_handle_t *)&s->client, NULL);
    s->client_open = false;
    uv_run(&s->loop, UV_RUN_NOWAIT);
}

static void client_reset(struct site *s)
{
    CHECK_EQ(uv_tcp_close_reset(&s->client, NULL), 0);
    s->client_open = false;
    turn_for(&s->loop, 10);
}

static void site_close(struct site *s)
{
    client_close(s);
    http_server_free(&s->server);
    turn_end(&s->loop);
    buf_fini(&s->got);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    *buf = uv_buf_init(xmalloc(65536), 65536);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct site *s = stream->data;

    if (n > 0) {
        buf_add(&s->got, buf->base, (size_t)n);
        s->bytes = (int)s->got.n;
    }
    if (n < 0)
        s->ended = 1;
    free(buf->base);
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct site *s = connect->data;

    CHECK_EQ(status, 0);
    uv_read_start((uv_stream_t *)&s->client, on_alloc, on_read);
}

static void client_open(struct site *s)
{
    struct sockaddr_in address;
    const char *name = http_server_address(s->server);

    CHECK_EQ(uv_ip4_addr("127.0.0.1", atoi(strrchr(name, ':') + 1), &address), 0);
    buf_clear(&s->got);
    s->bytes = s->ended = 0;
    s->client.data = s->connect.data = s;
    uv_tcp_init(&s->loop, &s->client);
    CHECK_EQ(uv_tcp_connect(&s->connect, &s->client, (struct sockaddr *)&address, on_connected), 0);
    s->client_open = true;
}

static void on_written(uv_write_t *request, int status)
{
    free(request);
}

static void client_send(struct site *s, const char *p, size_t n)
{
    uv_write_t *request = xmalloc(sizeof(*request) + n);

    memcpy(request + 1, p, n);
    uv_buf_t buf = uv_buf_init((char *)(request + 1), (unsigned)n);
    CHECK_EQ(uv_write(request, (uv_stream_t *)&s->client, &buf, 1, on_written), 0);
}

static void send_text(struct site *s, const char *text)
{
    client_send(s, text, strlen(text));
}

/* Turns the loop until `part` has come. */
static void wait_for(struct site *s, const char *part)
{
    for (int i = 0; i < 2000 && strstr(buf_cstr(&s->got), part) == NULL && !s->ended; i++)
        turn_until_within(&s->loop, &s->bytes, s->bytes + 1, 5);
    CHECK_HAS(buf_cstr(&s->got), part);
}

static void post(struct site *s, size_t n)
{
    char head[128];
    char *body = xcalloc(1, n + 1);

    memset(body, 'b', n);
    snprintf(head, sizeof(head), "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", n);
    send_text(s, head);
    client_send(s, body, n);
    free(body);
}

TEST(a_request_is_seen_as_it_was_sent)
{
    struct site s;

    site_open(&s);
    client_open(&s);
    send_text(&s, "POST /a%20b/%2e?x=1&y=%2B+ HTTP/1.1\r\nHost: a\r\nX-Test: yes\r\n"
                  "Content-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"a\": 1}");
    wait_for(&s, "hello");
    CHECK_STR(s.seen, "POST /a%20b/%2e ?x=1&y=%2B+ [{\"a\": 1}] application/json");
    CHECK_STR(s.header, "yes");
    CHECK_STR(s.remote, "127.0.0.1");
    CHECK_HAS(buf_cstr(&s.got), "HTTP/1.1 200 OK\r\n");
    site_close(&s);
}

TEST(a_connection_serves_several_requests)
{
    struct site s;

    site_open(&s);
    client_open(&s);
    for (int i = 1; i <= 3; i++) {
        buf_clear(&s.got);
        send_text(&s, "GET /again HTTP/1.1\r\nHost: a\r\n\r\n");
        wait_for(&s, "hello");
        CHECK_EQ(s.requests, i);
    }
    CHECK_EQ(s.ended, 0);
    site_close(&s);
}

TEST(two_requests_sent_at_once_are_both_answered)
{
    struct site s;

    site_open(&s);
    client_open(&s);
    send_text(&s, "GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /empty HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_for(&s, "hello");
    wait_for(&s, "204 No Content");
    CHECK_EQ(s.requests, 2);
    site_close(&s);
}

TEST(a_body_up_to_the_limit_passes_and_a_larger_one_is_413)
{
    static const struct {
        size_t n;
        const char *answer;
        int requests;
    } cases[] = {
        { BODY_MAX, "200 OK", 1 },
        { BODY_MAX + 1, "413 ", 0 },
        { 100 * BODY_MAX, "413 ", 0 },
        { 0, "200 OK", 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct site s;
        site_open(&s);
        client_open(&s);
        post(&s, cases[i].n);
        wait_for(&s, cases[i].answer);
        CHECK_EQ(s.requests, cases[i].requests);
        site_close(&s);
    }
}

TEST(a_body_declared_far_too_large_is_refused_before_it_is_sent)
{
    struct site s;

    site_open(&s);
    client_open(&s);
    send_text(&s, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n");
    wait_for(&s, "413 ");
    CHECK_EQ(s.requests, 0);
    site_close(&s);
}

TEST(a_chunked_body_is_bounded_too)
{
    struct site s;
    char chunk[BODY_MAX + 1];

    memset(chunk, 'c', sizeof(chunk));
    site_open(&s);
    client_open(&s);
    send_text(&s, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n");
    client_send(&s, chunk, 1000);
    send_text(&s, "\r\n0\r\n\r\n");
    wait_for(&s, "hello");
    buf_clear(&s.got);
    send_text(&s, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n");
    client_send(&s, chunk, 1001);
    send_text(&s, "\r\n0\r\n\r\n");
    wait_for(&s, "413 ");
    CHECK_EQ(s.requests, 1);
    site_close(&s);
}

static void answer_late(bool soon)
{
    struct site s;

    site_open_with(&s, soon);
    client_open(&s);
    send_text(&s, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    turn_until(&s.loop, &s.requests, 1);
    turn_for(&s.loop, 1500); /* longer than the idle timeout: who waits for us is not idle */
    CHECK_EQ(s.bytes, 0);
    CHECK_EQ(s.ended, 0);
    http_reply_text(s.late, 202, "at last");
    wait_for(&s, "at last");
    CHECK_HAS(buf_cstr(&s.got), "202 Accepted");
    site_close(&s);
}

TEST(an_answer_may_come_later_while_others_are_served)
{
    answer_late(false);
    answer_late(true);
}

static void answer_nobody(bool soon)
{
    struct site s;

    site_open_with(&s, soon);
    client_open(&s);
    send_text(&s, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    turn_until(&s.loop, &s.requests, 1);
    client_close(&s);
    turn_for(&s.loop, 50);
    http_reply_text(s.late, 200, "nobody hears it");
    turn_for(&s.loop, 50);
    client_open(&s);
    send_text(&s, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_for(&s, "hello");
    site_close(&s);
}

TEST(a_late_answer_to_a_client_that_left_is_harmless)
{
    answer_nobody(false);
    answer_nobody(true);
}

TEST(a_page_is_given_to_many_and_may_be_freed_at_once)
{
    struct http_page *page = http_page_new(429, "text/plain", STR("as all others"), "Retry-After: 60");
    struct site s;

    site_open(&s);
    client_open(&s);
    for (int i = 1; i <= 3; i++) {
        buf_clear(&s.got);
        send_text(&s, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
        turn_until(&s.loop, &s.requests, i);
        http_reply_page(s.late, page);
        if (i == 3)
            http_page_free(&page); /* on its way it lives on */
        wait_for(&s, "as all others");
        CHECK_HAS(buf_cstr(&s.got), "429 ");
        CHECK_HAS(buf_cstr(&s.got), "Retry-After: 60");
        CHECK_EQ(s.ended, 0);
    }
    CHECK(page == NULL);
    site_close(&s);
}

TEST(a_page_given_by_a_server_that_ends_says_so)
{
    struct http_page *page = http_page_new(200, "text/plain", STR("good bye"), NULL);
    struct site s;

    site_open(&s);
    client_open(&s);
    send_text(&s, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    turn_until(&s.loop, &s.requests, 1);
    http_server_quiesce(s.server);
    http_reply_page(s.late, page);
    http_page_free(&page);
    wait_for(&s, "good bye");
    CHECK_HAS(buf_cstr(&s.got), "Connection: close");
    turn_until(&s.loop, &s.ended, 1);
    site_close(&s);
}

static void page_to_nobody(bool soon)
{
    struct http_page *page = http_page_new(200, "text/plain", STR("nobody hears it"), NULL);
    struct site s;

    site_open_with(&s, soon);
    client_open(&s);
    send_text(&s, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    turn_until(&s.loop, &s.requests, 1);
    client_close(&s);
    http_reply_page(s.late, page);
    http_page_free(&page);
    turn_for(&s.loop, 50);
    site_close(&s);
}

TEST(a_page_to_a_client_that_left_is_harmless)
{
    page_to_nobody(false);
    page_to_nobody(true);
}

static void cut_pending(bool soon)
{
    struct site s;

    site_open_with(&s, soon);
    client_open(&s);
    send_text(&s, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    turn_until(&s.loop, &s.requests, 1);
    http_server_free(&s.server);
    turn_until(&s.loop, &s.ended, 1);
    site_close(&s);
}

TEST(closing_the_server_cuts_pending_requests)
{
    cut_pending(false);
    cut_pending(true);
}

TEST(answers_that_come_soon_are_given_on_the_same_connection)
{
    struct site s;

    site_open_with(&s, true);
    client_open(&s);
    for (int i = 1; i <= 5;
         i++) { /* within the turn, a few turns later, and so much later that it is suspended */
        buf_clear(&s.got);
        send_text(&s, "POST /late?x HTTP/1.1\r\nHost: a\r\nX-Test: yes\r\nContent-Length: 2\r\n\r\nhi");
        turn_until(&s.loop, &s.requests, i);
        CHECK_STR(s.seen, "POST /late ?x [hi] ");
        if (i > 1)
            turn_for(&s.loop, i > 3 ? 100 : 3);
        http_reply_text(s.late, 200, "not long");
        wait_for(&s, "not long");
        CHECK_EQ(s.ended, 0);
    }
    site_close(&s);
}

TEST(a_client_that_breaks_while_its_answer_is_awaited_harms_nobody)
{
    for (int answered = 0; answered < 2; answered++) {
        struct site s;

        site_open_with(&s, true);
        client_open(&s);
        turn_for(&s.loop, 10);
        send_text(&s, "GET /late HTTP/1.1\r\nHost: a\r\nX-Test: yes\r\n\r\n");
        turn_until(&s.loop, &s.requests, 1);
        client_reset(&s);
        if (answered) {
            CHECK(http_in_header(s.late, "X-Test") == NULL); /* they went with the connection */
            CHECK_STR(s.late->remote, "");
            CHECK_EQ(http_server_handed(s.server), 1);
            http_reply_text(s.late, 200, "nobody hears it");
            turn_for(&s.loop, 10);
            CHECK_EQ(http_server_requests(s.server), 0);
        }
        site_close(&s); /* one that was never answered dies with the server */
    }
}

static void count_turn(uv_prepare_t *prepare)
{
    ++*(int *)prepare->data;
}

TEST(to_await_answers_does_not_keep_the_loop_busy)
{
    uv_prepare_t prepare;
    struct site s;
    int turns = 0;

    site_open_with(&s, true);
    client_open(&s);
    send_text(&s, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    turn_until(&s.loop, &s.requests, 1);
    uv_prepare_init(&s.loop, &prepare);
    prepare.data = &turns;
    uv_prepare_start(&prepare, count_turn);
    turn_for(&s.loop, 300);
    CHECK(turns < 150); /* of them 60 are this test's own ticks */
    http_reply_text(s.late, 200, "at last");
    wait_for(&s, "at last");
    uv_close((uv_handle_t *)&prepare, NULL);
    site_close(&s);
}

TEST(a_large_body_is_handed_over_whole)
{
    struct site s;

    site_open(&s);
    client_open(&s);
    send_text(&s, "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    turn_until(&s.loop, &s.ended, 1);
    CHECK_HAS(buf_cstr(&s.got), "Content-Length: 8388608\r\n");
    CHECK_HAS(s.got.p, "X-One: 1\r\n");
    CHECK_HAS(s.got.p, "X-Two: 2\r\n");
    const char *body = strstr(s.got.p, "\r\n\r\n") + 4;
    CHECK_EQ(s.got.p + s.got.n - body, LARGE);
    CHECK_EQ(body[LARGE - 1], 'x');
    site_close(&s);
}

TEST(a_copied_body_stays_the_callers)
{
    struct site s;

    site_open(&s);
    client_open(&s);
    send_text(&s, "GET /copied HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_for(&s, "Content-Length: 1000");
    site_close(&s);
}

TEST(a_cut_answer_declares_all_and_sends_half)
{
    struct site s;

    site_open(&s);
    client_open(&s);
    send_text(&s, "GET /cut HTTP/1.1\r\nHost: a\r\n\r\n");
    turn_until(&s.loop, &s.ended, 1);
    CHECK_HAS(buf_cstr(&s.got), "Content-Length: 10\r\n");
    CHECK_STR(strstr(s.got.p, "\r\n\r\n") + 4, "01234");
    site_close(&s);
}

TEST(an_idle_connection_is_cut)
{
    struct site s;

    site_open(&s);
    client_open(&s);
    send_text(&s, "GET / HTTP/1.1\r\nHo"); /* and never more */
    turn_until(&s.loop, &s.ended, 1);
    CHECK_EQ(s.requests, 0);
    site_close(&s);
}

TEST(garbage_is_answered_400_or_cut)
{
    struct site s;

    site_open(&s);
    client_open(&s);
    send_text(&s, "\x16\x03\x01 what is this\r\n\r\n");
    turn_until(&s.loop, &s.ended, 1);
    CHECK_EQ(s.requests, 0);
    site_close(&s);
}

static int dial(const struct site *s)
{
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK_EQ(uv_ip4_addr("127.0.0.1", atoi(strrchr(http_server_address(s->server), ':') + 1), &address), 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* The library answers none of them, and tells no end of them. */
TEST(a_query_of_very_many_pairs_is_cut_at_once_and_leaves_nothing_behind)
{
    struct site s;
    char *query = xcalloc(1, 4001);

    site_open(&s);
    int silent = dial(&s); /* open before it, and looked at in its place */

    turn_for(&s.loop, 20);
    for (size_t i = 0; i < 4000; i += 4)
        memcpy(query + i, "k=1&", 4);
    client_open(&s);
    send_text(&s, "GET /late?");
    send_text(&s, query);
    send_text(&s, " HTTP/1.1\r\nHost: a\r\n\r\n");
    turn_until_within(&s.loop, &s.ended, 1, 500);
    CHECK_EQ(s.ended, 1);
    CHECK_EQ(s.requests, 0);
    CHECK_EQ(http_server_requests(s.server), 0);
    close(silent);
    site_close(&s);
    free(query);
}

TEST(an_address_that_cannot_be_is_told_by_name)
{
    struct site s;
    char used[64];
    struct err err = { 0 };
    uv_loop_t loop;

    site_open(&s);
    uv_loop_init(&loop);
    snprintf(used, sizeof(used), "%s", http_server_address(s.server));
    const struct {
        const char *listen, *part;
    } cases[] = {
        { used, "another program listens there" },
        { "192.0.2.1:8080", "192.0.2.1:8080" }, /* of nobody (RFC 5737) */
        { "8080", "HOST:PORT" },
        { "127.0.0.1:99999", "HOST:PORT" },
        { "127.0.0.1:http", "HOST:PORT" },
        { "::1:8080", "HOST:PORT" },
        { "", "HOST:PORT" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        err = (struct err){ 0 };
        CHECK(http_server_new(&loop, &(struct http_server_def){ .listen = cases[i].listen }, &err) == NULL);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, cases[i].part);
        CHECK_HAS(err.text, cases[i].listen);
    }
    turn_end(&loop);
    site_close(&s);
}

TEST_MAIN(CASE(a_request_is_seen_as_it_was_sent), CASE(a_connection_serves_several_requests),
    CASE(two_requests_sent_at_once_are_both_answered),
    CASE(a_body_up_to_the_limit_passes_and_a_larger_one_is_413),
    CASE(a_body_declared_far_too_large_is_refused_before_it_is_sent), CASE(a_chunked_body_is_bounded_too),
    CASE(an_answer_may_come_later_while_others_are_served),
    CASE(a_late_answer_to_a_client_that_left_is_harmless),
    CASE(a_page_is_given_to_many_and_may_be_freed_at_once), CASE(a_page_given_by_a_server_that_ends_says_so),
    CASE(a_page_to_a_client_that_left_is_harmless), CASE(closing_the_server_cuts_pending_requests),
    CASE(answers_that_come_soon_are_given_on_the_same_connection),
    CASE(a_client_that_breaks_while_its_answer_is_awaited_harms_nobody),
    CASE(to_await_answers_does_not_keep_the_loop_busy), CASE(a_large_body_is_handed_over_whole),
    CASE(a_copied_body_stays_the_callers), CASE(a_cut_answer_declares_all_and_sends_half),
    CASE(an_idle_connection_is_cut), CASE(garbage_is_answered_400_or_cut),
    CASE(a_query_of_very_many_pairs_is_cut_at_once_and_leaves_nothing_behind),
    CASE(an_address_that_cannot_be_is_told_by_name))
