/* store.h - every statement the scheduler runs. Functions take a connection and plain data, run on a database thread
 * and touch nothing of the loop; the shell hands them copies. Those that write begin by checking that the lease is
 * still ours (model rule 1): if not, ERR_PERM with code STORE_LEASE_LOST and nothing is written.
 * Memory: out arrays are the caller's struct's, freed by its _fini. */
#pragma once

#include "base/alarm_book.h"
#include "base/buf.h"
#include "base/err.h"
#include "rules/cut.h"
#include "db/cursor.h"
#include "db/db.h"
#include "rules/drift.h"
#include "db/identity.h"
#include "proto/job_kind.h"
#include "rules/standby.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define STORE_LEASE_LOST 1
#define STORE_PAIR_PASSED 2         /* tokens: others took the place of the pair they were to follow */
#define STORE_MARK_WAIT_MS 3600000  /* longest back-off; a mark that waits longer was written by a clock that stepped back */
#define STORE_MARK_LOOK_MS 10000    /* that of one whose reading never failed: a second look, two seconds by the writer's clock */
/* That of a mark is over; $4 is the wall clock. */
#define STORE_MARK_IS_DUE \
    "(not_before_ms <= $4 OR not_before_ms > $4 + CASE WHEN tries = 0 THEN 10000 ELSE 3600000 END)"
#define STORE_MARK_ALONE 3      /* a mark that failed so often is read alone */

struct store_who {              /* whose lease */
    struct str portal;
    uint64_t epoch;
    uint64_t now_ms;            /* wall */
};

/* Begins and checks the lease; with `failed` ends: commits when it is 0, else rolls back. Return 0/-1. */
int store_begin(struct db *db, const struct store_who *who, struct err *err) MUST_CHECK;
int store_end(struct db *db, int failed, struct err *err) MUST_CHECK;
/* Takes the turn of the writers of the entity that the row `id` of potok_job or potok_run belongs to, where a
 * transaction does not have it anyway: before anything that a writer's commit must not cross. */
int store_turn(struct db *db, const char *of, struct db_val id, struct err *err) MUST_CHECK;

/* ---- start (start.c) ---- */
struct store_lease {
    uint64_t epoch, tick;
    double bucket;
    uint64_t bucket_ms;
};
struct store_take {
    struct db_identity who;     /* in: whose copy the tables are to be */
    struct lease_seen seen;     /* in: the lease that is to be taken, and no other */
    struct store_lease lease;   /* out */
};
/* Takes the leases of all these portals, or none: *ret_taken is false when one is no longer as it was seen, or when that took
 * more than patience_ms (0 = no matter), since somebody worked there all the while. Everything a former scheduler still
 * sends or waits for is refused from here on. Open jobs by id and probes end: marks and runs remember what they were for.
 * The first lease notes whose copy the tables are; for another portal it is refused (ERR_CONF) and nothing is changed. */
int store_take_leases(struct db *db, struct str holder, uint64_t now_ms, uint64_t patience_ms, struct store_take *list,
    int count, bool *ret_taken, struct err *err) MUST_CHECK;

/* ---- the leases while they are held (beat.c) ---- */
/* As they are; `dead` is the caller's to find out. Reads only. */
int store_look_leases(struct db *db, const struct str *portals, int count, struct lease_seen *ret, struct err *err)
    MUST_CHECK;
/* The holder lives. STORE_LEASE_LOST: it does not hold the leases of all `count` portals any more. */
int store_beat(struct db *db, struct str holder, uint64_t now_ms, int count, struct err *err) MUST_CHECK;
/* Leaves the leases to whoever wants them; those of another holder stay as they are. */
int store_give_up(struct db *db, struct str holder, struct err *err) MUST_CHECK;

struct store_mirror {
    struct str entity, table;   /* in */
    struct buf schema;          /* out: empty = never probed */
    uint64_t floor;
    uint64_t run;               /* open or probing one; 0 = none */
    bool probing;
    uint64_t started_ms;        /* of the last run; 0 = none */
    bool ever_full;
    int64_t shape;
    bool paused;
    bool lifted;                /* fields were accepted meanwhile: the run reads everything again */
    bool wished[CURSOR_WISHES]; /* acknowledged, and not begun */
    char former[65];            /* the table it had until now; "" = the same */
};
/* A mirror whose table has another name now begins anew: what was under way for the former table fails. */
int store_load_mirror(struct db *db, const struct store_who *who, struct store_mirror *m, struct err *err) MUST_CHECK;
void store_mirror_fini(struct store_mirror *m);

/* ---- what is open (scan.c) ---- */
struct store_job {
    uint64_t id, run, first, last, d;
    unsigned tries;
    enum job_kind kind;
    char entity[64];
};
struct store_run {
    uint64_t id;                /* in */
    char state[16];             /* out: "" = no such row */
    int64_t expected, read, written, same, gone, rejected, started_ms, finished_ms;
    char error[ERR_TEXT_SIZE];
};
struct store_scan {
    struct str portal;          /* in */
    uint64_t now_ms;
    const struct str *entities;
    int entity_count;
    struct store_run runs[64];
    int run_count;
    struct store_job *jobs;     /* out */
    int job_count, job_cap;
    bool due[64][2];            /* by entity and ask: a mark may be read now */
    int64_t shapes[64];         /* by entity: raised when fields or columns were changed by somebody else */
};
int store_scan(struct db *db, struct store_scan *s, struct err *err) MUST_CHECK;
void store_scan_fini(struct store_scan *s);

/* ---- dispatch (dispatch.c) ---- */
struct dispatch_item {
    enum job_kind kind;         /* in */
    struct str entity;          /* "" = a probe, a call */
    uint64_t job;               /* row; 0 = to be written; a call has none */
    uint64_t split_at;          /* range: give everything above to a job of its own first; 0 = no */
    bool from_marks;            /* ids, get: choose the ids from the marks, none of those in `held` */
    bool alone_first;           /* of those that failed often one goes before all others */
    uint64_t *held;             /* owned */
    size_t held_count;
    uint32_t most;              /* ids at most */
    uint64_t pays;              /* the run that its call is counted to; 0 = none. In for a probe, else out */
    uint64_t *ids;              /* in or out; owned */
    size_t id_count;
    uint64_t d;                 /* out: 0 = not dispatched: nothing to read, or the job is no longer open */
    uint64_t run, first, last;
    int64_t since;              /* changed: the cursor */
    unsigned tries;
    uint64_t other;             /* row of what split_at left over */
    uint64_t other_last;
};
struct store_dispatch {
    struct store_who who;
    double bucket;              /* request level with these jobs */
    struct dispatch_item items[16];
    int count;
};
/* One transaction. Nothing of it may be sent when it fails. The call of each item is counted to its run here, so that none is
 * forgotten when we are killed; one that was not made after all is taken back with store_add_requests(). */
int store_dispatch(struct db *db, struct store_dispatch *x, struct err *err) MUST_CHECK;
void store_dispatch_fini(struct store_dispatch *x);
/* The level alone, for calls of others. */
int store_bucket(struct db *db, const struct store_who *who, double level, struct err *err) MUST_CHECK;

/* ---- what changed, what is gone (changed.c) ---- */
struct store_changed {
    struct store_who who;
    enum job_kind kind;         /* changed; sweep: what is gone */
    uint64_t every_ms;          /* sweep: not so soon after the last one, or after a full sync; 0 = now */
    struct str entities[64];
    int count;
    uint64_t jobs[64];          /* out: 0 = not begun: no full sync yet, one under way, paused, or begun already */
};
/* One transaction. */
int store_changed(struct db *db, struct store_changed *x, struct err *err) MUST_CHECK;

/* ---- what webhooks say (events.c) ---- */
struct store_marks {
    struct store_who who;
    struct str entity;
    int ask;                    /* 0: read by list, 1: ask for the record itself */
    bool again;                 /* an event: reads may lag behind it */
    uint64_t *ids;              /* any order, doubles allowed */
    size_t count;
    unsigned wishes;            /* bits of enum cursor_wish, kept beside the marks */
};
/* One transaction: all of them are marks and wishes afterwards, or none. */
int store_events(struct db *db, const struct store_marks *groups, int count, struct err *err) MUST_CHECK;

/* ---- learn (learn.c) ---- */
struct learn_entity {
    struct str entity;          /* in; all views live as long as the struct */
    uint64_t run;               /* probing run to open; 0 = only the fields */
    struct str schema, labels;  /* as learnt */
    struct str unknown;         /* names a record showed, separated by blanks */
    enum drift_policy policy;          /* for new fields */
    struct cut_bounds bounds;
    struct buf merged;          /* out: what is stored now */
    struct cut_range ranges[CUT_RANGES_MAX];
    uint64_t jobs[CUT_RANGES_MAX];
    int range_count;            /* 0 = the run is no longer probing */
    bool first;                 /* nothing was known of the entity */
    int fields;
    int counts[CHANGE_WHATS];
    struct field_change *changes;   /* owned; empty when `first` */
    int change_count;
    int64_t emptied;            /* rows that lost what an earlier field of the same column had left in them */
    uint64_t again;             /* run that reads from its beginning: fields were accepted, rows emptied; 0 = none */
    int64_t shape;
    bool wished;                /* its fields changed again since the probe was dispatched */
};
struct store_learn {
    struct store_who who;
    uint64_t job;               /* the probe's row */
    struct learn_entity *list;
    int count;
};
int store_learn(struct db *db, struct store_learn *x, struct err *err) MUST_CHECK;
void store_learn_fini(struct store_learn *x);   /* what it gave out */

/* ---- fields accepted by the operator (shape.c) ---- */
struct store_shape {
    struct store_who who;
    struct str entity;
    int64_t shape;              /* out: potok_entity.shape */
    bool lifted;                /* fields that were held are copied from now on: */
    struct buf schema;          /* the schema that says so, */
    uint64_t run;               /* and the run, probing, that reads everything with it */
};
int store_shape(struct db *db, struct store_shape *x, struct err *err) MUST_CHECK;
int store_shape_in(struct db *db, struct store_shape *x, struct err *err) MUST_CHECK;  /* inside a transaction */
/* The entity is read from its beginning, by the run that goes already or by a new one; whoever waits for that run waits on.
 * Inside a transaction that holds the entity's turn. */
int store_read_again(struct db *db, const struct store_who *who, struct str entity, uint64_t *ret_run, struct err *err)
    MUST_CHECK;
void store_shape_fini(struct store_shape *x);

/* ---- failure (fail.c) ---- */
/* Ends the runs with `error`; their open jobs go. ret_failed, one a run; false: it had ended well before. */
int store_fail_runs(struct db *db, const struct store_who *who, const uint64_t *runs, int count, struct str error,
    bool *ret_failed, struct err *err) MUST_CHECK;
/* An open range job becomes [first, middle] and a new one above; ret_other 0 = it was no longer open. */
int store_split(struct db *db, const struct store_who *who, uint64_t job, uint64_t middle, uint64_t *ret_other,
    struct err *err) MUST_CHECK;
/* A range of one id that fails for good: set aside, rejected with the reason, marked; the run may end by it. */
int store_aside(struct db *db, const struct store_who *who, uint64_t job, struct str error, struct err *err)
    MUST_CHECK;
/* A single id that fails: back-off on its mark; the job's row goes. error: the record is rejected with it until it is
 * read; "" = it is not. */
int store_alone(struct db *db, const struct store_who *who, uint64_t job, struct str entity, uint64_t id,
    struct str error, struct err *err) MUST_CHECK;
/* What an answer to a reading by id, sent as d, left out: its marks, older than d, failed once more. */
int store_left_out(struct db *db, const struct store_who *who, struct str entity, const uint64_t *ids, size_t n,
    uint64_t d, struct err *err) MUST_CHECK;
uint64_t store_mark_backoff(uint64_t tries);

/* ---- floor (floor.c) ---- */
struct store_floor {
    struct store_who who;
    uint64_t low;
    const struct str *entities, *tables;
    const bool *ghosts;         /* look for empty ghosts too: the table is known to exist */
    bool *busy;                 /* out: a writer had the entity's turn, its floor stays as it is; zeroed by the caller */
    int count;
};
/* Model rule 6, one transaction an entity. Also forgets finished jobs by id. */
int store_floor(struct db *db, struct store_floor *x, struct err *err) MUST_CHECK;

/* ---- what is old (history.c) ---- */
#define STORE_RUNS_NEWEST 10        /* of an entity, stay however old they are */
#define STORE_CHANGES_NEWEST 1000
struct store_history {
    struct store_who who;
    uint64_t keep_ms;           /* a run that ended before goes, and a change of fields beyond the newest */
    uint64_t empty_ms;          /* likewise a run that ended well and moved nothing: sooner */
    const struct str *entities;
    int count;
    uint64_t gone;              /* out: rows */
    bool more;                  /* out: there are more than one transaction takes */
};
/* One transaction of a few hundred rows. */
int store_history(struct db *db, struct store_history *x, struct err *err) MUST_CHECK;

/* ---- commands (status.c) ---- */
struct store_sync {
    struct store_who who;
    struct str entities[64];
    int count;
    uint64_t runs[64];          /* out */
    bool joined[64];            /* it was under way already */
    bool open[64];              /* joined and past its probe */
};
int store_sync(struct db *db, struct store_sync *x, struct err *err) MUST_CHECK;
int store_add_requests(struct db *db, const struct store_who *who, const uint64_t *runs, const int64_t *requests,
    int count, struct err *err) MUST_CHECK;
/* ---- orders (order.c) ---- */
struct store_pause {
    struct store_who who;
    struct str entities[64];
    int count;
    bool paused;
};
int store_pause(struct db *db, const struct store_pause *x, struct err *err) MUST_CHECK;
struct store_left {
    struct str entity;          /* in */
    struct str portals[32];
    int portal_count;
    uint64_t *ids;              /* sorted here */
    size_t count;
    uint64_t left, failing;     /* out: marks of theirs; of these, failed again and again */
};
int store_left(struct db *db, struct store_left *x, struct err *err) MUST_CHECK;
/* Last run of every entity and what began after run `since`, open jobs, marks: "runs" (oldest first), "jobs_open", "marks",
 * "marks_failing" of the object. */
#define STORE_SINCE_NONE INT64_MAX
#define STORE_SINCE_MOST 100    /* runs that are not the last of their entity: the newest ones */
int store_status(struct db *db, int64_t since, json_t *into, struct err *err) MUST_CHECK;

/* ---- alarms, and portals that blocked us (alarm.c) ---- */
struct store_alarms {
    struct alarm_row *list;     /* owned: free() */
    int count;
};
int store_load_alarms(struct db *db, struct store_alarms *ret, struct err *err) MUST_CHECK;     /* what is raised first */
int store_keep_alarms(struct db *db, const struct store_who *who, const struct store_alarms *x, struct err *err) MUST_CHECK;
struct store_block {
    uint64_t begun_ms, until_ms;    /* wall; 0: there is none */
};
int store_load_block(struct db *db, struct str portal, struct store_block *ret, struct err *err) MUST_CHECK;
int store_keep_block(struct db *db, const struct store_who *who, const struct store_block *b, struct err *err) MUST_CHECK;
