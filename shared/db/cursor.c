#include "db/cursor.h"

#include "db/db.h"

#define NOT_STARTED INT64_MAX

static const char *const NAMES[] = { [CURSOR_FULL] = "syncing", [CURSOR_CHANGED] = "changing" };
static const char *const WISHES[CURSOR_WISHES] = { [CURSOR_FIELDS] = "fields", [CURSOR_SWEEP] = "sweep" };
static const char CHANGED[] = "changed";

static int put(struct db *db, struct str portal, struct str entity, const char *name, int64_t value,
    int64_t now_ms, struct err *err)
{
    return db_run(db,
        "INSERT INTO potok_cursor (portal, entity, name, value, at_ms) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (portal, entity, name) DO UPDATE SET value = excluded.value, at_ms = excluded.at_ms",
        DB_ARGS(dbv_s(portal), dbv_s(entity), dbv_c(name), dbv_i(value), dbv_i(now_ms)), NULL, NULL, NULL,
        err);
}

int db_cursor_begin(struct db *db, const struct cursor_of *of, int64_t now_ms, struct err *err)
{
    return put(db, of->portal, of->entity, NAMES[of->run], NOT_STARTED, now_ms, err);
}

int db_cursor_started(struct db *db, const struct cursor_of *of, int64_t started_ms, struct err *err)
{
    return db_run(db,
        "UPDATE potok_cursor SET value = $4 WHERE portal = $1 AND entity = $2 AND name = $3 AND value > $4",
        DB_ARGS(dbv_s(of->portal), dbv_s(of->entity), dbv_c(NAMES[of->run]),
            dbv_i(started_ms > 0 ? started_ms : 0)),
        NULL, NULL, NULL, err);
}

struct row {
    int64_t value, at_ms;
};

static int on_row(void *ctx, const struct db_val *row, int columns)
{
    (void)columns;
    *(struct row *)ctx = (struct row){ row[0].i, row[1].i };
    return 1;
}

static int get(
    struct db *db, struct str portal, struct str entity, const char *name, struct row *ret, struct err *err)
{
    *ret = (struct row){ 0, 0 };
    return db_run(db, "SELECT value, at_ms FROM potok_cursor WHERE portal = $1 AND entity = $2 AND name = $3",
        DB_ARGS(dbv_s(portal), dbv_s(entity), dbv_c(name)), on_row, ret, NULL, err);
}

int64_t cursor_next(int64_t started_ms, int64_t before, int64_t before_at_ms, int64_t now_ms)
{
    int64_t ours = now_ms > before_at_ms ? now_ms - before_at_ms : 0;
    int64_t theirs = started_ms - (before + CURSOR_OVERLAP_MS);
    int64_t next = started_ms - CURSOR_OVERLAP_MS;

    if (before > 0 && (theirs < 0 || theirs + CURSOR_OVERLAP_MS / 2 < ours))
        next -= ours;
    return next > 1 ? next : 1;
}

int db_cursor_end(struct db *db, const struct cursor_of *of, int64_t now_ms, struct err *err)
{
    struct row start, before;

    if (get(db, of->portal, of->entity, NAMES[of->run], &start, err) < 0 ||
        get(db, of->portal, of->entity, CHANGED, &before, err) < 0 ||
        db_run(db, "DELETE FROM potok_cursor WHERE portal = $1 AND entity = $2 AND name = $3",
            DB_ARGS(dbv_s(of->portal), dbv_s(of->entity), dbv_c(NAMES[of->run])), NULL, NULL, NULL, err) < 0)
        return -1;
    if (start.value <= 0 || start.value == NOT_STARTED)
        return 0;
    return put(db, of->portal, of->entity, CHANGED,
        cursor_next(start.value, before.value, before.at_ms, now_ms), now_ms, err);
}

int db_cursor_swept(struct db *db, struct str portal, struct str entity, int64_t now_ms, struct err *err)
{
    return put(db, portal, entity, "swept", now_ms, now_ms, err);
}

int db_cursor_since(struct db *db, struct str portal, struct str entity, int64_t *ret, struct err *err)
{
    struct row row;

    if (get(db, portal, entity, CHANGED, &row, err) < 0)
        return -1;
    *ret = row.value;
    return 0;
}

int db_cursor_wish(struct db *db, struct str portal, struct str entity, enum cursor_wish wish, int64_t k,
    int64_t now_ms, struct err *err)
{
    return put(db, portal, entity, WISHES[wish], k, now_ms, err);
}

int db_cursor_served(
    struct db *db, struct str portal, struct str entity, enum cursor_wish wish, int64_t d, struct err *err)
{
    return db_run(db,
        "DELETE FROM potok_cursor WHERE portal = $1 AND entity = $2 AND name = $3 AND value < $4",
        DB_ARGS(dbv_s(portal), dbv_s(entity), dbv_c(WISHES[wish]), dbv_i(d)), NULL, NULL, NULL, err);
}

int db_cursor_wished(
    struct db *db, struct str portal, struct str entity, enum cursor_wish wish, bool *ret, struct err *err)
{
    struct row row;
    int failed = get(db, portal, entity, WISHES[wish], &row, err);

    *ret = row.value > 0; /* ticks begin with 1 */
    return failed;
}
