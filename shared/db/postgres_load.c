/* Many rows: by binary COPY. Rows of ids that have none go straight into the mirror table, when its columns
 * are of the very types that the binary form is made for; others into a temporary table, and from there by
 * INSERT ... SELECT. */
#include "db/postgres_bulk.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK_BYTES (256 << 10)

/* ---- is the mirror table as we would make it? ---- */

struct expected {
    const struct pg_bulk *b;
    int met;
    bool other;
};

static int on_column(void *ctx, const struct db_val *row, int columns)
{
    struct expected *e = ctx;
    int fields = PG_OWN_FIELDS + e->b->u->count, i = PG_OWN_FIELDS;

    (void)columns;
    e->other |= row[2].i != 0;
    while (i < fields && !str_eq(e->b->u->columns[i - PG_OWN_FIELDS].name, row[0].s))
        i++;
    if (i == fields) /* an own column, or one that this message does not have */
        return 0;
    e->met++;
    e->other |= (Oid)row[1].i != pg_field_type(e->b, i);
    return 0;
}

/* The server's binary form of one type may pass for another's (eight bytes are a bigint, and an instant):
 * types are looked up under a lock of the table, which the transaction keeps. COPY cannot write where rows
 * have their own rights. */
static int look_at_types(const struct pg_bulk *b, bool *ret_straight, struct err *err)
{
    struct expected e = { .b = b };
    struct buf sql;
    int result;

    buf_init(&sql, PG_SQL_MAX);
    buf_str(&sql, "SELECT attname::text, atttypid, row_security_active(attrelid), (SELECT id FROM ");
    pg_add_quoted(&sql, b->pg, b->u->table);
    buf_str(&sql,
        " LIMIT 0) FROM pg_attribute WHERE attrelid = quote_ident($1)::regclass AND attnum > 0 AND NOT "
        "attisdropped");
    result = db_run(&b->pg->db, buf_cstr(&sql), DB_ARGS(dbv_s(b->u->table)), on_column, &e, NULL, err);
    buf_fini(&sql);
    *ret_straight = !e.other && e.met == b->u->count;
    return result;
}

/* ---- the temporary table ---- */

/* One for each shape of rows. */
static void name_load(const struct db_upsert *u, char ret[40])
{
    uint64_t h = 14695981039346656037u;

    for (int i = 0; i < u->count; i++) {
        for (size_t k = 0; k < u->columns[i].name.n; k++)
            h = (h ^ (uint8_t)u->columns[i].name.p[k]) * 1099511628211u;
        h = (h ^ (0x100u + (unsigned)u->columns[i].kind)) * 1099511628211u;
    }
    snprintf(ret, 40, "potok_load_%016" PRIx64, h);
}

static int make_load(const struct pg_bulk *b, const char *name, struct err *err)
{
    struct pg *pg = b->pg;
    struct buf sql;
    int result;

    buf_init(&sql, PG_SQL_MAX);
    buf_fmt(&sql,
        "CREATE TEMP TABLE IF NOT EXISTS %s (id BIGINT, _hash BYTEA, _hi BIGINT, _fetched_at TIMESTAMPTZ, "
        "_written_at TIMESTAMPTZ",
        name);
    for (int i = 0; i < b->u->count; i++) {
        buf_str(&sql, ", ");
        pg_add_quoted(&sql, pg, b->u->columns[i].name);
        buf_fmt(&sql, " %s", pg->db.driver->types[b->u->columns[i].kind]);
    }
    buf_str(&sql, ") ON COMMIT DELETE ROWS");
    if (pg->loaded) /* a second load in one transaction */
        buf_fmt(&sql, "; TRUNCATE %s", name);
    pg->loaded = true;
    result = pg_exec(pg, buf_cstr(&sql), "making a temporary table", err);
    buf_fini(&sql);
    return result;
}

static int insert_loaded(const struct pg_load *l, struct pg_bulk *b, int64_t *changes, struct err *err)
{
    struct pg_arguments a;
    struct buf sql, guard;
    int result;

    buf_init(&guard, 100);
    pg_put_i64(&guard, (int64_t)b->u->stamp.d);
    pg_arguments_init(&a, 1);
    pg_arguments_add(&a, guard.p, PG_INT8);
    buf_init(&sql, PG_SQL_MAX);
    pg_add_insert(&sql, b);
    buf_str(&sql, "SELECT ");
    pg_add_columns(&sql, b);
    buf_fmt(&sql, " FROM %s WHERE true", l->name);
    pg_add_conflict(&sql, b);
    result = pg_execute(b->pg, buf_cstr(&sql), &a, changes, err);
    buf_fini(&sql);
    pg_arguments_fini(&a);
    buf_fini(&guard);
    return result;
}

/* ---- COPY ---- */

static int start_copy(const struct pg_load *l, struct pg_bulk *b, struct err *err)
{
    static const char signature[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* and no flags, no extension */
    struct pg *pg = b->pg;
    struct buf sql;
    PGresult *r;
    int result = 0;

    buf_init(&sql, PG_SQL_MAX);
    buf_str(&sql, "COPY ");
    pg_add_quoted(&sql, pg, l->straight ? b->u->table : str_of(l->name));
    buf_str(&sql, " (");
    pg_add_columns(&sql, b);
    buf_str(&sql, ") FROM STDIN (FORMAT binary)");
    r = PQexec(pg->c, buf_cstr(&sql));
    if (PQresultStatus(r) != PGRES_COPY_IN)
        result = pg_fail(pg, r, "copying rows", err);
    else if (PQputCopyData(pg->c, signature, sizeof(signature)) != 1)
        result = pg_fail(pg, NULL, "copying rows", err);
    PQclear(r);
    buf_fini(&sql);
    return result;
}

int pg_load_begin(struct pg_load *l, struct pg_bulk *b, struct err *err)
{
    if (b->u->absent && look_at_types(b, &l->straight, err) < 0)
        return -1;
    name_load(b->u, l->name);
    if ((!l->straight && make_load(b, l->name, err) < 0) || start_copy(l, b, err) < 0)
        return -1;
    l->copying = true;
    return 0;
}

static int flush(struct pg_bulk *b, struct err *err)
{
    if (b->rows.n > 0 && PQputCopyData(b->pg->c, b->rows.p, (int)b->rows.n) != 1)
        return pg_fail(b->pg, NULL, "copying rows", err);
    buf_clear(&b->rows);
    return 0;
}

int pg_load_send(struct pg_load *l, struct pg_bulk *b, struct err *err)
{
    return l->copying && b->rows.n >= CHUNK_BYTES ? flush(b, err) : 0;
}

/* Ends the COPY, also one that failed: the connection is good for statements afterwards. */
static int end_copy(struct pg *pg, const char *failed, int64_t *copied, struct err *err)
{
    PGresult *r;
    int result = 0;

    if (PQputCopyEnd(pg->c, failed) != 1)
        result = pg_fail(pg, NULL, "copying rows", err);
    while ((r = PQgetResult(pg->c)) != NULL) {
        if (result == 0 && failed == NULL && PQresultStatus(r) != PGRES_COMMAND_OK)
            result = pg_fail(pg, r, "copying rows", err);
        else if (result == 0)
            *copied += strtoll(PQcmdTuples(r), NULL, 10);
        PQclear(r);
    }
    return result;
}

int pg_load_end(struct pg_load *l, struct pg_bulk *b, bool failed, int64_t *changes, struct err *err)
{
    int64_t copied = 0;

    if (!failed) {
        pg_put_i16(&b->rows, -1); /* the end */
        failed = flush(b, err) < 0;
    }
    l->copying = false;
    if (end_copy(b->pg, failed ? "given up" : NULL, &copied, err) < 0 || failed)
        return -1;
    if (!l->straight)
        return insert_loaded(l, b, changes, err);
    *changes += copied;
    return 0;
}
