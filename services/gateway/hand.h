/* hand.h - hands what the spool holds to the scheduler: one EVENT under way, the next after its EVENT_ACK; a lost one is sent
 * again. Pure of sockets: `send` is the caller's. Loop thread. */
#pragma once

#include "keeper.h"
#include "proto/msg.h"

#include <stdbool.h>
#include <stdint.h>

#define HAND_AGAIN_MS 2000 /* without an EVENT_ACK */

struct hand {
    struct keeper *keeper;
    const char *gateway;        /* "gateway.1" */
    bool (*send)(void *ctx, struct msg **m);    /* false: nobody takes it now; the message stays the caller's */
    void *ctx;

    uint64_t spool;             /* 0: not open yet */
    uint64_t kept;              /* greatest number known to be on disk */
    uint64_t looked;            /* the same when rows were asked for last */
    uint64_t under_way;         /* greatest number of the EVENT sent; 0 = none */
    uint64_t acked;             /* rows up to it may be forgotten */
    uint64_t sent_ms;           /* monotonic; 0: it could not be sent yet */
    bool taking, forgetting, stopping;
    struct wish take, forget;
    struct spool_row *rows;     /* CHANGES_MAX */
    uint64_t sent, again, damaged;      /* counters: changes sent, EVENTs sent again, rows set aside */
    uint64_t lag_ms;            /* of the oldest change when it was acknowledged last */
};

void hand_init(struct hand *h, struct keeper *keeper, const char *gateway, bool (*send)(void *ctx, struct msg **m), void *ctx);
void hand_fini(struct hand *h);             /* after the keeper is gone */
void hand_opened(struct hand *h, uint64_t spool, uint64_t last);       /* numbers begin anew */
void hand_kept(struct hand *h, uint64_t spool, uint64_t seq);      /* a new row is on disk */
void hand_acked(struct hand *h, const struct msg_event_ack *ack, uint64_t wall_ms);
/* A timer's turn, or there is room to send. */
void hand_turn(struct hand *h, uint64_t now_ms);
bool hand_idle(const struct hand *h);                   /* nothing waits, nothing is under way */
uint64_t hand_waiting(const struct hand *h);            /* rows not yet acknowledged, at most */
uint64_t hand_age(const struct hand *h, uint64_t wall_ms);     /* of the oldest row that waits for its EVENT_ACK; 0: none does */
