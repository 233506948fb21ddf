/* A column of another kind in SQLite, which cannot change a type: a new column takes the values, the old one
 * goes, the new one gets its name. Views, triggers, and the indexes that name the column stand in the way of
 * that: they are texts, taken away first and put back as they were. */
#include "db/sqlite.h"

#include "base/buf.h"
#include "base/mem.h"
#include "db/table.h"
#include "db/widen.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define SQL_MAX  (16 << 20)
#define TEXT_MAX ((size_t)1 << 30)
#define NEW_NAME "_widened" /* no field's column begins so */

struct object { /* of sqlite_master */
    char *type, *name, *sql;
};

struct objects {
    struct object *list;
    int count, room;
    const struct db_widening *w;
};

static void objects_fini(struct objects *o)
{
    for (int i = 0; i < o->count; i++) {
        free(o->list[i].type);
        free(o->list[i].name);
        free(o->list[i].sql);
    }
    free(o->list);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (c & 0x80) != 0;
}

/* How often the text has the word, in any case. */
static int count_word(struct str sql, struct str word)
{
    int count = 0;

    for (size_t i = 0; i + word.n <= sql.n; i++)
        count += strncasecmp(sql.p + i, word.p, word.n) == 0 && (i == 0 || !is_word(sql.p[i - 1])) &&
                 (i + word.n == sql.n || !is_word(sql.p[i + word.n]));
    return count;
}

static int on_object(void *ctx, const struct db_val *row, int columns)
{
    struct objects *o = ctx;

    (void)columns;
    if (str_is(row[0].s, "index") && count_word(row[2].s, o->w->column) == 0)
        return 0; /* one that only seems to name it is taken away, too: it comes back */
    if (o->count == o->room) {
        o->room = o->room > 0 ? 2 * o->room : 16;
        o->list = xrealloc(o->list, (size_t)o->room * sizeof(*o->list));
    }
    o->list[o->count++] = (struct object){ str_dup(row[0].s), str_dup(row[1].s), str_dup(row[2].s) };
    return 0;
}

/* In the order of making: indexes, then views, then triggers, which may be a view's. */
static int read_objects(struct db *db, const struct db_widening *w, struct objects *ret, struct err *err)
{
    *ret = (struct objects){ .w = w };
    return db_run(db,
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND (type IN ('view', 'trigger') OR "
        "(type = 'index' AND lower(tbl_name) = lower($1))) "
        "ORDER BY CASE type WHEN 'index' THEN 0 WHEN 'view' THEN 1 ELSE 2 END, rowid",
        DB_ARGS(dbv_s(w->table)), on_object, ret, NULL, err);
}

/* What SQLite refuses is for the user to mend; a busy file or a full disk is as ever. */
static int step(
    struct db *db, const struct db_widening *w, const char *sql, const char *about, struct err *err)
{
    if (db->driver->script(db, sql, err) == 0)
        return 0;
    if (err != NULL && (err->kind == ERR_PERM || err->kind == ERR_CONF))
        return err_set(err, ERR_CONF, "column " STR_FMT " of table " STR_FMT " stays %s: %s: %.160s",
            STR_ARG(w->column), STR_ARG(w->table), col_kind_name(w->from), about,
            sqlite3_errmsg(((struct sqlite *)db)->h));
    return -1;
}

static int drop_objects(struct db *db, const struct objects *o, struct err *err)
{
    for (int i = o->count - 1; i >= 0; i--) {
        struct buf sql;
        buf_init(&sql, SQL_MAX);
        buf_fmt(&sql, "DROP %s ", o->list[i].type);
        table_quote(&sql, db, str_of(o->list[i].name));
        int result = step(db, o->w, buf_cstr(&sql), o->list[i].name, err);
        buf_fini(&sql);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int make_objects(struct db *db, const struct objects *o, struct err *err)
{
    for (int i = 0; i < o->count; i++)
        if (step(db, o->w, o->list[i].sql, o->list[i].name, err) < 0)
            return -1;
    return 0;
}

/* ---- values: what is stored tells more than the column's kind ---- */

static enum col_kind kind_of_number(enum col_kind from, int64_t i)
{
    return from == COL_BOOL && (i == 0 || i == 1) ? COL_BOOL : COL_INT;
}

/* A text in a column of numbers was put there by hand. */
static enum col_kind kind_of_text(enum col_kind from)
{
    return from == COL_INT || from == COL_BOOL ? COL_TEXT : from;
}

static void widen_one(sqlite3_context *call, int count, sqlite3_value **args)
{
    const struct db_widening *w = sqlite3_user_data(call);
    char number[SQLITE_FLOAT_TEXT];
    enum col_kind from = w->from;
    struct db_val value, wide;
    struct buf made;

    (void)count;
    switch (w->to == COL_DECIMAL ? SQLITE_BLOB : sqlite3_value_type(args[0])) {
    case SQLITE_INTEGER:
        value = dbv_i(sqlite3_value_int64(args[0]));
        from = kind_of_number(from, value.i);
        break;
    case SQLITE_FLOAT:
        sqlite_float_text(sqlite3_value_double(args[0]), number);
        value = (struct db_val){ DB_DECIMAL, 0, str_of(number) };
        from = COL_DECIMAL;
        break;
    case SQLITE_TEXT:
        value = dbv_s(
            (struct str){ (const char *)sqlite3_value_text(args[0]), (size_t)sqlite3_value_bytes(args[0]) });
        from = kind_of_text(from);
        break;
    default: /* a decimal takes numbers as they are */
        sqlite3_result_value(call, args[0]);
        return;
    }
    buf_init(&made, TEXT_MAX);
    buf_room(&made, WIDEN_ROOM(&value));
    wide = widen_value(from, w->to, &value, &made);
    sqlite3_result_text64(call, wide.s.p != NULL ? wide.s.p : "", wide.s.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    buf_fini(&made);
}

static void add_table(struct buf *sql, const struct db *db, const struct db_widening *w, const char *before)
{
    buf_str(sql, before);
    table_quote(sql, db, w->table);
}

static void build(struct buf *sql, const struct db *db, const struct db_widening *w)
{
    add_table(sql, db, w, "ALTER TABLE ");
    buf_fmt(sql, " ADD COLUMN " NEW_NAME " %s; ", db->driver->types[w->to]);
    add_table(sql, db, w, "UPDATE ");
    buf_str(sql, " SET " NEW_NAME " = potok_widen(");
    table_quote(sql, db, w->column);
    buf_str(sql, ") WHERE ");
    table_quote(sql, db, w->column);
    add_table(sql, db, w, " IS NOT NULL; ALTER TABLE ");
    buf_str(sql, " DROP COLUMN ");
    table_quote(sql, db, w->column);
    add_table(sql, db, w, "; ALTER TABLE ");
    buf_str(sql, " RENAME COLUMN " NEW_NAME " TO ");
    table_quote(sql, db, w->column);
}

static int change_column(struct db *db, const struct db_widening *w, struct err *err)
{
    sqlite3 *h = ((struct sqlite *)db)->h;
    struct buf sql;
    int result;

    if (sqlite3_create_function(h, "potok_widen", 1, SQLITE_UTF8, (void *)w, widen_one, NULL, NULL) !=
        SQLITE_OK)
        return sqlite_fail((struct sqlite *)db, SQLITE_NOMEM, "running a statement", err);
    buf_init(&sql, SQL_MAX);
    build(&sql, db, w);
    result = step(db, w, buf_cstr(&sql), "the table", err);
    buf_fini(&sql);
    sqlite3_create_function(h, "potok_widen", 1, SQLITE_UTF8, NULL, NULL, NULL, NULL);
    return result;
}

/* ---- rules that somebody gave the column: the new one would not have them ---- */

static int on_table(void *ctx, const struct db_val *row, int columns)
{
    static const struct str words[] = { { "NOT", 3 }, { "DEFAULT", 7 }, { "CHECK", 5 }, { "COLLATE", 7 },
        { "REFERENCES", 10 }, { "UNIQUE", 6 }, { "GENERATED", 9 } };
    int *rules = ctx;

    (void)columns;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        *rules += count_word(row[0].s, words[i]);
    return 1;
}

static int count_rules(struct db *db, const struct db_widening *w, int *ret, struct err *err)
{
    *ret = 0;
    return db_run(db, "SELECT sql FROM sqlite_master WHERE type = 'table' AND lower(name) = lower($1)",
        DB_ARGS(dbv_s(w->table)), on_table, ret, NULL, err);
}

static int change_table(struct db *db, const struct db_widening *w, struct err *err)
{
    int before, after;

    if (count_rules(db, w, &before, err) < 0 || change_column(db, w, err) < 0 ||
        count_rules(db, w, &after, err) < 0)
        return -1;
    if (before == after)
        return 0;
    return err_set(err, ERR_CONF,
        "column " STR_FMT " of table " STR_FMT
        " stays %s: somebody gave it a rule or a default, which would be lost",
        STR_ARG(w->column), STR_ARG(w->table), col_kind_name(w->from));
}

int sqlite_widen(struct db *db, const struct db_widening *w, struct err *err)
{
    struct objects objects = { 0 };
    int result = read_objects(db, w, &objects, err);

    if (result == 0)
        result = drop_objects(db, &objects, err);
    if (result == 0)
        result = change_table(db, w, err);
    if (result == 0)
        result = make_objects(db, &objects, err);
    objects_fini(&objects);
    return result;
}
