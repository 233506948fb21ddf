/* pace.h - how long a commit that has something to write waits for more. Nothing ever waits for senders that may not come: only for
 * those whom the last commit answered and who, the time before, came back while it waited. Where each sender waits for its
 * answer (a few dozen of them on kept connections) this makes one sync of all of them instead of two of half as many. Pure. */
#pragma once

#include <stdint.h>

#define PACE_LEAST_US   1000    /* about what a few dozen senders need to come back */
#define PACE_MOST_US    5000
#define PACE_SKIP       64      /* commits that do not wait after a waiting that was in vain */

struct pace {
    unsigned answered;          /* requests that the last commit answered */
    uint64_t commit_us;         /* how long it took */
    unsigned skip;
};

/* 0: commit at once. */
uint64_t pace_patience_us(const struct pace *p);
/* A commit is done: `came` requests came while it waited (of whom `answered` were hoped for), `answered` were in it. */
void pace_committed(struct pace *p, unsigned came, unsigned answered, uint64_t commit_us);
