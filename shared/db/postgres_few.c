/* Few rows: as arguments of INSERT ... VALUES, fifty at once. */
#include "db/postgres_bulk.h"

#include "base/mem.h"

#define AT_ONCE       50 /* rows of one statement */
#define ARGUMENTS_MAX 65535

static void build(struct buf *sql, const struct pg_bulk *b, int rows)
{
    int fields = PG_OWN_FIELDS + b->u->count, next = 2; /* $1 is the guard */

    pg_add_insert(sql, b);
    buf_str(sql, "VALUES ");
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < fields; i++)
            buf_fmt(sql, "%s$%d", i > 0 ? ", " : r > 0 ? "), (" : "(", next++);
    }
    buf_char(sql, ')');
    pg_add_conflict(sql, b);
}

/* Writes the rows at *at and moves it behind them. */
static int write_rows(struct pg_bulk *b, const char **at, int rows, int64_t *changes, struct err *err)
{
    int fields = PG_OWN_FIELDS + b->u->count, result;
    struct pg_arguments a;
    struct buf sql, guard;

    buf_init(&guard, 100);
    pg_put_i64(&guard, (int64_t)b->u->stamp.d);
    pg_arguments_init(&a, 1 + rows * fields);
    pg_arguments_add(&a, guard.p, PG_INT8);
    for (int r = 0; r < rows; r++) {
        *at += 2; /* the count of fields that COPY wants */
        for (int i = 0; i < fields; i++)
            *at = pg_arguments_add(&a, *at, pg_field_type(b, i));
    }
    buf_init(&sql, PG_SQL_MAX);
    build(&sql, b, rows);
    result = pg_execute(b->pg, buf_cstr(&sql), &a, changes, err);
    buf_fini(&sql);
    pg_arguments_fini(&a);
    buf_fini(&guard);
    return result;
}

/* Fifty, then tens, then single ones: so there are three statements to prepare and not fifty. */
int pg_write_few(struct pg_bulk *b, int64_t *changes, struct err *err)
{
    static const int sizes[] = { AT_ONCE, 10, 1 };
    int fields = PG_OWN_FIELDS + b->u->count, rows = b->count;
    const char *at = b->rows.p;

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        for (; rows >= sizes[i] && sizes[i] * fields < ARGUMENTS_MAX; rows -= sizes[i])
            if (write_rows(b, &at, sizes[i], changes, err) < 0)
                return -1;
    return 0;
}
