/* Bulk statements of the PostgreSQL driver: a list of ids, and rows by the way that suits their number
 * (shared measurements: at 50 rows COPY loses two thirds of its speed, at 1,000 it is twice as fast). */
#include "db/postgres_bulk.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

#define FEW_ROWS   200 /* by INSERT ... VALUES; more by COPY */
#define FEW_ABSENT 20  /* of ids that have no row: COPY needs no temporary table for them */
#define ROWS_MAX   (512 << 20)

/* ---- ids ---- */

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

/* ---- rows ---- */

struct writing {
    struct pg_bulk b;
    struct pg_load load;
};

static int add_row(
    struct pg_bulk *b, int64_t id, struct str hash, const struct db_val *values, struct err *err)
{
    const struct db_upsert *u = b->u;

    pg_put_i16(&b->rows, (int16_t)(PG_OWN_FIELDS + u->count));
    pg_put_i64(&b->rows, id);
    pg_put_bytes(&b->rows, hash);
    buf_add(&b->rows, b->stamps.p, b->stamps.n);
    for (int i = 0; i < u->count; i++)
        if (pg_put(&b->rows, u->columns[i].kind, &values[i], err) < 0)
            return err_wrap(err, "record %" PRId64 ": column " STR_FMT, id, STR_ARG(u->columns[i].name));
    if (b->rows.failed)
        return err_set(err, ERR_LIMIT, "record %" PRId64 ": the rows take too much memory", id);
    b->count++;
    return 0;
}

static int on_row(void *ctx, int64_t id, struct str hash, const struct db_val *values, struct err *err)
{
    struct writing *w = ctx;
    int few = w->b.u->absent ? FEW_ABSENT : FEW_ROWS;

    if (add_row(&w->b, id, hash, values, err) < 0)
        return -1;
    if (!w->load.copying && w->b.count > few && pg_load_begin(&w->load, &w->b, err) < 0)
        return -1;
    return pg_load_send(&w->load, &w->b, err);
}

int pg_upsert(struct db *db, const struct db_upsert *u, int64_t *ret_changes, struct err *err)
{
    struct writing w = { .b = { .pg = (struct pg *)db, .u = u } };
    int64_t changes = 0;
    int result;

    buf_init(&w.b.rows, ROWS_MAX);
    buf_init(&w.b.stamps, 100);
    pg_put_i64(&w.b.stamps, (int64_t)u->stamp.c);
    pg_put_instant(&w.b.stamps, u->stamp.fetched_ms);
    pg_put_instant(&w.b.stamps, u->stamp.written_ms);
    result = db_each_row(u, on_row, &w, err);
    if (w.load.copying)
        result = pg_load_end(&w.load, &w.b, result < 0, &changes, err);
    else if (result == 0)
        result = pg_write_few(&w.b, &changes, err);
    buf_fini(&w.b.stamps);
    buf_fini(&w.b.rows);
    if (result == 0 && ret_changes != NULL)
        *ret_changes = changes;
    return result;
}
