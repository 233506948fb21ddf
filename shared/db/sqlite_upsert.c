/* Bulk statements of the SQLite driver: one prepared statement, run once a row (facts: nothing cleverer is
 * faster). */
#include "db/sqlite.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

#define SQL_MAX (1 << 20)

/* Binding and stepping of a row; nothing it binds outlives the call. */
static int step_once(struct sqlite *s, sqlite3_stmt *stmt, const char *doing, struct err *err)
{
    int code = sqlite3_step(stmt);

    if (code != SQLITE_DONE)
        return sqlite_fail(s, code, doing, err);
    sqlite3_reset(stmt);
    return 0;
}

int sqlite_put_ids(struct db *db, const uint64_t *ids, size_t n, struct err *err)
{
    struct sqlite *s = (struct sqlite *)db;
    struct statement loose, *st;
    int result = 0;

    if (sqlite3_exec(s->h, "DELETE FROM temp.potok_ids", NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(s, sqlite3_errcode(s->h), "emptying the list of ids", err);
    st = sqlite_take(s, STR("INSERT OR IGNORE INTO temp.potok_ids (id) VALUES (?)"), &loose, err);
    if (st == NULL)
        return -1;
    for (size_t i = 0; i < n && result == 0; i++) {
        sqlite3_bind_int64(st->stmt, 1, (int64_t)ids[i]);
        result = step_once(s, st->stmt, "listing ids", err);
    }
    sqlite_give(s, st);
    return result;
}

static void add_quoted(struct buf *sql, const struct db *db, struct str name)
{
    char *quoted = xmalloc(2 * name.n + 3);

    db_quote(db, name, quoted);
    buf_str(sql, quoted);
    free(quoted);
}

/* INSERT INTO t (id, _hi, _hash, _fetched_at, _written_at, _deleted_at, columns…) VALUES (…)
 * ON CONFLICT (id) DO UPDATE SET … WHERE t._hi < :d; the parameters in this order, d the last. */
static void build(struct buf *sql, const struct db *db, const struct db_upsert *u)
{
    buf_str(sql, "INSERT INTO ");
    add_quoted(sql, db, u->table);
    buf_str(sql, " (id, _hi, _hash, _fetched_at, _written_at, _deleted_at");
    for (int i = 0; i < u->count; i++) {
        buf_str(sql, ", ");
        add_quoted(sql, db, u->columns[i].name);
    }
    buf_str(sql, ") VALUES (?, ?, ?, ?, ?, NULL");
    for (int i = 0; i < u->count; i++)
        buf_str(sql, ", ?");
    buf_str(sql,
        ") ON CONFLICT (id) DO UPDATE SET _hi = excluded._hi, _hash = excluded._hash,"
        " _fetched_at = excluded._fetched_at, _written_at = excluded._written_at, _deleted_at = NULL");
    for (int i = 0; i < u->count; i++) {
        buf_str(sql, ", ");
        add_quoted(sql, db, u->columns[i].name);
        buf_str(sql, " = excluded.");
        add_quoted(sql, db, u->columns[i].name);
    }
    buf_str(sql, " WHERE ");
    add_quoted(sql, db, u->table);
    buf_str(sql, "._hi < ?");
}

enum { AT_ID = 1, AT_HI, AT_HASH, AT_FETCHED, AT_WRITTEN, AT_VALUES };

static int bind_row(struct sqlite *s, sqlite3_stmt *stmt, const struct db_upsert *u, int64_t id,
    struct str hash, const struct db_val *values, struct err *err)
{
    int code = sqlite3_bind_int64(stmt, AT_ID, id);

    if (code == SQLITE_OK)
        code = sqlite3_bind_blob64(stmt, AT_HASH, hash.p, hash.n, SQLITE_STATIC);
    for (int i = 0; i < u->count && code == SQLITE_OK; i++)
        code = sqlite_bind(stmt, AT_VALUES + i, &values[i]);
    return code == SQLITE_OK ? 0 : sqlite_fail(s, code, "binding a row", err);
}

struct writing {
    struct sqlite *s;
    sqlite3_stmt *stmt;
    const struct db_upsert *u;
    int64_t changes;
};

static int on_row(void *ctx, int64_t id, struct str hash, const struct db_val *values, struct err *err)
{
    struct writing *w = ctx;

    if (bind_row(w->s, w->stmt, w->u, id, hash, values, err) < 0 ||
        step_once(w->s, w->stmt, "writing a row", err) < 0)
        return -1;
    w->changes += sqlite3_changes64(w->s->h);
    return 0;
}

static int upsert_rows(
    struct sqlite *s, sqlite3_stmt *stmt, const struct db_upsert *u, int64_t *ret_changes, struct err *err)
{
    char fetched[CLOCK_ISO_SIZE], written[CLOCK_ISO_SIZE];
    struct writing w = { .s = s, .stmt = stmt, .u = u };

    clock_iso((uint64_t)u->stamp.fetched_ms, fetched);
    clock_iso((uint64_t)u->stamp.written_ms, written);
    sqlite3_bind_int64(stmt, AT_HI, (int64_t)u->stamp.c);
    sqlite3_bind_text(stmt, AT_FETCHED, fetched, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, AT_WRITTEN, written, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, AT_VALUES + u->count, (int64_t)u->stamp.d);
    if (db_each_row(u, on_row, &w, err) < 0)
        return -1;
    if (ret_changes != NULL)
        *ret_changes = w.changes;
    return 0;
}

int sqlite_upsert(struct db *db, const struct db_upsert *u, int64_t *ret_changes, struct err *err)
{
    struct sqlite *s = (struct sqlite *)db;
    struct statement loose, *st = NULL;
    struct buf sql;
    int result = -1;

    buf_init(&sql, SQL_MAX);
    build(&sql, db, u);
    if (sql.failed)
        err_set(err, ERR_LIMIT, "too many columns for one statement: %d", u->count);
    else
        st = sqlite_take(s, str_of(buf_cstr(&sql)), &loose, err);
    if (st != NULL) {
        result = upsert_rows(s, st->stmt, u, ret_changes, err);
        sqlite_give(s, st);
    }
    buf_fini(&sql);
    return result;
}
