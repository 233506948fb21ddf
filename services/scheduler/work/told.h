/* told.h - what an answer of a portal tells about its limits, whoever asked: a fetcher's REPORT, another sender's
 * BUDGET_ASK. Loop thread. */
#pragma once

#include "scheduler.h"

struct told {
    struct str blocked;         /* method that hit its operating limit; empty: not one alone */
    struct str error;
    uint64_t status;            /* HTTP */
    uint64_t retry_ms;          /* 0: not told */
};

/* A limit was met: the method, or all calls, pause; the bucket is full. */
void told_limit(struct scheduler *s, int portal, int bucket, const struct told *t);
/* The portal's own word for an error that says nothing of the question: a token that is over, a block. */
void told_word(struct scheduler *s, int portal, struct str code, uint64_t token);
/* Map method -> [milliseconds used, reset Unix s]; what is none is ignored. */
void told_operating(struct portal *p, struct str map);
