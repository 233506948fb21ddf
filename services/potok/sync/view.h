/* view.h - runs as people see them: bars while they go, a line when one ends, a table at the end. Pure: fills buffers
 * from snapshots; the caller passes the clock. */
#pragma once

#include "base/buf.h"
#include "words/progress.h"
#include "run_set.h"
#include "ask/snapshot.h"

struct track {
    uint64_t run;
    bool told;                  /* its end */
    char line[200];             /* told last by view_lines() */
    struct progress progress;
};

struct view {
    struct snapshot now;
    bool seen;                  /* there was a snapshot */
    struct track tracks[SNAPSHOT_RUNS_MAX];
    int track_count;
};

void view_seen(struct view *v, const struct snapshot *now, uint64_t now_ms);
/* Adds the runs that read again what runs of the set passed. */
void view_follow(const struct view *v, struct run_set *runs);
/* True: every run of the set has ended, and what is to be read again was. A run that is not shown any more is over. */
bool view_all_ended(const struct view *v, const struct run_set *runs);
/* Records of these runs' entities that are still to be looked up by id, and those that cannot be. */
uint64_t view_marks(const struct view *v, const struct run_set *runs, uint64_t *ret_failing);
/* True the first time it is asked of a run. */
bool view_tell_once(struct view *v, uint64_t run);
int view_failed_count(const struct view *v, const struct run_set *runs);
/* Bars of the set's runs and a line about the budget. */
void view_block(const struct view *v, const struct run_set *runs, bool colour, struct buf *out);
/* One plain line for each run of the set that still goes and has another one than last time. */
void view_lines(struct view *v, const struct run_set *runs, struct buf *out);
/* "deals", or "main/deals" where there are several portals. */
const char *view_name(const struct view *v, const struct run_view *r, char *ret, size_t size);
/* "deals: done, 300,000 records in 0:24 …" with its line end. */
void view_ended(const struct view *v, const struct run_view *r, struct buf *out);
/* What failed, a line for each portal and cause: "deals, leads: failed: …". */
void view_failures(const struct view *v, const struct run_set *runs, struct buf *out);
/* The first portal whose runs of the set wait until a person connects it: there is no telling for how long. NULL: none. */
const struct portal_view *view_unconnected(const struct view *v, const struct run_set *runs);
/* All runs of the set have ended, and marks of theirs wait for this portal, which asks for nothing until a person has
 * put it right. NULL: none. */
const struct portal_view *view_stopped(const struct view *v, const struct run_set *runs);
/* A line for each portal that is not well: "portal main: waiting: …". */
void view_troubles(const struct view *v, struct buf *out);
/* Names of states in the language of people: of runs and of portals; others as they are. */
const char *view_state(const char *state);
/* The table of the set's runs, what failed, and the sum of requests. */
void view_summary(const struct view *v, const struct run_set *runs, bool colour, struct buf *out);
