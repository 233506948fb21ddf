/* job.h - an open job as the scheduler remembers it (the row of potok_job is the truth), and what becomes of one that
 * failed: again, with fewer pages, split in two, or set aside (model rule 9). Pure. Loop thread. */
#pragma once

#include "base/err.h"
#include "proto/job_kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOB_BACKOFF_MS 1000
#define JOB_BACKOFF_MOST_MS 60000
#define JOB_DEATHS 3            /* attempts lost after REPORT before the job itself is suspected */
#define JOB_STRIKES 3           /* temporary failures while the portal's other calls went well, likewise */
#define JOB_STRIKES_AGAIN 2     /* the same for a job already narrowed */
#define JOB_FEEL_FAILS 3        /* after so many in a row a probe asks whether it is the job or the portal */
#define JOB_LAST_TRIES 5        /* of a single record before it is set aside */

struct scheduler;
struct call_answers;
/* A call is over. err NULL: it was answered, method by method; else nothing was, and why. Both live until it returns. */
typedef void call_done(struct scheduler *s, int portal, const struct call_answers *answers, const struct err *err);

struct job {
    uint64_t id;                /* row; 0 = not yet written (ids, get, probe), or never (call) */
    uint64_t run;               /* 0 = none */
    int entity;                 /* index in its portal; -1 = a probe, a call */
    enum job_kind kind;
    uint64_t first, last;       /* range, changed */
    int64_t since;              /* changed: portal time, as of its last dispatch */
    uint64_t *ids;              /* ids, get: owned, ascending */
    size_t id_count;
    uint64_t probes;            /* probe: bit set of entity indexes */
    char *calls;                /* call: encoded calls.h; owned */
    size_t calls_bytes;
    call_done *done;            /* call: NULL = nobody wants to know */
    bool urgent;                /* call: before other calls */
    bool once;                  /* call: it writes; an attempt whose outcome is unknown is its last */
    bool busy;                  /* an attempt is awaited, or a database step works on it */
    bool gone;                  /* no longer wanted: freed when not busy */
    uint64_t not_before_ms;     /* monotonic; back-off */
    uint32_t pages;             /* range, changed: asked for last; 0 = not yet sent */
    uint32_t pages_cap;         /* 0 = 50 */
    unsigned fails;             /* in a row */
    unsigned strikes, deaths;
    uint64_t portal_ok;         /* the portal's count of good answers at the last failure */
    uint64_t order;             /* smallest is dispatched first */
    uint64_t born;              /* when it came to be known: a scan begun before says nothing of it */
    struct job *next;
};

struct job *job_new(enum job_kind kind, int entity);
void job_free(struct job **job);

/* List kept by its owner's head pointer. */
void job_put(struct job **head, struct job *job);
void job_take(struct job **head, struct job *job);
struct job *job_find(struct job *head, uint64_t id);

enum job_end {              /* how an attempt ended without effect */
    JOB_END_ERROR,          /* an error kind says how */
    JOB_END_LOST,           /* fetcher gone or never took it: nothing against the job */
    JOB_END_TURNED,         /* certainly nothing was done: again, with another token or at another host */
    JOB_END_LATE,           /* no REPORT in time */
    JOB_END_DIED,           /* REPORT came, DONE did not */
    JOB_END_REFUSED,        /* not taken by the database or read with an old schema: nothing against the job, but wait */
};

enum job_next {
    JOB_AGAIN,              /* after not_before_ms */
    JOB_SPLIT,              /* in two: ids in halves, ranges by id */
    JOB_ALONE,              /* a single id failed: back-off on its mark, the job ends */
    JOB_ASIDE,              /* a range of one id fails for good */
    JOB_STOP,               /* the run, or the whole portal, cannot go on: AUTH, CONF */
};

/* Decides and updates fails, strikes, deaths, pages_cap, not_before_ms. ok_count: the portal's good answers so far;
 * dice: any number, for jitter. */
enum job_next job_failed(struct job *job, enum job_end end, enum err_kind kind, uint64_t ok_count, uint64_t now_ms,
    uint32_t dice);
/* Whether an attempt that ended so may have had effect all the same. */
bool job_end_is_open(enum job_end end, enum err_kind kind);
/* Before job_failed(): whether the failure leaves open if the job had effect, and another attempt might double it. */
bool job_is_unsure(const struct job *job, enum job_end end, enum err_kind kind);
/* Before job_failed(): whether a failure may be the list's own rather than a record's. So many of them in a row, on ranges
 * that have no record in common, end the run: a list that never answers is not narrowed down to each of its records. */
bool job_blames_list(const struct job *job, enum err_kind kind, uint64_t ok_count);
/* What a job's continuation may ask for: a narrowed one grows again. */
uint32_t job_next_cap(const struct job *job);
uint64_t job_backoff(unsigned fails, uint32_t dice);
