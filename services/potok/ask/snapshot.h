/* snapshot.h - the scheduler's answer to CONTROL `status`, as a struct. Pure; by value, nothing to free. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define SNAPSHOT_RUNS_MAX 256
#define SNAPSHOT_PORTALS_MAX 32

struct run_view {               /* a run of an entity, the last one or one since the run that was asked for */
    uint64_t id;
    char portal[40], entity[65], table[65];
    char state[16];             /* probing | open | done | partial | failed */
    uint64_t expected, read, written, same, gone, rejected, requests, open_jobs;
    uint64_t marks, marks_failing;  /* records of the entity to be read by id; those that failed again and again */
    uint64_t started_ms, finished_ms;
    char error[ERR_TEXT_SIZE];
};

struct operating_view {         /* the method nearest to its limit */
    char method[64];
    double used_s, limit_s;
};

struct portal_view {
    char name[40], url[321];    /* masked */
    char host[128];             /* where it answers now; "" = as configured */
    char state[16];             /* ok | stopped | waiting | blocked | unconnected */
    uint64_t try_at_ms;         /* blocked: when it is tried next; wall clock */
    char error[ERR_TEXT_SIZE];
    char paused[321];           /* entities, separated by ", " */
    double level, burst, drain; /* request bucket: filled now, holds, loses a second */
    char access_error[ERR_TEXT_SIZE];   /* why what a login or an installation brought is of no use (yet); "" = it is */
    unsigned access_failed;     /* how often, since the scheduler started; of use while there is an access_error */
    char senders[161];          /* who calls it beside the fetchers, with the calls made, by kind: "verify (41), doctor (6)" */
    struct operating_view operating;
};

struct snapshot {
    struct run_view runs[SNAPSHOT_RUNS_MAX];
    int run_count;
    struct portal_view portals[SNAPSHOT_PORTALS_MAX];
    int portal_count;
    uint64_t marks, marks_failing, jobs_open, jobs_in_flight, refusals;
};

/* ERR_TEMP: the text is no such answer. */
int snapshot_read(struct snapshot *ret, struct str json, struct err *err) MUST_CHECK;
const struct run_view *snapshot_run(const struct snapshot *s, uint64_t id);     /* NULL: not there */
bool run_ended(const struct run_view *r);
/* Done, but it passed records that must be read again (its error is the note why): a run that does so follows. */
bool run_repeats(const struct run_view *r);
const struct run_view *snapshot_before(const struct snapshot *s, const struct run_view *r); /* of its entity; NULL */
const struct run_view *snapshot_after(const struct snapshot *s, const struct run_view *r);
bool run_failed(const struct run_view *r);      /* ended, and not with everything */
