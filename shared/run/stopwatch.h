/* stopwatch.h - sees to it that a process which is to end does end, whatever its loop stands still in: a server that does
 * not answer, a lock that nobody gives back. A thread with a loop of its own hears SIGTERM and SIGINT as well; where the
 * stop takes too long, it says in what and ends the process as a crash would, which loses nothing (design section 2).
 * Made, moved on and freed by one thread. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum stopwatch_phase {
    STOPWATCH_STARTING, /* told to end: STOPWATCH_START_MS, then exit 0: nothing was begun */
    STOPWATCH_WORKING,  /* told to end: the work in hand has work_ms (told twice: nothing), closing as long as below */
    STOPWATCH_CLOSING,  /* told or not: work_ms, but 1 s at least and STOPWATCH_CLOSE_MS at most; then exit 1 */
};

#define STOPWATCH_START_MS 1000
#define STOPWATCH_CLOSE_MS 5000

struct stopwatch;

/* Begins in STOPWATCH_STARTING. */
int stopwatch_new(struct stopwatch **ret, uint64_t work_ms, struct err *err) MUST_CHECK;
/* `doing`: a literal, told in the log where it ends there. NULL allowed for w. A phase never goes back; time is counted
 * from each call. */
void stopwatch_phase(struct stopwatch *w, enum stopwatch_phase phase, const char *doing);
/* STOPWATCH_CLOSING with something that may take so long; 0: as usual. */
void stopwatch_closing(struct stopwatch *w, const char *doing, uint64_t most_ms);
/* True: SIGTERM or SIGINT came at some time. One that comes afterwards ends the process. */
bool stopwatch_free(struct stopwatch **w);
/* Pure: how long a process that was told to end may stay in this phase. */
uint64_t stopwatch_patience_ms(enum stopwatch_phase phase, uint64_t work_ms);
