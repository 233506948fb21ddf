#include "store.h"

#include "base/mem.h"
#include "db/cursor.h"

#include <stdio.h>
#include <stdlib.h>

static int on_number(void *ctx, const struct db_val *row, int columns)
{
    *(uint64_t *)ctx = (uint64_t)row[0].i;
    return 0;
}

/* Rule 1: number and fence in one statement. */
static int next_tick(struct db *db, const struct store_dispatch *x, uint64_t *ret, struct err *err)
{
    *ret = 0;
    if (db_run(db,
            "UPDATE potok_lease SET tick = tick + 1, bucket = $3 / 1000.0, bucket_ms = $4 "
            "WHERE portal = $1 AND epoch = $2 RETURNING tick",
            DB_ARGS(dbv_s(x->who.portal), dbv_i((int64_t)x->who.epoch), dbv_i((int64_t)(x->bucket * 1000)),
                dbv_i((int64_t)x->who.now_ms)),
            on_number, ret, NULL, err) < 0)
        return -1;
    if (*ret == 0)
        return err_code(err, ERR_PERM, STORE_LEASE_LOST,
            "lease of portal " STR_FMT " lost: another scheduler took over", STR_ARG(x->who.portal));
    return 0;
}

static int insert_job(struct db *db, const struct store_dispatch *x, uint64_t run, struct str entity,
    enum job_kind kind, uint64_t first, uint64_t last, uint64_t d, uint64_t *ret, struct err *err)
{
    return db_run(db,
        "INSERT INTO potok_job (run, portal, entity, kind, first, last, state, d, tries, created_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $9) RETURNING id",
        DB_ARGS(dbv_i((int64_t)run), dbv_s(x->who.portal), dbv_s(entity), dbv_c(job_kind_name(kind)),
            dbv_i((int64_t)first), dbv_i((int64_t)last), dbv_i((int64_t)d), dbv_i(d > 0),
            dbv_i((int64_t)x->who.now_ms)),
        on_number, ret, NULL, err);
}

struct id_list {
    uint64_t *p;
    size_t n, most;
};

static int on_mark(void *ctx, const struct db_val *row, int columns)
{
    struct id_list *ids = ctx;

    if (ids->n == ids->most)
        return 1;
    ids->p[ids->n++] = (uint64_t)row[0].i;
    return 0;
}

static int choose_many(struct db *db, const struct store_dispatch *x, const struct dispatch_item *item,
    struct id_list *ids, struct err *err)
{
    return db_run(db,
        "SELECT id FROM potok_mark WHERE portal = $1 AND entity = $2 AND ask = $3 AND " STORE_MARK_IS_DUE
        " AND tries < $5 AND id NOT IN (SELECT id FROM potok_ids) ORDER BY id LIMIT $6",
        DB_ARGS(dbv_s(x->who.portal), dbv_s(item->entity), dbv_i(item->kind == JOB_GET),
            dbv_i((int64_t)x->who.now_ms), dbv_i(STORE_MARK_ALONE), dbv_i(item->most)),
        on_mark, ids, NULL, err);
}

static int choose_alone(struct db *db, const struct store_dispatch *x, const struct dispatch_item *item,
    struct id_list *ids, struct err *err)
{
    return db_run(db,
        "SELECT id FROM potok_mark WHERE portal = $1 AND entity = $2 AND ask = $3 AND " STORE_MARK_IS_DUE
        " AND tries >= $5 AND id NOT IN (SELECT id FROM potok_ids) ORDER BY not_before_ms LIMIT 1",
        DB_ARGS(dbv_s(x->who.portal), dbv_s(item->entity), dbv_i(item->kind == JOB_GET),
            dbv_i((int64_t)x->who.now_ms), dbv_i(STORE_MARK_ALONE)),
        on_mark, ids, NULL, err);
}

/* Rule 9: what failed again and again is read alone, so that it cannot hold the others up. */
static int choose_marks(
    struct db *db, const struct store_dispatch *x, struct dispatch_item *item, struct err *err)
{
    struct id_list ids = { xcalloc(item->most, sizeof(uint64_t)), 0, item->most };

    item->ids = ids.p;
    if (db_put_ids(db, item->held, item->held_count, err) < 0)
        return -1;
    if ((item->alone_first ? choose_alone : choose_many)(db, x, item, &ids, err) < 0)
        return -1;
    if (ids.n == 0 && (item->alone_first ? choose_many : choose_alone)(db, x, item, &ids, err) < 0)
        return -1;
    item->id_count = ids.n;
    return 0;
}

static int split_rest(
    struct db *db, const struct store_dispatch *x, struct dispatch_item *item, struct err *err)
{
    if (db_run(db,
            "INSERT INTO potok_job (run, portal, entity, kind, first, last, state, created_ms) "
            "SELECT run, portal, entity, kind, $2, last, 'open', $3 FROM potok_job "
            "WHERE id = $1 AND state = 'open' AND first <= $4 AND last > $4 RETURNING id",
            DB_ARGS(dbv_i((int64_t)item->job), dbv_i((int64_t)item->split_at + 1),
                dbv_i((int64_t)x->who.now_ms), dbv_i((int64_t)item->split_at)),
            on_number, &item->other, NULL, err) < 0)
        return -1;
    if (item->other == 0)
        return 0;
    if (db_run(db, "SELECT last FROM potok_job WHERE id = $1", DB_ARGS(dbv_i((int64_t)item->other)),
            on_number, &item->other_last, NULL, err) < 0)
        return -1;
    return db_run(db, "UPDATE potok_job SET last = $2 WHERE id = $1",
        DB_ARGS(dbv_i((int64_t)item->job), dbv_i((int64_t)item->split_at)), NULL, NULL, NULL, err);
}

static int on_dispatched(void *ctx, const struct db_val *row, int columns)
{
    struct dispatch_item *item = ctx;

    item->run = (uint64_t)row[0].i;
    item->first = (uint64_t)row[1].i;
    item->last = (uint64_t)row[2].i;
    item->tries = (unsigned)row[3].i;
    return 0;
}

/* And held so: a writer may be about to close it. */
static int is_open(struct db *db, uint64_t job, bool *ret, struct err *err)
{
    char sql[100];
    int64_t n;

    snprintf(
        sql, sizeof(sql), "SELECT 1 FROM potok_job WHERE id = $1 AND state = 'open'%s", db_for_update(db));
    if (db_get_i64(db, sql, DB_ARGS(dbv_i((int64_t)job)), 0, &n, err) < 0)
        return -1;
    *ret = n == 1;
    return 0;
}

/* Without a cursor everything has changed. */
static int since_when(
    struct db *db, const struct store_dispatch *x, struct dispatch_item *item, struct err *err)
{
    if (db_cursor_since(db, x->who.portal, item->entity, &item->since, err) < 0)
        return -1;
    item->since = item->since > 0 ? item->since : 1;
    return 0;
}

static int dispatch_written(
    struct db *db, const struct store_dispatch *x, struct dispatch_item *item, struct err *err)
{
    bool open;

    if (is_open(db, item->job, &open, err) < 0)
        return -1;
    if (!open)
        return 0;
    if (item->split_at > 0 && split_rest(db, x, item, err) < 0)
        return -1;
    if (next_tick(db, x, &item->d, err) < 0)
        return -1;
    if (item->kind == JOB_CHANGED && since_when(db, x, item, err) < 0)
        return -1;
    return db_run(db,
        "UPDATE potok_job SET d = $2, tries = tries + 1 WHERE id = $1 AND state = 'open' "
        "RETURNING run, first, last, tries",
        DB_ARGS(dbv_i((int64_t)item->job), dbv_i((int64_t)item->d)), on_dispatched, item, NULL, err);
}

/* What a reading by id finds is what the latest run's lists gave reason to ask. */
static int latest_run(
    struct db *db, const struct store_dispatch *x, struct dispatch_item *item, struct err *err)
{
    int64_t run;

    if (db_get_i64(db, "SELECT coalesce(max(id), 0) FROM potok_run WHERE portal = $1 AND entity = $2",
            DB_ARGS(dbv_s(x->who.portal), dbv_s(item->entity)), 0, &run, err) < 0)
        return -1;
    item->run = (uint64_t)run;
    return 0;
}

static int dispatch_new(
    struct db *db, const struct store_dispatch *x, struct dispatch_item *item, struct err *err)
{
    if (item->from_marks && choose_marks(db, x, item, err) < 0)
        return -1;
    if (!job_kind_learns(item->kind) && item->id_count == 0)
        return 0;
    if (next_tick(db, x, &item->d, err) < 0)
        return -1;
    item->first = item->id_count > 0 ? item->ids[0] : 0;
    item->last = item->id_count > 0 ? item->ids[item->id_count - 1] : 0;
    item->tries = 1;
    if (item->kind == JOB_CALL)
        return 0; /* nothing to go on with: no row */
    if (item->kind != JOB_PROBE && latest_run(db, x, item, err) < 0)
        return -1;
    return insert_job(
        db, x, item->run, item->entity, item->kind, item->first, item->last, item->d, &item->job, err);
}

/* Two items of one entity must not choose the same marks. */
static void hold_chosen(struct store_dispatch *x, int from)
{
    const struct dispatch_item *chosen = &x->items[from];

    for (int i = from + 1; i < x->count && chosen->id_count > 0; i++) {
        struct dispatch_item *item = &x->items[i];

        if (!item->from_marks || item->kind != chosen->kind || !str_eq(item->entity, chosen->entity))
            continue;
        item->held = xrealloc(item->held, (item->held_count + chosen->id_count) * sizeof(uint64_t));
        memcpy(item->held + item->held_count, chosen->ids, chosen->id_count * sizeof(uint64_t));
        item->held_count += chosen->id_count;
    }
}

static int dispatch_all(struct db *db, struct store_dispatch *x, struct err *err)
{
    for (int i = 0; i < x->count; i++) {
        struct dispatch_item *item = &x->items[i];
        int failed = item->job > 0 ? dispatch_written(db, x, item, err) : dispatch_new(db, x, item, err);

        if (failed < 0)
            return err_wrap(err, "dispatch of %s", job_kind_name(item->kind));
        hold_chosen(x, i);
    }
    return 0;
}

/* What is read by id after a run has ended is no part of it. */
static int count_call(struct db *db, struct dispatch_item *item, struct err *err)
{
    bool by_id = item->kind == JOB_IDS || item->kind == JOB_GET;
    int64_t changes = 0;

    if (item->kind != JOB_PROBE)
        item->pays = item->run;
    if (item->d == 0 || item->pays == 0)
        return 0;
    if (db_run(db,
            by_id ? "UPDATE potok_run SET requests = requests + 1 WHERE id = $1 AND state IN ('probing', "
                    "'open')"
                  : "UPDATE potok_run SET requests = requests + 1 WHERE id = $1",
            DB_ARGS(dbv_i((int64_t)item->pays)), NULL, NULL, &changes, err) < 0)
        return -1;
    if (changes == 0)
        item->pays = 0;
    return 0;
}

/* The runs after all jobs: a writer, too, locks the run's row last. */
static int count_calls(struct db *db, struct store_dispatch *x, struct err *err)
{
    for (int i = 0; i < x->count; i++)
        if (count_call(db, &x->items[i], err) < 0)
            return -1;
    return 0;
}

int store_dispatch(struct db *db, struct store_dispatch *x, struct err *err)
{
    if (store_begin(db, &x->who, err) < 0)
        return -1;
    return store_end(db, dispatch_all(db, x, err) < 0 ? -1 : count_calls(db, x, err), err);
}

void store_dispatch_fini(struct store_dispatch *x)
{
    for (int i = 0; i < x->count; i++) {
        free(x->items[i].held);
        free(x->items[i].ids);
    }
    x->count = 0;
}

int store_bucket(struct db *db, const struct store_who *who, double level, struct err *err)
{
    if (store_begin(db, who, err) < 0)
        return -1;
    return store_end(db,
        db_run(db, "UPDATE potok_lease SET bucket = $2 / 1000.0, bucket_ms = $3 WHERE portal = $1",
            DB_ARGS(dbv_s(who->portal), dbv_i((int64_t)(level * 1000)), dbv_i((int64_t)who->now_ms)), NULL,
            NULL, NULL, err),
        err);
}
