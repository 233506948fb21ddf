/* Mirror tables as they are, and what a connection remembers of them. */
#include "db/table.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

void table_free(struct table *t)
{
    if (t == NULL)
        return;
    for (int i = 0; i < t->count; i++) {
        free(t->list[i].name);
        free(t->list[i].type);
    }
    free(t->list);
    free(t->name);
    free(t);
}

void table_quote(struct buf *sql, const struct db *db, struct str name)
{
    char *quoted = xmalloc(2 * name.n + 3);

    db_quote(db, name, quoted);
    buf_str(sql, quoted);
    free(quoted);
}

/* ---- one column ---- */

bool table_kind_of(const struct db_driver *driver, struct str type, enum col_kind *ret)
{
    for (int i = 0; i < COL_KINDS; i++) {
        if (str_case_eq(type, str_of(driver->types[i]))) {
            *ret = (enum col_kind)i;
            return true;
        }
    }
    return driver->kind_of != NULL && driver->kind_of(type, ret);
}

/* A type may be another and hold the same (character varying): then nothing is altered. */
static void judge(const struct db_driver *driver, struct table_column *c)
{
    enum col_kind kind;

    if (c->type == NULL) {
        c->state = COLUMN_DROPPED;
        return;
    }
    if (!table_kind_of(driver, str_of(c->type), &kind)) {
        c->state = COLUMN_STRANGE;
        return;
    }
    c->state = !c->listed ? COLUMN_UNLISTED : kind == c->kind ? COLUMN_KNOWN : COLUMN_ALTERED;
    c->kind = kind;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct table_column *)a)->name, ((const struct table_column *)b)->name);
}

static int name_to_column(const void *key, const void *column)
{
    const struct str *name = key;
    const char *have = ((const struct table_column *)column)->name;
    int order = strncmp(name->p, have, name->n);

    return order != 0 ? order : have[name->n] == '\0' ? 0 : -1;
}

static struct table_column *find(const struct table *t, int count, struct str column)
{
    if (count == 0 || column.n == 0)
        return NULL;
    return bsearch(&column, t->list, (size_t)count, sizeof(*t->list), name_to_column);
}

const struct table_column *table_find(const struct table *t, struct str column)
{
    return find(t, t->count, column);
}

/* ---- reading ---- */

static struct table_column *add(struct table *t, struct str name)
{
    if (t->count == t->room) {
        t->room = t->room > 0 ? 2 * t->room : 64;
        t->list = xrealloc(t->list, (size_t)t->room * sizeof(*t->list));
    }
    t->list[t->count] = (struct table_column){ .name = str_dup(name) };
    return &t->list[t->count++];
}

static int on_line(void *ctx, const struct db_val *row, int columns)
{
    enum col_kind kind;

    (void)columns;
    if (col_kind_parse(row[1].s, &kind) < 0) /* of a newer Potok: as if it were not there */
        return 0;
    struct table_column *c = add(ctx, row[0].s);
    c->kind = kind;
    c->listed = true;
    return 0;
}

struct reading {
    struct table *t;
    int lines; /* the first of the list, by name: what potok_column knows */
};

static int on_column(void *ctx, const struct db_val *row, int columns)
{
    struct reading *r = ctx;
    struct table_column *c = find(r->t, r->lines, row[0].s);

    (void)columns;
    if (c == NULL)
        c = add(r->t, row[0].s);
    if (c->type == NULL) /* a view of the same name shows none twice, but who knows */
        r->t->present++;
    free(c->type);
    c->type = row[1].type == DB_TEXT ? str_dup(row[1].s) : xstrdup("");
    return 0;
}

static int read_version(struct db *db, struct table *t, struct str name, struct err *err)
{
    char sql[256];

    if (db_get_i64(db, "SELECT max(shape) FROM potok_entity WHERE tbl = $1", DB_ARGS(dbv_s(name)), -1,
            &t->shape, err) < 0)
        return -1;
    snprintf(sql, sizeof(sql), "SELECT %s", db->driver->version_sql);
    return db_get_i64(db, sql, DB_ARGS(dbv_s(name)), 0, &t->version, err);
}

/* The version first: who changes the table after it raises it again. The lines before the columns: a column
 * made in between lacks its line, instead of a line its column, which would look like a column dropped. */
static int read_all(struct db *db, struct table *t, struct str name, struct err *err)
{
    struct reading reading = { .t = t };

    if (read_version(db, t, name, err) < 0)
        return -1;
    if (db_run(db, "SELECT col, kind FROM potok_column WHERE tbl = $1", DB_ARGS(dbv_s(name)), on_line, t,
            NULL, err) < 0)
        return -1;
    if (t->count > 0)
        qsort(t->list, (size_t)t->count, sizeof(*t->list), by_name);
    reading.lines = t->count;
    return db_run(db, db->driver->column_names_sql, DB_ARGS(dbv_s(name)), on_column, &reading, NULL, err);
}

int table_read(struct db *db, struct str name, struct table **ret, struct err *err)
{
    struct table *t = xcalloc(1, sizeof(*t));

    t->name = str_dup(name);
    if (read_all(db, t, name, err) < 0) {
        table_free(t);
        return -1;
    }
    for (int i = 0; i < t->count; i++)
        judge(db->driver, &t->list[i]);
    if (t->count > 0)
        qsort(t->list, (size_t)t->count, sizeof(*t->list), by_name);
    *ret = t;
    return 0;
}

/* ---- what its lines are ---- */

/* In the order of the writers: the entity's row before the table. */
int table_lock_entity(struct db *db, struct str table, struct err *err)
{
    char sql[120];
    int64_t ignored;

    snprintf(sql, sizeof(sql), "SELECT shape FROM potok_entity WHERE tbl = $1%s", db_for_update(db));
    return db_get_i64(db, sql, DB_ARGS(dbv_s(table)), 0, &ignored, err);
}

int table_list_column(struct db *db, struct str table, struct str column, enum col_kind kind, struct err *err)
{
    return db_run(db,
        "INSERT INTO potok_column (tbl, col, kind, made_ms) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (tbl, col) DO UPDATE SET kind = excluded.kind, made_ms = excluded.made_ms",
        DB_ARGS(dbv_s(table), dbv_s(column), dbv_c(col_kind_name(kind)), dbv_i((int64_t)clock_wall_ms())),
        NULL, NULL, NULL, err);
}

/* ---- what the connection remembers ---- */

struct table *table_known(const struct db *db, struct str name)
{
    struct table *t = db->tables;

    while (t != NULL && !str_is(name, t->name))
        t = t->next;
    return t;
}

void table_remember(struct db *db, struct table *t)
{
    struct table **p = &db->tables;

    while (*p != NULL && strcmp((*p)->name, t->name) != 0)
        p = &(*p)->next;
    if (*p != NULL) {
        struct table *old = *p;
        *p = old->next;
        table_free(old);
    }
    t->next = db->tables;
    db->tables = t;
}

void table_forget_all(struct db *db)
{
    while (db->tables != NULL) {
        struct table *t = db->tables;
        db->tables = t->next;
        table_free(t);
    }
}

void db_forget_tables(struct db *db)
{
    db->forgotten++;
    table_forget_all(db);
}

unsigned db_tables_forgotten(const struct db *db)
{
    return db->forgotten;
}

const char *db_version_sql(const struct db *db)
{
    return db->driver->version_sql;
}

bool db_table_is(struct db *db, struct str name, int64_t shape, int64_t version)
{
    const struct table *t = table_known(db, name);

    if (t == NULL)
        return false;
    if (t->version == version && (t->shape == shape || (t->shape < 0 && shape == 0))) /* the entity is new */
        return true;
    table_forget_all(db);
    return false;
}

void db_column_kinds(
    const struct db *db, struct str name, const struct db_column *columns, int count, enum col_kind *ret)
{
    const struct table *t = table_known(db, name);

    for (int i = 0; i < count; i++) {
        const struct table_column *c = t != NULL ? table_find(t, columns[i].name) : NULL;
        ret[i] = c != NULL ? c->kind : columns[i].kind;
    }
}
