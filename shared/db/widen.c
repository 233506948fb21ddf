#include "db/widen.h"

#include "db/table.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- values ---- */

bool col_kind_widens(enum col_kind from, enum col_kind to)
{
    if (from == to)
        return false;
    return to == COL_TEXT || to == COL_JSON || (from == COL_INT && to == COL_DECIMAL);
}

static struct str text_of(enum col_kind kind, const struct db_val *value, struct buf *made)
{
    size_t at = made->n;

    if (value->type != DB_INT)
        return value->s;
    if (kind == COL_BOOL)
        return value->i != 0 ? STR("true") : STR("false");
    buf_fmt(made, "%" PRId64, value->i);
    return (struct str){ made->p + at, made->n - at };
}

static bool is_json_word(enum col_kind kind)
{
    return kind == COL_INT || kind == COL_DECIMAL || kind == COL_BOOL || kind == COL_JSON;
}

struct db_val widen_value(enum col_kind from, enum col_kind to, const struct db_val *value, struct buf *made)
{
    struct str text;
    size_t at;

    if (value->type == DB_NULL || from == to)
        return *value;
    text = text_of(from, value, made);
    if (to == COL_DECIMAL)
        return (struct db_val){ DB_DECIMAL, 0, text };
    if (to != COL_JSON || is_json_word(from))
        return dbv_s(text);
    at = made->n;
    buf_json(made, text);
    return dbv_s((struct str){ made->p + at, made->n - at });
}

/* ---- columns ---- */

static int check_column(
    const struct table *t, const struct db_widening *w, const struct table_column *c, struct err *err)
{
    if (t->present == 0)
        return err_set(err, ERR_CONF, "there is no table %s", t->name);
    if (w->column.n == 0 || w->column.p[0] == '_' || str_is(w->column, "id"))
        return err_set(
            err, ERR_CONF, "column \"" STR_FMT "\" of table %s is no field's", STR_ARG(w->column), t->name);
    if (c == NULL || c->type == NULL)
        return err_set(err, ERR_CONF, "table %s has no column " STR_FMT, t->name, STR_ARG(w->column));
    if (c->state == COLUMN_STRANGE)
        return err_set(err, ERR_CONF, "column %s of table %s is of type %s, which is none of Potok's",
            c->name, t->name, c->type);
    if (c->kind != w->to && !col_kind_widens(c->kind, w->to))
        return err_set(err, ERR_CONF, "column %s of table %s is %s: not all its values could be kept as %s",
            c->name, t->name, col_kind_name(c->kind), col_kind_name(w->to));
    return 0;
}

static int find_kind(struct db *db, struct db_widening *w, struct err *err)
{
    struct table *t = NULL;
    const struct table_column *c;
    int result;

    if (table_read(db, w->table, &t, err) < 0)
        return -1;
    c = table_find(t, w->column);
    result = check_column(t, w, c, err);
    if (result == 0)
        w->from = c->kind;
    table_free(t);
    return result;
}

static int widen(struct db *db, struct db_widening *w, struct err *err)
{
    if (table_lock_entity(db, w->table, err) < 0 || find_kind(db, w, err) < 0)
        return -1;
    if (w->from != w->to && db->driver->widen(db, w, err) < 0)
        return -1;
    if (table_list_column(db, w->table, w->column, w->to, err) < 0)
        return -1;
    return db_run(db, "UPDATE potok_entity SET shape = shape + 1 WHERE tbl = $1", DB_ARGS(dbv_s(w->table)),
        NULL, NULL, NULL, err);
}

int db_widen(struct db *db, struct str table, struct str column, enum col_kind to, struct err *err)
{
    struct db_widening w = { .table = table, .column = column, .to = to };

    if (db_begin_ddl(db, err) < 0)
        return -1;
    db_forget_tables(db);
    if (widen(db, &w, err) < 0) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}
