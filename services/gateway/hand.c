#include "hand.h"

#include "base/clock.h"
#include "base/mem.h"
#include "run/crash.h"

#include <stdlib.h>

static void start_take(struct hand *h);

void hand_init(struct hand *h, struct keeper *keeper, const char *gateway,
    bool (*send)(void *ctx, struct msg **m), void *ctx)
{
    *h = (struct hand){ .keeper = keeper, .gateway = gateway, .send = send, .ctx = ctx };
    h->rows = xcalloc(CHANGES_MAX, sizeof(*h->rows));
}

void hand_fini(struct hand *h)
{
    if (h->rows != NULL)
        spool_rows_fini(h->rows, h->take.count);
    free(h->rows);
    h->rows = NULL;
}

bool hand_idle(const struct hand *h)
{
    return h->spool != 0 && h->under_way == 0 && !h->taking && !h->forgetting && hand_waiting(h) == 0;
}

uint64_t hand_waiting(const struct hand *h)
{
    return h->kept > h->acked ? h->kept - h->acked : 0;
}

/* ---- sending ---- */

static struct msg *make_event(const struct hand *h, struct buf *bytes)
{
    struct change *list = xcalloc((size_t)h->take.count, sizeof(*list));
    struct msg *m = msg_new(MSG_EVENT);

    for (int i = 0; i < h->take.count; i++) {
        const struct spool_row *r = &h->rows[i];

        list[i] = (struct change){ .seq = r->seq,
            .portal = str_of(r->portal),
            .entity = str_of(r->entity),
            .id = r->id,
            .kind = r->kind,
            .at_ms = r->at_ms };
        if (r->kind == CHANGE_KIND_ACCESS && r->sealed != NULL)
            list[i].sealed = (struct str){ r->sealed, r->sealed_n };
    }
    change_list_encode(list, h->take.count, bytes);
    free(list);
    m->event = (struct msg_event){
        .gateway = str_of(h->gateway), .spool = h->spool, .last = h->under_way, .changes = buf_view(bytes)
    };
    return m;
}

static void send_rows(struct hand *h, uint64_t now_ms)
{
    struct buf bytes;
    struct msg *m;

    buf_init(&bytes, 1 << 20);
    m = make_event(h, &bytes);
    crash_point(GATEWAY_BEFORE_HANDING);
    if (h->send(h->ctx, &m)) {
        crash_point(GATEWAY_AFTER_HANDING);
        h->sent_ms = now_ms;
        h->sent += (uint64_t)h->take.count;
    } else {
        h->sent_ms = 0;
    }
    msg_free(&m);
    buf_fini(&bytes);
}

static void on_taken(struct wish *w)
{
    struct hand *h = w->ctx;

    h->taking = false;
    h->damaged += (uint64_t)w->damaged;
    if (h->stopping || w->status < 0)
        return;
    if (w->spool != h->spool) { /* repaired since: its rows have other numbers */
        start_take(h);
        return;
    }
    if (w->count == 0) { /* of what was on disk then, nothing is left */
        h->acked = h->looked > h->acked ? h->looked : h->acked;
        start_take(h);
        return;
    }
    h->under_way = h->rows[w->count - 1].seq;
    if (h->kept < h->under_way)
        h->kept = h->under_way;
    send_rows(h, clock_mono_ms());
}

static void start_take(struct hand *h)
{
    if (h->taking || h->under_way != 0 || h->spool == 0 || h->stopping || hand_waiting(h) == 0)
        return;
    spool_rows_fini(h->rows, h->take.count);
    h->taking = true;
    h->looked = h->kept;
    h->take = (struct wish){ .kind = WISH_TAKE,
        .rows = h->rows,
        .most = CHANGES_MAX,
        .after = h->acked,
        .spool = h->spool,
        .done = on_taken,
        .ctx = h };
    keeper_do(h->keeper, &h->take);
}

/* ---- forgetting ---- */

static void start_forget(struct hand *h);

static void on_forgotten(struct wish *w)
{
    struct hand *h = w->ctx;

    h->forgetting = false;
    if (w->status == 0 && w->after < h->acked)
        start_forget(h);
}

/* Lost with the process it costs nothing: the rows are handed on once more, and marks only rise. */
static void start_forget(struct hand *h)
{
    if (h->forgetting || h->stopping)
        return;
    h->forgetting = true;
    h->forget = (struct wish){
        .kind = WISH_FORGET, .after = h->acked, .spool = h->spool, .done = on_forgotten, .ctx = h
    };
    keeper_do(h->keeper, &h->forget);
}

/* ---- events ---- */

void hand_opened(struct hand *h, uint64_t spool, uint64_t last)
{
    h->spool = spool;
    h->under_way = h->acked = 0;
    h->kept = last; /* a former life may have left something */
    start_take(h);
}

void hand_kept(struct hand *h, uint64_t spool, uint64_t seq)
{
    if (spool == h->spool && seq > h->kept)
        h->kept = seq;
    start_take(h);
}

void hand_acked(struct hand *h, const struct msg_event_ack *ack, uint64_t wall_ms)
{
    if (ack->spool != h->spool || h->under_way == 0 || ack->last != h->under_way)
        return; /* of a former EVENT, or another spool's */
    crash_point(GATEWAY_BEFORE_FORGETTING);
    h->acked = h->under_way;
    h->under_way = 0;
    h->lag_ms = wall_ms > h->rows[0].at_ms ? wall_ms - h->rows[0].at_ms : 0;
    start_forget(h);
    start_take(h);
}

uint64_t hand_age(const struct hand *h, uint64_t wall_ms)
{
    return h->under_way > 0 && h->rows[0].at_ms < wall_ms ? wall_ms - h->rows[0].at_ms : 0;
}

void hand_turn(struct hand *h, uint64_t now_ms)
{
    if (h->under_way == 0 || h->stopping) {
        start_take(h);
        return;
    }
    if (h->sent_ms != 0 && now_ms < h->sent_ms + HAND_AGAIN_MS)
        return;
    h->again += h->sent_ms != 0;
    send_rows(h, now_ms);
}
