/* outbox.h - events on their way to handlers: what is due when, and which of them get lost, doubled, late or out of order.
 * Each is sent once, or twice by a fault: nothing is tried again (facts section 9.4). Chance follows from the
 * seed and the number of events since the faults were set. Pure: the clock is an argument. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_faults {
    uint64_t drop, twice, late, hold;   /* of 100 */
    uint64_t late_ms;                   /* how late */
    uint64_t shuffle_ms;                /* each waits a while of its own up to this: they overtake each other */
    uint64_t pause_ms;                  /* of a handler that was slow, until its next event; doubles with each in a row */
};

struct event_stats {
    uint64_t made;                      /* events times handlers */
    uint64_t dropped, doubled, delayed; /* by faults; delayed: late or held */
    uint64_t lost;                      /* no room, or the handler was unbound meanwhile */
    uint64_t sent, answered, failed;    /* answered: 2xx; sent = answered + failed + under way */
};

struct delivery {
    uint64_t due_ms, order;
    int code;                           /* event.h */
    int binding;                        /* id */
    uint64_t id;                        /* of the record or field; 0: none */
    char *more;                         /* owned; NULL: none */
};

#define OUTBOX_SLOW_MS  1000            /* an answer that takes as long is slow */
#define OUTBOX_PAUSE_MS 60000           /* the longest pause */
#define OUTBOX_PAUSES   64              /* handlers that are slow at a time; of more nobody knows */
struct outbox_pause {
    int binding;
    unsigned row;                       /* slow answers so far, one after another */
    uint64_t until_ms;
};

struct outbox {
    struct outbox_pause pauses[OUTBOX_PAUSES];
    int pause_count;
    struct delivery *heap;              /* by due_ms, then order */
    size_t count, cap;
    struct delivery *held;              /* until their handler's next event */
    size_t held_count, held_cap;
    struct event_faults faults;
    struct event_stats stats;
    uint64_t seed, lot, order;
    uint64_t parallel;                  /* requests at a time */
    uint64_t going;
};

#define OUTBOX_MOST 200000              /* deliveries that wait; more are lost */

/* d->more is copied; due_ms and order are not read. */
void outbox_put(struct outbox *o, const struct delivery *d, uint64_t now_ms);
/* The next one that may go now; it counts as under way until outbox_done(). d->more is the caller's. */
bool outbox_next(struct outbox *o, uint64_t now_ms, struct delivery *ret);
bool outbox_going(struct outbox *o);     /* of a request that did not wait here; false: too many are under way */
void outbox_done(struct outbox *o, bool answered);
/* How long a handler took to answer, or not to answer. */
void outbox_took(struct outbox *o, int binding, uint64_t took_ms, uint64_t now_ms);
void outbox_lost(struct outbox *o);     /* instead of outbox_done(): it was not sent at all */
void outbox_set_faults(struct outbox *o, const struct event_faults *faults);    /* chance begins anew */
void outbox_release(struct outbox *o, uint64_t now_ms);     /* what is held or late goes now */
void outbox_fini(struct outbox *o);
