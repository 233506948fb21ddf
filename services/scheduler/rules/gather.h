/* gather.h - how the marks of one entity gather into few calls: the first is read at once; while more keep coming, the
 * next reading waits as long as the portal needs to drain a request, and takes all that came meanwhile. A second look
 * (potok_mark.again) falls due by itself. Pure: the caller passes the clock. Memory: embedded in its owner. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define GATHER_LOOK_MS 2000     /* reads lag behind events: what changed nothing is read again so much later */

struct gather {
    uint64_t next_ms;           /* monotonic: no reading of marks before */
    uint64_t look_ms;           /* monotonic: marks fall due by themselves; 0 = none do */
    uint64_t look_last_ms;      /* the last of those known of */
};

bool gather_ready(const struct gather *g, uint64_t now_ms);
/* Marks were read. A full call leaves a backlog behind that gains nothing by waiting. */
void gather_read(struct gather *g, uint32_t drain_per_s, bool full, uint64_t now_ms);
/* A reading by id ended: marks that it left for a second look fall due then. */
void gather_look_later(struct gather *g, uint64_t now_ms);
bool gather_look_due(struct gather *g, uint64_t now_ms);    /* true once for each time */
