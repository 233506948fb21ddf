/* when.h - when an entity is read anew by itself: by schedule or interval of potok.yaml, else every
 * SYNC_DEFAULT_INTERVAL_MINUTES. Pure: the caller passes the wall clock. Memory: embedded in its owner. */
#pragma once

#include "base/config_when.h"

#include <stdbool.h>
#include <stdint.h>

struct when {
    struct config_when plan;
    int64_t interval_ms;        /* without a schedule; 0 = never */
    uint64_t next_ms;           /* something falls due; 0 = never */
    int64_t done_s;             /* the schedule is done up to here */
    int64_t owed;               /* runs whose time has come */
};

/* started_ms: of the last run, 0 = none. What was never read whole is due at once, unless it is never due by itself. */
void when_init(struct when *w, const struct config_when *plan, int64_t default_ms, bool ever_full, uint64_t started_ms,
    uint64_t wall_ms);
/* busy: a run goes already. A wall clock that stepped back delays nothing by more than one interval. */
bool when_due(struct when *w, const struct zone *zone, bool busy, uint64_t wall_ms);
void when_began(struct when *w, uint64_t wall_ms);      /* a run did */
