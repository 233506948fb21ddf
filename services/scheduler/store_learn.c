#include "store.h"

#include "base/mem.h"
#include "proto/schema.h"

#include <stdlib.h>

/* What the portal describes now, and of the former schema those fields that it shows but never described. */
struct merge {
    struct field *fields; /* views into the decoded schemas and the names */
    int count;
};

static bool has(const struct merge *m, struct str name)
{
    for (int i = 0; i < m->count; i++)
        if (str_eq(m->fields[i].name, name))
            return true;
    return false;
}

static void add(struct merge *m, struct field field)
{
    if (m->count < SCHEMA_FIELDS_MAX)
        m->fields[m->count++] = field;
}

static int by_name(const void *a, const void *b)
{
    const struct field *x = a, *y = b;
    size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
    int order = memcmp(x->name.p, y->name.p, n);

    return order != 0 ? order : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

static void add_unknown(struct merge *m, struct str names)
{
    size_t i = 0;

    while (i < names.n) {
        size_t from = i;
        while (i < names.n && names.p[i] != ' ')
            i++;
        struct str name = { names.p + from, i - from };
        i++;
        if (name.n > 0 && !has(m, name))
            add(m, (struct field){ name, STR("unknown"), false, HOLD_NOT });
    }
}

static void merge_schemas(
    struct merge *m, const struct schema *learnt, const struct schema *old, struct str unknown)
{
    m->fields = xcalloc(SCHEMA_FIELDS_MAX, sizeof(*m->fields));
    m->count = 0;
    for (int i = 0; i < learnt->count; i++)
        add(m, learnt->fields[i]);
    for (int i = 0; i < old->count; i++)
        if (str_is(old->fields[i].type, "unknown") && !has(m, old->fields[i].name))
            add(m, old->fields[i]);
    add_unknown(m, unknown);
    qsort(m->fields, (size_t)m->count, sizeof(*m->fields), by_name);
}

static void compare(struct learn_entity *e, const struct merge *m, const struct schema *old)
{
    e->fields = m->count;
    e->added = e->gone = e->retyped = 0;
    for (int i = 0; i < m->count; i++) {
        const struct field *was = schema_find(old, m->fields[i].name);

        e->added += was == NULL;
        e->retyped +=
            was != NULL && (!str_eq(was->type, m->fields[i].type) || was->multiple != m->fields[i].multiple);
    }
    for (int i = 0; i < old->count; i++)
        e->gone += !has(m, old->fields[i].name);
}

static int store_field(struct db *db, const struct store_learn *x, const struct learn_entity *e,
    const struct field *f, struct err *err)
{
    char col[129];

    col_name(f->name, col);
    return db_run(db,
        "INSERT INTO potok_field (portal, entity, name, type, multiple, col, kind, first_ms, last_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) "
        "ON CONFLICT (portal, entity, name) DO UPDATE SET type = excluded.type, "
        "multiple = excluded.multiple, col = excluded.col, kind = excluded.kind, "
        "last_ms = excluded.last_ms, gone_ms = NULL",
        DB_ARGS(dbv_s(x->who.portal), dbv_s(e->entity), dbv_s(f->name), dbv_s(f->type), dbv_i(f->multiple),
            dbv_c(col), dbv_c(col_kind_name(col_kind_of(f->type, f->multiple))),
            dbv_i((int64_t)x->who.now_ms)),
        NULL, NULL, NULL, err);
}

static int store_fields(struct db *db, const struct store_learn *x, const struct learn_entity *e,
    const struct merge *m, struct err *err)
{
    for (int i = 0; i < m->count; i++)
        if (store_field(db, x, e, &m->fields[i], err) < 0)
            return -1;
    return db_run(db,
        "UPDATE potok_field SET gone_ms = $3 WHERE portal = $1 AND entity = $2 AND gone_ms IS NULL "
        "AND last_ms <> $3",
        DB_ARGS(dbv_s(x->who.portal), dbv_s(e->entity), dbv_i((int64_t)x->who.now_ms)), NULL, NULL, NULL,
        err);
}

/* The probing run gets its ranges; jobs of earlier runs are history nobody needs. */
static int open_run(struct db *db, const struct store_learn *x, struct learn_entity *e, struct err *err)
{
    int64_t changed, id = 0;

    e->range_count = 0;
    if (db_run(db, "UPDATE potok_run SET state = 'open', expected = $2 WHERE id = $1 AND state = 'probing'",
            DB_ARGS(dbv_i((int64_t)e->run), dbv_i((int64_t)e->bounds.total)), NULL, NULL, &changed, err) < 0)
        return -1;
    if (changed == 0)
        return 0;
    if (db_run(db, "DELETE FROM potok_job WHERE portal = $1 AND entity = $2 AND kind = 'range' AND run < $3",
            DB_ARGS(dbv_s(x->who.portal), dbv_s(e->entity), dbv_i((int64_t)e->run)), NULL, NULL, NULL,
            err) < 0)
        return -1;

    int n = cut_ranges(&e->bounds, e->ranges);
    for (int i = 0; i < n; i++) {
        if (db_get_i64(db,
                "INSERT INTO potok_job (run, portal, entity, kind, first, last, state, created_ms) "
                "VALUES ($1, $2, $3, 'range', $4, $5, 'open', $6) RETURNING id",
                DB_ARGS(dbv_i((int64_t)e->run), dbv_s(x->who.portal), dbv_s(e->entity),
                    dbv_i((int64_t)e->ranges[i].first), dbv_i((int64_t)e->ranges[i].last),
                    dbv_i((int64_t)x->who.now_ms)),
                0, &id, err) < 0)
            return -1;
        e->jobs[i] = (uint64_t)id;
    }
    e->range_count = n;
    return 0;
}

static int store_merged(struct db *db, const struct store_learn *x, struct learn_entity *e,
    const struct merge *m, struct err *err)
{
    buf_init(&e->merged, 1 << 20);
    schema_encode(m->fields, m->count, &e->merged);
    if (e->merged.failed)
        return err_set(err, ERR_PERM, "schema of " STR_FMT ": over 1 MB", STR_ARG(e->entity));
    if (store_fields(db, x, e, m, err) < 0)
        return -1;
    return db_run(db,
        "UPDATE potok_entity SET schema = $3, schema_ms = $4, total = $5 "
        "WHERE portal = $1 AND entity = $2",
        DB_ARGS(dbv_s(x->who.portal), dbv_s(e->entity), dbv_b(buf_view(&e->merged)),
            dbv_i((int64_t)x->who.now_ms), dbv_i((int64_t)e->bounds.total)),
        NULL, NULL, NULL, err);
}

static int learn_entity(struct db *db, const struct store_learn *x, struct learn_entity *e, struct err *err)
{
    struct schema learnt = { 0 }, old = { 0 };
    struct merge m;

    if (schema_decode(&learnt, e->schema, err) < 0)
        return err_wrap(err, "schema of " STR_FMT, STR_ARG(e->entity));
    if (e->old_schema.n > 0 && schema_decode(&old, e->old_schema, err) < 0) {
        schema_free(&learnt);
        return err_wrap(err, "stored schema of " STR_FMT, STR_ARG(e->entity));
    }
    merge_schemas(&m, &learnt, &old, e->unknown);
    compare(e, &m, &old);

    int failed = store_merged(db, x, e, &m, err);
    if (failed == 0 && e->run > 0)
        failed = open_run(db, x, e, err);
    free(m.fields);
    schema_free(&learnt);
    schema_free(&old);
    return failed;
}

static int learn_all(struct db *db, struct store_learn *x, struct err *err)
{
    for (int i = 0; i < x->count; i++)
        if (learn_entity(db, x, &x->list[i], err) < 0)
            return -1;
    return db_run(db, "UPDATE potok_job SET state = 'done', done_ms = $2 WHERE id = $1 AND kind = 'probe'",
        DB_ARGS(dbv_i((int64_t)x->job), dbv_i((int64_t)x->who.now_ms)), NULL, NULL, NULL, err);
}

int store_learn(struct db *db, struct store_learn *x, struct err *err)
{
    for (int i = 0; i < x->count; i++)
        buf_fini(&x->list[i].merged);
    if (store_begin(db, &x->who, err) < 0)
        return -1;
    return store_end(db, learn_all(db, x, err), err);
}
