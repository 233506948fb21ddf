#include "serve.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define BODY_BYTES_MAX (8u << 20)
#define TICK_MS        20

struct late {
    uv_timer_t timer;
    struct serve *serve;
    struct http_in *in;
    struct portal_answer answer;
    struct late *prev, *next;
};

static void reply(struct http_in *in, struct portal_answer *a)
{
    if (a->how == HOW_CUT)
        http_reply_cut(in, a->status, a->content_type, &a->body);
    else
        http_reply(in, a->status, a->content_type, &a->body, true, a->headers[0] ? a->headers : NULL);
    buf_fini(&a->body);
}

static void on_late_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void late_close(struct late *l)
{
    if (l->prev != NULL)
        l->prev->next = l->next;
    else
        l->serve->late = l->next;
    if (l->next != NULL)
        l->next->prev = l->prev;
    uv_close((uv_handle_t *)&l->timer, on_late_closed);
}

static void on_late(uv_timer_t *timer)
{
    struct late *l = timer->data;

    reply(l->in, &l->answer);
    late_close(l);
}

static void reply_later(struct serve *s, struct http_in *in, const struct portal_answer *a)
{
    struct late *l = xcalloc(1, sizeof(*l));

    l->serve = s;
    l->in = in;
    l->answer = *a;
    l->next = s->late;
    if (l->next != NULL)
        l->next->prev = l;
    s->late = l;
    uv_timer_init(s->ticker.loop, &l->timer);
    l->timer.data = l;
    uv_timer_start(&l->timer, on_late, a->delay_ms, 0);
}

static void on_request(struct http_in *in)
{
    struct serve_door *door = in->ctx;
    struct serve *s = door->serve;
    struct portal_answer answer;

    portal_answer(s->portal,
        &(struct portal_request){ .method = in->method,
            .path = in->path,
            .query = in->query,
            .body = in->body,
            .content_type = in->content_type,
            .remote = in->remote,
            .authorization = http_in_header(in, "Authorization"),
            .door = (enum portal_door)(door - s->doors) },
        &answer);
    if (answer.delay_ms > 0)
        reply_later(s, in, &answer);
    else
        reply(in, &answer);
    deliver_pump(&s->deliver);
}

static void on_tick(uv_timer_t *timer)
{
    struct serve *s = timer->data;

    portal_tick(s->portal);
    portal_land(s->portal);
    deliver_pump(&s->deliver);
}

static int open_door(
    struct serve *s, uv_loop_t *loop, enum portal_door d, const struct serve_place *place, struct err *err)
{
    struct serve_door *door = &s->doors[d];
    const uint64_t port = d == DOOR_PORTAL ? place->port : 0;
    char listen[160];

    snprintf(listen, sizeof(listen), "%.100s:%llu", place->address, (unsigned long long)port);
    door->serve = s;
    door->http = http_server_new(loop,
        &(struct http_server_def){ .listen = listen,
            .max_body_bytes = BODY_BYTES_MAX,
            .idle_timeout_s = 120,
            .tls_cert = place->tls_cert,
            .tls_key = place->tls_key,
            .handler = on_request,
            .ctx = door },
        err);
    if (door->http == NULL)
        return -1;
    portal_open_door(s->portal, d, http_server_address(door->http));
    return 0;
}

static void close_doors(struct serve *s)
{
    for (int d = 0; d < DOORS; d++) {
        if (s->doors[d].http != NULL)
            http_server_free(&s->doors[d].http);
    }
}

int serve_start(
    struct serve *s, uv_loop_t *loop, struct portal *p, const struct serve_place *place, struct err *err)
{
    *s = (struct serve){ .portal = p };
    for (enum portal_door d = 0; d < DOORS; d++) {
        if (open_door(s, loop, d, place, err) == 0)
            continue;
        close_doors(s);
        return -1;
    }
    deliver_start(&s->deliver, loop, &p->events);
    uv_timer_init(loop, &s->ticker);
    s->ticker.data = s;
    uv_timer_start(&s->ticker, on_tick, TICK_MS, TICK_MS);
    return 0;
}

void serve_stop(struct serve *s)
{
    while (s->late != NULL) {
        buf_fini(&s->late->answer.body);
        late_close(s->late);
    }
    deliver_stop(&s->deliver);
    close_doors(s);
    uv_close((uv_handle_t *)&s->ticker, NULL);
}
