/* Life of a request: on_uri makes it, on_access gathers its body and hands it to the handler once. A handler
 * that does not answer at once leaves it suspended: the library then neither reads, times out nor drops the
 * connection, so a struct http_in always outlives its answer. http_reply() resumes it, on_access queues the
 * answer, on_completed frees it. */
#include "run/http_server.h"

#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/listen.h"

enum {
    IDLE_TIMEOUT_S = 60, /* where the definition says 0 */
    SWALLOW_BYTES =
        1 << 20, /* read and thrown away beyond the limit, so that the client gets to see the 413 */
    CUT_BLOCK_BYTES = 32768,
    SMALL_BODY_BYTES = 65536, /* taken however much is held already: connections bound their sum */
};

struct http_in_private {
    struct http_in in;
    struct MHD_Connection *connection;
    struct MHD_Response *response; /* answer not yet queued */
    unsigned status;
    char *uri; /* path, NUL, query */
    struct buf body;
    size_t swallowed;
    bool begun; /* headers seen */
    bool too_big;
    bool handed; /* the handler has it */
    bool suspended;
    struct http_in_private *prev, *next; /* of the server's requests */
};

struct http_server {
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer;
    int open_handles;
    size_t max_body_bytes, max_held_bytes;
    size_t held; /* of the bodies of all requests */
    http_handler *handler;
    void *ctx;
    struct http_in_private *requests;
    uint64_t too_big;
    bool quiet; /* no new connections, none is kept */
    char address[LISTEN_ADDRESS_SIZE];
};

static const char CROWDED[] = "Too many large bodies at a time.\n";

static void send_answer(struct http_in *in, int status, const char *content_type,
    struct MHD_Response *response, const char *headers);

/* --- the library's turn in the loop --- */

static void on_timer(uv_timer_t *timer);

static void arm_timer(struct http_server *s)
{
    MHD_UNSIGNED_LONG_LONG ms;

    if (MHD_get_timeout(s->daemon, &ms) == MHD_YES)
        uv_timer_start(&s->timer, on_timer, ms, 0);
    else
        uv_timer_stop(&s->timer);
}

static void turn(struct http_server *s)
{
    MHD_run(s->daemon);
    arm_timer(s);
}

static void on_timer(uv_timer_t *timer)
{
    turn(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    turn(poll->data);
}

/* --- requests --- */

static void *on_uri(void *ctx, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *s = ctx;
    struct http_in_private *p = xcalloc(1, sizeof(*p));

    p->connection = connection;
    p->uri = xstrdup(uri);
    char *question = strchr(p->uri, '?');
    if (question != NULL)
        *question = '\0';
    p->in = (struct http_in){ .path = p->uri,
        .query = str_of(question ? question + 1 : NULL),
        .content_type = "",
        .method = "",
        .body = STR(""),
        .ctx = s->ctx,
        .server = s,
        .private_ = p };
    buf_init(&p->body, s->max_body_bytes + 1); /* + 1: handlers may count on a NUL after the body */

    p->next = s->requests;
    if (p->next != NULL)
        p->next->prev = p;
    s->requests = p;
    return p;
}

static void forget_body(struct http_in_private *p)
{
    p->in.server->held -= p->body.n;
    buf_fini(&p->body);
}

static void on_completed(
    void *ctx, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode code)
{
    struct http_server *s = ctx;
    struct http_in_private *p = *request;
    if (p == NULL)
        return;

    if (p->prev != NULL)
        p->prev->next = p->next;
    else
        s->requests = p->next;
    if (p->next != NULL)
        p->next->prev = p->prev;
    if (p->response != NULL)
        MHD_destroy_response(p->response);
    forget_body(p);
    free(p->uri);
    free(p);
    *request = NULL;
}

static void name_remote(struct http_in_private *p)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(p->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr == NULL)
        return;

    socklen_t n =
        info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (getnameinfo(info->client_addr, n, p->in.remote, sizeof(p->in.remote), NULL, 0, NI_NUMERICHOST) != 0)
        p->in.remote[0] = '\0';
}

static uint64_t declared_length(struct http_in_private *p)
{
    const char *text = http_in_header(&p->in, "Content-Length");
    uint64_t n;

    return text != NULL && str_u64(str_of(text), &n) ? n : 0;
}

/* The answer is in p->response: queues it. */
static enum MHD_Result answer(struct http_in_private *p)
{
    struct MHD_Response *response = p->response;
    enum MHD_Result result = MHD_queue_response(p->connection, p->status, response);

    p->response = NULL;
    MHD_destroy_response(response);
    return result;
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
    send_answer(
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
    name_remote(p);
    if (declared <= limit)
        return crowded(p, declared) ? refuse_crowd(p) : MHD_YES;
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
    p->suspended = true;
    MHD_suspend_connection(p->connection);
    return MHD_YES;
}

static enum MHD_Result on_access(void *ctx, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *data, size_t *size, void **request)
{
    struct http_in_private *p = *request;

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

static size_t leave_escaped(void *ctx, struct MHD_Connection *connection, char *s)
{
    return strlen(s);
}

/* --- server --- */

static struct MHD_Daemon *start_daemon(struct http_server *s, int fd, const struct http_server_def *def)
{
    unsigned idle = def->idle_timeout_s > 0 ? (unsigned)def->idle_timeout_s : IDLE_TIMEOUT_S;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    struct MHD_OptionItem bounds[] = {
        { MHD_OPTION_CONNECTION_LIMIT, (intptr_t)def->connections, NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)def->tls_cert },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)def->tls_key },
        { MHD_OPTION_HTTPS_PRIORITIES, 0, "NORMAL:-VERS-ALL:+VERS-TLS1.3" },
        { MHD_OPTION_END, 0, NULL },
    };
    struct MHD_OptionItem *more = def->tls_cert != NULL ? tls : &tls[ARRAY_SIZE(tls) - 1];

    return MHD_start_daemon(def->tls_cert != NULL ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, on_access, s,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_TIMEOUT, idle, MHD_OPTION_URI_LOG_CALLBACK,
        on_uri, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped,
        NULL, MHD_OPTION_PER_IP_CONNECTION_LIMIT, def->per_address, MHD_OPTION_ARRAY, more, MHD_OPTION_ARRAY,
        def->connections > 0 ? bounds : &bounds[ARRAY_SIZE(bounds) - 1], MHD_OPTION_END);
}

struct http_server *http_server_new(uv_loop_t *loop, const struct http_server_def *def, struct err *err)
{
    int fd = def->listen_fd;
    char address[LISTEN_ADDRESS_SIZE];
    if (fd > 0)
        listen_name(fd, address);
    else if (listen_open(def->listen, &fd, address, err) < 0)
        return NULL;

    struct http_server *s = xcalloc(1, sizeof(*s));
    s->max_body_bytes = def->max_body_bytes;
    s->max_held_bytes = def->max_held_bytes;
    s->handler = def->handler;
    s->ctx = def->ctx;
    memcpy(s->address, address, sizeof(s->address));
    s->daemon = start_daemon(s, fd, def);
    if (s->daemon == NULL) {
        close(fd);
        free(s);
        if (def->tls_cert != NULL)
            err_set(err, ERR_CONF,
                "the HTTP server on %s does not start: do certificate and key belong together?", address);
        else
            err_set(err, ERR_BUG, "the HTTP server on %s does not start", address);
        return NULL;
    }

    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    s->poll.data = s;
    s->timer.data = s;
    s->open_handles = 2;
    uv_timer_init(loop, &s->timer);
    uv_poll_init(loop, &s->poll, info->epoll_fd);
    uv_poll_start(&s->poll, UV_READABLE, on_readable);
    return s;
}

static void on_closed(uv_handle_t *handle)
{
    struct http_server *s = handle->data;

    if (--s->open_handles == 0)
        free(s);
}

void http_server_free(struct http_server **server)
{
    struct http_server *s = *server;
    if (s == NULL)
        return;

    *server = NULL;
    for (struct http_in_private *p = s->requests; p != NULL; p = p->next)
        if (p->suspended)
            MHD_resume_connection(p->connection); /* the library refuses to stop with one suspended */
    uv_close((uv_handle_t *)&s->poll, on_closed); /* before its descriptor is closed */
    uv_close((uv_handle_t *)&s->timer, on_closed);
    MHD_stop_daemon(s->daemon);
}

void http_server_quiesce(struct http_server *s)
{
    MHD_socket fd = s->quiet ? MHD_INVALID_SOCKET : MHD_quiesce_daemon(s->daemon);

    s->quiet = true;
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
}

int http_server_requests(const struct http_server *s)
{
    int n = 0;

    for (const struct http_in_private *p = s->requests; p != NULL; p = p->next)
        n++;
    return n;
}

int http_server_handed(const struct http_server *s)
{
    int n = 0;

    for (const struct http_in_private *p = s->requests; p != NULL; p = p->next)
        n += p->handed;
    return n;
}

uint64_t http_server_too_big(const struct http_server *s)
{
    return s->too_big;
}

const char *http_server_address(const struct http_server *s)
{
    return s->address;
}

/* --- answers --- */

static void add_headers(struct MHD_Response *response, const char *headers)
{
    for (const char *line = headers; line != NULL && *line != '\0';) {
        size_t n = strcspn(line, "\n");
        char *name = xstrndup(line, n);
        char *value = strchr(name, ':');
        if (value != NULL) {
            *value++ = '\0';
            MHD_add_response_header(response, name, value + strspn(value, " "));
        }
        free(name);
        line += n + (line[n] == '\n');
    }
}

static void send_answer(struct http_in *in, int status, const char *content_type,
    struct MHD_Response *response, const char *headers)
{
    struct http_in_private *p = in->private_;

    if (content_type != NULL && *content_type != '\0')
        MHD_add_response_header(response, "Content-Type", content_type);
    add_headers(response, headers);
    if (in->server->quiet)
        MHD_add_response_header(response, "Connection", "close");
    p->response = response;
    p->status = (unsigned)status;
    if (p->suspended) {
        p->suspended = false;
        MHD_resume_connection(p->connection);
        uv_timer_start(&in->server->timer, on_timer, 0, 0);
    }
}

void http_reply(struct http_in *in, int status, const char *content_type, struct buf *body, bool take,
    const char *headers)
{
    bool owned = take && body != NULL && body->n > 0;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body ? body->n : 0, body ? body->p : NULL, owned ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_MUST_COPY);

    if (owned)
        buf_init(body, body->max);
    else if (take && body != NULL)
        buf_fini(body);
    send_answer(in, status, content_type, response, headers);
}

void http_reply_text(struct http_in *in, int status, const char *text)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);

    send_answer(in, status, "text/plain; charset=utf-8", response, NULL);
}

struct cut {
    size_t n;
    char p[];
};

static ssize_t read_cut(void *ctx, uint64_t at, char *into, size_t room)
{
    struct cut *cut = ctx;
    size_t n = at < cut->n ? cut->n - (size_t)at : 0;

    if (n == 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    n = n < room ? n : room;
    memcpy(into, cut->p + at, n);
    return (ssize_t)n;
}

void http_reply_cut(struct http_in *in, int status, const char *content_type, struct buf *body)
{
    struct cut *cut = xmalloc(sizeof(*cut) + body->n / 2 + 1);
    size_t declared = body->n > 0 ? body->n : 1; /* an empty body cannot be cut */

    cut->n = body->n / 2;
    if (cut->n > 0)
        memcpy(cut->p, body->p, cut->n);
    send_answer(in, status, content_type,
        MHD_create_response_from_callback(declared, CUT_BLOCK_BYTES, read_cut, cut, free), NULL);
}

const char *http_in_header(const struct http_in *in, const char *name)
{
    return MHD_lookup_connection_value(in->private_->connection, MHD_HEADER_KIND, name);
}
