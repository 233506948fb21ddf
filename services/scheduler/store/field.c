#include "field.h"

#include "base/clock.h"
#include "base/mem.h"
#include "db/column_names.h"

#include <stdlib.h>

#define EMPTY_AT_ONCE 40 /* columns of one statement */
#define SQL_MAX       (1 << 20)

/* ---- reading ---- */

static struct str own(struct store_fields *f, struct db_val v)
{
    if (v.type != DB_TEXT)
        return (struct str){ NULL, 0 };
    if (f->owned_count == f->owned_room) {
        f->owned_room = f->owned_room > 0 ? 2 * f->owned_room : 256;
        f->owned = xrealloc(f->owned, f->owned_room * sizeof(*f->owned));
    }
    f->owned[f->owned_count] = str_dup(v.s);
    return (struct str){ f->owned[f->owned_count++], v.s.n };
}

static int on_field(void *ctx, const struct db_val *row, int columns)
{
    struct store_fields *f = ctx;

    if (f->count == f->room) {
        f->room = f->room > 0 ? 2 * f->room : 128;
        f->list = xrealloc(f->list, (size_t)f->room * sizeof(*f->list));
    }
    struct known_field *k = &f->list[f->count++];

    *k = (struct known_field){ .field = { own(f, row[0]), own(f, row[1]), row[2].i != 0,
                                   row[3].i > 0 && row[3].i < HOLDS ? (enum field_hold)row[3].i : HOLD_NOT },
        .title = own(f, row[4]),
        .items = own(f, row[5]),
        .gone = row[6].type != DB_NULL };
    if (row[7].type != DB_TEXT || col_kind_parse(row[7].s, &k->column) < 0)
        k->column = col_kind_of(k->field.type, k->field.multiple);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct str x = ((const struct known_field *)a)->field.name,
                     y = ((const struct known_field *)b)->field.name;
    int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

    return order != 0 ? order : (x.n > y.n) - (x.n < y.n);
}

/* Sorted here: the database may have an order of its own. */
int store_fields_read(struct db *db, const struct store_who *who, struct str entity, struct str table,
    struct store_fields *ret, struct err *err)
{
    *ret = (struct store_fields){ .list = NULL };
    if (db_run(db,
            "SELECT f.name, f.type, f.multiple, f.held, f.title, f.items, f.gone_ms, coalesce(c.kind, "
            "f.kind) "
            "FROM potok_field f LEFT JOIN potok_column c ON c.tbl = $3 AND c.col = f.col "
            "WHERE f.portal = $1 AND f.entity = $2",
            DB_ARGS(dbv_s(who->portal), dbv_s(entity), dbv_s(table)), on_field, ret, NULL, err) < 0) {
        store_fields_fini(ret);
        return -1;
    }
    if (ret->count > 0)
        qsort(ret->list, (size_t)ret->count, sizeof(*ret->list), by_name);
    return 0;
}

void store_fields_fini(struct store_fields *f)
{
    for (size_t i = 0; i < f->owned_count; i++)
        free(f->owned[i]);
    free(f->owned);
    free(f->list);
    *f = (struct store_fields){ .list = NULL };
}

/* ---- writing ---- */

static struct db_val text_or_null(struct str s)
{
    return s.p != NULL ? dbv_s(s) : DBV_NULL;
}

/* Of an enumeration whose items were not told this time, those of last time stay. */
static int write_field(struct db *db, const struct store_who *who, struct str entity,
    const struct drift_field *f, const char *column, struct err *err)
{
    const struct field *field = &f->field;
    int64_t now_ms = (int64_t)who->now_ms;
    char plain[129];

    col_name(field->name, plain);
    return db_run(db,
        "INSERT INTO potok_field (portal, entity, name, type, multiple, col, kind, first_ms, last_ms, title, "
        "items, held, changed_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11, $12) "
        "ON CONFLICT (portal, entity, name) DO UPDATE SET type = excluded.type, "
        "multiple = excluded.multiple, col = excluded.col, kind = excluded.kind, "
        "last_ms = excluded.last_ms, gone_ms = NULL, title = coalesce(excluded.title, potok_field.title), "
        "items = CASE WHEN $13 = 1 THEN coalesce(excluded.items, potok_field.items) END, "
        "held = excluded.held, changed_ms = coalesce(excluded.changed_ms, potok_field.changed_ms)",
        DB_ARGS(dbv_s(who->portal), dbv_s(entity), dbv_s(field->name), dbv_s(field->type),
            dbv_i(field->multiple), dbv_c(column[0] != '\0' ? column : plain),
            dbv_c(col_kind_name(col_kind_of(field->type, field->multiple))), dbv_i(now_ms),
            text_or_null(f->title), text_or_null(f->items), dbv_i(field->hold),
            f->changed ? dbv_i(now_ms) : DBV_NULL, dbv_i(f->is_enumeration)),
        NULL, NULL, NULL, err);
}

static int write_change(struct db *db, const struct store_who *who, struct str entity,
    const struct field_change *c, struct err *err)
{
    int64_t now_ms = (int64_t)who->now_ms;

    if (c->what == CHANGE_GONE &&
        db_run(db,
            "UPDATE potok_field SET gone_ms = $4, changed_ms = $4 "
            "WHERE portal = $1 AND entity = $2 AND name = $3",
            DB_ARGS(dbv_s(who->portal), dbv_s(entity), dbv_c(c->name), dbv_i(now_ms)), NULL, NULL, NULL,
            err) < 0)
        return -1;
    return db_run(db,
        "INSERT INTO potok_field_change (portal, entity, name, at_ms, what, was, now) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        DB_ARGS(dbv_s(who->portal), dbv_s(entity), dbv_c(c->name), dbv_i(now_ms), dbv_c(change_name(c->what)),
            c->was != NULL ? dbv_c(c->was) : DBV_NULL, c->now != NULL ? dbv_c(c->now) : DBV_NULL),
        NULL, NULL, NULL, err);
}

int store_fields_write(
    struct db *db, const struct store_who *who, struct str entity, const struct drift *d, struct err *err)
{
    for (int i = 0; i < d->count; i++)
        if (write_field(db, who, entity, &d->fields[i], d->columns[i].name, err) < 0)
            return -1;
    for (int i = 0; i < d->change_count; i++)
        if (write_change(db, who, entity, &d->changes[i], err) < 0)
            return -1;
    return 0;
}

/* ---- columns that begin to be filled ---- */

struct present { /* those of drift.empty that the table has */
    const struct drift *d;
    const struct str **list;
    int count;
};

static int on_column(void *ctx, const struct db_val *row, int columns)
{
    struct present *p = ctx;

    for (int i = 0; i < p->d->empty_count; i++)
        if (str_eq(p->d->empty[i], row[0].s))
            p->list[p->count++] = &p->d->empty[i];
    return 0;
}

static void add_name(struct buf *sql, const struct db *db, struct str name)
{
    char quoted[2 * FIELD_COLUMN_SIZE + 3];

    db_quote(db, name, quoted);
    buf_str(sql, quoted);
}

static int empty_some(struct db *db, const struct store_who *who, struct str table,
    const struct str *const *names, int count, int64_t *ret_rows, struct err *err)
{
    char when[CLOCK_ISO_SIZE];
    struct buf sql;
    int64_t rows = 0;

    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "UPDATE ");
    add_name(&sql, db, table);
    buf_str(&sql, " SET _hash = NULL, _written_at = $1");
    for (int i = 0; i < count; i++) {
        buf_str(&sql, ", ");
        add_name(&sql, db, *names[i]);
        buf_str(&sql, " = NULL");
    }
    buf_str(&sql, " WHERE _deleted_at IS NULL AND (");
    for (int i = 0; i < count; i++) {
        buf_str(&sql, i > 0 ? " OR " : "");
        add_name(&sql, db, *names[i]);
        buf_str(&sql, " IS NOT NULL");
    }
    buf_char(&sql, ')');
    clock_iso(who->now_ms, when);
    int result = db_run(db, buf_cstr(&sql), DB_ARGS(dbv_c(when)), NULL, NULL, &rows, err);
    buf_fini(&sql);
    *ret_rows += rows;
    return result;
}

int store_columns_empty(struct db *db, const struct store_who *who, struct str table, const struct drift *d,
    int64_t *ret_rows, struct err *err)
{
    struct present p = { d, NULL, 0 };
    int result;

    *ret_rows = 0;
    if (d->empty_count == 0)
        return 0;
    p.list = xcalloc((size_t)d->empty_count, sizeof(*p.list));
    result = db_column_names(db, table, on_column, &p, err);
    for (int i = 0; i < p.count && result == 0; i += EMPTY_AT_ONCE)
        result = empty_some(db, who, table, &p.list[i],
            p.count - i < EMPTY_AT_ONCE ? p.count - i : EMPTY_AT_ONCE, ret_rows, err);
    free(p.list);
    return result;
}
