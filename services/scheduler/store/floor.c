#include "store.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define GHOSTS_AT_ONCE 2000 /* removed in one transaction: writers wait meanwhile */

/* The turn: a writer's look at witnesses and ghosts holds until its commit. It is not waited for: a writer
 * that stands still would hold up the scheduler's other work, and a floor may rise later. */
static int take_turn(
    struct db *db, const struct store_floor *x, struct str entity, int64_t *ret, struct err *err)
{
    const char *lock = db_for_update(db);
    char sql[140];

    snprintf(sql, sizeof(sql), "SELECT 1 FROM potok_entity WHERE portal = $1 AND entity = $2%s%s", lock,
        lock[0] != '\0' ? " SKIP LOCKED" : "");
    return db_get_i64(db, sql, DB_ARGS(dbv_s(x->who.portal), dbv_s(entity)), 0, ret, err);
}

/* Rule 6. Never lowered: an attempt once refused stays refused. */
static int raise_floor(struct db *db, const struct store_floor *x, struct str entity, struct err *err)
{
    struct db_val portal = dbv_s(x->who.portal), name = dbv_s(entity), low = dbv_i((int64_t)x->low);

    if (db_run(db, "UPDATE potok_entity SET floor = $3 WHERE portal = $1 AND entity = $2 AND floor < $3",
            DB_ARGS(portal, name, low), NULL, NULL, NULL, err) < 0)
        return -1;
    return db_run(db, "DELETE FROM potok_witness WHERE portal = $1 AND entity = $2 AND c <= $3",
        DB_ARGS(portal, name, low), NULL, NULL, NULL, err);
}

struct ghosts {
    uint64_t ids[GHOSTS_AT_ONCE];
    size_t n;
};

static int on_ghost(void *ctx, const struct db_val *row, int columns)
{
    struct ghosts *g = ctx;

    if (g->n == GHOSTS_AT_ONCE)
        return 1;
    g->ids[g->n++] = (uint64_t)row[0].i;
    return 0;
}

/* Ghosts that never had values only stand in for "not there"; below the floor nobody asks. Looking for them
 * reads the whole table, so it is done before the transaction; what it found is checked again inside. */
static int find_ghosts(
    struct db *db, const struct store_floor *x, struct str table, struct ghosts *g, struct err *err)
{
    char quoted[200], sql[400];

    db_quote(db, table, quoted);
    snprintf(sql, sizeof(sql),
        "SELECT id FROM %s WHERE _written_at IS NULL AND _deleted_at IS NOT NULL "
        "AND _hi <= $1 LIMIT %d",
        quoted, GHOSTS_AT_ONCE);
    return db_run(db, sql, DB_ARGS(dbv_i((int64_t)x->low)), on_ghost, g, NULL, err);
}

static int drop_ghosts(
    struct db *db, const struct store_floor *x, struct str table, const struct ghosts *g, struct err *err)
{
    char quoted[200], sql[400];

    if (g->n == 0)
        return 0;
    db_quote(db, table, quoted);
    snprintf(sql, sizeof(sql),
        "DELETE FROM %s WHERE id IN (SELECT id FROM potok_ids) AND _written_at IS NULL "
        "AND _deleted_at IS NOT NULL AND _hi <= $1",
        quoted);
    if (db_put_ids(db, g->ids, g->n, err) < 0)
        return -1;
    return db_run(db, sql, DB_ARGS(dbv_i((int64_t)x->low)), NULL, NULL, NULL, err);
}

static int floor_entity(struct db *db, struct store_floor *x, int i, struct ghosts *g, struct err *err)
{
    struct err untidy;
    int64_t turn;

    g->n = 0;
    if (x->ghosts[i] && find_ghosts(db, x, x->tables[i], g, &untidy) < 0)
        g->n = 0; /* no table (yet, or any more): tidying up must not hold the floor */
    if (store_begin(db, &x->who, err) < 0)
        return -1;

    int failed = take_turn(db, x, x->entities[i], &turn, err);
    x->busy[i] = failed == 0 && turn == 0;
    if (failed == 0 && !x->busy[i])
        failed = raise_floor(db, x, x->entities[i], err);
    if (failed == 0 && !x->busy[i])
        failed = drop_ghosts(db, x, x->tables[i], g, err);
    return store_end(db, failed, err);
}

int store_floor(struct db *db, struct store_floor *x, struct err *err)
{
    struct ghosts *g = xmalloc(sizeof(*g));
    int failed = 0;

    for (int i = 0; i < x->count && failed == 0; i++)
        failed = floor_entity(db, x, i, g, err);
    free(g);
    if (failed < 0)
        return err_wrap(err, "floor");
    if (store_begin(db, &x->who, err) < 0)
        return -1;
    return store_end(db,
        db_run(db, "DELETE FROM potok_job WHERE portal = $1 AND state = 'done' AND kind <> 'range'",
            DB_ARGS(dbv_s(x->who.portal)), NULL, NULL, NULL, err),
        err);
}
