/* Requests: from their first line to the handler. */
#include "run/http_server_private.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    REMOTE_BYTES = 64,
    SWALLOW_BYTES =
        1 << 20, /* read and thrown away beyond the limit, so that the client gets to see the 413 */
    AWAIT_TURNS = 20,
    SMALL_BODY_BYTES = 65536, /* taken however much is held already: connections bound their sum */
    LONG_QUERY_BYTES = 512,
};

/* Of a connection, which may bring thousands of requests, one after the other. */
struct peer {
    char remote[REMOTE_BYTES];
    struct http_in_private *request; /* under way */
};

static const char CROWDED[] = "Too many large bodies at a time.\n";

static void go_on(struct http_server *s, unsigned turns)
{
    s->progress = s->progress > turns ? s->progress : turns;
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

/* A query of hundreds of pairs fills the library's memory: it gives the connection up, but closes it only
 * when it looks at it again. It looks on each of its turns at those that have a time limit of their own. */
static void watch(struct http_server *s, struct MHD_Connection *connection)
{
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, s->idle_s + 1);
    http_server_turn_soon(s);
}

void *http_server_on_uri(void *ctx, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *s = ctx;
    struct http_in_private *p = xcalloc(1, sizeof(*p));
    struct peer *peer = peer_of(connection);

    p->connection = connection;
    p->uri = xstrdup(uri);
    char *question = strchr(p->uri, '?');
    if (question != NULL)
        *question = '\0';
    if (question != NULL && strlen(question + 1) > LONG_QUERY_BYTES)
        watch(s, connection);
    p->in = (struct http_in){ .path = p->uri,
        .query = str_of(question ? question + 1 : NULL),
        .content_type = "",
        .method = "",
        .remote = peer != NULL ? peer->remote : "",
        .body = STR(""),
        .ctx = s->ctx,
        .server = s,
        .private_ = p };
    buf_init(&p->body, s->max_body_bytes + 1); /* + 1: handlers may count on a NUL after the body */

    p->next = s->requests;
    if (p->next != NULL)
        p->next->prev = p;
    s->requests = p;
    if (peer != NULL)
        peer->request = p;
    return p;
}

static void forget_body(struct http_in_private *p)
{
    p->in.server->held -= p->body.n;
    buf_fini(&p->body);
}

void http_server_forget(struct http_in_private *p)
{
    if (p->prev != NULL)
        p->prev->next = p->next;
    else
        p->in.server->requests = p->next;
    if (p->next != NULL)
        p->next->prev = p->prev;
    http_server_drop_answer(p);
    forget_body(p);
    free(p->uri);
    free(p);
}

/* The handler still holds it: what belongs to the connection is taken out. */
static void outlive(struct http_in_private *p)
{
    p->awaited = false;
    p->in.server->awaited--;
    p->gone = true;
    p->connection = NULL;
    p->in.method = p->in.content_type = p->in.remote = "";
}

void http_server_on_completed(
    void *ctx, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode code)
{
    struct http_in_private *p = *request;
    struct peer *peer = peer_of(connection);

    if (peer != NULL && peer->request == p)
        peer->request = NULL;
    *request = NULL;
    go_on(ctx, 1); /* what came meanwhile is read */
    if (p != NULL && p->awaited && !p->in.server->stopping)
        outlive(p);
    else if (p != NULL)
        http_server_forget(p);
}

/* Of a request whose query filled its memory the library tells no end: it goes with its connection. */
static void peer_free(struct peer *peer)
{
    if (peer != NULL && peer->request != NULL)
        http_server_forget(peer->request);
    free(peer);
}

void http_server_on_connection(
    void *ctx, struct MHD_Connection *connection, void **socket_ctx, enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        peer_free(*socket_ctx);
        *socket_ctx = NULL;
        return;
    }

    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct peer *peer = xcalloc(1, sizeof(*peer));

    *socket_ctx = peer;
    if (info == NULL || info->client_addr == NULL)
        return;
    socklen_t n =
        info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (getnameinfo(info->client_addr, n, peer->remote, REMOTE_BYTES, NULL, 0, NI_NUMERICHOST) != 0)
        peer->remote[0] = '\0';
}

static uint64_t declared_length(struct http_in_private *p)
{
    const char *text = http_in_header(&p->in, "Content-Length");
    uint64_t n;

    return text != NULL && str_u64(str_of(text), &n) ? n : 0;
}

/* The answer is in p->response: queues it. One turn sends it, another makes the connection ready. */
static enum MHD_Result answer(struct http_in_private *p)
{
    enum MHD_Result result = MHD_queue_response(p->connection, p->status, p->response);

    go_on(p->in.server, 2);
    http_server_drop_answer(p);
    return result;
}

static enum MHD_Result suspend(struct http_in_private *p)
{
    p->suspended = true;
    MHD_suspend_connection(p->connection);
    return MHD_YES;
}

/* Asked for an answer that is not there yet. */
static enum MHD_Result await(struct http_in_private *p)
{
    if (++p->asked < AWAIT_TURNS)
        return MHD_YES;
    p->awaited = false;
    p->in.server->awaited--;
    return suspend(p);
}

static enum MHD_Result refuse_big(struct http_in_private *p)
{
    char text[80];

    snprintf(text, sizeof(text), "The body is larger than %zu bytes.\n", p->in.server->max_body_bytes);
    p->handed = true;
    p->in.server->too_big++;
    http_reply_text(&p->in, MHD_HTTP_CONTENT_TOO_LARGE, text);
    return answer(p);
}

/* Slow senders of big bodies, each within the limit, must not fill the memory together. */
static bool crowded(const struct http_in_private *p, uint64_t more)
{
    const struct http_server *s = p->in.server;

    return s->max_held_bytes > 0 && p->body.n + more > SMALL_BODY_BYTES && s->held + more > s->max_held_bytes;
}

static enum MHD_Result refuse_crowd(struct http_in_private *p)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof(CROWDED) - 1, (void *)CROWDED, MHD_RESPMEM_PERSISTENT);

    p->handed = true;
    http_server_answer(
        &p->in, MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", response, "Retry-After: 5");
    return answer(p);
}

static enum MHD_Result begin(struct http_in_private *p, const char *method)
{
    size_t limit = p->in.server->max_body_bytes;
    uint64_t declared = declared_length(p);
    const char *type = http_in_header(&p->in, "Content-Type");

    p->begun = true;
    p->in.method = method;
    p->in.content_type = type ? type : "";
    if (declared <= limit && crowded(p, declared))
        return refuse_crowd(p);
    if (declared <= limit) {
        buf_room(&p->body, declared < SMALL_BODY_BYTES ? declared : 0); /* in one piece, as most come */
        return MHD_YES;
    }
    p->too_big = true;
    return declared - limit > SWALLOW_BYTES ? refuse_big(p) : MHD_YES;
}

/* A little more than the limit is read and forgotten; much more costs the client its connection. */
static enum MHD_Result gather(struct http_in_private *p, const char *data, size_t *size)
{
    if (p->too_big || *size > p->in.server->max_body_bytes - p->body.n) {
        p->too_big = true;
        forget_body(p);
        buf_init(&p->body, 1);
        p->swallowed += *size;
        if (p->swallowed > p->in.server->max_body_bytes + SWALLOW_BYTES) {
            p->in.server->too_big++;
            return MHD_NO;
        }
    } else if (crowded(p, *size)) {
        return MHD_NO;
    } else {
        buf_add(&p->body, data, *size);
        p->in.server->held += *size;
    }
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result hand_over(struct http_in_private *p)
{
    p->handed = true;
    p->in.body = (struct str){ buf_cstr(&p->body), p->body.n };
    p->in.server->handler(&p->in);
    if (p->response != NULL)
        return answer(p);
    if (!p->in.server->patient)
        return suspend(p);
    p->awaited = true;
    p->in.server->awaited++;
    return MHD_YES;
}

enum MHD_Result http_server_on_access(void *ctx, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *data, size_t *size, void **request)
{
    struct http_in_private *p = *request;

    if (p->awaited)
        return await(p);
    go_on(p->in.server, 1);
    if (!p->begun)
        return begin(p, method);
    if (*size > 0)
        return gather(p, data, size);
    if (p->response != NULL) /* resumed */
        return answer(p);
    if (p->handed) /* resumed without an answer: the server stops */
        return MHD_NO;
    if (p->too_big)
        return refuse_big(p);
    return hand_over(p);
}

const char *http_in_header(const struct http_in *in, const char *name)
{
    struct MHD_Connection *connection = in->private_->connection;

    return connection != NULL ? MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name) : NULL;
}
