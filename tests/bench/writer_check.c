#include "bench/writer_check.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define SQL_MAX    (1 << 20)
#define FLUSH_FROM (1 << 20)

static void put_columns(struct buf *sql, const struct data *d, bool typed)
{
    static const char *const types[] = { "text", "bigint", "numeric", "boolean", "date", "timestamptz",
        "json" };

    for (int i = 0; i < DATA_COLUMNS; i++)
        buf_fmt(
            sql, ", %s%s%s", d->columns[i].column, typed ? " " : "", typed ? types[d->columns[i].kind] : "");
}

static PGconn *connect_to(const char *url, struct err *err)
{
    PGconn *c = PQconnectdb(url);

    if (PQstatus(c) == CONNECTION_OK)
        return c;
    err_set(err, ERR_BUG, "the check: %s", PQerrorMessage(c));
    PQfinish(c);
    return NULL;
}

static int run(PGconn *c, const char *sql, ExecStatusType want, struct err *err)
{
    PGresult *r = PQexec(c, sql);
    int result = PQresultStatus(r) == want ? 0 : err_set(err, ERR_BUG, "the check: %s", PQerrorMessage(c));

    PQclear(r);
    return result;
}

static int make_table(PGconn *c, const struct data *d, struct err *err)
{
    struct buf sql;
    int result;

    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "SET client_min_messages = error; DROP TABLE IF EXISTS truth; CREATE UNLOGGED TABLE truth "
                  "(id bigint");
    put_columns(&sql, d, true);
    buf_char(&sql, ')');
    result = run(c, buf_cstr(&sql), PGRES_COMMAND_OK, err);
    buf_fini(&sql);
    return result == 0 ? run(c, "COPY truth FROM STDIN", PGRES_COPY_IN, err) : -1;
}

static int fill_table(PGconn *c, struct data *d, uint64_t rows, int version, struct err *err)
{
    struct data_row row;
    struct buf text;
    PGresult *r;

    buf_init(&text, 2 * FLUSH_FROM);
    for (uint64_t n = 0; n < rows; n++) {
        data_row(d, n, version, &row);
        buf_fmt(&text, "%" PRIu64, row.id);
        for (int i = 0; i < DATA_COLUMNS; i++)
            buf_fmt(&text, "\t" STR_FMT, STR_ARG(row.values[i].text));
        buf_char(&text, '\n');
        if (text.n >= FLUSH_FROM || n == rows - 1) {
            PQputCopyData(c, text.p, (int)text.n);
            buf_clear(&text);
        }
    }
    buf_fini(&text);
    PQputCopyEnd(c, NULL);
    while ((r = PQgetResult(c)) != NULL) {
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            err_set(err, ERR_BUG, "the check: %s", PQerrorMessage(c));
        PQclear(r);
    }
    return err->kind == ERR_NONE ? 0 : -1;
}

static int print(PGconn *c, const struct data *d, const char *table, char ret[CHECK_SIZE], struct err *err)
{
    struct buf sql;
    PGresult *r;

    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "SELECT count(*) || ' ' || md5(string_agg(md5(ROW(id");
    put_columns(&sql, d, false);
    buf_fmt(&sql, ")::text), '' ORDER BY id)) FROM %s", table);
    r = PQexec(c, buf_cstr(&sql));
    buf_fini(&sql);
    if (PQresultStatus(r) == PGRES_TUPLES_OK)
        snprintf(ret, CHECK_SIZE, "%s", PQgetvalue(r, 0, 0));
    else
        err_set(err, ERR_BUG, "the check: %s", PQerrorMessage(c));
    PQclear(r);
    return err->kind == ERR_NONE ? 0 : -1;
}

int check_truth(
    const char *url, struct data *d, uint64_t rows, int version, char ret[CHECK_SIZE], struct err *err)
{
    PGconn *c = connect_to(url, err);
    int result = -1;

    if (c == NULL)
        return -1;
    if (make_table(c, d, err) == 0 && fill_table(c, d, rows, version, err) == 0 &&
        print(c, d, "truth", ret, err) == 0)
        result = run(c, "DROP TABLE truth", PGRES_COMMAND_OK, err);
    PQfinish(c);
    return result;
}

int check_print(
    const char *url, const struct data *d, const char *table, char ret[CHECK_SIZE], struct err *err)
{
    PGconn *c = connect_to(url, err);
    int result = c != NULL ? print(c, d, table, ret, err) : -1;

    PQfinish(c);
    return result;
}

/* ---- SQLite ---- */

/* Rows of one that the other lacks, and the other way round. */
static void put_difference(struct buf *sql, const struct data *d, const char *one, const char *other)
{
    buf_str(sql, "(SELECT count(*) FROM (SELECT id");
    put_columns(sql, d, false);
    buf_fmt(sql, " FROM %s EXCEPT SELECT id", one);
    put_columns(sql, d, false);
    buf_fmt(sql, " FROM %s))", other);
}

static int count_differences(sqlite3 *h, const struct data *d, struct err *err)
{
    static const char live[] = "main.crm_deals WHERE _deleted_at IS NULL", bare[] = "bare.bare";
    sqlite3_stmt *stmt = NULL;
    struct buf sql;
    int result = -1;

    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "SELECT ");
    put_difference(&sql, d, live, bare);
    buf_str(&sql, " + ");
    put_difference(&sql, d, bare, live);
    if (sqlite3_prepare_v2(h, buf_cstr(&sql), -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW)
        err_set(err, ERR_BUG, "the check: %s", sqlite3_errmsg(h));
    else if (sqlite3_column_int64(stmt, 0) != 0)
        err_set(
            err, ERR_BUG, "%lld rows are not as they should be", (long long)sqlite3_column_int64(stmt, 0));
    else
        result = 0;
    sqlite3_finalize(stmt);
    buf_fini(&sql);
    return result;
}

int check_files(const char *mirror, const char *bare, const struct data *d, struct err *err)
{
    sqlite3 *h = NULL;
    char sql[600];
    int result = -1;

    snprintf(sql, sizeof(sql), "ATTACH '%s' AS bare", bare);
    if (sqlite3_open_v2(mirror, &h, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_exec(h, sql, NULL, NULL, NULL) != SQLITE_OK)
        err_set(err, ERR_BUG, "the check: %s", sqlite3_errmsg(h));
    else
        result = count_differences(h, d, err);
    sqlite3_close(h);
    return result;
}
