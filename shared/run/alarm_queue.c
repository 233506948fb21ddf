#include "run/alarm_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take_out(struct alarm_queue *q, int i)
{
    free(q->list[i].body);
    q->count--;
    memmove(&q->list[i], &q->list[i + 1], (size_t)(q->count - i) * sizeof(q->list[0]));
}

/* The first that is not under way. */
static int first_waiting(const struct alarm_queue *q)
{
    return q->sending ? 1 : 0;
}

bool alarm_queue_put(struct alarm_queue *q, const char *key, char *body, uint64_t now_ms)
{
    bool room = true;

    for (int i = first_waiting(q); i < q->count; i++) {
        if (strcmp(q->list[i].key, key) != 0)
            continue;
        free(q->list[i].body);
        q->list[i].body = body;
        q->list[i].born_ms = now_ms;
        return true;
    }
    if (q->count == ALARM_QUEUE_MOST) {
        take_out(q, first_waiting(q));
        room = false;
    }
    struct alarm_post *post = &q->list[q->count++];

    *post = (struct alarm_post){ .body = body, .born_ms = now_ms };
    snprintf(post->key, sizeof(post->key), "%s", key);
    return room;
}

const struct alarm_post *alarm_queue_next(struct alarm_queue *q, uint64_t now_ms)
{
    if (q->sending || q->count == 0 || now_ms < q->not_before_ms)
        return NULL;
    q->sending = true;
    return &q->list[0];
}

void alarm_queue_arrived(struct alarm_queue *q, char *key)
{
    memcpy(key, q->list[0].key, ALARM_KEY_SIZE);
    q->sending = false;
    q->fails = 0;
    q->not_before_ms = 0;
    take_out(q, 0);
}

/* One that the target does not like does not keep the others from it. */
static void to_the_end(struct alarm_queue *q)
{
    struct alarm_post first = q->list[0];

    memmove(&q->list[0], &q->list[1], (size_t)(q->count - 1) * sizeof(q->list[0]));
    q->list[q->count - 1] = first;
}

static bool has_newer(const struct alarm_queue *q)
{
    for (int i = 1; i < q->count; i++)
        if (strcmp(q->list[i].key, q->list[0].key) == 0)
            return true;
    return false;
}

bool alarm_queue_failed(struct alarm_queue *q, uint64_t wait_ms, uint64_t now_ms, char *key)
{
    uint64_t pause = (uint64_t)ALARM_PAUSE_MS << (q->fails < 9 ? q->fails : 9);

    memcpy(key, q->list[0].key, ALARM_KEY_SIZE);
    q->sending = false;
    q->fails++;
    if (pause > ALARM_PAUSE_MOST_MS)
        pause = ALARM_PAUSE_MOST_MS;
    if (wait_ms > ALARM_TRY_FOR_MS)
        wait_ms = ALARM_TRY_FOR_MS;
    q->not_before_ms = now_ms + (pause > wait_ms ? pause : wait_ms);
    if (has_newer(q)) {
        take_out(q, 0);
        return true;
    }
    if (now_ms - q->list[0].born_ms >= ALARM_TRY_FOR_MS) {
        take_out(q, 0);
        return false;
    }
    to_the_end(q);
    return true;
}

bool alarm_queue_has(const struct alarm_queue *q, const char *key)
{
    for (int i = 0; i < q->count; i++)
        if (strcmp(q->list[i].key, key) == 0)
            return true;
    return false;
}

void alarm_queue_fini(struct alarm_queue *q)
{
    while (q->count > 0)
        take_out(q, 0);
}
