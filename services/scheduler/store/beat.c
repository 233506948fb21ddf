/* The leases between their taking and their giving up. The holder's text names one life of one scheduler, so
 * that a statement that asks for it is fenced: who takes a lease writes another. */
#include "store.h"

#include <stdio.h>

static int on_seen(void *ctx, const struct db_val *row, int columns)
{
    struct lease_seen *l = ctx;

    l->there = true;
    l->epoch = row[0].i;
    l->beat = row[1].i;
    holder_read(row[2].type == DB_TEXT ? row[2].s : STR(""), &l->holder);
    return 0;
}

int store_look_leases(
    struct db *db, const struct str *portals, int count, struct lease_seen *ret, struct err *err)
{
    for (int i = 0; i < count; i++) {
        ret[i] = (struct lease_seen){ .there = false };
        if (db_run(db, "SELECT epoch, beat_ms, holder FROM potok_lease WHERE portal = $1",
                DB_ARGS(dbv_s(portals[i])), on_seen, &ret[i], NULL, err) < 0)
            return -1;
    }
    return 0;
}

static int change(struct db *db, const char *sql, const struct db_val *args, int arg_count,
    int64_t *ret_changes, struct err *err)
{
    if (db_begin(db, err) < 0)
        return -1;
    return store_end(db, db_run(db, sql, args, arg_count, NULL, NULL, ret_changes, err), err);
}

/* Ours, by their bytes: rows of several portals are taken in one order by all (store_events()). */
#define OURS \
    "WHERE holder = $1 AND portal IN (SELECT portal FROM potok_lease WHERE holder = $1 " \
    "ORDER BY CAST(portal AS BYTEA)%s)"

int store_beat(struct db *db, struct str holder, uint64_t now_ms, int count, struct err *err)
{
    int64_t held = 0;
    char sql[300];

    snprintf(sql, sizeof(sql),
        "UPDATE potok_lease SET beat_ms = CASE WHEN beat_ms < $2 THEN $2 ELSE beat_ms + 1 END " OURS,
        db_for_update(db));
    if (change(db, sql, DB_ARGS(dbv_s(holder), dbv_i((int64_t)now_ms)), &held, err) < 0)
        return -1;
    return held == count ? 0
                         : err_code(err, ERR_PERM, STORE_LEASE_LOST,
                               "lease lost: another scheduler took over (%lld of %d portals are still ours)",
                               (long long)held, count);
}

int store_give_up(struct db *db, struct str holder, struct err *err)
{
    char sql[300];

    snprintf(sql, sizeof(sql), "UPDATE potok_lease SET holder = NULL, beat_ms = beat_ms + 1 " OURS,
        db_for_update(db));
    return change(db, sql, DB_ARGS(dbv_s(holder)), NULL, err);
}
