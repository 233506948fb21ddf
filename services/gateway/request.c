/* One request from the socket to its answer. */
#include "gateway.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "install.h"
#include "reply.h"
#include "run/crash.h"

#include <stdlib.h>
#include <string.h>

struct request {
    struct http_in *in;
    struct gateway *gateway;
    struct intake intake;
    uint64_t began_ms;
    struct spool_row *rows; /* of the items that are to be kept */
    bool *added;
    struct spool_row row; /* where there is but one, as in all requests of portals */
    bool row_added;
    int row_of[INTAKE_ITEMS_MAX]; /* -1: its item is not kept */
    struct wish wish;
    struct install install; /* what an application was given */
    struct request *next;   /* spare */
};

#define SPARE_MOST 256

/* They are large, and dozens wait for each commit: their memory is used again. */
static struct request *request_new(struct gateway *g)
{
    struct request *r = g->spare;

    if (r == NULL)
        return xmalloc(sizeof(*r)); /* intake_read() fills what is looked at of the many items there may be */
    g->spare = r->next;
    g->spare_count--;
    return r;
}

static void request_free(struct request *r)
{
    struct gateway *g = r->gateway;

    buf_fini(&r->install.sealed);
    if (r->rows != &r->row) {
        free(r->rows);
        free(r->added);
    }
    if (g->spare_count == SPARE_MOST) {
        free(r);
        return;
    }
    r->next = g->spare;
    g->spare = r;
    g->spare_count++;
}

void request_fini(struct gateway *g)
{
    http_page_free(&g->page);
    while (g->spare != NULL) {
        struct request *r = g->spare;

        g->spare = r->next;
        free(r);
    }
    g->spare_count = 0;
}

/* Many are answered in one millisecond, after one commit, and most of them alike. */
static struct http_page *page_of(
    struct gateway *g, const struct intake *i, enum reason reason, uint64_t now_ms)
{
    struct buf body;

    if (g->page != NULL && g->page_reason == reason && g->page_ms == now_ms)
        return g->page;
    buf_init(&body, 1 << 16);
    reply_body(i, now_ms, &body);
    http_page_free(&g->page);
    g->page = http_page_new(
        reason_status(i->reason), "application/json", buf_view(&body), reply_headers(i->reason));
    g->page_reason = reason;
    g->page_ms = now_ms;
    buf_fini(&body);
    return g->page;
}

static void answer(struct request *r)
{
    const struct intake *i = &r->intake;
    uint64_t now_ms = clock_wall_ms();
    struct buf body;

    if (reason_status(i->reason) >= 400)
        count_refused(r->gateway, i, now_ms);
    count_answered(i, (double)(clock_mono_ms() - r->began_ms) / 1000);
    if (r->install.page) {
        buf_init(&body, 1 << 14);
        install_page(i->reason, &body);
        http_reply(
            r->in, reason_status(i->reason), "text/html; charset=utf-8", &body, true, INSTALL_PAGE_HEADERS);
    } else if (reply_is_plain(i)) {
        http_reply_page(r->in, page_of(r->gateway, i, reply_reason(i), now_ms));
    } else {
        buf_init(&body, 1 << 16);
        reply_body(i, now_ms, &body);
        http_reply(
            r->in, reason_status(i->reason), "application/json", &body, true, reply_headers(i->reason));
    }
    request_free(r);
}

/* ---- to the disk ---- */

static void on_kept(struct wish *w)
{
    struct request *r = w->ctx;
    struct gateway *g = r->gateway;
    uint64_t last = 0;

    g->in_hand--;
    if (w->status < 0)
        r->intake.reason = REASON_SPOOL;
    for (int i = 0; w->status == 0 && i < r->intake.count; i++) {
        int row = r->row_of[i];

        if (row < 0 || r->rows[row].odd)
            continue;
        if (!r->added[row])
            r->intake.items[i].reason = REASON_DUPLICATE;
        if (r->rows[row].seq > last)
            last = r->rows[row].seq;
    }
    if (last > 0)
        hand_kept(&g->hand, w->spool, last);
    answer(r);
    crash_point(GATEWAY_AFTER_ANSWER);
}

static void copy_text(char *to, size_t size, const char *text)
{
    size_t n = strnlen(text, size - 1);

    memcpy(to, text, n);
    to[n] = '\0';
}

static void fill_row(
    struct spool_row *row, const struct intake *i, const struct intake_item *item, uint64_t now_ms)
{
    row->odd = item->reason == REASON_UNKNOWN;
    row->at_ms = now_ms;
    row->seq = 0;
    row->id = item->id;
    row->kind = item->kind;
    copy_text(row->event, sizeof(row->event), item->event);
    copy_text(row->portal, sizeof(row->portal), row->odd ? i->domain : item->portal->name);
    copy_text(row->entity, sizeof(row->entity), row->odd || item->entity == NULL ? "" : item->entity->plural);
}

static int choose_rows(struct request *r)
{
    const struct intake *i = &r->intake;
    uint64_t now_ms = clock_wall_ms();
    int n = 0;

    r->rows = i->count > 1 ? xcalloc((size_t)i->count, sizeof(*r->rows)) : &r->row;
    r->added = i->count > 1 ? xcalloc((size_t)i->count, sizeof(*r->added)) : &r->row_added;
    for (int k = 0; k < i->count; k++) {
        enum reason reason = i->items[k].reason;

        r->row_of[k] = reason == REASON_TAKEN || reason == REASON_UNKNOWN ? n : -1;
        if (r->row_of[k] >= 0)
            fill_row(&r->rows[n++], i, &i->items[k], now_ms);
    }
    r->rows[0].sealed = r->install.sealed.p;
    r->rows[0].sealed_n = r->install.sealed.n;
    return n;
}

static void keep(struct request *r)
{
    int n = choose_rows(r);

    if (n == 0) {
        answer(r);
        return;
    }
    r->wish = (struct wish){
        .kind = WISH_ADD, .rows = r->rows, .added = r->added, .count = n, .done = on_kept, .ctx = r
    };
    r->gateway->in_hand++;
    keeper_do(r->gateway->keeper, &r->wish);
}

/* ---- from the socket ---- */

static void read_request(struct request *r)
{
    struct gateway *g = r->gateway;
    const struct http_in *in = r->in;
    uint64_t now_ms = clock_mono_ms();
    const struct intake_in intake = { .method = in->method,
        .path = in->path,
        .content_type = in->content_type,
        .query = in->query,
        .body = in->body,
        .api_key = http_in_header(in, "X-API-Key"),
        .authorization = http_in_header(in, "Authorization") };

    if (!install_read(&g->rules, &g->secret_keys, &intake, clock_wall_ms(), &r->intake, &r->install))
        intake_read(&g->rules, &intake, &r->intake);
    if (r->install.stranger) { /* few are installed in a minute */
        if (visitor_blocked(&g->visitors, in->remote, now_ms))
            r->intake.reason = REASON_TOO_MANY_BAD;
        visitor_bad(&g->visitors, in->remote, now_ms);
    } else if (r->intake.reason == REASON_BAD_TOKEN) {
        if (visitor_blocked(&g->visitors, in->remote, now_ms))
            r->intake.reason = REASON_TOO_MANY_BAD;
        visitor_bad(&g->visitors, in->remote, now_ms);
    } else if (r->intake.reason == REASON_TAKEN) {
        visitor_good(&g->visitors, in->remote);
    }
    if (r->intake.reason == REASON_TAKEN && g->draining)
        r->intake.reason = REASON_DRAINING;
}

static void tell(const struct request *r)
{
    const struct intake *i = &r->intake;

    if (i->reason == REASON_TAKEN)
        log_ev(LOG_DEBUG, "webhook.read", kv_s("domain", i->domain), kv_i("items", i->count),
            kv_s("event", i->count > 0 ? i->items[0].event : ""),
            kv_u("id", i->count > 0 ? i->items[0].id : 0));
    else
        log_ev(LOG_INFO, "webhook.refused", kv_s("reason", reason_name(i->reason)), kv_s("domain", i->domain),
            kv_s("remote", r->in->remote));
}

static bool operators_path(struct http_in *in)
{
    struct gateway *g = in->ctx;
    struct buf body;

    if (strcmp(in->path, "/health") == 0) {
        http_reply_text(in, 200, "ok\n");
    } else if (strcmp(in->path, "/ready") == 0) {
        buf_init(&body, 1000);
        bool ready = gateway_ready(g, &body);
        http_reply_text(in, ready ? 200 : 503, ready ? "ready\n" : buf_cstr(&body));
        buf_fini(&body);
    } else if (strcmp(in->path, "/metrics") == 0) {
        buf_init(&body, 4 << 20);
        count_state(g);
        metric_render(&body);
        http_reply(in, 200, "text/plain; version=0.0.4", &body, true, NULL);
    } else {
        return false;
    }
    return true;
}

void request_on_http(struct http_in *in)
{
    struct gateway *g = in->ctx;
    struct request *r;

    g->quiet_ms = clock_mono_ms();
    if (operators_path(in))
        return;
    r = request_new(g);
    r->rows = &r->row;
    r->row_added = false;
    r->in = in;
    r->gateway = g;
    r->began_ms = g->quiet_ms;
    read_request(r);
    count_received(g, &r->intake);
    tell(r);
    if (r->intake.reason == REASON_TAKEN)
        keep(r);
    else
        answer(r);
}
