#include "store.h"

#include "db/cursor.h"
#include "proto/msg.h"

#include <stdio.h>

/* A full sync looks at all ids too. A time to come was written by a clock that stepped back. */
static int swept_lately(
    struct db *db, const struct store_changed *x, struct str entity, int64_t *ret, struct err *err)
{
    struct db_val now = dbv_i((int64_t)x->who.now_ms);
    struct db_val then = dbv_i((int64_t)x->who.now_ms - (int64_t)x->every_ms);

    *ret = 0;
    if (x->every_ms == 0)
        return 0;
    return db_get_i64(db,
        "SELECT (SELECT count(*) FROM potok_cursor WHERE portal = $1 AND entity = $2 AND name = 'swept' "
        "AND at_ms > $3 AND at_ms <= $4) + (SELECT count(*) FROM potok_entity WHERE portal = $1 "
        "AND entity = $2 AND full_ms > $3 AND full_ms <= $4)",
        DB_ARGS(dbv_s(x->who.portal), dbv_s(entity), then, now), 0, ret, err);
}

/* The turn of the entity's writers, so that none ends a run of it meanwhile; and whether it may be asked at
 * all. */
static int may_begin(
    struct db *db, const struct store_changed *x, struct str entity, bool *ret, struct err *err)
{
    struct db_val portal = dbv_s(x->who.portal), name = dbv_s(entity);
    int64_t since, paused, lately, busy;
    char sql[120];

    *ret = false;
    snprintf(sql, sizeof(sql), "SELECT paused FROM potok_entity WHERE portal = $1 AND entity = $2%s",
        db_for_update(db));
    if (db_get_i64(db, sql, DB_ARGS(portal, name), 1, &paused, err) < 0 ||
        db_cursor_since(db, x->who.portal, entity, &since, err) < 0 ||
        swept_lately(db, x, entity, &lately, err) < 0)
        return -1;
    if (paused != 0 || since == 0 || lately != 0)
        return 0;
    if (db_get_i64(db,
            "SELECT (SELECT count(*) FROM potok_run WHERE portal = $1 AND entity = $2 "
            "AND state IN ('probing', 'open')) + (SELECT count(*) FROM potok_job WHERE portal = $1 "
            "AND entity = $2 AND kind = $3 AND state = 'open')",
            DB_ARGS(portal, name, dbv_c(job_kind_name(x->kind))), 1, &busy, err) < 0)
        return -1;
    *ret = busy == 0;
    return 0;
}

static int begin(
    struct db *db, const struct store_changed *x, struct str entity, uint64_t *ret, struct err *err)
{
    struct cursor_of of = { x->who.portal, entity, CURSOR_CHANGED };
    struct db_val portal = dbv_s(x->who.portal), name = dbv_s(entity), now = dbv_i((int64_t)x->who.now_ms);
    struct db_val kind = dbv_c(job_kind_name(x->kind));
    int64_t id = 0;

    if (x->kind == JOB_CHANGED && db_cursor_begin(db, &of, (int64_t)x->who.now_ms, err) < 0)
        return -1;
    if (x->kind == JOB_SWEEP && db_cursor_served(db, x->who.portal, entity, CURSOR_SWEEP, INT64_MAX, err) < 0)
        return -1;
    if (db_run(db,
            "DELETE FROM potok_job WHERE portal = $1 AND entity = $2 AND kind = $3 AND state <> 'open'",
            DB_ARGS(portal, name, kind), NULL, NULL, NULL, err) < 0 ||
        db_get_i64(db,
            "INSERT INTO potok_job (run, portal, entity, kind, first, last, state, created_ms) "
            "VALUES (0, $1, $2, $3, 1, $4, 'open', $5) RETURNING id",
            DB_ARGS(portal, name, kind, dbv_i((int64_t)RANGE_OPEN), now), 0, &id, err) < 0)
        return -1;
    *ret = (uint64_t)id;
    return 0;
}

static int changed_all(struct db *db, struct store_changed *x, struct err *err)
{
    for (int i = 0; i < x->count; i++) {
        bool may;

        x->jobs[i] = 0;
        if (may_begin(db, x, x->entities[i], &may, err) < 0)
            return -1;
        if (may && begin(db, x, x->entities[i], &x->jobs[i], err) < 0)
            return -1;
    }
    return 0;
}

int store_changed(struct db *db, struct store_changed *x, struct err *err)
{
    if (store_begin(db, &x->who, err) < 0)
        return -1;
    return store_end(db, changed_all(db, x, err), err);
}
