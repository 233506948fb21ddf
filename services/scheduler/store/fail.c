#include "store.h"

#include "db/cursor.h"

#include <stdio.h>

static int on_number(void *ctx, const struct db_val *row, int columns)
{
    *(uint64_t *)ctx = (uint64_t)row[0].i;
    return 0;
}

static int fail_runs(struct db *db, const struct store_who *who, const uint64_t *runs, int count,
    struct str error, bool *ret_failed, struct err *err)
{
    for (int i = 0; i < count; i++) {
        struct db_val run = dbv_i((int64_t)runs[i]);
        uint64_t failed = 0;

        if (store_turn(db, "potok_run", run, err) < 0)
            return -1;
        if (db_run(db,
                "UPDATE potok_run SET state = 'failed', error = $2, finished_ms = $3 "
                "WHERE id = $1 AND state IN ('probing', 'open')",
                DB_ARGS(run, dbv_s(error), dbv_i((int64_t)who->now_ms)), NULL, NULL, NULL, err) < 0)
            return -1;
        if (db_run(db, "SELECT count(*) FROM potok_run WHERE id = $1 AND state = 'failed'", DB_ARGS(run),
                on_number, &failed, NULL, err) < 0)
            return -1;
        ret_failed[i] = failed != 0;
        if (db_run(db, "DELETE FROM potok_job WHERE run = $1 AND kind = 'range' AND state = 'open'",
                DB_ARGS(run), NULL, NULL, NULL, err) < 0)
            return -1;
    }
    return 0;
}

int store_fail_runs(struct db *db, const struct store_who *who, const uint64_t *runs, int count,
    struct str error, bool *ret_failed, struct err *err)
{
    if (store_begin(db, who, err) < 0)
        return -1;
    return store_end(db, fail_runs(db, who, runs, count, error, ret_failed, err), err);
}

/* d = 0: an attempt of the whole range, should it still live, is refused. */
static int split(struct db *db, const struct store_who *who, uint64_t job, uint64_t middle,
    uint64_t *ret_other, struct err *err)
{
    if (store_turn(db, "potok_job", dbv_i((int64_t)job), err) < 0)
        return -1;
    if (db_run(db,
            "INSERT INTO potok_job (run, portal, entity, kind, first, last, state, created_ms) "
            "SELECT run, portal, entity, kind, $2, last, 'open', $3 FROM potok_job "
            "WHERE id = $1 AND state = 'open' AND first <= $4 AND last > $4 RETURNING id",
            DB_ARGS(dbv_i((int64_t)job), dbv_i((int64_t)middle + 1), dbv_i((int64_t)who->now_ms),
                dbv_i((int64_t)middle)),
            on_number, ret_other, NULL, err) < 0)
        return -1;
    if (*ret_other == 0)
        return 0;
    return db_run(db, "UPDATE potok_job SET last = $2, d = 0 WHERE id = $1",
        DB_ARGS(dbv_i((int64_t)job), dbv_i((int64_t)middle)), NULL, NULL, NULL, err);
}

int store_split(struct db *db, const struct store_who *who, uint64_t job, uint64_t middle,
    uint64_t *ret_other, struct err *err)
{
    uint64_t other = 0;

    if (store_begin(db, who, err) < 0)
        return -1;
    if (store_end(db, split(db, who, job, middle, &other, err), err) < 0)
        return -1;
    *ret_other = other;
    return 0;
}

struct aside_job {
    uint64_t id, run, first;
    char entity[64];
    enum job_kind kind;
};

static int on_aside(void *ctx, const struct db_val *row, int columns)
{
    struct aside_job *job = ctx;

    job->run = (uint64_t)row[0].i;
    job->first = (uint64_t)row[1].i;
    snprintf(job->entity, sizeof(job->entity), STR_FMT, STR_ARG(row[2].s));
    (void)job_kind_of(row[3].s, &job->kind);
    return 0;
}

#define INTO_REJECTS "INSERT INTO potok_reject (portal, entity, id, field, value, reason, at_ms) "
#define ON_REJECT \
    " ON CONFLICT (portal, entity, id, field) DO UPDATE SET reason = excluded.reason, at_ms = " \
    "excluded.at_ms"

/* Rule 3: k is the tick as it stands. The mark makes the record be tried again, alone and with growing
 * pauses. */
static int aside_traces(struct db *db, const struct store_who *who, const struct aside_job *job,
    struct str error, struct err *err)
{
    struct db_val portal = dbv_s(who->portal), entity = dbv_c(job->entity), id = dbv_i((int64_t)job->first);
    struct db_val now = dbv_i((int64_t)who->now_ms);

    if (db_run(db, INTO_REJECTS "VALUES ($1, $2, $3, '', NULL, $4, $5)" ON_REJECT,
            DB_ARGS(portal, entity, id, dbv_s(error), now), NULL, NULL, NULL, err) < 0)
        return -1;
    return db_run(db,
        "INSERT INTO potok_mark (portal, entity, id, k, ask, set_ms, tries, not_before_ms) "
        "SELECT $1, $2, $3, tick, 1, $4, $5, $6 FROM potok_lease WHERE portal = $1 "
        "ON CONFLICT (portal, entity, id) DO UPDATE SET "
        "k = CASE WHEN excluded.k > potok_mark.k THEN excluded.k ELSE potok_mark.k END, "
        "tries = excluded.tries, not_before_ms = excluded.not_before_ms",
        DB_ARGS(portal, entity, id, now, dbv_i(STORE_MARK_ALONE),
            dbv_i((int64_t)(who->now_ms + store_mark_backoff(STORE_MARK_ALONE)))),
        NULL, NULL, NULL, err);
}

/* The mark is stronger than any cursor: what changed may end by it. */
static int end_look(struct db *db, const struct store_who *who, const struct aside_job *job, struct err *err)
{
    struct cursor_of of = { who->portal, str_of(job->entity), CURSOR_CHANGED };
    int64_t left;

    if (db_get_i64(db,
            "SELECT count(*) FROM potok_job WHERE portal = $1 AND entity = $2 AND kind = $3 AND state = "
            "'open'",
            DB_ARGS(dbv_s(who->portal), dbv_c(job->entity), dbv_c(job_kind_name(job->kind))), 0, &left,
            err) < 0)
        return -1;
    if (left > 0)
        return 0;
    if (job->kind == JOB_SWEEP)
        return db_cursor_swept(db, who->portal, of.entity, (int64_t)who->now_ms, err);
    return db_cursor_end(db, &of, (int64_t)who->now_ms, err);
}

static int aside(
    struct db *db, const struct store_who *who, struct aside_job *job, struct str error, struct err *err)
{
    struct db_val now = dbv_i((int64_t)who->now_ms);

    if (store_turn(db, "potok_job", dbv_i((int64_t)job->id), err) < 0)
        return -1;
    if (db_run(db,
            "UPDATE potok_job SET state = 'aside', error = $2, done_ms = $3 WHERE id = $1 AND state = 'open' "
            "RETURNING run, first, entity, kind",
            DB_ARGS(dbv_i((int64_t)job->id), dbv_s(error), now), on_aside, job, NULL, err) < 0)
        return -1;
    if (job->first == 0)
        return 0;
    if (aside_traces(db, who, job, error, err) < 0)
        return -1;
    if (job->kind != JOB_RANGE)
        return end_look(db, who, job, err);
    int64_t changes = 0;
    if (db_run(db,
            "UPDATE potok_run SET state = 'partial', finished_ms = $2 WHERE id = $1 AND state = 'open' "
            "AND NOT EXISTS (SELECT 1 FROM potok_job WHERE run = $1 AND kind = 'range' AND state = 'open')",
            DB_ARGS(dbv_i((int64_t)job->run), now), NULL, NULL, &changes, err) < 0)
        return -1;
    struct cursor_of of = { who->portal, str_of(job->entity), CURSOR_FULL };
    return changes > 0 ? db_cursor_end(db, &of, (int64_t)who->now_ms, err) : 0;
}

int store_aside(struct db *db, const struct store_who *who, uint64_t job, struct str error, struct err *err)
{
    struct aside_job row = { .id = job, .kind = JOB_RANGE };

    if (store_begin(db, who, err) < 0)
        return -1;
    return store_end(db, aside(db, who, &row, error, err), err);
}

uint64_t store_mark_backoff(uint64_t tries)
{
    return tries >= 12 ? STORE_MARK_WAIT_MS : 1000ULL << tries;
}

/* Only while it has its mark: the reading that clears the mark takes the reject away. */
static int reject_marked(struct db *db, const struct store_who *who, struct str entity, uint64_t id,
    struct str error, struct err *err)
{
    return db_run(db,
        INTO_REJECTS "SELECT portal, entity, id, '', NULL, $4, $5 FROM potok_mark "
                     "WHERE portal = $1 AND entity = $2 AND id = $3" ON_REJECT,
        DB_ARGS(
            dbv_s(who->portal), dbv_s(entity), dbv_i((int64_t)id), dbv_s(error), dbv_i((int64_t)who->now_ms)),
        NULL, NULL, NULL, err);
}

static int alone(struct db *db, const struct store_who *who, uint64_t job, struct str entity, uint64_t id,
    struct str error, struct err *err)
{
    int64_t tries;

    if (store_turn(db, "potok_job", dbv_i((int64_t)job), err) < 0)
        return -1;
    if (db_get_i64(db, "SELECT tries FROM potok_mark WHERE portal = $1 AND entity = $2 AND id = $3",
            DB_ARGS(dbv_s(who->portal), dbv_s(entity), dbv_i((int64_t)id)), 0, &tries, err) < 0)
        return -1;
    if (db_run(db,
            "UPDATE potok_mark SET tries = tries + 1, not_before_ms = $4 "
            "WHERE portal = $1 AND entity = $2 AND id = $3",
            DB_ARGS(dbv_s(who->portal), dbv_s(entity), dbv_i((int64_t)id),
                dbv_i((int64_t)(who->now_ms + store_mark_backoff((uint64_t)tries)))),
            NULL, NULL, NULL, err) < 0)
        return -1;
    if (error.n > 0 && reject_marked(db, who, entity, id, error, err) < 0)
        return -1;
    if (db_run(db,
            "DELETE FROM potok_job WHERE portal = $2 AND entity = $3 AND state = 'open' AND kind = (SELECT "
            "kind "
            "FROM potok_job WHERE id = $1 AND kind IN ('changed', 'sweep') AND state = 'open')",
            DB_ARGS(dbv_i((int64_t)job), dbv_s(who->portal), dbv_s(entity)), NULL, NULL, NULL, err) < 0)
        return -1; /* without all of its jobs what changed was not looked for: its cursor must not move */
    return db_run(db, "DELETE FROM potok_job WHERE id = $1 AND state = 'open' AND kind <> 'range'",
        DB_ARGS(dbv_i((int64_t)job)), NULL, NULL, NULL, err);
}

int store_alone(struct db *db, const struct store_who *who, uint64_t job, struct str entity, uint64_t id,
    struct str error, struct err *err)
{
    if (store_begin(db, who, err) < 0)
        return -1;
    return store_end(db, alone(db, who, job, entity, id, error, err), err);
}

/* Marks that the answer cleared are gone, and those set since have k >= d: what is left is what was left out.
 * They are few and young: at the third failure they are read alone, where pauses grow. */
static int left_out(struct db *db, const struct store_who *who, struct str entity, const uint64_t *ids,
    size_t n, uint64_t d, struct err *err)
{
    if (db_put_ids(db, ids, n, err) < 0)
        return -1;
    return db_run(db,
        "UPDATE potok_mark SET tries = tries + 1, not_before_ms = $4 WHERE portal = $1 AND entity = $2 "
        "AND k < $3 AND id IN (SELECT id FROM potok_ids)",
        DB_ARGS(dbv_s(who->portal), dbv_s(entity), dbv_i((int64_t)d),
            dbv_i((int64_t)(who->now_ms + store_mark_backoff(0)))),
        NULL, NULL, NULL, err);
}

int store_left_out(struct db *db, const struct store_who *who, struct str entity, const uint64_t *ids,
    size_t n, uint64_t d, struct err *err)
{
    if (store_begin(db, who, err) < 0)
        return -1;
    return store_end(db, left_out(db, who, entity, ids, n, d, err), err);
}
