/* work.h - one job in hand: calling, then handing its records to a mapper, then reporting. Each step is
 * repeated until the bus took the message, so a REPORT "sent" is never ahead of its RECORDS. A process that
 * dies with works in hand gives them back by silence. Memory: freed by fetcher_work_done(). Loop thread only.
 */
#pragma once

#include "base/webhook.h"
#include "connectors/bitrix.h"
#include "fetcher.h"
#include "target.h"

enum work_state { WORK_CALLING, WORK_HANDING, WORK_REPORTING };

struct work {
    struct fetcher *fetcher;
    struct work *next;
    struct msg *job; /* owned; its strings are lent to every message sent */
    enum work_state state;
    struct target target;
    struct http_call *call;
    struct bitrix_answer answer;
    char moved[WEBHOOK_HOST_SIZE]; /* the portal answers there now; "" = not told */
    struct err err;               /* of a failed job */
    struct bus_plug *lane;        /* where the records go */
    struct msg *records, *report; /* waiting for the bus */
    struct buf operating;         /* lent to the report */
    struct ids asked;             /* of the job's ids those that were answered; lent to the records */
    int status;                   /* HTTP; 0 = no answer */
    uint64_t requests, bytes, took_ms;
    bool ok;
};

struct work *work_new(struct fetcher *f, struct msg **job);
void work_free(struct work *w);

/* Makes the call; whatever goes wrong becomes a REPORT. May end the work (it is freed then). */
void work_start(struct work *w);
/* The plug can take messages again: goes on if the work waits for it. May end the work. */
void work_go_on(struct work *w, const struct bus_plug *plug);
