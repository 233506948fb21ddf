/* pace.h - how long a commit that has something to write waits for more. Nothing ever waits for senders that may not come: only for
 * those whom the last commit answered, and only while they do come back. Where each of a few dozen senders waits for its answer
 * before it sends again (kept connections), this makes one sync of all of them out of two of half as many. Pure. */
#pragma once

#include <stdint.h>

#define PACE_LEAST_US   1500    /* about what a few dozen senders need to come back */
#define PACE_MOST_US    5000
#define PACE_SKIP       16      /* commits that do not wait after one that waited in vain */
#define PACE_LAST       16      /* so few are waited for together */

struct pace {
    unsigned answered;          /* requests that the last commit answered */
    unsigned left;              /* those that were waiting already when it ended */
    uint64_t commit_us;         /* how long it took */
    unsigned skip;
};

/* So long after the last commit's end. 0: commit at once. */
uint64_t pace_patience_us(const struct pace *p);
/* With so many requests nobody else is hoped for. */
unsigned pace_hoped(const struct pace *p);
/* Of those who are missing so many are waited for and written, while the last ones are still on their way: whoever waits for each
 * of them wakes too often, whoever waits for all of them has them all still to write. */
unsigned pace_step(unsigned missing);
/* A commit of so many requests is done, `left` wait for the next one. */
void pace_committed(struct pace *p, unsigned requests, unsigned left, uint64_t commit_us);
