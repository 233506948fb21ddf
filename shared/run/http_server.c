#include "run/http_server.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/http_server_private.h"

enum {
    IDLE_TIMEOUT_S = 60,    /* where the definition says 0 */
    HEAD_BYTES = 32 * 1024, /* likewise */
    RUNS = 2,               /* a turn: who is answered in the first is written to in the second */
    AWAIT_MS = 1,           /* a turn in which nobody but those who are awaited had anything to do */
    HURRY_MOST = 8,         /* turns in a row that were wanted at once, and nothing was to be done */
    HURRY_MS = 5,
};

/* --- the library's turn in the loop --- */

static void on_timer(uv_timer_t *timer);

/* The library wants its next turn at once as long as anybody is awaited, and as long as a TLS handshake is
 * half done though nothing comes: the loop would do nothing else. What comes is heard by the poll, whatever
 * the timer says. */
static uint64_t wait_for_turn(struct http_server *s, uint64_t ms)
{
    s->hurry = s->progress ? 0 : s->hurry + 1;
    if (ms > 0 || s->progress)
        return ms;
    return s->awaited > 0 ? AWAIT_MS : s->hurry > HURRY_MOST ? HURRY_MS : 0;
}

static void arm_timer(struct http_server *s)
{
    MHD_UNSIGNED_LONG_LONG ms;

    if (MHD_get_timeout(s->daemon, &ms) == MHD_YES)
        uv_timer_start(&s->timer, on_timer, wait_for_turn(s, ms), 0);
    else
        uv_timer_stop(&s->timer);
}

static void turn(struct http_server *s)
{
    s->turn_due = false;
    for (int i = 0; i < RUNS && (i == 0 || s->progress); i++) {
        s->progress -= s->progress > 0;
        MHD_run(s->daemon);
    }
    if (!s->turn_due) /* by an answer given meanwhile */
        arm_timer(s);
}

static void on_timer(uv_timer_t *timer)
{
    turn(timer->data);
}

void http_server_turn_soon(struct http_server *s)
{
    if (!s->turn_due) /* once for all who are answered together */
        uv_timer_start(&s->timer, on_timer, 0, 0);
    s->turn_due = true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    ((struct http_server *)poll->data)->hurry = 0;
    turn(poll->data);
}

/* --- server --- */

static size_t leave_escaped(void *ctx, struct MHD_Connection *connection, char *s)
{
    return strlen(s);
}

static struct MHD_Daemon *start_daemon(struct http_server *s, int fd, const struct http_server_def *def)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    struct MHD_OptionItem bounds[] = {
        { MHD_OPTION_CONNECTION_LIMIT, (intptr_t)def->connections, NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)http_tls_certificate },
        { MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)HTTP_TLS_PRIORITIES },
        { MHD_OPTION_END, 0, NULL },
    };
    struct MHD_OptionItem *more = s->tls != NULL ? tls : &tls[ARRAY_SIZE(tls) - 1];
    size_t head = def->max_head_bytes > 0 ? def->max_head_bytes : HEAD_BYTES;

    return MHD_start_daemon(s->tls != NULL ? flags | MHD_USE_TLS : flags, 0, NULL, NULL,
        http_server_on_access, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_TIMEOUT, s->idle_s,
        MHD_OPTION_URI_LOG_CALLBACK, http_server_on_uri, s, MHD_OPTION_NOTIFY_COMPLETED,
        http_server_on_completed, s, MHD_OPTION_NOTIFY_CONNECTION, http_server_on_connection, s,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT, head,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, def->per_address, MHD_OPTION_ARRAY, more, MHD_OPTION_ARRAY,
        def->connections > 0 ? bounds : &bounds[ARRAY_SIZE(bounds) - 1], MHD_OPTION_END);
}

struct http_server *http_server_new(uv_loop_t *loop, const struct http_server_def *def, struct err *err)
{
    int fd = def->listen_fd;
    char address[LISTEN_ADDRESS_SIZE];
    struct http_tls *tls = NULL;
    if (def->tls_cert != NULL && http_tls_new(&tls, def->tls_cert, def->tls_key, err) < 0)
        return NULL;
    if (fd > 0) {
        listen_name(fd, address);
    } else if (listen_open(def->listen, &fd, address, err) < 0) {
        http_tls_free(&tls);
        return NULL;
    }

    struct http_server *s = xcalloc(1, sizeof(*s));
    s->tls = tls;
    s->max_body_bytes = def->max_body_bytes;
    s->max_held_bytes = def->max_held_bytes;
    s->idle_s = def->idle_timeout_s > 0 ? (unsigned)def->idle_timeout_s : IDLE_TIMEOUT_S;
    s->patient = def->answers_soon && tls == NULL; /* who encrypts may have read what is not looked at yet */
    s->handler = def->handler;
    s->ctx = def->ctx;
    memcpy(s->address, address, sizeof(s->address));
    s->daemon = start_daemon(s, fd, def);
    if (s->daemon == NULL) {
        close(fd);
        http_tls_free(&s->tls);
        free(s);
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
    s->stopping = true;
    for (struct http_in_private *p = s->requests, *next; p != NULL; p = next) {
        next = p->next;
        if (p->suspended)
            MHD_resume_connection(p->connection); /* the library refuses to stop with one suspended */
        else if (p->gone)
            http_server_forget(p);
    }
    uv_close((uv_handle_t *)&s->poll, on_closed); /* before its descriptor is closed */
    uv_close((uv_handle_t *)&s->timer, on_closed);
    MHD_stop_daemon(s->daemon);
    http_tls_free(&s->tls);
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

int http_server_renew_tls(struct http_server *s, const char *cert, const char *key, struct err *err)
{
    return http_tls_renew(s->tls, cert, key, err);
}

int http_server_check_tls(const char *cert, const char *key, struct err *err)
{
    return http_tls_check(cert, key, err);
}

uint64_t http_server_tls_until_ms(const struct http_server *s)
{
    return s->tls != NULL ? http_tls_until_ms(s->tls) : 0;
}
