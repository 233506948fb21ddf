/* sender.h - who calls portals beside the fetchers (potok verify, record, doctor; the outbox) and the calls they were
 * granted. A sender is a name and a portal. A question is numbered: asked twice it is answered twice and counts once. A
 * granted call counts as under way until its sender says that it arrived, or SENDER_CALL_MS are over.
 * Pure: the clock is an argument. Memory: the table owns its list. Loop thread. */
#pragma once

#include "base/uuid.h"
#include "run/bus.h"

#include <stdbool.h>
#include <stdint.h>

#define SENDERS_MAX 64
#define SENDER_CALLS_MAX 16         /* of one, under way */
#define SENDER_CALL_MS 75000        /* JOB_DEADLINE's default: no call takes longer */
#define SENDER_SILENT_MS 120000     /* and nothing under way: forgotten */
#define SENDER_HOLD_MS 1000         /* a question waits so long for its turn, then it is told to ask again */
#define SENDER_METHOD_SIZE 129

struct sender_call {
    int bucket;
    char method[SENDER_METHOD_SIZE];    /* "" = nobody's operating seconds */
    uint64_t until_ms;
};

struct sender {
    char name[65];
    int portal, bucket;
    uint32_t number;                /* never used again */
    struct bus_peer peer;
    char correlation[UUID_SIZE];
    uint64_t seq, heard_ms;         /* of its last question */
    bool waits;                     /* and that is not answered yet: */
    uint32_t want;
    uint64_t asked_ms;
    char method[SENDER_METHOD_SIZE];
    uint32_t granted;               /* else: the answer, should it ask again */
    uint64_t wait_ms;
    uint64_t total;                 /* calls granted */
    struct sender_call calls[SENDER_CALLS_MAX];    /* under way, oldest first */
    int call_count;
};

struct senders {
    struct sender *list;
    int count;
    uint32_t numbers;
};

void senders_fini(struct senders *t);
/* The sender of that name and portal, new when it is unknown; NULL = too many have calls under way. */
struct sender *senders_of(struct senders *t, const char *name, int portal, uint64_t now_ms);
int senders_waiting(const struct senders *t);
int senders_calls(const struct senders *t, int portal);     /* under way */
/* A question came. False: one that was answered, or is waiting, already; it is older when its seq is below the last. */
bool sender_asks(struct sender *s, uint64_t seq, uint32_t want, const char *method, uint64_t now_ms);
bool sender_has_room(const struct sender *s);
void sender_granted(struct sender *s, uint64_t now_ms);     /* one more call of what it waits for; room is the caller's to see */
/* The oldest call under way: given out and forgotten. False: there is none. */
bool sender_ends_call(struct sender *s, struct sender_call *ret);
/* The same of one whose time is over. */
bool sender_late_call(struct sender *s, uint64_t now_ms, struct sender_call *ret);
