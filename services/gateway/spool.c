#include "spool.h"

#include "base/buf.h"
#include "base/mem.h"
#include "spool_private.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BUSY_MS 2000

static const char SQL_TABLES[] =
    "CREATE TABLE IF NOT EXISTS meta (spool INTEGER NOT NULL, made_ms INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS given (last INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,"
    " portal TEXT NOT NULL, entity TEXT NOT NULL, id INTEGER NOT NULL, kind INTEGER NOT NULL, name TEXT NOT "
    "NULL,"
    " sum BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS access (seq INTEGER PRIMARY KEY, sealed BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS known (only INTEGER PRIMARY KEY CHECK (only = 1), hosts TEXT NOT NULL, "
    "sealed BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS odd (seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, name "
    "TEXT, domain TEXT);"
    "CREATE TABLE IF NOT EXISTS damaged (seq INTEGER, at_ms INTEGER, portal TEXT, entity TEXT, id INTEGER, "
    "kind INTEGER,"
    " name TEXT, sum BLOB);";

static const char *const SQL[SPOOL_STATEMENTS] = {
    [SPOOL_BEGIN] = "BEGIN IMMEDIATE",
    [SPOOL_COMMIT] = "COMMIT",
    [SPOOL_ADD] = ("INSERT INTO event (seq, at_ms, portal, entity, id, kind, name, sum) "
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
    [SPOOL_ADD_ODD] = "INSERT INTO odd (at_ms, name, domain) VALUES (?1, ?2, ?3)",
    [SPOOL_CUT_ODD] = "DELETE FROM odd WHERE seq <= (SELECT max(seq) FROM odd) - ?1",
    [SPOOL_TAKE] = ("SELECT seq, at_ms, portal, entity, id, kind, name, sum FROM event WHERE seq > ?1 "
                    "ORDER BY seq LIMIT ?2"),
    [SPOOL_ADD_SEALED] = "INSERT INTO access (seq, sealed) VALUES (?1, ?2)",
    [SPOOL_FORGET_SEALED] = "DELETE FROM access WHERE seq <= ?1",
    [SPOOL_FORGET] = "DELETE FROM event WHERE seq <= ?1",
    [SPOOL_KEEP_LAST] = "UPDATE given SET last = max(last, ?1)",
    [SPOOL_SET_ASIDE] = "INSERT INTO damaged SELECT * FROM event WHERE seq = ?1",
    [SPOOL_KEEP_KNOWN] = "INSERT OR REPLACE INTO known (only, hosts, sealed) VALUES (1, ?1, ?2)",
    [SPOOL_DROP] = "DELETE FROM event WHERE seq = ?1",
};

int spool_fail(struct spool *s, const char *what, struct err *err)
{
    int code = s->db != NULL ? sqlite3_extended_errcode(s->db) : SQLITE_NOMEM;
    int plain = code & 0xff;
    enum err_kind kind = plain == SQLITE_CANTOPEN || plain == SQLITE_PERM || plain == SQLITE_READONLY
                             ? ERR_CONF
                         : plain == SQLITE_CORRUPT || plain == SQLITE_NOTADB ? ERR_PERM
                                                                             : ERR_TEMP;

    return err_code(err, kind, code, "spool %s: %s: %s", s->path, what, sqlite3_errstr(code));
}

sqlite3_stmt *spool_statement(struct spool *s, enum spool_statement which)
{
    if (s->statements[which] == NULL)
        sqlite3_prepare_v3(s->db, SQL[which], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[which], NULL);
    return s->statements[which];
}

/* Runs a statement that gives no rows; its parameters are bound. */
int spool_run(struct spool *s, enum spool_statement which, const char *what, struct err *err)
{
    sqlite3_stmt *q = spool_statement(s, which);
    int result = q != NULL && sqlite3_step(q) == SQLITE_DONE ? 0 : spool_fail(s, what, err);

    sqlite3_reset(q);
    return result;
}

/* ---- transactions ---- */

int spool_begin(struct spool *s, struct err *err)
{
    s->last_before = s->last;
    return spool_run(s, SPOOL_BEGIN, "beginning", err);
}

int spool_touch(struct spool *s, struct err *err)
{
    if (sqlite3_exec(s->db, "UPDATE meta SET made_ms = made_ms", NULL, NULL, NULL) != SQLITE_OK)
        return spool_fail(s, "trying to write", err);
    return 0;
}

void spool_rollback(struct spool *s)
{
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    s->last = s->last_before;
    spool_forget_waiting(s); /* it may name rows that are not there */
}

int spool_commit(struct spool *s, struct err *err)
{
    if (spool_run(s, SPOOL_COMMIT, "committing", err) == 0)
        return 0;
    spool_rollback(s);
    return -1;
}

/* ---- open and close ---- */

static int get_i64(struct spool *s, const char *sql, int64_t *ret, struct err *err)
{
    sqlite3_stmt *q = NULL;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);

    *ret = 0;
    if (code == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_ROW)
        *ret = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : spool_fail(s, "reading", err);
}

static int read_state(struct spool *s, struct err *err)
{
    int64_t id, last;

    if (get_i64(s, "SELECT spool FROM meta", &id, err) < 0 ||
        get_i64(s, "SELECT max(n) FROM (SELECT last AS n FROM given UNION ALL SELECT max(seq) FROM event)",
            &last, err) < 0)
        return -1;
    s->id = (uint64_t)id;
    s->last = s->handed = (uint64_t)last;
    return 0;
}

static int make_tables(struct spool *s, uint64_t now_ms, struct err *err)
{
    char sql[240];
    uint64_t id;

    randombytes_buf(&id, sizeof(id));
    snprintf(sql, sizeof(sql),
        "INSERT INTO meta SELECT %" PRIu64 ", %" PRIu64 " WHERE NOT EXISTS (SELECT 1 FROM meta);"
        "INSERT INTO given SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM given)",
        (id >> 2) + 1, now_ms);
    if (sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(s->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(s->db, SQL_TABLES, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        return spool_fail(s, "opening", err);
    return 0;
}

static struct spool *spool_new(const char *path)
{
    struct spool *s = xcalloc(1, sizeof(*s));

    s->path = xstrdup(path);
    s->waiting = xcalloc(2 * SPOOL_WAITING_MOST, sizeof(*s->waiting));
    randombytes_buf(s->hash_key, sizeof(s->hash_key));
    return s;
}

static int open_with(struct spool **ret, const char *path, int flags, uint64_t now_ms, struct err *err)
{
    struct spool *s = spool_new(path);
    bool writes = (flags & SQLITE_OPEN_READWRITE) != 0;

    if (sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        spool_fail(s, "opening", err);
        spool_close(&s);
        return -1;
    }
    sqlite3_busy_timeout(s->db, BUSY_MS);
    if ((writes && make_tables(s, now_ms, err) < 0) || read_state(s, err) < 0) {
        spool_close(&s);
        return -1;
    }
    *ret = s;
    return 0;
}

int spool_open_fresh(struct spool **ret, const char *path, uint64_t now_ms, struct err *err)
{
    return open_with(ret, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, now_ms, err);
}

int spool_open_read(struct spool **ret, const char *path, struct err *err)
{
    if (sodium_init() < 0)
        return err_set(err, ERR_BUG, "libsodium does not start");
    return open_with(ret, path, SQLITE_OPEN_READONLY, 0, err);
}

void spool_close(struct spool **spool)
{
    struct spool *s = *spool;

    if (s == NULL)
        return;
    for (int i = 0; i < SPOOL_STATEMENTS; i++)
        sqlite3_finalize(s->statements[i]);
    sqlite3_close(s->db);
    free(s->waiting);
    free(s->path);
    free(s);
    *spool = NULL;
}

uint64_t spool_last(const struct spool *s)
{
    return s->last;
}

uint64_t spool_id(const struct spool *s)
{
    return s->id;
}

/* ---- for people ---- */

static uint64_t file_bytes(const char *path, const char *tail)
{
    char name[800];
    struct stat st;

    snprintf(name, sizeof(name), "%s%s", path, tail);
    return stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
}

int spool_stats(struct spool *s, struct spool_stats *ret, struct err *err)
{
    int64_t waiting, odd, damaged, oldest;

    if (get_i64(s, "SELECT count(*) FROM event", &waiting, err) < 0 ||
        get_i64(s, "SELECT count(*) FROM odd", &odd, err) < 0 ||
        get_i64(s, "SELECT count(*) FROM damaged", &damaged, err) < 0 ||
        get_i64(s, "SELECT at_ms FROM event ORDER BY seq LIMIT 1", &oldest, err) < 0)
        return -1;
    *ret = (struct spool_stats){ .waiting = (uint64_t)waiting,
        .odd = (uint64_t)odd,
        .damaged = (uint64_t)damaged,
        .oldest_ms = (uint64_t)oldest,
        .last = s->last,
        .bytes = file_bytes(s->path, "") + file_bytes(s->path, "-wal") };
    return 0;
}

int spool_each(struct spool *s, spool_on_row *on_row, void *ctx, struct err *err)
{
    sqlite3_stmt *q = spool_statement(s, SPOOL_TAKE);
    int code, stopped = 0;

    sqlite3_bind_int64(q, 1, 0);
    sqlite3_bind_int64(q, 2, -1);
    while (stopped == 0 && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct spool_row row;
        bool sound = spool_read_row(q, &row);

        stopped = on_row(ctx, &row, sound);
    }
    sqlite3_reset(q);
    return stopped != 0 || code == SQLITE_DONE ? 0 : spool_fail(s, "reading events", err);
}

int spool_check(struct spool *s, struct err *err)
{
    sqlite3_stmt *q = NULL;
    const char *said = "";
    int result = 0;

    if (sqlite3_prepare_v2(s->db, "PRAGMA integrity_check(1)", -1, &q, NULL) != SQLITE_OK)
        return spool_fail(s, "checking", err);
    if (sqlite3_step(q) == SQLITE_ROW)
        said = (const char *)sqlite3_column_text(q, 0);
    if (said == NULL || strcmp(said, "ok") != 0)
        result = err_set(err, ERR_PERM, "spool %s: %.200s", s->path, said != NULL ? said : "damaged");
    sqlite3_finalize(q);
    return result;
}
