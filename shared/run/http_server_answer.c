/* Answers. */
#include "run/http_server_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CUT_BLOCK_BYTES 32768

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

static void give(struct http_in_private *p, int status)
{
    p->status = (unsigned)status;
    if (p->gone) {
        http_server_forget(p);
    } else if (p->awaited) {
        p->awaited = false;
        p->in.server->awaited--;
        http_server_turn_soon(p->in.server);
    } else if (p->suspended) {
        p->suspended = false;
        MHD_resume_connection(p->connection);
        http_server_turn_soon(p->in.server);
    }
}

void http_server_answer(struct http_in *in, int status, const char *content_type,
    struct MHD_Response *response, const char *headers)
{
    struct http_in_private *p = in->private_;

    if (content_type != NULL && *content_type != '\0')
        MHD_add_response_header(response, "Content-Type", content_type);
    add_headers(response, headers);
    if (in->server->quiet)
        MHD_add_response_header(response, "Connection", "close");
    p->response = response;
    give(p, status);
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
    http_server_answer(in, status, content_type, response, headers);
}

void http_reply_text(struct http_in *in, int status, const char *text)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);

    http_server_answer(in, status, "text/plain; charset=utf-8", response, NULL);
}

/* --- pages --- */

struct http_page *http_page_new(int status, const char *content_type, struct str body, const char *headers)
{
    struct http_page *page = xcalloc(1, sizeof(*page));

    *page = (struct http_page){ .refs = 1,
        .status = status,
        .content_type = xstrdup(content_type),
        .body = str_dup(body),
        .n = body.n,
        .headers = headers != NULL ? xstrdup(headers) : NULL };
    page->response = MHD_create_response_from_buffer(page->n, page->body, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(page->response, "Content-Type", content_type);
    add_headers(page->response, headers);
    return page;
}

static void unref(struct http_page *page)
{
    if (--page->refs > 0)
        return;
    MHD_destroy_response(page->response);
    free(page->content_type);
    free(page->body);
    free(page->headers);
    free(page);
}

void http_page_free(struct http_page **page)
{
    if (*page != NULL)
        unref(*page);
    *page = NULL;
}

void http_reply_page(struct http_in *in, struct http_page *page)
{
    struct http_in_private *p = in->private_;
    struct buf body;

    if (in->server->quiet) { /* each says that its connection is closed */
        buf_init(&body, page->n);
        buf_add(&body, page->body, page->n);
        http_reply(in, page->status, page->content_type, &body, true, page->headers);
        return;
    }
    page->refs++;
    p->page = page;
    p->response = page->response;
    give(p, page->status);
}

void http_server_drop_answer(struct http_in_private *p)
{
    if (p->page != NULL)
        unref(p->page);
    else if (p->response != NULL)
        MHD_destroy_response(p->response);
    p->page = NULL;
    p->response = NULL;
}

/* --- half an answer --- */

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
    http_server_answer(in, status, content_type,
        MHD_create_response_from_callback(declared, CUT_BLOCK_BYTES, read_cut, cut, free), NULL);
}
