#include "deliver.h"

#include "base/clock.h"

#define DEADLINE_MS 5000 /* the real one is not documented; third parties speak of 5 s (facts section 9.4) \
                          */
#define ANSWER_BYTES (64u << 10)

static void on_done(void *ctx, struct http_answer *answer)
{
    struct deliver *d = ctx;

    outbox_done(&d->events->outbox, answer->status >= 200 && answer->status < 300);
    if (d->client != NULL)
        deliver_pump(d);
}

static void send_one(struct deliver *d, const char *url, struct buf *body)
{
    const struct http_request request = { .method = "POST",
        .url = url,
        .content_type = "application/x-www-form-urlencoded",
        .body = buf_view(body),
        .free_body = body->p,
        .deadline_ms = DEADLINE_MS,
        .max_bytes = ANSWER_BYTES,
        .on_done = on_done,
        .ctx = d };
    struct err err;

    if (http_start(d->client, &request, &err) == NULL) {
        outbox_done(&d->events->outbox, false);
        buf_fini(body);
    }
}

void deliver_start(struct deliver *d, uv_loop_t *loop, struct events *e)
{
    *d = (struct deliver){ .events = e, .client = http_client_new(loop, "Bitrix24 Webhook Engine") };
}

void deliver_pump(struct deliver *d)
{
    struct buf body;
    const char *url;

    while (events_next(d->events, clock_mono_ms(), (int64_t)(clock_wall_ms() / 1000), &url, &body))
        send_one(d, url, &body);
}

void deliver_stop(struct deliver *d)
{
    struct http_client *client = d->client;

    d->client = NULL;
    http_client_free(&client);
}
