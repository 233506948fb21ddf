/* apply.h - the writer's transaction: one ROWS message becomes rows, ghosts, marks, a witness, a finished job and its
 * continuation, all or nothing. The rules are the model's (services/writer/README.md names them one by one).
 * On a database thread. */
#pragma once

#include "base/err.h"
#include "base/buf.h"
#include "batch.h"
#include "db/db.h"
#include "proto/msg.h"

struct apply_counts {
    uint64_t read;              /* records in the message */
    uint64_t written, same, late, gone, marked, rejected;
};

struct apply {
    struct db *db;
    const struct msg_rows *rows;
    struct batch batch;
    char table[131];            /* quoted */
    struct db_column *columns;  /* the batch's, of the kinds the database has */
    bool unlike;                /* some are of another kind than the message says */
    char **fields;              /* what the portal calls them, of those that are rejected; NULL: none is */
    struct buf made;            /* texts that columns of another kind want, of one row */
    uint64_t c;                 /* the counter as it stood inside the transaction */
    int64_t now_ms, fetched_ms;
    int64_t run;                /* of the job; 0 = none */
    int64_t least, most;        /* the ids of the message; 0, 0 when it has none */
    uint64_t left_out;          /* live rows of the range that the portal did not list */
    bool stale;                 /* somebody changed the table's columns since they were looked at */
    bool refused;               /* whole: nothing is written, job and marks stay */
    char why[160];              /* it was refused */
    struct apply_counts counts;
    uint64_t next_job;
};

/* Takes the turn, looks, and judges. 0: call apply_end(); -1: nothing is open. `m` outlives the apply. */
int apply_begin(struct apply *a, struct db *db, const struct msg *m, struct err *err) MUST_CHECK;
/* Writes and commits; rolls back what was refused. -1: rolled back. The apply is finished either way, its counts stay. */
int apply_end(struct apply *a, struct err *err) MUST_CHECK;
/* In place of apply_end(): leaves everything as it was. */
void apply_abandon(struct apply *a);

/* The parts of apply_end(), each in its own file. All inside the transaction. */
int look(struct apply *a, struct err *err) MUST_CHECK;              /* look.c: stored state and verdicts */
/* The message's ids to potok_ids, of those entries that are chosen (NULL: of all); how many (NULL allowed). */
int put_ids(struct apply *a, bool (*chosen)(const struct apply *a, const struct entry *e), size_t *ret_count, struct err *err) MUST_CHECK;
const struct db_column *wanted_columns(const struct apply *a);      /* value.c: as the message says */
void learn_columns(struct apply *a);                                /* as the database has them */
int reject_unfit(struct apply *a, struct err *err) MUST_CHECK;
int write_rows(struct apply *a, struct err *err) MUST_CHECK;        /* rows.c */
int write_ghosts(struct apply *a, struct err *err) MUST_CHECK;
int move_hi(struct apply *a, struct err *err) MUST_CHECK;
int leave_witness(struct apply *a, struct err *err) MUST_CHECK;     /* marks.c */
int accuse(struct apply *a, struct err *err) MUST_CHECK;
int settle_marks(struct apply *a, struct err *err) MUST_CHECK;
int ask_again(struct apply *a, struct err *err) MUST_CHECK;
int write_rejects(struct apply *a, struct err *err) MUST_CHECK;     /* rejects.c */
int check_job(struct apply *a, struct err *err) MUST_CHECK;         /* job.c: sets stale or refused */
int finish_job(struct apply *a, struct err *err) MUST_CHECK;
