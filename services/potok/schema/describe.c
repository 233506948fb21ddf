#include "describe.h"

#include "base/buf.h"
#include "base/mem.h"
#include "db/db.h"
#include "words/say.h"

#include <stdlib.h>

static char *text_of(struct db_val v)
{
    return v.type == DB_NULL ? xstrdup("") : str_dup(v.s);
}

static int64_t number_of(struct db_val v)
{
    return v.type == DB_INT ? v.i : 0;
}

/* A list of `count` with room for one more, which is zeroed; it doubles. */
static void *with_one_more(void *list, int count, size_t size)
{
    if ((count & (count - 1)) == 0)
        list = xrealloc(list, (size_t)(count == 0 ? 1 : 2 * count) * size);
    memset((char *)list + (size_t)count * size, 0, size);
    return list;
}

/* ---- mirrors ---- */

struct reading {
    const struct describe_ask *ask;
    struct description *d;
};

static bool is_asked(const struct describe_ask *ask, struct str portal, struct str entity)
{
    bool asked = ask->count == 0;

    if (ask->portal != NULL && !str_is(portal, ask->portal))
        return false;
    for (int i = 0; i < ask->count && !asked; i++)
        asked = str_is(entity, ask->entities[i]);
    return asked;
}

static int on_mirror(void *ctx, const struct db_val *row, int columns)
{
    struct reading *r = ctx;
    struct description *d = r->d;

    if (!is_asked(r->ask, row[0].s, row[1].s))
        return 0;
    d->list = with_one_more(d->list, d->count, sizeof(*d->list));
    struct described *m = &d->list[d->count++];

    m->portal = text_of(row[0]);
    m->entity = text_of(row[1]);
    m->table = text_of(row[2]);
    m->host = text_of(row[3]);
    m->schema_ms = number_of(row[4]);
    m->full_ms = number_of(row[5]);
    m->records = m->deleted = -1;
    return 0;
}

static int read_mirrors(struct db *db, const struct describe_ask *ask, struct description *d, struct err *err)
{
    struct reading reading = { ask, d };

    return db_run(db,
        "SELECT e.portal, e.entity, e.tbl, l.identity, e.schema_ms, e.full_ms FROM potok_entity e "
        "LEFT JOIN potok_lease l ON l.portal = e.portal ORDER BY e.portal, e.entity",
        DB_NOARGS, on_mirror, &reading, NULL, err);
}

/* ---- fields ---- */

static int on_field(void *ctx, const struct db_val *row, int columns)
{
    struct described *m = ctx;
    struct described_field *f;

    m->fields = with_one_more(m->fields, m->count, sizeof(*f));
    f = &m->fields[m->count++];
    f->held = (enum field_hold)number_of(row[8]);
    f->name = text_of(row[0]);
    f->title = text_of(row[1]);
    f->type = text_of(row[2]);
    f->multiple = number_of(row[3]) != 0;
    f->column = f->held == HOLD_NOT ? text_of(row[4]) : xstrdup("");
    f->kind = text_of(row[5]);
    f->column_kind = text_of(row[6]);
    f->items = row[7].type == DB_NULL ? NULL : str_dup(row[7].s);
    f->first_ms = number_of(row[9]);
    f->gone_ms = number_of(row[10]);
    f->changed_ms = number_of(row[11]);
    f->rejected = number_of(row[12]);
    return 0;
}

static int read_fields(struct db *db, struct described *m, struct err *err)
{
    return db_run(db,
        "SELECT f.name, f.title, f.type, f.multiple, f.col, f.kind, c.kind, f.items, f.held, f.first_ms, "
        "f.gone_ms, f.changed_ms, r.n FROM potok_field f "
        "LEFT JOIN potok_column c ON c.tbl = $3 AND c.col = f.col "
        "LEFT JOIN (SELECT field, count(*) AS n FROM potok_reject WHERE portal = $1 AND entity = $2 "
        "GROUP BY field) r ON r.field = f.name "
        "WHERE f.portal = $1 AND f.entity = $2 ORDER BY f.name",
        DB_ARGS(dbv_c(m->portal), dbv_c(m->entity), dbv_c(m->table)), on_field, m, NULL, err);
}

static int on_records(void *ctx, const struct db_val *row, int columns)
{
    struct described *m = ctx;

    m->deleted = number_of(row[1]);
    m->records = number_of(row[0]) - m->deleted;
    return 1;
}

static int read_records(struct db *db, struct described *m, struct err *err)
{
    size_t n = strlen(m->table);
    char *name = xmalloc(2 * n + 3), *sql;
    bool there = false;
    int result = db_has_table(db, str_of(m->table), &there, err);

    db_quote(db, (struct str){ m->table, n }, name);
    sql = xasprintf("SELECT count(*), count(_deleted_at) FROM %s", name);
    if (result == 0 && there)
        result = db_run(db, sql, DB_NOARGS, on_records, m, NULL, err);
    free(sql);
    free(name);
    return result;
}

/* ---- what was asked for and is not there ---- */

static int not_here(const struct describe_ask *ask, const struct description *d, struct err *err)
{
    for (int i = 0; i < ask->count; i++) {
        bool found = false;

        for (int k = 0; k < d->count && !found; k++)
            found = strcmp(d->list[k].entity, ask->entities[i]) == 0;
        if (!found)
            return err_set(err, ERR_CONF, "%s: %s", ask->entities[i],
                say("этой сущности в базе данных ещё нет", "the database does not know this entity yet"));
    }
    if (d->count > 0)
        return 0;
    if (ask->portal != NULL)
        return err_set(err, ERR_CONF, "%s: %.40s",
            say("этого портала в базе данных нет", "the database does not know this portal"), ask->portal);
    return err_set(err, ERR_CONF, "%s",
        say("в базе данных ещё нет ни одной сущности: `potok up` заполнит её",
            "the database knows no entity yet: `potok up` fills it"));
}

int describe(struct db *db, const struct describe_ask *ask, struct description *ret, struct err *err)
{
    struct description d = { .count = 0 };
    int result = read_mirrors(db, ask, &d, err);

    if (result == 0)
        result = not_here(ask, &d, err);
    for (int i = 0; i < d.count && result == 0; i++)
        if (read_fields(db, &d.list[i], err) < 0 || read_records(db, &d.list[i], err) < 0)
            result = -1;
    if (result < 0)
        description_fini(&d);
    else
        *ret = d;
    return result;
}

/* ---- what became of them ---- */

static int on_change(void *ctx, const struct db_val *row, int columns)
{
    struct description *d = ctx;
    bool asked = false;

    for (int i = 0; i < d->count && !asked; i++)
        asked = str_is(row[0].s, d->list[i].portal) && str_is(row[1].s, d->list[i].entity);
    if (!asked)
        return 0;
    d->changes = with_one_more(d->changes, d->change_count, sizeof(*d->changes));
    struct described_change *c = &d->changes[d->change_count++];

    c->portal = text_of(row[0]);
    c->entity = text_of(row[1]);
    c->name = text_of(row[2]);
    c->at_ms = number_of(row[3]);
    c->what = text_of(row[4]);
    c->was = text_of(row[5]);
    c->now = text_of(row[6]);
    return 0;
}

int describe_changes(struct db *db, struct description *d, struct err *err)
{
    return db_run(db,
        "SELECT portal, entity, name, at_ms, what, was, now FROM potok_field_change ORDER BY at_ms DESC, id "
        "DESC",
        DB_NOARGS, on_change, d, NULL, err);
}

/* ---- */

static void field_fini(struct described_field *f)
{
    char *const texts[] = { f->name, f->title, f->type, f->column, f->kind, f->column_kind, f->items };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        free(texts[i]);
}

static void mirror_fini(struct described *m)
{
    for (int i = 0; i < m->count; i++)
        field_fini(&m->fields[i]);
    free(m->fields);
    free(m->portal);
    free(m->host);
    free(m->entity);
    free(m->table);
}

static void change_fini(struct described_change *c)
{
    char *const texts[] = { c->portal, c->entity, c->name, c->what, c->was, c->now };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        free(texts[i]);
}

void description_fini(struct description *d)
{
    for (int i = 0; i < d->count; i++)
        mirror_fini(&d->list[i]);
    for (int i = 0; i < d->change_count; i++)
        change_fini(&d->changes[i]);
    free(d->list);
    free(d->changes);
    *d = (struct description){ .count = 0 };
}

bool described_retyped(const struct described_field *f)
{
    return f->gone_ms == 0 && f->held == HOLD_NOT && f->column_kind[0] != '\0' &&
           strcmp(f->kind, f->column_kind) != 0;
}

bool described_has_currency(const struct described_field *f)
{
    return strcmp(f->type, "money") == 0 && !f->multiple && f->column[0] != '\0';
}
