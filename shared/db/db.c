#include "db/db.h"

#include "base/mem.h"
#include "db/driver.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static const struct db_driver *const DRIVERS[] = { &db_sqlite, &db_postgres };

/* "sqlite+pysqlite://" is sqlite, "postgresql+asyncpg://" is postgresql. */
static const struct db_driver *find_driver(struct str scheme)
{
    const char *plus = memchr(scheme.p, '+', scheme.n);

    if (plus != NULL)
        scheme.n = (size_t)(plus - scheme.p);
    for (size_t i = 0; i < ARRAY_SIZE(DRIVERS); i++)
        if (str_case_eq(scheme, str_of(DRIVERS[i]->engine)) ||
            (DRIVERS[i]->scheme != NULL && str_case_eq(scheme, str_of(DRIVERS[i]->scheme))))
            return DRIVERS[i];
    return NULL;
}

/* The engine of an address, and what stands behind its "scheme://"; NULL with ERR_CONF. */
static const struct db_driver *read_url(const char *url, struct str *ret_where, struct err *err)
{
    const struct db_driver *driver;
    const char *colon;

    if (url == NULL || url[0] == '\0')
        url = "sqlite://";
    colon = strstr(url, "://");
    if (colon == NULL) {
        err_set(err, ERR_CONF, "DATABASE_URL is not an address: write for instance sqlite:///var/potok.db");
        return NULL;
    }
    driver = find_driver((struct str){ url, (size_t)(colon - url) });
    if (driver == NULL) /* only the scheme: the rest may hold a password */
        err_set(err, ERR_CONF,
            "DATABASE_URL begins with \"%.*s://\": this build knows sqlite:// and "
            "postgresql://",
            (int)(colon - url > 32 ? 32 : colon - url), url);
    *ret_where = str_of(colon + 3);
    return driver;
}

static int open_as(struct db **ret, const char *url, const struct db_opening *how, struct err *err)
{
    struct str where;
    const struct db_driver *driver = read_url(url, &where, err);

    return driver != NULL ? driver->open(ret, where, how, err) : -1;
}

int db_open(struct db **ret, const char *url, struct err *err)
{
    return open_as(ret, url, &(struct db_opening){ .reading = false }, err);
}

int db_open_any(struct db **ret, const char *url, struct err *err)
{
    return open_as(ret, url, &(struct db_opening){ .reading = true }, err);
}

int db_open_read(struct db **ret, const char *url, struct err *err)
{
    return db_open_as(ret, url, &(struct db_opening){ .reading = true }, err);
}

int db_open_as(struct db **ret, const char *url, const struct db_opening *how, struct err *err)
{
    struct db *db = NULL;

    if (open_as(&db, url, how, err) < 0)
        return -1;
    if (how->reading && db_check_version(db, err) < 0) {
        db_close(&db);
        return -1;
    }
    *ret = db;
    return 0;
}

int db_file(const char *url, char **ret, struct err *err)
{
    struct str where;
    const struct db_driver *driver = read_url(url, &where, err);

    if (driver == NULL)
        return -1;
    *ret = NULL;
    return driver->file != NULL ? driver->file(where, ret, err) : 0;
}

void db_close(struct db **db)
{
    if (*db == NULL)
        return;
    db_rollback(*db);
    db_forget_tables(*db);
    (*db)->driver->close(*db);
    *db = NULL;
}

const char *db_engine(const struct db *db)
{
    return db->driver->engine;
}

const char *db_for_update(const struct db *db)
{
    return db->driver->for_update;
}

bool db_takes_nul(const struct db *db)
{
    return !db->driver->no_nul;
}

bool db_is_as_written(
    const struct db *db, enum col_kind kind, const struct db_val *want, const struct db_val *have)
{
    return db->driver->is_as_written == NULL || db->driver->is_as_written(kind, want, have);
}

bool db_row_is_sure(const struct db *db, int columns)
{
    return db->driver->leave_out == NULL || columns <= db->driver->columns_sure;
}

int db_leave_out(const struct db *db, const struct db_column *columns, const struct db_val *values, int count,
    bool *ret_out)
{
    if (!db_row_is_sure(db, count))
        return db->driver->leave_out(columns, values, count, ret_out);
    memset(ret_out, 0, (size_t)count * sizeof(*ret_out));
    return 0;
}

bool db_is_lost(const struct db *db)
{
    return db->lost;
}

static int begin_with(struct db *db, int (*begin)(struct db *db, struct err *err), struct err *err)
{
    if (db->in_transaction)
        return err_set(err, ERR_BUG, "a transaction inside a transaction");
    if (db->reading)
        return err_set(err, ERR_BUG, "a transaction on a connection for reading");
    if (begin(db, err) < 0)
        return -1;
    db->in_transaction = true;
    return 0;
}

int db_begin(struct db *db, struct err *err)
{
    return begin_with(db, db->driver->begin, err);
}

int db_begin_ddl(struct db *db, struct err *err)
{
    return begin_with(db, db->driver->begin_ddl != NULL ? db->driver->begin_ddl : db->driver->begin, err);
}

int db_commit(struct db *db, struct err *err)
{
    if (!db->in_transaction)
        return err_set(err, ERR_BUG, "a commit without a transaction");
    db->in_transaction = false;
    return db->driver->commit(db, err);
}

void db_rollback(struct db *db)
{
    if (!db->in_transaction)
        return;
    db->in_transaction = false;
    db->driver->rollback(db);
}

int db_run(struct db *db, const char *sql, const struct db_val *args, int arg_count, db_on_row *on_row,
    void *ctx, int64_t *ret_changes, struct err *err)
{
    return db->driver->run(db, sql, args, arg_count, on_row, ctx, ret_changes, err);
}

static int on_first(void *ctx, const struct db_val *row, int columns)
{
    int64_t *value = ctx;

    if (columns > 0 && row[0].type == DB_INT)
        *value = row[0].i;
    return 1;
}

int db_get_i64(struct db *db, const char *sql, const struct db_val *args, int arg_count, int64_t missing,
    int64_t *ret, struct err *err)
{
    int64_t value = missing;

    if (db_run(db, sql, args, arg_count, on_first, &value, NULL, err) < 0)
        return -1;
    *ret = value;
    return 0;
}

static int on_name(void *ctx, const struct db_val *row, int columns)
{
    (void)row;
    (void)columns;
    *(bool *)ctx = true;
    return 1;
}

int db_has_table(struct db *db, struct str table, bool *ret, struct err *err)
{
    bool found = false;

    if (db_run(db, db->driver->column_names_sql, DB_ARGS(dbv_s(table)), on_name, &found, NULL, err) < 0)
        return -1;
    *ret = found;
    return 0;
}

/* The same in all engines that keep to the standard's double quotes (MySQL is told to: ANSI_QUOTES). */
void db_quote(const struct db *db, struct str name, char *ret)
{
    (void)db;
    *ret++ = '"';
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"')
            *ret++ = '"';
        *ret++ = name.p[i];
    }
    *ret++ = '"';
    *ret = '\0';
}

int db_put_ids(struct db *db, const uint64_t *ids, size_t n, struct err *err)
{
    return db->driver->put_ids(db, ids, n, err);
}

int db_each_row(const struct db_upsert *u, db_row_writer *write, void *ctx, struct err *err)
{
    struct db_val *values = xcalloc((size_t)u->count + 1, sizeof(*values));
    struct str hash = { NULL, 0 };
    int64_t id;
    int result = 0;

    while (result == 0 && u->next(u->ctx, &id, &hash, values) != 0)
        result = write(ctx, id, hash, values, err);
    free(values);
    return result;
}

int db_upsert(struct db *db, const struct db_upsert *u, int64_t *ret_changes, struct err *err)
{
    if (!db->in_transaction)
        return err_set(err, ERR_BUG, "rows written outside a transaction");
    return db->driver->upsert(db, u, ret_changes, err);
}

void dbv_copy(char *ret, size_t size, struct db_val v)
{
    snprintf(ret, size, STR_FMT, v.type == DB_TEXT ? (int)v.s.n : 0, v.type == DB_TEXT ? v.s.p : "");
}
