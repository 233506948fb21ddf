/* A column of another kind in PostgreSQL: ALTER COLUMN TYPE with an exact conversion; indexes and constraints
 * the server makes anew by itself, views are ours (postgres_views.c). All in the transaction for DDL, with
 * its lock timeout. */
#include "db/postgres.h"

#include "db/table.h"

#include <stdio.h>

#define SQL_MAX (1 << 20)

/* Of the fraction what there is: milliseconds, or what somebody else wrote. */
static const char INSTANT[] =
    "to_char($ AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS') || CASE "
    "WHEN to_char($, 'US') = '000000' THEN '' "
    "WHEN to_char($, 'US') LIKE '%000' THEN '.' || to_char($, 'MS') ELSE '.' || to_char($, 'US') END || 'Z'";

/* In the canonical spelling, as the mapper makes it; $ stands for the column. */
static const char *const TEXTS[COL_KINDS] = {
    [COL_TEXT] = "$",
    [COL_INT] = "$::text",
    [COL_DECIMAL] = "trim_scale($)::text",
    [COL_BOOL] = "$::text",
    [COL_DATE] = "to_char($, 'YYYY-MM-DD')",
    [COL_TIME] = INSTANT,
    [COL_JSON] = "$::text",
};

static bool is_json_word(enum col_kind kind)
{
    return kind == COL_INT || kind == COL_DECIMAL || kind == COL_BOOL;
}

static void add_text(struct buf *sql, const struct db *db, const struct db_widening *w)
{
    buf_char(sql, '(');
    for (const char *p = TEXTS[w->from]; *p != '\0'; p++) {
        if (*p == '$')
            table_quote(sql, db, w->column);
        else
            buf_char(sql, *p);
    }
    buf_char(sql, ')');
}

static void build(struct buf *sql, const struct db *db, const struct db_widening *w)
{
    buf_str(sql, "ALTER TABLE ");
    table_quote(sql, db, w->table);
    buf_str(sql, " ALTER COLUMN ");
    table_quote(sql, db, w->column);
    buf_fmt(sql, " TYPE %s USING ", db->driver->types[w->to]);
    if (w->to == COL_JSON && !is_json_word(w->from))
        buf_str(sql, "to_json");
    add_text(sql, db, w);
    if (w->to == COL_JSON ? is_json_word(w->from) : w->to != COL_TEXT)
        buf_fmt(sql, "::%s", db->driver->types[w->to]);
}

/* What may pass by itself: the connection, locks, memory, the server's own trouble. */
static bool is_passing(const char *state)
{
    static const char *const classes[] = { "08", "25", "40", "53", "55", "57", "58", "XX" };

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strncmp(state, classes[i], 2) == 0)
            return true;
    return false;
}

static const char *field_of(const PGresult *result, int field)
{
    const char *text = PQresultErrorField(result, field);

    return text != NULL ? text : "";
}

static int refuse(const struct db_widening *w, const PGresult *result, const char *about, struct err *err)
{
    const char *detail = field_of(result, PG_DIAG_MESSAGE_DETAIL);

    return err_set(err, ERR_CONF, "column " STR_FMT " of table " STR_FMT " stays %s: %s: %.120s%s%.*s",
        STR_ARG(w->column), STR_ARG(w->table), col_kind_name(w->from), about,
        field_of(result, PG_DIAG_MESSAGE_PRIMARY), detail[0] != '\0' ? ": " : "",
        (int)strcspn(detail, "\r\n"), detail);
}

int pg_widen_step(
    struct pg *pg, const struct db_widening *w, const char *sql, const char *about, struct err *err)
{
    PGresult *result = PQexec(pg->c, sql);
    ExecStatusType status = PQresultStatus(result);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    int failed = 0;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        failed = state == NULL || is_passing(state) ? pg_fail(pg, result, "changing a column", err)
                                                    : refuse(w, result, about, err);
    PQclear(result);
    return failed;
}

static int change_column(struct pg *pg, const struct db_widening *w, struct err *err)
{
    struct buf sql;
    int result;

    buf_init(&sql, SQL_MAX);
    build(&sql, &pg->db, w);
    result = pg_widen_step(pg, w, buf_cstr(&sql), "the server refuses", err);
    buf_fini(&sql);
    return result;
}

int pg_widen(struct db *db, const struct db_widening *w, struct err *err)
{
    struct pg *pg = (struct pg *)db;
    struct pg_views *views = NULL;
    int result = pg_views_read(pg, w, &views, err);

    if (result == 0)
        result = pg_views_drop(pg, w, views, err);
    if (result == 0)
        result = change_column(pg, w, err);
    if (result == 0)
        result = pg_views_make(pg, w, views, err);
    pg_views_free(views);
    pg_forget_statements(pg); /* they were prepared for the type it had */
    return result;
}
