/* Mirror tables: made, and given the columns they lack; what somebody dropped is made again. */
#include "db/table.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define DDL_MAX        (1 << 20)
#define NAME_MAX_BYTES 160 /* as proto/schema.c allows */

static const char *const SYSTEM_COLUMNS[] = { "id", "_hi", "_hash", "_fetched_at", "_written_at",
    "_deleted_at" };

static int check_names(
    const struct db *db, struct str table, const struct db_column *columns, int count, struct err *err)
{
    size_t most = db->driver->name_max_bytes > 0 ? db->driver->name_max_bytes : NAME_MAX_BYTES;

    if (table.n == 0 || table.n > 64 || table.n > most || memchr(table.p, '\0', table.n) != NULL)
        return err_set(
            err, ERR_PERM, "a mirror table needs a name of 1 to %d bytes", most < 64 ? (int)most : 64);
    if (strncasecmp(table.p, "potok_", table.n < 6 ? table.n : 6) == 0 ||
        strncasecmp(table.p, "sqlite_", table.n < 7 ? table.n : 7) == 0)
        return err_set(err, ERR_PERM,
            "a mirror table must not be called \"" STR_FMT "\": the prefix is taken", STR_ARG(table));
    for (int i = 0; i < count; i++) {
        struct str name = columns[i].name;
        if (name.n == 0 || name.n > most || memchr(name.p, '\0', name.n) != NULL)
            return err_set(err, ERR_PERM, STR_FMT ": a column needs a name of 1 to %d bytes, not \"%.*s\"",
                STR_ARG(table), (int)most, (int)(name.n < 100 ? name.n : 100), name.p);
        if (name.p[0] == '_' || str_case_eq(name, STR("id")))
            return err_set(err, ERR_PERM,
                "a field's column must not be called \"" STR_FMT "\": the mirror's own columns "
                "are",
                STR_ARG(name));
        if ((unsigned)columns[i].kind >= COL_KINDS)
            return err_set(err, ERR_BUG, "column \"" STR_FMT "\" is of no known kind", STR_ARG(name));
    }
    return 0;
}

/* The system columns come first: the writer's look then reads only the head of a wide row. The index is of
 * the few rows that were never more than ghosts: the scheduler removes them whenever the floor rises. */
static int create(struct db *db, struct str table, struct err *err)
{
    struct buf sql;
    char index[80];
    int result = -1;

    snprintf(index, sizeof(index), STR_FMT "__ghosts", STR_ARG(table));
    buf_init(&sql, DDL_MAX);
    buf_str(&sql, "CREATE TABLE ");
    table_quote(&sql, db, table);
    buf_fmt(&sql, " (id %s, _hi BIGINT NOT NULL, _hash %s, _fetched_at %s, _written_at %s, _deleted_at %s); ",
        db->driver->key_type, db->driver->bytes_type, db->driver->types[COL_TIME],
        db->driver->types[COL_TIME], db->driver->types[COL_TIME]);
    buf_str(&sql, "CREATE INDEX ");
    table_quote(&sql, db, str_of(index));
    buf_str(&sql, " ON ");
    table_quote(&sql, db, table);
    buf_str(&sql, " (_hi) WHERE _written_at IS NULL AND _deleted_at IS NOT NULL");
    result = db->driver->script(db, buf_cstr(&sql), err);
    buf_fini(&sql);
    return result;
}

static int add_column(struct db *db, struct str table, const struct db_column *column, struct err *err)
{
    struct buf sql;
    int result;

    buf_init(&sql, DDL_MAX);
    buf_str(&sql, "ALTER TABLE ");
    table_quote(&sql, db, table);
    buf_str(&sql, " ADD COLUMN ");
    table_quote(&sql, db, column->name);
    buf_fmt(&sql, " %s", db->driver->types[column->kind]);
    result = db->driver->script(db, buf_cstr(&sql), err);
    buf_fini(&sql);
    return result;
}

static bool is_there(const struct table *t, struct str column)
{
    const struct table_column *c = table_find(t, column);

    return c != NULL && c->type != NULL;
}

static int check_is_mirror(const struct table *t, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(SYSTEM_COLUMNS); i++)
        if (!is_there(t, str_of(SYSTEM_COLUMNS[i])))
            return err_set(err, ERR_CONF,
                "there is a table %s already and it is not a mirror (it has no column %s): "
                "rename it, or give the portal another prefix",
                t->name, SYSTEM_COLUMNS[i]);
    return 0;
}

/* ---- what is to be done ---- */

static int count_missing(const struct table *t, const struct db_column *columns, int count)
{
    int missing = 0;

    for (int i = 0; i < count; i++)
        missing += !is_there(t, columns[i].name);
    return missing;
}

/* What somebody made of a column that Potok made, so that its values are no more what was written: not there,
 * of another spelling, rounded. */
static bool is_spoilt(const struct table_column *c)
{
    return c != NULL && (c->state == COLUMN_DROPPED || c->state == COLUMN_ALTERED ||
                            (c->state == COLUMN_STRANGE && c->listed));
}

static const struct table_column *find_spoilt(
    const struct table *t, const struct db_column *columns, int count)
{
    for (int i = 0; i < count; i++) {
        const struct table_column *c = table_find(t, columns[i].name);
        if (is_spoilt(c))
            return c;
    }
    return NULL;
}

static int tell_strange(const struct db *db, const struct table *t, const struct table_column *c,
    enum col_kind kind, struct err *err)
{
    const char *type = db->driver->types[kind];

    if (!db->driver->alters_types)
        return err_set(err, ERR_CONF,
            "column %s of table %s is of type %s, which Potok cannot fill: run ALTER TABLE \"%s\" DROP "
            "COLUMN "
            "\"%s\": it is made again and filled",
            c->name, t->name, c->type, t->name, c->name);
    return err_set(err, ERR_CONF,
        "column %s of table %s is of type %s, which Potok cannot fill: run ALTER TABLE \"%s\" ALTER COLUMN "
        "\"%s\" TYPE %s USING \"%s\"::%s",
        c->name, t->name, c->type, t->name, c->name, type, c->name, type);
}

/* Nothing that is written into such a column would be sure to be what comes out of it. */
static int check_types(
    const struct db *db, const struct table *t, const struct db_column *columns, int count, struct err *err)
{
    for (int i = 0; i < count; i++) {
        const struct table_column *c = table_find(t, columns[i].name);
        if (c != NULL && c->state == COLUMN_STRANGE)
            return tell_strange(db, t, c, c->listed ? c->kind : columns[i].kind, err);
    }
    return 0;
}

/* ---- inside the transaction ---- */

/* No column: all of them. */
static int forget_columns(struct db *db, struct str table, struct str column, struct err *err)
{
    return db_run(db, "DELETE FROM potok_column WHERE tbl = $1 AND (col = $2 OR $2 = '')",
        DB_ARGS(dbv_s(table), dbv_s(column)), NULL, NULL, NULL, err);
}

static int make_column(struct db *db, struct str table, const struct table_column *have,
    const struct db_column *want, struct err *err)
{
    if (have == NULL || have->type == NULL)
        return add_column(db, table, want, err) < 0
                   ? -1
                   : table_list_column(db, table, want->name, want->kind, err);
    if (have->state == COLUMN_UNLISTED || have->state == COLUMN_ALTERED)
        return table_list_column(db, table, want->name, have->kind, err);
    if (have->state == COLUMN_STRANGE) /* check_types() ends it; mended, it is filled by every reading */
        return forget_columns(db, table, want->name, err);
    return 0;
}

/* Rows that did not change look as read, and would never get back the values that somebody spoilt or dropped
 * with the column: without a hash every reading is new. The run under way has passed some of them, so it is
 * not the full sync that the mirror needs: its note keeps it from being taken for one. */
static int refill(struct db *db, struct str table, const char *note, struct err *err)
{
    struct buf sql;
    int result;

    buf_init(&sql, DDL_MAX);
    buf_str(&sql, "UPDATE ");
    table_quote(&sql, db, table);
    buf_str(&sql, " SET _hash = NULL WHERE _hash IS NOT NULL");
    result = db->driver->script(db, buf_cstr(&sql), err);
    buf_fini(&sql);
    if (result < 0)
        return -1;
    if (db_run(db, "UPDATE potok_entity SET shape = shape + 1, full_ms = NULL WHERE tbl = $1",
            DB_ARGS(dbv_s(table)), NULL, NULL, NULL, err) < 0)
        return -1;
    return db_run(db,
        "UPDATE potok_run SET error = $2 WHERE state IN ('probing', 'open') AND EXISTS (SELECT 1 FROM "
        "potok_entity "
        "e WHERE e.tbl = $1 AND e.portal = potok_run.portal AND e.entity = potok_run.entity)",
        DB_ARGS(dbv_s(table), dbv_c(note)), NULL, NULL, NULL, err);
}

static bool table_was_dropped(const struct table *have)
{
    return have->present == 0 && have->count > 0;
}

static int check_width(const struct db *db, const struct table *have, int missing, struct err *err)
{
    int columns_then = (have->present > 0 ? have->present : (int)ARRAY_SIZE(SYSTEM_COLUMNS)) + missing;

    if (columns_then <= db->driver->columns_max)
        return 0;
    return err_set(err, ERR_CONF, /* no smaller message would fit either */
        "table %s would have %d columns, %s allows %d: remove unused user fields in the portal", have->name,
        columns_then, db->driver->engine, db->driver->columns_max);
}

/* `have` is what was there at the beginning of the transaction. */
static int change_table(struct db *db, const struct table *have, const struct db_column *columns, int count,
    int *ret_added, struct err *err)
{
    struct str table = str_of(have->name);
    int missing = count_missing(have, columns, count);
    const struct table_column *spoilt = find_spoilt(have, columns, count);
    char note[160];

    if (check_width(db, have, missing, err) < 0)
        return -1;
    if (table_was_dropped(have) && forget_columns(db, table, STR(""), err) < 0)
        return -1;
    if (have->present == 0 ? create(db, table, err) < 0 : check_is_mirror(have, err) < 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (make_column(db, table, table_find(have, columns[i].name), &columns[i], err) < 0)
            return err_wrap(err, "column " STR_FMT, STR_ARG(columns[i].name));
    *ret_added = missing;
    if (spoilt == NULL)
        return 0;
    if (have->present == 0)
        snprintf(note, sizeof(note), "the table was dropped by somebody: its records are read again");
    else
        snprintf(note, sizeof(note), "column %.80s was changed by somebody: all records are read again",
            spoilt->name);
    return refill(db, table, note, err);
}

static int ensure(struct db *db, struct str name, const struct db_column *columns, int count, int *ret_added,
    struct table **ret_was, struct table **ret_now, struct err *err)
{
    if (table_lock_entity(db, name, err) < 0 || table_read(db, name, ret_was, err) < 0)
        return -1;
    if (change_table(db, *ret_was, columns, count, ret_added, err) < 0 ||
        table_read(db, name, ret_now, err) < 0)
        return -1;
    return 0;
}

/* ---- the log, once it is certain ---- */

static void tell_changes(const struct table *was, const struct db_column *columns, int count)
{
    if (table_was_dropped(was)) {
        log_ev(LOG_WARNING, "table.made_again", kv_s("table", was->name),
            kv_s("reason", "it was dropped by somebody; filled by this and the next sync"));
        return;
    }
    for (int i = 0; i < count; i++) {
        const struct table_column *c = table_find(was, columns[i].name);
        if (c == NULL)
            continue;
        if (c->state == COLUMN_DROPPED)
            log_ev(LOG_WARNING, "column.made_again", kv_s("table", was->name), kv_s("column", c->name),
                kv_s("reason", "it was dropped by somebody; refilled by this and the next sync"));
        if (c->state == COLUMN_ALTERED)
            log_ev(LOG_WARNING, "column.altered", kv_s("table", was->name), kv_s("column", c->name),
                kv_s("type", c->type), kv_s("kind", col_kind_name(c->kind)),
                kv_s("reason",
                    "its type was changed by somebody; what fits is written, to every record again"));
    }
}

/* ---- the way in ---- */

/* The table as it is, when it is a mirror: mostly nothing is missing, and then no right to make tables is
 * needed. */
static struct table *look(struct db *db, struct str name, struct err *err)
{
    struct table *have = NULL;

    if (table_read(db, name, &have, err) < 0)
        return NULL;
    if (have->present == 0 || check_is_mirror(have, err) < 0) {
        table_free(have);
        return NULL;
    }
    table_remember(db, have);
    return have;
}

static int ensure_apart(struct db *db, struct str name, const struct db_column *columns, int count,
    int *ret_added, struct err *err)
{
    struct table *was = NULL, *now = NULL;
    int result = -1;

    if (check_names(db, name, columns, count, err) < 0 || db_begin_ddl(db, err) < 0)
        return -1;
    if (ensure(db, name, columns, count, ret_added, &was, &now, err) < 0)
        db_rollback(db);
    else
        result = db_commit(db, err);
    if (result == 0) {
        tell_changes(was, columns, count);
        table_remember(db, now);
    } else {
        table_free(now);
    }
    table_free(was);
    return result;
}

int db_ensure_table(struct db *db, struct str table, const struct db_column *columns, int count,
    int *ret_added, struct err *err)
{
    const struct table *known = table_known(db, table);
    int added = 0;

    if (known == NULL && check_names(db, table, columns, count, err) == 0)
        known = look(db, table, err);
    if ((known == NULL || count_missing(known, columns, count) > 0 ||
            find_spoilt(known, columns, count) != NULL) &&
        ensure_apart(db, table, columns, count, &added, err) < 0)
        return -1;
    if (ret_added != NULL)
        *ret_added = added;
    if (check_types(db, table_known(db, table), columns, count, err) == 0)
        return 0;
    table_forget_all(db); /* the next one sees whether it was mended */
    return -1;
}
