#include "store.h"

static int on_number(void *ctx, const struct db_val *row, int columns)
{
    *(uint64_t *)ctx = (uint64_t)row[0].i;
    return 0;
}

static int on_open_run(void *ctx, const struct db_val *row, int columns)
{
    uint64_t *run = ctx;

    run[0] = (uint64_t)row[0].i;
    run[1] = str_is(row[1].s, "open");
    return 0;
}

static int sync_entity(struct db *db, struct store_sync *x, int i, struct err *err)
{
    uint64_t run[2] = { 0, 0 };

    if (db_run(db,
            "SELECT id, state FROM potok_run WHERE portal = $1 AND entity = $2 "
            "AND state IN ('probing', 'open') ORDER BY id DESC LIMIT 1",
            DB_ARGS(dbv_s(x->who.portal), dbv_s(x->entities[i])), on_open_run, run, NULL, err) < 0)
        return -1;
    x->joined[i] = run[0] > 0;
    x->open[i] = run[1] == 1;
    x->runs[i] = run[0];
    if (x->joined[i])
        return 0;
    return db_run(db,
        "INSERT INTO potok_run (portal, entity, kind, state, started_ms) "
        "VALUES ($1, $2, 'full', 'probing', $3) RETURNING id",
        DB_ARGS(dbv_s(x->who.portal), dbv_s(x->entities[i]), dbv_i((int64_t)x->who.now_ms)), on_number,
        &x->runs[i], NULL, err);
}

static int sync_all(struct db *db, struct store_sync *x, struct err *err)
{
    for (int i = 0; i < x->count; i++)
        if (sync_entity(db, x, i, err) < 0)
            return -1;
    return 0;
}

int store_sync(struct db *db, struct store_sync *x, struct err *err)
{
    if (store_begin(db, &x->who, err) < 0)
        return -1;
    return store_end(db, sync_all(db, x, err), err);
}

static int add_requests(
    struct db *db, const uint64_t *runs, const int64_t *requests, int count, struct err *err)
{
    for (int i = 0; i < count; i++)
        if (db_run(db, "UPDATE potok_run SET requests = requests + $2 WHERE id = $1",
                DB_ARGS(dbv_i((int64_t)runs[i]), dbv_i(requests[i])), NULL, NULL, NULL, err) < 0)
            return -1;
    return 0;
}

int store_add_requests(struct db *db, const struct store_who *who, const uint64_t *runs,
    const int64_t *requests, int count, struct err *err)
{
    if (store_begin(db, who, err) < 0)
        return -1;
    return store_end(db, add_requests(db, runs, requests, count, err), err);
}

static json_t *json_view(struct db_val v)
{
    if (v.type == DB_NULL)
        return json_null();
    return v.type == DB_INT ? json_integer(v.i) : json_stringn(v.s.p, v.s.n);
}

static const char *const RUN_COLUMNS[] = { "id", "portal", "entity", "table", "state", "expected", "read",
    "written", "same", "gone", "rejected", "requests", "started_ms", "finished_ms", "error", "open_jobs",
    "marks", "marks_failing", "changed_ms" };
#define RUN_COLUMN_COUNT (int)(sizeof(RUN_COLUMNS) / sizeof(RUN_COLUMNS[0]))

static int on_run(void *ctx, const struct db_val *row, int columns)
{
    json_t *run = json_object();

    for (int i = 0; i < columns && i < RUN_COLUMN_COUNT; i++)
        json_object_set_new(run, RUN_COLUMNS[i], json_view(row[i]));
    json_array_append_new(ctx, run);
    return 0;
}

#define MARKS_OF_RUN \
    "(SELECT count(*) FROM potok_mark m WHERE m.portal = r.portal AND m.entity = r.entity AND m.tries "

int store_status(struct db *db, int64_t since, json_t *into, struct err *err)
{
    static const struct {
        const char *key, *sql;
    } figures[] = {
        { "jobs_open", "SELECT count(*) FROM potok_job WHERE state = 'open'" },
        { "marks", "SELECT count(*) FROM potok_mark WHERE tries < 3" },
        { "marks_failing", "SELECT count(*) FROM potok_mark WHERE tries >= 3" },
    };
    json_t *runs = json_array();

    json_object_set_new(into, "runs", runs);
    if (db_run(db,
            "SELECT r.id, r.portal, r.entity, e.tbl, r.state, r.expected, r.read, r.written, r.same, r.gone, "
            "r.rejected, r.requests, r.started_ms, r.finished_ms, r.error, "
            "(SELECT count(*) FROM potok_job j WHERE j.run = r.id AND j.kind = 'range' "
            "AND j.state = 'open'), " MARKS_OF_RUN "< $1), " MARKS_OF_RUN ">= $1), "
            "(SELECT at_ms FROM potok_cursor c WHERE c.portal = r.portal AND c.entity = r.entity "
            "AND c.name = 'changed') FROM potok_run r "
            "LEFT JOIN potok_entity e ON e.portal = r.portal AND e.entity = r.entity "
            "WHERE r.id IN (SELECT max(id) FROM potok_run GROUP BY portal, entity) OR r.id IN "
            "(SELECT id FROM potok_run WHERE id > $2 ORDER BY id DESC LIMIT $3) ORDER BY r.id",
            DB_ARGS(dbv_i(STORE_MARK_ALONE), dbv_i(since), dbv_i(STORE_SINCE_MOST)), on_run, runs, NULL,
            err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        int64_t n;

        if (db_get_i64(db, figures[i].sql, DB_NOARGS, 0, &n, err) < 0)
            return -1;
        json_object_set_new(into, figures[i].key, json_integer(n));
    }
    return 0;
}
