/* cursor.h - potok_cursor: from which portal time on an incremental sync asks for changes (rule 8 of the
 * synchronisation model). It is the portal time at which the first command of the last complete run started,
 * less an overlap; never the greatest change time seen, never our clock. A run under way keeps the start of
 * its first command in a row of its own, which is as new as the run: what an earlier one left there goes when
 * it begins. Everything happens inside the caller's transaction, which holds the entity's turn. Times are
 * Unix ms. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct db;

/* Reads lag behind events, front-ends have clocks of their own, and clocks step: this much is asked for
 * again. */
#define CURSOR_OVERLAP_MS 600000

/* Which run: of everything, or of what changed. */
enum cursor_run { CURSOR_FULL, CURSOR_CHANGED };

struct cursor_of {
    struct str portal, entity;
    enum cursor_run run;
};

int db_cursor_begin(struct db *db, const struct cursor_of *of, int64_t now_ms, struct err *err) MUST_CHECK;
/* A reading of the run is stored, whose first command started then; 0: the portal did not tell, and the
 * cursor will stay where it is. Of a run that was not begun: nothing. */
int db_cursor_started(
    struct db *db, const struct cursor_of *of, int64_t started_ms, struct err *err) MUST_CHECK;
/* The run is complete. */
int db_cursor_end(struct db *db, const struct cursor_of *of, int64_t now_ms, struct err *err) MUST_CHECK;
/* All ids of the entity were looked at: of those that are gone, or that it lacks, there are marks. */
int db_cursor_swept(struct db *db, struct str portal, struct str entity, int64_t now_ms, struct err *err) MUST_CHECK;
/* 0: none yet, there was no complete run. */
int db_cursor_since(
    struct db *db, struct str portal, struct str entity, int64_t *ret, struct err *err) MUST_CHECK;

/* Wishes: somebody heard that it will be done, and it is not begun. */
enum cursor_wish {
    CURSOR_FIELDS, /* the entity's fields changed: a probe */
    CURSOR_SWEEP,  /* a sweep of its ids, now */
    CURSOR_WISHES
};

/* k: the tick as it stands, like a mark's (rule 3). */
int db_cursor_wish(struct db *db, struct str portal, struct str entity, enum cursor_wish wish, int64_t k,
    int64_t now_ms, struct err *err) MUST_CHECK;
/* What was dispatched with number d serves wishes older than d. */
int db_cursor_served(struct db *db, struct str portal, struct str entity, enum cursor_wish wish, int64_t d,
    struct err *err) MUST_CHECK;
int db_cursor_wished(struct db *db, struct str portal, struct str entity, enum cursor_wish wish, bool *ret,
    struct err *err) MUST_CHECK;

/* Pure: where the cursor goes. `before` and `before_at_ms`: where it is, and our time when it was put there;
 * 0, 0: nowhere. When the portal's clock advanced by much less than ours since then, it stepped back: what
 * changed in between may bear any time since the step, so all of the time that went by is asked for again. */
int64_t cursor_next(int64_t started_ms, int64_t before, int64_t before_at_ms, int64_t now_ms);
