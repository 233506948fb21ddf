/* progress.h - rate and remaining time from counts seen now and then. Pure: the caller passes the clock.
 * Zero is a fresh start. */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define PROGRESS_SAMPLES 32
#define PROGRESS_EVERY_MS 500       /* a sample at most this often: the window is some 16 seconds */
#define PROGRESS_STALL_MS 3000      /* nothing for that long: it stands */
#define PROGRESS_UNKNOWN UINT64_MAX

struct progress {
    uint64_t at_ms[PROGRESS_SAMPLES], count[PROGRESS_SAMPLES];  /* a ring */
    int next, samples;
    uint64_t moved_ms;          /* when the count last grew */
};

/* A count that fell (a new run) begins anew. */
void progress_seen(struct progress *p, uint64_t now_ms, uint64_t count);
double progress_rate(const struct progress *p);     /* a second, over the window; 0 = not known */
/* Milliseconds until `expected`; PROGRESS_UNKNOWN while nothing moves or nothing is expected. */
uint64_t progress_eta_ms(const struct progress *p, uint64_t expected);
/* Some has come, but nothing for PROGRESS_STALL_MS: a rate and a remaining time would be make-believe. */
bool progress_stalled(const struct progress *p);
/* 0..100; 100 only when count reached expected. */
unsigned progress_percent(uint64_t count, uint64_t expected);
/* "████▌     " of `cells` cells. */
void progress_bar(struct buf *out, uint64_t count, uint64_t expected, unsigned cells);
