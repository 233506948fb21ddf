/* What is kept of runs and of changed fields for people to look back at, and no longer needed by anything
 * that runs: the tables would grow with every sync. */
#include "store.h"

#include <stdio.h>

#define ROWS_AT_ONCE 500 /* removed in one transaction: writers wait meanwhile */

struct history {
    const char *name;
    int newest; /* so many of an entity stay, however old they are */
    /* The number (id, time) of the oldest of these; $3: newest - 1. */
    const char *bound;
    /* Ids below it ($3) that ended before $4, those that tell nothing before $5; $6 at most. */
    const char *rows;
};

/* Runs under way stay, and those that jobs belong to. The last one of an entity is what the scheduler's
 * start, readings by id, `potok status` and `potok up` go by; it is among the newest. A run that ended well
 * and moved nothing tells little. Of the fields' changes a year is a handful, and they cannot be had again:
 * only a portal that changes them to and fro fills the table, and only what is beyond the newest thousand
 * goes. */
static const struct history HISTORIES[] = {
    { "potok_run", STORE_RUNS_NEWEST,
        "SELECT id FROM potok_run WHERE portal = $1 AND entity = $2 ORDER BY id DESC LIMIT 1 OFFSET $3",
        "SELECT r.id FROM potok_run r WHERE r.portal = $1 AND r.entity = $2 AND r.id < $3 "
        "AND r.state NOT IN ('probing', 'open') AND (coalesce(r.finished_ms, r.started_ms) < $4 OR "
        "(coalesce(r.finished_ms, r.started_ms) < $5 AND r.state = 'done' AND r.error IS NULL "
        "AND r.written + r.gone + r.rejected = 0)) "
        "AND NOT EXISTS (SELECT 1 FROM potok_job j WHERE j.run = r.id) ORDER BY r.id LIMIT $6" },
    { "potok_field_change", STORE_CHANGES_NEWEST,
        "SELECT at_ms FROM potok_field_change WHERE portal = $1 AND entity = $2 "
        "ORDER BY at_ms DESC LIMIT 1 OFFSET $3",
        "SELECT r.id FROM potok_field_change r WHERE r.portal = $1 AND r.entity = $2 AND r.at_ms < $3 "
        "AND r.at_ms < $4 AND $5 >= $4 ORDER BY r.at_ms LIMIT $6" },
};

/* A row that somebody else holds is not waited for: a writer that stands still would hold up the scheduler's
 * other work, and it may go the next time. */
static int forget(
    struct db *db, struct store_history *x, const struct history *h, struct str entity, struct err *err)
{
    struct db_val portal = dbv_s(x->who.portal), name = dbv_s(entity);
    const char *lock = db_for_update(db);
    int64_t bound, gone = 0, now_ms = (int64_t)x->who.now_ms;
    char sql[900];

    if (db_get_i64(db, h->bound, DB_ARGS(portal, name, dbv_i(h->newest - 1)), 0, &bound, err) < 0)
        return -1;
    snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE id IN (%s%s%s)", h->name, h->rows, lock,
        lock[0] != '\0' ? " SKIP LOCKED" : "");
    if (db_run(db, sql,
            DB_ARGS(portal, name, dbv_i(bound), dbv_i(now_ms - (int64_t)x->keep_ms),
                dbv_i(now_ms - (int64_t)x->empty_ms), dbv_i(ROWS_AT_ONCE)),
            NULL, NULL, &gone, err) < 0)
        return err_wrap(err, "old rows of %s", h->name);
    x->gone += (uint64_t)gone;
    x->more = x->more || gone == ROWS_AT_ONCE;
    return 0;
}

static int forget_all(struct db *db, struct store_history *x, struct err *err)
{
    for (size_t k = 0; k < sizeof(HISTORIES) / sizeof(HISTORIES[0]); k++)
        for (int i = 0; i < x->count && !x->more; i++)
            if (forget(db, x, &HISTORIES[k], x->entities[i], err) < 0)
                return -1;
    return 0;
}

int store_history(struct db *db, struct store_history *x, struct err *err)
{
    x->gone = 0;
    x->more = false;
    if (store_begin(db, &x->who, err) < 0)
        return -1;
    return store_end(db, forget_all(db, x, err), err);
}
