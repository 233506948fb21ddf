/* alarm_queue.h - what one target is still to be told: in order, one call at a time, again with growing pauses for an hour, the
 * newest word about an alarm in place of an older one. Pure: the clock is an argument. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ALARM_QUEUE_MOST    64
#define ALARM_KEY_SIZE      144
#define ALARM_TRY_FOR_MS    3600000 /* then it is given up */
#define ALARM_PAUSE_MS      1000    /* doubled up to */
#define ALARM_PAUSE_MOST_MS 300000

struct alarm_post {
    char key[ALARM_KEY_SIZE];       /* of which alarm */
    char *body;                     /* owned */
    uint64_t born_ms;
};

struct alarm_queue {
    struct alarm_post list[ALARM_QUEUE_MOST];   /* the first is sent next, or now */
    int count;
    bool sending;
    unsigned fails;                 /* in a row */
    uint64_t not_before_ms;
};

/* Takes the body. False: the oldest that was not under way had to go for it. */
bool alarm_queue_put(struct alarm_queue *q, const char *key, char *body, uint64_t now_ms);
/* NULL: nothing is due. The caller sends it and says what became of it. */
const struct alarm_post *alarm_queue_next(struct alarm_queue *q, uint64_t now_ms);
/* It arrived; or it did not: false when it was given up. wait_ms: as the target asks, else 0. `key` (ALARM_KEY_SIZE) gets its
 * alarm. */
void alarm_queue_arrived(struct alarm_queue *q, char *key);
bool alarm_queue_failed(struct alarm_queue *q, uint64_t wait_ms, uint64_t now_ms, char *key);
bool alarm_queue_has(const struct alarm_queue *q, const char *key);
void alarm_queue_fini(struct alarm_queue *q);
