/* Mirror tables: made, and given the columns they lack. What is known of them is kept per connection. */
#include "db/driver.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define DDL_MAX        (1 << 20)
#define NAME_MAX_BYTES 160 /* as proto/schema.c allows */

struct table_cache {
    struct table_cache *next;
    char *table;
    char **names; /* sorted, as the database says */
    int count, room;
};

static const char *const SYSTEM_COLUMNS[] = { "id", "_hi", "_hash", "_fetched_at", "_written_at",
    "_deleted_at" };

static void cache_free(struct table_cache *c)
{
    for (int i = 0; i < c->count; i++)
        free(c->names[i]);
    free(c->names);
    free(c->table);
    free(c);
}

void db_forget_tables(struct db *db)
{
    while (db->tables != NULL) {
        struct table_cache *c = db->tables;
        db->tables = c->next;
        cache_free(c);
    }
}

static struct table_cache *cache_find(struct db *db, struct str table)
{
    struct table_cache *c = db->tables;

    while (c != NULL && !str_is(table, c->table))
        c = c->next;
    return c;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int name_to_entry(const void *key, const void *entry)
{
    const struct str *name = key;
    const char *have = *(char *const *)entry;
    int order = strncmp(name->p, have, name->n);

    return order != 0 ? order : have[name->n] == '\0' ? 0 : -1;
}

static bool cache_has(const struct table_cache *c, struct str name)
{
    return c->count > 0 &&
           bsearch(&name, c->names, (size_t)c->count, sizeof(*c->names), name_to_entry) != NULL;
}

static int on_name(void *ctx, const struct db_val *row, int columns)
{
    struct table_cache *c = ctx;

    (void)columns;
    if (c->count == c->room) {
        c->room = c->room > 0 ? 2 * c->room : 64;
        c->names = xrealloc(c->names, (size_t)c->room * sizeof(*c->names));
    }
    c->names[c->count++] = str_dup(row[0].s);
    return 0;
}

/* Reads what the database has (nothing: no such table). */
static int cache_read(struct db *db, struct str table, struct table_cache **ret, struct err *err)
{
    struct table_cache *c = xcalloc(1, sizeof(*c));

    c->table = str_dup(table);
    if (db_run(db, db->driver->column_names_sql, DB_ARGS(dbv_s(table)), on_name, c, NULL, err) < 0) {
        cache_free(c);
        return -1;
    }
    if (c->count > 0)
        qsort(c->names, (size_t)c->count, sizeof(*c->names), by_name);
    *ret = c;
    return 0;
}

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

static void add_quoted(struct buf *sql, const struct db *db, struct str name)
{
    char *quoted = xmalloc(2 * name.n + 3);

    db_quote(db, name, quoted);
    buf_str(sql, quoted);
    free(quoted);
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
    add_quoted(&sql, db, table);
    buf_fmt(&sql, " (id %s, _hi BIGINT NOT NULL, _hash %s, _fetched_at %s, _written_at %s, _deleted_at %s); ",
        db->driver->key_type, db->driver->bytes_type, db->driver->types[COL_TIME],
        db->driver->types[COL_TIME], db->driver->types[COL_TIME]);
    buf_str(&sql, "CREATE INDEX ");
    add_quoted(&sql, db, str_of(index));
    buf_str(&sql, " ON ");
    add_quoted(&sql, db, table);
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
    add_quoted(&sql, db, table);
    buf_str(&sql, " ADD COLUMN ");
    add_quoted(&sql, db, column->name);
    buf_fmt(&sql, " %s", db->driver->types[column->kind]);
    result = db->driver->script(db, buf_cstr(&sql), err);
    buf_fini(&sql);
    return result;
}

static int check_is_mirror(const struct table_cache *have, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(SYSTEM_COLUMNS); i++)
        if (!cache_has(have, str_of(SYSTEM_COLUMNS[i])))
            return err_set(err, ERR_CONF,
                "there is a table %s already and it is not a mirror (it has no column %s): "
                "rename it, or give the portal another prefix",
                have->table, SYSTEM_COLUMNS[i]);
    return 0;
}

static int count_missing(const struct table_cache *have, const struct db_column *columns, int count)
{
    int missing = 0;

    for (int i = 0; i < count; i++)
        missing += !cache_has(have, columns[i].name);
    return missing;
}

/* Inside the transaction. `have` is what was there at its beginning. */
static int change_table(struct db *db, struct str table, const struct table_cache *have,
    const struct db_column *columns, int count, int *ret_added, struct err *err)
{
    int missing = count_missing(have, columns, count);
    int columns_then = (have->count > 0 ? have->count : (int)ARRAY_SIZE(SYSTEM_COLUMNS)) + missing;

    if (columns_then > db->driver->columns_max)
        return err_set(err, ERR_CONF, /* no smaller message would fit either */
            "table " STR_FMT " would have %d columns, %s allows %d: remove unused user fields "
            "in the portal",
            STR_ARG(table), columns_then, db->driver->engine, db->driver->columns_max);
    if (have->count == 0 ? create(db, table, err) < 0 : check_is_mirror(have, err) < 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (!cache_has(have, columns[i].name) && add_column(db, table, &columns[i], err) < 0)
            return err_wrap(err, "column " STR_FMT, STR_ARG(columns[i].name));
    *ret_added = missing;
    return 0;
}

static int ensure(struct db *db, struct str table, const struct db_column *columns, int count, int *ret_added,
    struct table_cache **ret_now, struct err *err)
{
    struct table_cache *have = NULL;
    int result;

    if (cache_read(db, table, &have, err) < 0)
        return -1;
    result = change_table(db, table, have, columns, count, ret_added, err);
    cache_free(have);
    return result < 0 ? -1 : cache_read(db, table, ret_now, err);
}

static void cache_replace(struct db *db, struct table_cache *now)
{
    struct table_cache **p = &db->tables;

    while (*p != NULL && strcmp((*p)->table, now->table) != 0)
        p = &(*p)->next;
    if (*p != NULL) {
        struct table_cache *old = *p;
        *p = old->next;
        cache_free(old);
    }
    now->next = db->tables;
    db->tables = now;
}

/* The table as it is, when it is a mirror: mostly nothing is missing, and then no right to make tables is
 * needed. */
static struct table_cache *look(struct db *db, struct str table, struct err *err)
{
    struct table_cache *have = NULL;

    if (cache_read(db, table, &have, err) < 0)
        return NULL;
    if (have->count == 0 || check_is_mirror(have, err) < 0) {
        cache_free(have);
        return NULL;
    }
    cache_replace(db, have);
    return have;
}

int db_ensure_table(struct db *db, struct str table, const struct db_column *columns, int count,
    int *ret_added, struct err *err)
{
    struct table_cache *known = cache_find(db, table), *now = NULL;
    int added = 0;

    if (known == NULL && check_names(db, table, columns, count, err) == 0)
        known = look(db, table, err);
    if (known == NULL || count_missing(known, columns, count) > 0) {
        if (check_names(db, table, columns, count, err) < 0 || db_begin_ddl(db, err) < 0)
            return -1;
        if (ensure(db, table, columns, count, &added, &now, err) < 0) {
            db_rollback(db);
            return -1;
        }
        if (db_commit(db, err) < 0) {
            cache_free(now);
            return -1;
        }
        cache_replace(db, now);
    }
    if (ret_added != NULL)
        *ret_added = added;
    return 0;
}
