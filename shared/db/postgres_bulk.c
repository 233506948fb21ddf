/* What the statements that write rows have in common: their columns, and arguments in binary. */
#include "db/postgres_bulk.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- SQL ---- */

void pg_add_quoted(struct buf *sql, const struct pg *pg, struct str name)
{
    char *quoted = xmalloc(2 * name.n + 3);

    db_quote(&pg->db, name, quoted);
    buf_str(sql, quoted);
    free(quoted);
}

void pg_add_columns(struct buf *sql, const struct pg_bulk *b)
{
    buf_str(sql, "id, _hash, _hi, _fetched_at, _written_at");
    for (int i = 0; i < b->u->count; i++) {
        buf_str(sql, ", ");
        pg_add_quoted(sql, b->pg, b->u->columns[i].name);
    }
}

void pg_add_insert(struct buf *sql, const struct pg_bulk *b)
{
    buf_str(sql, "INSERT INTO ");
    pg_add_quoted(sql, b->pg, b->u->table);
    buf_str(sql, " (");
    pg_add_columns(sql, b);
    buf_str(sql, ") ");
}

void pg_add_conflict(struct buf *sql, const struct pg_bulk *b)
{
    buf_str(sql, " ON CONFLICT (id) DO UPDATE SET _hash = excluded._hash, _hi = excluded._hi, _fetched_at = "
                 "excluded._fetched_at, _written_at = excluded._written_at, _deleted_at = NULL");
    for (int i = 0; i < b->u->count; i++) {
        buf_str(sql, ", ");
        pg_add_quoted(sql, b->pg, b->u->columns[i].name);
        buf_str(sql, " = excluded.");
        pg_add_quoted(sql, b->pg, b->u->columns[i].name);
    }
    buf_str(sql, " WHERE ");
    pg_add_quoted(sql, b->pg, b->u->table);
    buf_str(sql, "._hi < $1");
}

Oid pg_field_type(const struct pg_bulk *b, int field)
{
    static const Oid own[PG_OWN_FIELDS] = { PG_INT8, PG_BYTEA, PG_INT8, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ };

    return field < PG_OWN_FIELDS ? own[field] : PG_OIDS[b->u->columns[field - PG_OWN_FIELDS].kind];
}

/* ---- arguments ---- */

void pg_arguments_init(struct pg_arguments *a, int room)
{
    a->values = xcalloc((size_t)room, sizeof(*a->values));
    a->lengths = xcalloc((size_t)room, sizeof(*a->lengths));
    a->formats = xcalloc((size_t)room, sizeof(*a->formats));
    a->types = xcalloc((size_t)room, sizeof(*a->types));
    a->count = 0;
}

void pg_arguments_fini(struct pg_arguments *a)
{
    free(a->values);
    free(a->lengths);
    free(a->formats);
    free(a->types);
}

static int32_t read_i32(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;

    return (int32_t)((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
}

const char *pg_arguments_add(struct pg_arguments *a, const char *field, Oid type)
{
    int32_t n = read_i32(field);

    a->values[a->count] = n < 0 ? NULL : field + 4;
    a->lengths[a->count] = n < 0 ? 0 : n;
    a->formats[a->count] = 1;
    a->types[a->count++] = type;
    return field + 4 + (n < 0 ? 0 : n);
}

int pg_execute(
    struct pg *pg, const char *sql, const struct pg_arguments *a, int64_t *changes, struct err *err)
{
    const struct pg_statement *st = pg_take(pg, sql, a->types, a->count, err);
    char name[24];
    int result = 0;

    if (st == NULL)
        return -1;
    snprintf(name, sizeof(name), "p%u", st->number);
    PGresult *r = pg_ask_prepared(pg, name, a->count, a->values, a->lengths, a->formats);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        result = pg_fail(pg, r, "writing rows", err);
    else
        *changes += strtoll(PQcmdTuples(r), NULL, 10);
    PQclear(r);
    return result;
}
