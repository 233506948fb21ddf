/* Bulk statements of the PostgreSQL driver. Rows are turned into the server's binary form once; few of them
 * travel as arguments of INSERT ... VALUES, many by COPY into a temporary table (shared measurements: at 50
 * rows COPY loses two thirds of its speed, at 1,000 it is twice as fast). */
#include "db/postgres.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FEW_ROWS      200
#define AT_ONCE       50 /* rows of one INSERT ... VALUES */
#define ARGUMENTS_MAX 65535
#define CHUNK_BYTES   (256 << 10)
#define ROWS_MAX      (512 << 20)
#define SQL_MAX       (16 << 20)
#define OWN_FIELDS    2 /* id and hash, before the data columns */

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* How many are left without the doubles. */
static size_t sort_ids(uint64_t *ids, size_t n)
{
    size_t kept = 0;

    qsort(ids, n, sizeof(*ids), by_value);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || ids[kept - 1] != ids[i])
            ids[kept++] = ids[i];
    return kept;
}

int pg_put_ids(struct db *db, const uint64_t *ids, size_t n, struct err *err)
{
    uint64_t *sorted = xmalloc((n + 1) * sizeof(*sorted));
    struct buf text;
    int result;

    if (n > 0)
        memcpy(sorted, ids, n * sizeof(*sorted));
    n = sort_ids(sorted, n);
    buf_init(&text, n * 21 + 1);
    for (size_t i = 0; i < n; i++)
        buf_fmt(&text, "%s%" PRIu64, i > 0 ? "," : "", sorted[i]);
    free(sorted);
    result = db->driver->run(db, "SELECT length(set_config('potok.ids', $1, false))",
        DB_ARGS(dbv_s(buf_view(&text))), NULL, NULL, NULL, err);
    buf_fini(&text);
    return result;
}

/* ---- SQL ---- */

static void add_quoted(struct buf *sql, const struct db *db, struct str name)
{
    char *quoted = xmalloc(2 * name.n + 3);

    db_quote(db, name, quoted);
    buf_str(sql, quoted);
    free(quoted);
}

static void add_columns(struct buf *sql, const struct db *db, const struct db_upsert *u)
{
    for (int i = 0; i < u->count; i++) {
        buf_str(sql, ", ");
        add_quoted(sql, db, u->columns[i].name);
    }
}

static void add_head(struct buf *sql, const struct db *db, const struct db_upsert *u)
{
    buf_str(sql, "INSERT INTO ");
    add_quoted(sql, db, u->table);
    buf_str(sql, " (id, _hash, _hi, _fetched_at, _written_at, _deleted_at");
    add_columns(sql, db, u);
    buf_str(sql, ") ");
}

/* The tick of a reading ($1), its instants ($2, $3), and the guard ($4). */
static void add_tail(struct buf *sql, const struct db *db, const struct db_upsert *u)
{
    buf_str(sql, " ON CONFLICT (id) DO UPDATE SET _hash = excluded._hash, _hi = excluded._hi, _fetched_at = "
                 "excluded._fetched_at, _written_at = excluded._written_at, _deleted_at = NULL");
    for (int i = 0; i < u->count; i++) {
        buf_str(sql, ", ");
        add_quoted(sql, db, u->columns[i].name);
        buf_str(sql, " = excluded.");
        add_quoted(sql, db, u->columns[i].name);
    }
    buf_str(sql, " WHERE ");
    add_quoted(sql, db, u->table);
    buf_str(sql, "._hi < $4");
}

static const Oid STAMP_TYPES[] = { PG_INT8, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_INT8 };
#define STAMPS (int)ARRAY_SIZE(STAMP_TYPES)

/* The four arguments every statement here has. */
static void put_stamps(struct buf *out, const struct db_stamp *stamp)
{
    pg_put_i64(out, (int64_t)stamp->c);
    pg_put_instant(out, stamp->fetched_ms);
    pg_put_instant(out, stamp->written_ms);
    pg_put_i64(out, (int64_t)stamp->d);
}

/* ---- arguments in binary, one after another as they lie in a buffer ---- */

struct binary {
    const char **values;
    int *lengths, *formats;
    Oid *types;
    int count;
};

static void binary_init(struct binary *b, int room)
{
    b->values = xcalloc((size_t)room, sizeof(*b->values));
    b->lengths = xcalloc((size_t)room, sizeof(*b->lengths));
    b->formats = xcalloc((size_t)room, sizeof(*b->formats));
    b->types = xcalloc((size_t)room, sizeof(*b->types));
    b->count = 0;
}

static void binary_fini(struct binary *b)
{
    free(b->values);
    free(b->lengths);
    free(b->formats);
    free(b->types);
}

static int32_t read_i32(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;

    return (int32_t)((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
}

/* Takes one field; where the next begins. */
static const char *binary_add(struct binary *b, const char *field, Oid type)
{
    int32_t n = read_i32(field);

    b->values[b->count] = n < 0 ? NULL : field + 4;
    b->lengths[b->count] = n < 0 ? 0 : n;
    b->formats[b->count] = 1;
    b->types[b->count++] = type;
    return field + 4 + (n < 0 ? 0 : n);
}

static Oid type_of(const struct db_upsert *u, int field)
{
    return field == 0 ? PG_INT8 : field == 1 ? PG_BYTEA : PG_OIDS[u->columns[field - OWN_FIELDS].kind];
}

static int execute(struct pg *pg, const char *sql, const struct binary *b, int64_t *changes, struct err *err)
{
    const struct pg_statement *st = pg_take(pg, sql, b->types, b->count, err);
    char name[24];
    int result = 0;

    if (st == NULL)
        return -1;
    snprintf(name, sizeof(name), "p%u", st->number);
    PGresult *r = PQexecPrepared(pg->c, name, b->count, b->values, b->lengths, b->formats, 0);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        result = pg_fail(pg, r, "writing rows", err);
    else
        *changes += strtoll(PQcmdTuples(r), NULL, 10);
    PQclear(r);
    return result;
}

/* ---- few rows ---- */

struct few {
    struct pg *pg;
    const struct db_upsert *u;
    const struct buf *stamps;
    const char *at; /* the rows not yet written */
    int64_t changes;
};

static void build_values(struct buf *sql, const struct few *f, int rows)
{
    int fields = OWN_FIELDS + f->u->count, next = STAMPS + 1;

    add_head(sql, &f->pg->db, f->u);
    buf_str(sql, "VALUES ");
    for (int r = 0; r < rows; r++) {
        buf_fmt(sql, "%s($%d, $%d, $1, $2, $3, NULL", r > 0 ? ", " : "", next, next + 1);
        for (int i = OWN_FIELDS; i < fields; i++)
            buf_fmt(sql, ", $%d", next + i);
        buf_char(sql, ')');
        next += fields;
    }
    add_tail(sql, &f->pg->db, f->u);
}

static int write_values(struct few *f, int rows, struct err *err)
{
    int fields = OWN_FIELDS + f->u->count, result;
    const char *stamp = f->stamps->p;
    struct binary b;
    struct buf sql;

    binary_init(&b, STAMPS + rows * fields);
    for (int i = 0; i < STAMPS; i++)
        stamp = binary_add(&b, stamp, STAMP_TYPES[i]);
    for (int r = 0; r < rows; r++) {
        f->at += 2; /* the count of fields that COPY wants */
        for (int i = 0; i < fields; i++)
            f->at = binary_add(&b, f->at, type_of(f->u, i));
    }
    buf_init(&sql, SQL_MAX);
    build_values(&sql, f, rows);
    result = execute(f->pg, buf_cstr(&sql), &b, &f->changes, err);
    buf_fini(&sql);
    binary_fini(&b);
    return result;
}

/* Fifty, then tens, then single ones: so there are three statements to prepare and not fifty. */
static int write_few(struct few *f, int rows, struct err *err)
{
    static const int sizes[] = { AT_ONCE, 10, 1 };
    int fields = OWN_FIELDS + f->u->count;

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        for (; rows >= sizes[i] && (sizes[i] * fields + STAMPS <= ARGUMENTS_MAX); rows -= sizes[i])
            if (write_values(f, sizes[i], err) < 0)
                return -1;
    return 0;
}

/* ---- many rows ---- */

/* One temporary table for each shape of rows. */
static void load_name(const struct db_upsert *u, char ret[40])
{
    uint64_t h = 14695981039346656037u;

    for (int i = 0; i < u->count; i++) {
        for (size_t k = 0; k < u->columns[i].name.n; k++)
            h = (h ^ (uint8_t)u->columns[i].name.p[k]) * 1099511628211u;
        h = (h ^ (0x100u + (unsigned)u->columns[i].kind)) * 1099511628211u;
    }
    snprintf(ret, 40, "potok_load_%016" PRIx64, h);
}

static int make_load(struct pg *pg, const struct db_upsert *u, const char *name, struct err *err)
{
    struct buf sql;
    int result;

    buf_init(&sql, SQL_MAX);
    buf_fmt(&sql, "CREATE TEMP TABLE IF NOT EXISTS %s (id BIGINT, _hash BYTEA", name);
    for (int i = 0; i < u->count; i++) {
        buf_str(&sql, ", ");
        add_quoted(&sql, &pg->db, u->columns[i].name);
        buf_fmt(&sql, " %s", pg->db.driver->types[u->columns[i].kind]);
    }
    buf_str(&sql, ") ON COMMIT DELETE ROWS");
    if (pg->loaded) /* a second load in one transaction */
        buf_fmt(&sql, "; TRUNCATE %s", name);
    pg->loaded = true;
    result = pg_exec(pg, buf_cstr(&sql), "making a temporary table", err);
    buf_fini(&sql);
    return result;
}

static int start_copy(struct pg *pg, const char *name, struct err *err)
{
    static const char signature[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* and no flags, no extension */
    char sql[80];
    PGresult *r;
    int result = 0;

    snprintf(sql, sizeof(sql), "COPY %s FROM STDIN (FORMAT binary)", name);
    r = PQexec(pg->c, sql);
    if (PQresultStatus(r) != PGRES_COPY_IN)
        result = pg_fail(pg, r, "copying rows", err);
    else if (PQputCopyData(pg->c, signature, sizeof(signature)) != 1)
        result = pg_fail(pg, NULL, "copying rows", err);
    PQclear(r);
    return result;
}

static int flush_rows(struct pg *pg, struct buf *rows, struct err *err)
{
    if (rows->n > 0 && PQputCopyData(pg->c, rows->p, (int)rows->n) != 1)
        return pg_fail(pg, NULL, "copying rows", err);
    buf_clear(rows);
    return 0;
}

/* Ends the COPY, also one that failed: the connection is good for statements afterwards. */
static int end_copy(struct pg *pg, const char *failed, struct err *err)
{
    PGresult *r;
    int result = 0;

    if (PQputCopyEnd(pg->c, failed) != 1)
        result = pg_fail(pg, NULL, "copying rows", err);
    while ((r = PQgetResult(pg->c)) != NULL) {
        if (result == 0 && failed == NULL && PQresultStatus(r) != PGRES_COMMAND_OK)
            result = pg_fail(pg, r, "copying rows", err);
        PQclear(r);
    }
    return result;
}

static int insert_loaded(struct pg *pg, const struct db_upsert *u, const char *name, const struct buf *stamps,
    int64_t *changes, struct err *err)
{
    const char *stamp = stamps->p;
    struct binary b;
    struct buf sql;
    int result;

    binary_init(&b, STAMPS);
    for (int i = 0; i < STAMPS; i++)
        stamp = binary_add(&b, stamp, STAMP_TYPES[i]);
    buf_init(&sql, SQL_MAX);
    add_head(&sql, &pg->db, u);
    buf_str(&sql, "SELECT id, _hash, $1, $2, $3, NULL");
    add_columns(&sql, &pg->db, u);
    buf_fmt(&sql, " FROM %s WHERE true", name);
    add_tail(&sql, &pg->db, u);
    result = execute(pg, buf_cstr(&sql), &b, changes, err);
    buf_fini(&sql);
    binary_fini(&b);
    return result;
}

/* ---- a row after another ---- */

struct source {
    struct pg *pg;
    const struct db_upsert *u;
    struct buf rows; /* in the form of COPY, those not yet sent */
    struct db_val *values;
    int count;
    char load[40];
    bool copying;
};

static int add_row(struct source *s, int64_t id, struct str hash, struct err *err)
{
    pg_put_i16(&s->rows, (int16_t)(OWN_FIELDS + s->u->count));
    pg_put_i64(&s->rows, id);
    pg_put_bytes(&s->rows, hash);
    for (int i = 0; i < s->u->count; i++)
        if (pg_put(&s->rows, s->u->columns[i].kind, &s->values[i], err) < 0)
            return err_wrap(err, "record %" PRId64 ": column " STR_FMT, id, STR_ARG(s->u->columns[i].name));
    if (s->rows.failed)
        return err_set(err, ERR_LIMIT, "record %" PRId64 ": the rows take too much memory", id);
    s->count++;
    return 0;
}

static int send_rows(struct source *s, struct err *err)
{
    if (!s->copying && s->count > FEW_ROWS) {
        load_name(s->u, s->load);
        if (make_load(s->pg, s->u, s->load, err) < 0 || start_copy(s->pg, s->load, err) < 0)
            return -1;
        s->copying = true;
    }
    return s->copying && s->rows.n >= CHUNK_BYTES ? flush_rows(s->pg, &s->rows, err) : 0;
}

static int take_rows(struct source *s, struct err *err)
{
    struct str hash = { NULL, 0 };
    int64_t id;

    while (s->u->next(s->u->ctx, &id, &hash, s->values) != 0)
        if (add_row(s, id, hash, err) < 0 || send_rows(s, err) < 0)
            return -1;
    if (!s->copying)
        return 0;
    pg_put_i16(&s->rows, -1); /* the end */
    return flush_rows(s->pg, &s->rows, err);
}

static int finish(struct source *s, const struct buf *stamps, int64_t *ret_changes, struct err *err)
{
    struct few few = { .pg = s->pg, .u = s->u, .stamps = stamps, .at = s->rows.p };
    int64_t changes = 0;
    int result;

    if (s->copying) {
        result = insert_loaded(s->pg, s->u, s->load, stamps, &changes, err);
    } else {
        result = write_few(&few, s->count, err);
        changes = few.changes;
    }
    if (result == 0 && ret_changes != NULL)
        *ret_changes = changes;
    return result;
}

int pg_upsert(struct db *db, const struct db_upsert *u, int64_t *ret_changes, struct err *err)
{
    struct source s = { .pg = (struct pg *)db, .u = u };
    struct buf stamps;
    int result;

    s.values = xcalloc((size_t)u->count + 1, sizeof(*s.values));
    buf_init(&s.rows, ROWS_MAX);
    buf_init(&stamps, 100);
    put_stamps(&stamps, &u->stamp);
    result = take_rows(&s, err);
    if (s.copying && end_copy(s.pg, result < 0 ? "given up" : NULL, err) < 0)
        result = -1;
    if (result == 0)
        result = finish(&s, &stamps, ret_changes, err);
    buf_fini(&stamps);
    buf_fini(&s.rows);
    free(s.values);
    return result;
}
