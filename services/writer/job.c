/* The job of a message: may it still be done, and what follows when it is. */
#include "apply.h"

#include "db/cursor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static int __attribute__((format(printf, 2, 3))) refuse(struct apply *a, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(a->why, sizeof(a->why), format, args);
    va_end(args);
    a->refused = true;
    return 0;
}

struct lease {
    bool found;
    uint64_t tick, epoch;
};

static int on_lease(void *ctx, const struct db_val *row, int columns)
{
    (void)columns;
    *(struct lease *)ctx = (struct lease){ true, (uint64_t)row[0].i, (uint64_t)row[1].i };
    return 1;
}

static int check_lease(struct apply *a, struct err *err)
{
    struct lease lease = { 0 };

    if (db_run(a->db, "SELECT tick, epoch FROM potok_lease WHERE portal = $1",
            DB_ARGS(dbv_s(a->rows->portal)), on_lease, &lease, NULL, err) < 0)
        return -1;
    if (!lease.found)
        return refuse(a, "the database does not know the portal");
    if (lease.epoch != a->rows->epoch)
        return refuse(
            a, "sent by the scheduler of epoch %" PRIu64 ", now it is %" PRIu64, a->rows->epoch, lease.epoch);
    if (a->rows->d > lease.tick) /* numbers from a future that a restored database does not have */
        return refuse(
            a, "d=%" PRIu64 " was not given yet, the counter is at %" PRIu64, a->rows->d, lease.tick);
    a->c = lease.tick;
    return 0;
}

struct entity {
    bool found;
    int64_t floor, shape, version;
};

static int on_entity(void *ctx, const struct db_val *row, int columns)
{
    (void)columns;
    *(struct entity *)ctx = (struct entity){ true, row[0].i, row[1].i, row[2].i };
    return 1;
}

/* The first statement: where a transaction is not alone it takes the turn of the entity's writers (rule 12),
 * alone, so that what follows is newer than the lock. Potok's other programs hold it when they change
 * columns; whoever else does shows in the version. */
static int check_entity(struct apply *a, struct err *err)
{
    struct entity entity = { 0 };
    char sql[320];

    snprintf(sql, sizeof(sql),
        "SELECT floor, shape, %s FROM potok_entity WHERE portal = $2 AND entity = $3%s",
        db_version_sql(a->db), db_for_update(a->db));
    if (db_run(a->db, sql, DB_ARGS(dbv_s(a->rows->table), dbv_s(a->rows->portal), dbv_s(a->rows->entity)),
            on_entity, &entity, NULL, err) < 0)
        return -1;
    if (!entity.found)
        return refuse(a, "the database does not know the entity");
    if (a->rows->d <= (uint64_t)entity.floor)
        return refuse(a, "d=%" PRIu64 " is below the floor %" PRId64, a->rows->d, entity.floor);
    a->stale = !db_table_is(a->db, a->rows->table, entity.shape, entity.version);
    return 0;
}

struct job {
    bool found, open;
    uint64_t d, first, last;
    int64_t run;
};

static int on_job(void *ctx, const struct db_val *row, int columns)
{
    (void)columns;
    *(struct job *)ctx = (struct job){ true, str_is(row[0].s, "open"), (uint64_t)row[1].i, (uint64_t)row[2].i,
        (uint64_t)row[3].i, row[4].i };
    return 1;
}

/* What was read and what is left make up the job's range, or ids would fall between two jobs. */
static int check_covers(struct apply *a, const struct job *job, struct err *err)
{
    const struct msg_rows *r = a->rows;
    uint64_t end = r->next_first != 0 ? r->next_last : r->last;

    if (!a->batch.walks || (r->first == job->first && end == job->last))
        return 0;
    return err_set(err, ERR_PERM,
        "the job is %" PRIu64 "..%" PRIu64 ", its rows are for %" PRIu64 "..%" PRIu64, job->first, job->last,
        r->first, end);
}

static int check_row(struct apply *a, struct err *err)
{
    struct job job = { 0 };
    char sql[160];

    snprintf(sql, sizeof(sql),
        "SELECT state, d, first, last, run FROM potok_job WHERE id = $1 AND portal = $2 AND entity = $3 "
        "AND kind = $4%s",
        db_for_update(a->db)); /* the scheduler may be about to send it again */
    if (db_run(a->db, sql,
            DB_ARGS(dbv_i((int64_t)a->rows->job), dbv_s(a->rows->portal), dbv_s(a->rows->entity),
                dbv_s(a->rows->kind)),
            on_job, &job, NULL, err) < 0)
        return -1;
    if (!job.found)
        return refuse(a, "there is no such job");
    if (!job.open)
        return refuse(a, "the job is closed");
    if (job.d != a->rows->d)
        return refuse(
            a, "d=%" PRIu64 " was given up, the job was sent again as d=%" PRIu64, a->rows->d, job.d);
    a->run = job.run;
    return check_covers(a, &job, err);
}

int check_job(struct apply *a, struct err *err)
{
    static int (*const checks[])(struct apply *, struct err *) = { check_entity, check_lease, check_row };

    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]) && !a->refused && !a->stale; i++)
        if (checks[i](a, err) < 0)
            return -1;
    return 0;
}

static int write_continuation(struct apply *a, struct err *err)
{
    int64_t id = 0;

    if (a->rows->next_first == 0)
        return 0;
    if (db_get_i64(a->db,
            "INSERT INTO potok_job (run, portal, entity, kind, first, last, state, created_ms) "
            "VALUES ($1, $2, $3, $4, $5, $6, 'open', $7) RETURNING id",
            DB_ARGS(a->run != 0 ? dbv_i(a->run) : DBV_NULL, dbv_s(a->rows->portal), dbv_s(a->rows->entity),
                dbv_s(a->rows->kind), dbv_i((int64_t)a->rows->next_first), dbv_i((int64_t)a->rows->next_last),
                dbv_i(a->now_ms)),
            0, &id, err) < 0)
        return -1;
    a->next_job = (uint64_t)id;
    return 0;
}

static int count_run(struct apply *a, struct err *err)
{
    const struct apply_counts *n = &a->counts;

    /* Of a reading by id only what it changed, and when the run has ended what is gone: that its lists gave
     * reason to ask, while everything else has happened since. */
    if (!a->batch.whole_range)
        return db_run(a->db,
            "UPDATE potok_run SET written = written + CASE WHEN state IN ('probing', 'open') THEN $2 ELSE 0 "
            "END, "
            "gone = gone + $3 WHERE id = $1",
            DB_ARGS(dbv_i(a->run), dbv_i((int64_t)n->written), dbv_i((int64_t)n->gone)), NULL, NULL, NULL,
            err);
    return db_run(a->db,
        "UPDATE potok_run SET read = read + $2, written = written + $3, same = same + $4, gone = gone + $5, "
        "rejected = rejected + $6 WHERE id = $1",
        DB_ARGS(dbv_i(a->run), dbv_i((int64_t)n->read), dbv_i((int64_t)n->written), dbv_i((int64_t)n->same),
            dbv_i((int64_t)n->gone), dbv_i((int64_t)n->rejected)),
        NULL, NULL, NULL, err);
}

static struct cursor_of cursor_of(const struct apply *a, enum cursor_run run)
{
    return (struct cursor_of){ a->rows->portal, a->rows->entity, run };
}

static int end_cursor(struct apply *a, enum cursor_run run, struct err *err)
{
    struct cursor_of of = cursor_of(a, run);

    return db_cursor_end(a->db, &of, a->now_ms, err);
}

/* The next look at what changed begins where this run began to read. */
static int note_start(struct apply *a, struct err *err)
{
    struct cursor_of of = cursor_of(a, a->batch.kind == JOB_RANGE ? CURSOR_FULL : CURSOR_CHANGED);

    if (!a->batch.walks || a->batch.kind == JOB_SWEEP)
        return 0;
    return db_cursor_started(a->db, &of, a->rows->started_ms, err);
}

/* What changed, or is gone, was looked for by jobs without a row of potok_run: the last of them is the end. A
 * record that was set aside has a mark that is stronger than any cursor. */
static int close_look(struct apply *a, struct err *err)
{
    int64_t left;

    if (db_get_i64(a->db,
            "SELECT count(*) FROM potok_job WHERE portal = $1 AND entity = $2 AND kind = $3 AND state = "
            "'open'",
            DB_ARGS(dbv_s(a->rows->portal), dbv_s(a->rows->entity), dbv_s(a->rows->kind)), 0, &left, err) < 0)
        return -1;
    if (left > 0)
        return 0;
    if (a->batch.kind == JOB_SWEEP)
        return db_cursor_swept(a->db, a->rows->portal, a->rows->entity, a->now_ms, err);
    return end_cursor(a, CURSOR_CHANGED, err);
}

/* A run is its open jobs: the transaction that closes the last one closes the run. One with a note has passed
 * records that have to be read again (db_ensure_table): it was no full sync. */
static int close_run(struct apply *a, struct err *err)
{
    int64_t left, aside, changes = 0;

    if (db_get_i64(a->db,
            "SELECT count(*) FROM potok_job WHERE run = $1 AND kind = 'range' AND state = 'open'",
            DB_ARGS(dbv_i(a->run)), 0, &left, err) < 0 ||
        db_get_i64(a->db, "SELECT count(*) FROM potok_job WHERE run = $1 AND state = 'aside'",
            DB_ARGS(dbv_i(a->run)), 0, &aside, err) < 0)
        return -1;
    if (left > 0)
        return 0;
    if (db_run(a->db, "UPDATE potok_run SET state = $2, finished_ms = $3 WHERE id = $1 AND state = 'open'",
            DB_ARGS(dbv_i(a->run), dbv_c(aside > 0 ? "partial" : "done"), dbv_i(a->now_ms)), NULL, NULL,
            &changes, err) < 0)
        return -1;
    if (changes > 0 && end_cursor(a, CURSOR_FULL, err) < 0)
        return -1;
    if (changes == 0 || aside > 0)
        return 0;
    return db_run(a->db,
        "UPDATE potok_entity SET full_ms = $3, agreed_ms = $3 WHERE portal = $1 AND entity = $2 "
        "AND NOT EXISTS (SELECT 1 FROM potok_run WHERE id = $4 AND error IS NOT NULL)",
        DB_ARGS(dbv_s(a->rows->portal), dbv_s(a->rows->entity), dbv_i(a->now_ms), dbv_i(a->run)), NULL, NULL,
        NULL, err);
}

int finish_job(struct apply *a, struct err *err)
{
    if (db_run(a->db,
            "UPDATE potok_job SET state = 'done', records = $2, error = NULL, done_ms = $3 WHERE id = $1",
            DB_ARGS(dbv_i((int64_t)a->rows->job), dbv_i((int64_t)a->counts.read), dbv_i(a->now_ms)), NULL,
            NULL, NULL, err) < 0)
        return -1;
    if (write_continuation(a, err) < 0 || note_start(a, err) < 0)
        return -1;
    if (a->batch.kind == JOB_CHANGED || a->batch.kind == JOB_SWEEP)
        return close_look(a, err);
    if (a->run == 0)
        return 0;
    if (count_run(a, err) < 0)
        return -1;
    return a->batch.whole_range ? close_run(a, err) : 0;
}
