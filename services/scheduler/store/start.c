#include "store.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

int store_begin(struct db *db, const struct store_who *who, struct err *err)
{
    char sql[80];
    int64_t epoch;

    if (db_begin(db, err) < 0)
        return -1;
    snprintf(sql, sizeof(sql), "SELECT epoch FROM potok_lease WHERE portal = $1%s", db_for_update(db));
    if (db_get_i64(db, sql, DB_ARGS(dbv_s(who->portal)), -1, &epoch, err) < 0) {
        db_rollback(db);
        return -1;
    }
    if (epoch != (int64_t)who->epoch) {
        db_rollback(db);
        return err_code(err, ERR_PERM, STORE_LEASE_LOST,
            "lease of portal " STR_FMT " lost: another scheduler took over (epoch %lld, ours %llu)",
            STR_ARG(who->portal), (long long)epoch, (unsigned long long)who->epoch);
    }
    return 0;
}

int store_turn(struct db *db, const char *of, struct db_val id, struct err *err)
{
    const char *lock = db_for_update(db);
    char sql[300];

    if (lock[0] == '\0')
        return 0;
    snprintf(sql, sizeof(sql),
        "SELECT 1 FROM potok_entity e WHERE EXISTS (SELECT 1 FROM %s x WHERE x.id = $1 "
        "AND x.portal = e.portal AND x.entity = e.entity)%s",
        of, lock);
    return db_run(db, sql, &id, 1, NULL, NULL, NULL, err);
}

int store_end(struct db *db, int failed, struct err *err)
{
    if (failed == 0)
        return db_commit(db, err);
    db_rollback(db);
    return -1;
}

static int on_lease(void *ctx, const struct db_val *row, int columns)
{
    struct store_lease *l = ctx;

    l->epoch = (uint64_t)row[0].i;
    l->tick = (uint64_t)row[1].i;
    l->bucket = (double)row[2].i / 1000.0;
    l->bucket_ms = (uint64_t)row[3].i;
    return 0;
}

/* One statement: of two schedulers that start at once only one finds the lease as it was seen. */
static int claim(struct db *db, struct store_take *t, struct str holder, int64_t now_ms, int64_t *ret_changes,
    struct err *err)
{
    return db_run(db,
        "UPDATE potok_lease SET epoch = epoch + 1, holder = $2, identity = $3, "
        "beat_ms = CASE WHEN beat_ms < $6 THEN $6 ELSE beat_ms + 1 END "
        "WHERE portal = $1 AND epoch = $4 AND beat_ms = $5 AND (identity IS NULL OR identity = $3 OR host = "
        "$3) "
        "RETURNING epoch, tick, CAST(bucket * 1000 AS INTEGER), bucket_ms",
        DB_ARGS(dbv_s(t->who.portal), dbv_s(holder), dbv_s(t->who.host), dbv_i(t->seen.epoch),
            dbv_i(t->seen.beat), dbv_i(now_ms)),
        on_lease, &t->lease, ret_changes, err);
}

static int take_lease(
    struct db *db, struct str holder, int64_t now_ms, struct store_take *t, bool *ret_taken, struct err *err)
{
    int64_t changes;

    if (db_identity_check(db, &t->who, err) < 0)
        return -1;
    if (!t->seen.there && db_run(db,
                              "INSERT INTO potok_lease (portal, tick, epoch, bucket, bucket_ms) "
                              "VALUES ($1, 1, 0, 0, $2) ON CONFLICT (portal) DO NOTHING",
                              DB_ARGS(dbv_s(t->who.portal), dbv_i(now_ms)), NULL, NULL, NULL, err) < 0)
        return -1;
    if (claim(db, t, holder, now_ms, &changes, err) < 0)
        return -1;
    *ret_taken = changes > 0;
    if (changes == 0)
        return db_identity_check(db, &t->who, err);
    return db_run(db,
        "DELETE FROM potok_job WHERE portal = $1 AND state = 'open' AND kind IN ('probe', 'ids', 'get')",
        DB_ARGS(dbv_s(t->who.portal)), NULL, NULL, NULL, err);
}

static int by_portal(const void *a, const void *b)
{
    return str_order(
        (*(struct store_take *const *)a)->who.portal, (*(struct store_take *const *)b)->who.portal);
}

/* As whoever takes rows of several portals: see store_events(). */
static struct store_take **in_order(struct store_take *list, int count)
{
    struct store_take **sorted = xcalloc((size_t)count + 1, sizeof(struct store_take *));

    for (int i = 0; i < count; i++)
        sorted[i] = &list[i];
    qsort(sorted, (size_t)count, sizeof(*sorted), by_portal);
    return sorted;
}

int store_take_leases(struct db *db, struct str holder, uint64_t now_ms, uint64_t patience_ms,
    struct store_take *list, int count, bool *ret_taken, struct err *err)
{
    uint64_t begun_ms = clock_mono_ms();
    int failed = 0;

    *ret_taken = true;
    if (db_begin(db, err) < 0)
        return -1;
    struct store_take **sorted = in_order(list, count);
    for (int i = 0; i < count && failed == 0 && *ret_taken; i++)
        failed = take_lease(db, holder, (int64_t)now_ms, sorted[i], ret_taken, err);
    free(sorted);
    if (patience_ms > 0 && clock_mono_ms() - begun_ms > patience_ms)
        *ret_taken = false; /* its turn came late: the holder's beat may have waited in the same line */
    if (failed == 0 && !*ret_taken) {
        db_rollback(db);
        return 0;
    }
    return store_end(db, failed, err);
}

static int on_mirror(void *ctx, const struct db_val *row, int columns)
{
    struct store_mirror *m = ctx;

    m->floor = (uint64_t)row[0].i;
    m->ever_full = row[1].type != DB_NULL;
    m->paused = row[2].i != 0;
    return 0;
}

static int on_last_run(void *ctx, const struct db_val *row, int columns)
{
    struct store_mirror *m = ctx;

    m->started_ms = row[2].type == DB_NULL ? 0 : (uint64_t)row[2].i;
    if (str_is(row[1].s, "open") || str_is(row[1].s, "probing")) {
        m->run = (uint64_t)row[0].i;
        m->probing = str_is(row[1].s, "probing");
    }
    return 0;
}

static int on_former(void *ctx, const struct db_val *row, int columns)
{
    struct store_mirror *m = ctx;

    if (row[0].type == DB_TEXT && !str_eq(row[0].s, m->table))
        snprintf(m->former, sizeof(m->former), STR_FMT, STR_ARG(row[0].s));
    return 0;
}

/* The former table stays as it is. Its runs cannot go on: half of their records lie there. */
static int leave_former(struct db *db, const struct store_who *who, struct store_mirror *m, struct err *err)
{
    struct db_val portal = dbv_s(who->portal), entity = dbv_s(m->entity);
    char why[160];

    snprintf(why, sizeof(why), "its table is called " STR_FMT " now, no longer %s: all is read anew",
        STR_ARG(m->table), m->former);
    if (db_run(db, "UPDATE potok_entity SET full_ms = NULL WHERE portal = $1 AND entity = $2",
            DB_ARGS(portal, entity), NULL, NULL, NULL, err) < 0 ||
        db_run(db, "DELETE FROM potok_cursor WHERE portal = $1 AND entity = $2", DB_ARGS(portal, entity),
            NULL, NULL, NULL, err) < 0 ||
        db_run(db, "DELETE FROM potok_job WHERE portal = $1 AND entity = $2 AND state = 'open'",
            DB_ARGS(portal, entity), NULL, NULL, NULL, err) < 0)
        return -1;
    return db_run(db,
        "UPDATE potok_run SET state = 'failed', finished_ms = $3, error = $4 "
        "WHERE portal = $1 AND entity = $2 AND state IN ('probing', 'open')",
        DB_ARGS(portal, entity, dbv_i((int64_t)who->now_ms), dbv_c(why)), NULL, NULL, NULL, err);
}

/* The turn first, so that no writer's commit crosses it. */
static int name_table(struct db *db, const struct store_who *who, struct store_mirror *m, struct err *err)
{
    char sql[100];

    snprintf(sql, sizeof(sql), "SELECT tbl FROM potok_entity WHERE portal = $1 AND entity = $2%s",
        db_for_update(db));
    if (db_run(db, sql, DB_ARGS(dbv_s(who->portal), dbv_s(m->entity)), on_former, m, NULL, err) < 0)
        return -1;
    if (m->former[0] != '\0' && leave_former(db, who, m, err) < 0)
        return -1;
    return db_run(db,
        "INSERT INTO potok_entity (portal, entity, tbl) VALUES ($1, $2, $3) "
        "ON CONFLICT (portal, entity) DO UPDATE SET tbl = excluded.tbl",
        DB_ARGS(dbv_s(who->portal), dbv_s(m->entity), dbv_s(m->table)), NULL, NULL, NULL, err);
}

/* What was accepted while no scheduler worked. */
static int load_shape(struct db *db, const struct store_who *who, struct store_mirror *m, struct err *err)
{
    struct store_shape x = { .who = *who, .entity = m->entity };
    int failed = store_shape_in(db, &x, err);

    m->shape = x.shape;
    m->lifted = x.lifted;
    buf_clear(&m->schema);
    buf_add(&m->schema, x.schema.p, x.schema.n);
    store_shape_fini(&x);
    return failed;
}

static int load_wishes(struct db *db, const struct store_who *who, struct store_mirror *m, struct err *err)
{
    for (int i = 0; i < CURSOR_WISHES; i++)
        if (db_cursor_wished(db, who->portal, m->entity, (enum cursor_wish)i, &m->wished[i], err) < 0)
            return -1;
    return 0;
}

static int load_mirror(struct db *db, const struct store_who *who, struct store_mirror *m, struct err *err)
{
    if (name_table(db, who, m, err) < 0)
        return -1;
    if (db_run(db, "SELECT floor, full_ms, paused FROM potok_entity WHERE portal = $1 AND entity = $2",
            DB_ARGS(dbv_s(who->portal), dbv_s(m->entity)), on_mirror, m, NULL, err) < 0)
        return -1;
    if (load_shape(db, who, m, err) < 0 || load_wishes(db, who, m, err) < 0)
        return -1;
    return db_run(db,
        "SELECT id, state, started_ms FROM potok_run WHERE portal = $1 AND entity = $2 "
        "ORDER BY id DESC LIMIT 1",
        DB_ARGS(dbv_s(who->portal), dbv_s(m->entity)), on_last_run, m, NULL, err);
}

int store_load_mirror(struct db *db, const struct store_who *who, struct store_mirror *m, struct err *err)
{
    buf_init(&m->schema, 1 << 20);
    if (store_begin(db, who, err) < 0)
        return -1;
    return store_end(db, load_mirror(db, who, m, err), err);
}

void store_mirror_fini(struct store_mirror *m)
{
    buf_fini(&m->schema);
}
