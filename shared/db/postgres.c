/* The PostgreSQL driver: READ COMMITTED; whoever needs the turn locks a row (db_for_update). */
#include "db/postgres.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ARGUMENTS_MAX 64
#define DDL_LOCK      "121420530024811" /* 'n' 'o' 't' 'p' 'o' 'k' as one number: any that nobody else takes */

static struct pg *pg_of(struct db *db)
{
    return (struct pg *)db;
}

int pg_exec(struct pg *pg, const char *sql, const char *doing, struct err *err)
{
    PGresult *result = pg_ask(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    int failed =
        status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? 0 : pg_fail(pg, result, doing, err);

    PQclear(result);
    return failed;
}

static void close_db(struct db *db)
{
    struct pg *pg = pg_of(db);

    pg_forget_statements(pg);
    PQfinish(pg->c);
    free(pg->where);
    free(pg->user);
    free(pg->schema);
    free(pg);
}

static int open_db(struct db **ret, struct str where, const struct db_opening *how, struct err *err)
{
    struct pg *pg = xcalloc(1, sizeof(*pg));

    pg->db.driver = &db_postgres;
    pg->db.reading = how->reading;
    if (pg_connect(pg, where, how, err) < 0) {
        close_db(&pg->db);
        return -1;
    }
    *ret = &pg->db;
    return 0;
}

static int begin(struct db *db, struct err *err)
{
    struct pg *pg = pg_of(db);

    pg->loaded = false;
    return pg_exec(pg, "BEGIN ISOLATION LEVEL READ COMMITTED", "beginning a transaction", err);
}

static void rollback(struct db *db)
{
    PQclear(pg_ask(pg_of(db), "ROLLBACK"));
}

/* One at a time in the whole database; a table in use is waited for, but not so long that its users starve.
 */
static int begin_ddl(struct db *db, struct err *err)
{
    struct pg *pg = pg_of(db);

    if (begin(db, err) < 0)
        return -1;
    if (pg_exec(pg, "SET LOCAL lock_timeout = '5s'; SELECT pg_advisory_xact_lock(" DDL_LOCK ")",
            "waiting to change tables", err) == 0)
        return 0;
    rollback(db);
    return -1;
}

static int on_denied(void *ctx, const struct db_val *row, int columns)
{
    (void)columns;
    snprintf(ctx, 120, "permission denied for table " STR_FMT, STR_ARG(row[0].s));
    return 1;
}

/* Told at the start, not after the first answer of a portal. */
static int check_rights(struct db *db, struct err *err)
{
    char denied[120] = "";

    if (db_run(db,
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname LIKE 'potok\\_%' AND NOT"
            " (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')"
            " AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')) LIMIT 1",
            DB_NOARGS, on_denied, denied, NULL, err) < 0)
        return -1;
    return denied[0] == '\0' ? 0 : pg_fail_state(pg_of(db), "42501", denied, "opening", err);
}

/* A transaction with a failed statement "commits" by rolling back: the server's answer tells. */
static int commit(struct db *db, struct err *err)
{
    struct pg *pg = pg_of(db);
    PGresult *result = pg_ask(pg, "COMMIT");
    int failed = 0;

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        failed = pg_fail(pg, result, "committing", err);
    else if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
        failed = err_set(err, ERR_BUG, "%s: committing: a statement failed before: rolled back", pg->where);
    PQclear(result);
    return failed;
}

/* ---- one statement ---- */

struct arguments {
    const char *values[ARGUMENTS_MAX];
    int lengths[ARGUMENTS_MAX], formats[ARGUMENTS_MAX];
    char *texts; /* NUL-terminated copies */
};

static int add_text(struct arguments *a, int i, struct str s, char **to, struct err *err)
{
    if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
        return err_set(err, ERR_PERM, "PostgreSQL keeps no text with the character U+0000");
    a->values[i] = *to;
    if (s.n > 0)
        memcpy(*to, s.p, s.n);
    (*to)[s.n] = '\0';
    *to += s.n + 1;
    return 0;
}

static int add_argument(struct arguments *a, int i, const struct db_val *v, char **to, struct err *err)
{
    switch (v->type) {
    case DB_NULL:
        a->values[i] = NULL;
        return 0;
    case DB_INT:
        a->values[i] = *to;
        *to += snprintf(*to, 24, "%" PRId64, v->i) + 1;
        return 0;
    case DB_BLOB:
        a->values[i] = v->s.p != NULL ? v->s.p : "";
        a->lengths[i] = (int)v->s.n;
        a->formats[i] = 1;
        return 0;
    default:
        return add_text(a, i, v->s, to, err);
    }
}

static int add_arguments(struct arguments *a, const struct db_val *args, int count, struct err *err)
{
    size_t bytes = 1;
    char *to;

    *a = (struct arguments){ .texts = NULL };
    for (int i = 0; i < count; i++)
        bytes += 24 + args[i].s.n;
    a->texts = to = xmalloc(bytes);
    for (int i = 0; i < count; i++)
        if (add_argument(a, i, &args[i], &to, err) < 0)
            return -1;
    return 0;
}

static void give_rows(const PGresult *result, db_on_row *on_row, void *ctx)
{
    int columns = PQnfields(result), rows = PQntuples(result);
    struct db_val *row = xcalloc((size_t)columns + 1, sizeof(*row));

    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < columns; i++)
            row[i] = PQgetisnull(result, r, i)
                         ? DBV_NULL
                         : pg_read(PQftype(result, i), PQgetvalue(result, r, i), PQgetlength(result, r, i));
        if (on_row(ctx, row, columns) != 0)
            break;
    }
    free(row);
}

static int64_t changes_of(PGresult *result)
{
    return strncmp(PQcmdStatus(result), "SELECT", 6) == 0 ? 0 : strtoll(PQcmdTuples(result), NULL, 10);
}

static int check_place(const struct db *db, const char *sql, struct err *err)
{
    sql += strspn(sql, " \t\r\n(");
    if (*sql == '\0')
        return err_set(err, ERR_BUG, "an empty SQL statement");
    if (!db->in_transaction && strncasecmp(sql, "SELECT", 6) != 0 && strncasecmp(sql, "SHOW", 4) != 0)
        return err_set(err, ERR_BUG, "a statement that writes outside a transaction: %.200s", sql);
    return 0;
}

static int execute(struct pg *pg, const struct pg_statement *st, const struct db_val *args, db_on_row *on_row,
    void *ctx, int64_t *ret_changes, struct err *err)
{
    struct arguments a;
    char name[24];
    int failed = add_arguments(&a, args, st->arguments, err);

    if (failed == 0) {
        snprintf(name, sizeof(name), "p%u", st->number);
        PGresult *result = pg_ask_prepared(pg, name, st->arguments, a.values, a.lengths, a.formats);
        ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            failed = pg_fail(pg, result, "running a statement", err);
        if (failed == 0 && ret_changes != NULL)
            *ret_changes = changes_of(result);
        if (failed == 0 && on_row != NULL)
            give_rows(result, on_row, ctx);
        PQclear(result);
    }
    free(a.texts);
    return failed;
}

static int run(struct db *db, const char *sql, const struct db_val *args, int arg_count, db_on_row *on_row,
    void *ctx, int64_t *ret_changes, struct err *err)
{
    struct pg *pg = pg_of(db);
    const struct pg_statement *st;

    if (check_place(db, sql, err) < 0)
        return -1;
    st = pg_take(pg, sql, NULL, arg_count < ARGUMENTS_MAX ? arg_count : ARGUMENTS_MAX, err);
    if (st == NULL)
        return -1;
    return execute(pg, st, args, on_row, ctx, ret_changes, err);
}

static int script(struct db *db, const char *sql, struct err *err)
{
    return pg_exec(pg_of(db), sql, "running a statement", err);
}

/* Without a length it is text by another name. */
static bool kind_of(struct str type, enum col_kind *ret)
{
    *ret = COL_TEXT;
    return str_is(type, "character varying");
}

const struct db_driver db_postgres = {
    .engine = "postgresql",
    .scheme = "postgres",
    .columns_max = 1600,
    .name_max_bytes = 63,
    .key_type = "BIGINT PRIMARY KEY",
    .bytes_type = "BYTEA",
    .for_update = " FOR UPDATE",
    .no_nul = true,
    .types = {
        [COL_TEXT] = "TEXT",
        [COL_INT] = "BIGINT",
        [COL_DECIMAL] = "NUMERIC",
        [COL_BOOL] = "BOOLEAN",
        [COL_DATE] = "DATE",
        [COL_TIME] = "TIMESTAMP WITH TIME ZONE",
        [COL_JSON] = "JSON",            /* JSONB refuses \u0000 and lone surrogates, and rewrites numbers */
    },
    .kind_of = kind_of,
    .alters_types = true,
    .migrations = DB_POSTGRES_MIGRATIONS,
    .column_names_sql = "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass(quote_ident($1))"
                        " AND attnum > 0 AND NOT attisdropped",
    .version_sql = "(SELECT coalesce(sum(a.xmin::text::bigint), 0)::bigint FROM pg_attribute a WHERE a.attrelid = "
                   "to_regclass(quote_ident($1)))",
    .open = open_db,
    .close = close_db,
    .begin = begin,
    .begin_ddl = begin_ddl,
    .check_rights = check_rights,
    .commit = commit,
    .rollback = rollback,
    .run = run,
    .script = script,
    .put_ids = pg_put_ids,
    .upsert = pg_upsert,
    .columns_sure = 290,
    .leave_out = pg_leave_out,
    .widen = pg_widen,
};
