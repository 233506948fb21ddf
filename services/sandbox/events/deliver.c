#include "deliver.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#define DEADLINE_MS \
    5000 /* the real one is not documented; third parties speak of 5 s (facts section 9.4) \
          */
#define ANSWER_BYTES (64u << 10)

struct deliver_call {
    struct deliver *deliver;
    struct http_client *client;
    bool over;
    int binding;
    uint64_t begun_ms;
    struct deliver_call *next;
};

static void on_done(void *ctx, struct http_answer *answer)
{
    struct deliver_call *call = ctx;

    struct outbox *o = &call->deliver->events->outbox;
    const uint64_t now_ms = clock_mono_ms();

    outbox_took(o, call->binding, now_ms - call->begun_ms, now_ms);
    outbox_done(o, answer->status >= 200 && answer->status < 300);
    call->over = true; /* its client cannot go from inside of it */
    uv_async_send(&call->deliver->again);
}

static void send_one(struct deliver *d, const char *url, struct buf *body)
{
    struct deliver_call *call = xcalloc(1, sizeof(*call));
    const struct http_request request = { .method = "POST",
        .url = url,
        .content_type = "application/x-www-form-urlencoded",
        .body = buf_view(body),
        .free_body = body->p,
        .deadline_ms = DEADLINE_MS,
        .max_bytes = ANSWER_BYTES,
        .on_done = on_done,
        .ctx = call };
    struct err err;

    *call = (struct deliver_call){ .deliver = d,
        .client = http_client_new(d->again.loop, "Bitrix24 Webhook Engine"),
        .binding = d->events->asked,
        .begun_ms = clock_mono_ms(),
        .next = d->calls };
    d->calls = call;
    if (http_start(call->client, &request, &err) == NULL) {
        outbox_done(&d->events->outbox, false);
        buf_fini(body);
        call->over = true;
        uv_async_send(&d->again);
    }
}

static void free_calls(struct deliver *d, bool all)
{
    struct deliver_call **at = &d->calls;

    while (*at != NULL) {
        struct deliver_call *call = *at;
        if (!all && !call->over) {
            at = &call->next;
            continue;
        }
        *at = call->next;
        http_client_free(&call->client);
        free(call);
    }
}

static void on_again(uv_async_t *again)
{
    struct deliver *d = again->data;

    free_calls(d, false);
    deliver_pump(d);
}

void deliver_start(struct deliver *d, uv_loop_t *loop, struct events *e)
{
    *d = (struct deliver){ .events = e };
    uv_async_init(loop, &d->again, on_again);
    d->again.data = d;
}

void deliver_pump(struct deliver *d)
{
    struct buf body;
    const char *url;

    while (events_next(d->events, clock_mono_ms(), clock_wall_ms(), &url, &body))
        send_one(d, url, &body);
}

void deliver_stop(struct deliver *d)
{
    free_calls(d, true);
    uv_close((uv_handle_t *)&d->again, NULL);
}
