#include "bench/writer_limit.h"

#include "base/mem.h"
#include "db/postgres.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNKS_MAX 64
#define BYTES_MAX  ((size_t)1 << 30)

static const char *const PG_TYPES[] = { "text", "bigint", "numeric", "boolean", "date", "timestamptz",
    "json" };
static const char *const SQLITE_TYPES[] = { "TEXT", "INTEGER", "", "BOOLEAN", "DATE", "DATETIME", "TEXT" };

struct limit {
    PGconn *pg;
    sqlite3 *sqlite;
    sqlite3_stmt *insert;
    struct buf chunks[CHUNKS_MAX]; /* PostgreSQL: of LIMIT_ROWS rows each, as COPY wants them */
    int chunk_count;
    struct data_row *rows; /* SQLite */
    uint64_t row_count;
};

static void put_columns(struct buf *sql, const struct data *d, const char *const types[])
{
    for (int i = 0; i < DATA_COLUMNS; i++)
        buf_fmt(sql, ", %s %s", d->columns[i].column, types != NULL ? types[d->columns[i].kind] : "");
}

/* ---- PostgreSQL ---- */

static int pg_do(struct limit *l, const char *sql, ExecStatusType want, struct err *err)
{
    PGresult *r = PQexec(l->pg, sql);
    int result = 0;

    if (PQresultStatus(r) != want)
        result = err_set(err, ERR_BUG, "the limit: %s", PQerrorMessage(l->pg));
    PQclear(r);
    return result;
}

static int pg_make(struct limit *l, const struct data *d, struct err *err)
{
    struct buf sql;
    int result;

    buf_init(&sql, BYTES_MAX);
    buf_str(&sql, "CREATE TABLE bare (id bigint");
    put_columns(&sql, d, PG_TYPES);
    buf_char(&sql, ')');
    result = pg_do(l, buf_cstr(&sql), PGRES_COMMAND_OK, err);
    buf_fini(&sql);
    return result;
}

static int pg_add(struct buf *out, const struct data_row *row, struct err *err)
{
    pg_put_i16(out, DATA_COLUMNS + 1);
    pg_put_i64(out, (int64_t)row->id);
    for (int i = 0; i < DATA_COLUMNS; i++) {
        const struct data_value *v = &row->values[i];
        bool number = v->kind == COL_INT || v->kind == COL_BOOL;
        struct db_val value = number ? dbv_i(v->number) : dbv_s(v->text);
        if (pg_put(out, v->kind, &value, err) < 0)
            return -1;
    }
    return 0;
}

static int pg_prepare(
    struct limit *l, struct data *d, uint64_t first, uint64_t count, int version, struct err *err)
{
    static const char signature[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    struct data_row row;

    l->chunk_count = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct buf *chunk = &l->chunks[l->chunk_count];
        if (i % LIMIT_ROWS == 0) {
            buf_clear(chunk);
            buf_add(chunk, signature, sizeof(signature));
        }
        data_row(d, first + i, version, &row);
        if (pg_add(chunk, &row, err) < 0)
            return -1;
        if (i % LIMIT_ROWS == LIMIT_ROWS - 1 || i == count - 1) {
            pg_put_i16(chunk, -1);
            l->chunk_count++;
        }
    }
    return 0;
}

static int pg_write(struct limit *l, struct err *err)
{
    for (int i = 0; i < l->chunk_count; i++) {
        PGresult *r;
        if (pg_do(l, "COPY bare FROM STDIN (FORMAT binary)", PGRES_COPY_IN, err) < 0)
            return -1;
        if (PQputCopyData(l->pg, l->chunks[i].p, (int)l->chunks[i].n) != 1 || PQputCopyEnd(l->pg, NULL) != 1)
            return err_set(err, ERR_BUG, "the limit: %s", PQerrorMessage(l->pg));
        while ((r = PQgetResult(l->pg)) != NULL) {
            if (PQresultStatus(r) != PGRES_COMMAND_OK)
                err_set(err, ERR_BUG, "the limit: %s", PQerrorMessage(l->pg));
            PQclear(r);
        }
        if (err->kind != ERR_NONE)
            return -1;
    }
    return 0;
}

/* ---- SQLite ---- */

static int lite_do(struct limit *l, const char *sql, struct err *err)
{
    if (sqlite3_exec(l->sqlite, sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return err_set(err, ERR_BUG, "the limit: %s", sqlite3_errmsg(l->sqlite));
}

/* The cache is as big as Potok's. */
static int lite_make(struct limit *l, const struct data *d, struct err *err)
{
    struct buf sql;
    int result;

    buf_init(&sql, BYTES_MAX);
    buf_str(&sql, "CREATE TABLE bare (id INTEGER PRIMARY KEY");
    put_columns(&sql, d, SQLITE_TYPES);
    buf_char(&sql, ')');
    result =
        lite_do(l, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8000", err);
    if (result == 0)
        result = lite_do(l, buf_cstr(&sql), err);
    buf_clear(&sql);
    buf_str(&sql, "INSERT INTO bare (id");
    put_columns(&sql, d, NULL);
    buf_str(&sql, ") VALUES (?");
    for (int i = 0; i < DATA_COLUMNS; i++)
        buf_str(&sql, ", ?");
    buf_char(&sql, ')');
    if (result == 0 && sqlite3_prepare_v2(l->sqlite, buf_cstr(&sql), -1, &l->insert, NULL) != SQLITE_OK)
        result = err_set(err, ERR_BUG, "the limit: %s", sqlite3_errmsg(l->sqlite));
    buf_fini(&sql);
    return result;
}

static void lite_bind(sqlite3_stmt *insert, const struct data_row *row)
{
    sqlite3_bind_int64(insert, 1, (int64_t)row->id);
    for (int i = 0; i < DATA_COLUMNS; i++) {
        const struct data_value *v = &row->values[i];
        if (v->kind == COL_INT || v->kind == COL_BOOL)
            sqlite3_bind_int64(insert, i + 2, v->number);
        else if (v->kind == COL_DECIMAL)
            sqlite3_bind_double(insert, i + 2, v->real);
        else
            sqlite3_bind_text(insert, i + 2, v->text.p, (int)v->text.n, SQLITE_STATIC);
    }
}

static int lite_write(struct limit *l, struct err *err)
{
    for (uint64_t i = 0; i < l->row_count; i++) {
        if (i % LIMIT_ROWS == 0 && lite_do(l, "BEGIN", err) < 0)
            return -1;
        lite_bind(l->insert, &l->rows[i]);
        if (sqlite3_step(l->insert) != SQLITE_DONE)
            return err_set(err, ERR_BUG, "the limit: %s", sqlite3_errmsg(l->sqlite));
        sqlite3_reset(l->insert);
        if ((i % LIMIT_ROWS == LIMIT_ROWS - 1 || i == l->row_count - 1) && lite_do(l, "COMMIT", err) < 0)
            return -1;
    }
    return 0;
}

static void lite_prepare(struct limit *l, struct data *d, uint64_t first, uint64_t count, int version)
{
    l->rows = xrealloc(l->rows, count * sizeof(*l->rows));
    l->row_count = count;
    for (uint64_t i = 0; i < count; i++)
        data_row(d, first + i, version, &l->rows[i]);
}

/* ---- both ---- */

struct limit *limit_open(const char *url, struct data *d, struct err *err)
{
    struct limit *l = xcalloc(1, sizeof(*l));
    int result;

    for (int i = 0; i < CHUNKS_MAX; i++)
        buf_init(&l->chunks[i], BYTES_MAX);
    if (strncmp(url, "postgresql://", 13) == 0) {
        l->pg = PQconnectdb(url);
        result = PQstatus(l->pg) == CONNECTION_OK
                     ? pg_make(l, d, err)
                     : err_set(err, ERR_BUG, "the limit: %s", PQerrorMessage(l->pg));
    } else {
        result = sqlite3_open_v2(url, &l->sqlite,
                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK
                     ? lite_make(l, d, err)
                     : err_set(err, ERR_BUG, "the limit: %s", sqlite3_errmsg(l->sqlite));
    }
    if (result < 0)
        limit_close(&l);
    return l;
}

void limit_close(struct limit **l)
{
    if (*l == NULL)
        return;
    for (int i = 0; i < CHUNKS_MAX; i++)
        buf_fini(&(*l)->chunks[i]);
    PQfinish((*l)->pg);
    sqlite3_finalize((*l)->insert);
    sqlite3_close((*l)->sqlite);
    free((*l)->rows);
    free(*l);
    *l = NULL;
}

int limit_empty(struct limit *l, struct err *err)
{
    if (l->pg == NULL)
        return lite_do(l, "DELETE FROM bare", err);
    if (pg_do(l, "TRUNCATE bare", PGRES_COMMAND_OK, err) < 0)
        return -1;
    return pg_do(l, "CHECKPOINT", PGRES_COMMAND_OK, err);
}

int limit_script(const char *url, const char *sql, struct err *err)
{
    struct limit l = { .pg = PQconnectdb(url) };
    int result = pg_do(&l, sql, PGRES_COMMAND_OK, err);

    PQfinish(l.pg);
    return result;
}

int limit_prepare(
    struct limit *l, struct data *d, uint64_t first, uint64_t count, int version, struct err *err)
{
    if (count > (uint64_t)CHUNKS_MAX * LIMIT_ROWS)
        return err_set(err, ERR_BUG, "too many rows at once for the limit");
    if (l->pg != NULL)
        return pg_prepare(l, d, first, count, version, err);
    lite_prepare(l, d, first, count, version);
    return 0;
}

int limit_write(struct limit *l, struct err *err)
{
    return l->pg != NULL ? pg_write(l, err) : lite_write(l, err);
}

int limit_pid(const struct limit *l)
{
    return l->pg != NULL ? PQbackendPID(l->pg) : 0;
}
