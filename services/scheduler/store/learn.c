#include "field.h"

#include "base/mem.h"
#include "db/cursor.h"
#include "proto/schema.h"

#include <stdio.h>
#include <stdlib.h>

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

    struct cursor_of of = { x->who.portal, e->entity, CURSOR_FULL };
    if (db_cursor_begin(db, &of, (int64_t)x->who.now_ms, err) < 0)
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

static int store_schema(struct db *db, const struct store_learn *x, struct learn_entity *e,
    const struct drift *d, struct err *err)
{
    struct field *fields = xcalloc((size_t)d->count + 1, sizeof(*fields));

    for (int i = 0; i < d->count; i++)
        fields[i] = d->fields[i].field;
    buf_fini(&e->merged);
    buf_init(&e->merged, 1 << 20);
    schema_encode(fields, d->count, &e->merged);
    free(fields);
    if (e->merged.failed)
        return err_set(err, ERR_PERM, "schema of " STR_FMT ": over 1 MB", STR_ARG(e->entity));
    return db_run(db,
        "UPDATE potok_entity SET schema = $3, schema_ms = $4, total = $5 "
        "WHERE portal = $1 AND entity = $2",
        DB_ARGS(dbv_s(x->who.portal), dbv_s(e->entity), dbv_b(buf_view(&e->merged)),
            dbv_i((int64_t)x->who.now_ms), dbv_i((int64_t)e->bounds.total)),
        NULL, NULL, NULL, err);
}

/* Takes the entity's turn: what follows no writer's commit may cross. A field that was accepted meanwhile is
 * copied from now on, and a run that is open already began without it. */
static int take_turn(struct db *db, const struct store_learn *x, struct learn_entity *e, struct err *err)
{
    struct store_shape shape = { .who = x->who, .entity = e->entity };
    int failed = store_shape_in(db, &shape, err);

    e->shape = shape.shape;
    e->again = failed == 0 && shape.lifted && shape.run != e->run ? shape.run : 0;
    store_shape_fini(&shape);
    return failed;
}

static int on_table(void *ctx, const struct db_val *row, int columns)
{
    char *table = ctx;

    snprintf(table, 65, STR_FMT, STR_ARG(row[0].s));
    return 0;
}

static int learn_drift(struct db *db, const struct store_learn *x, struct learn_entity *e, struct str table,
    const struct drift *d, struct err *err)
{
    if (store_columns_empty(db, &x->who, table, d, &e->emptied, err) < 0)
        return err_wrap(err, "columns of returned fields of " STR_FMT, STR_ARG(e->entity));
    if (e->emptied > 0 && e->run == 0 && store_read_again(db, &x->who, e->entity, &e->again, err) < 0)
        return -1;
    if (store_schema(db, x, e, d, err) < 0)
        return -1;
    return store_fields_write(db, &x->who, e->entity, d, err);
}

static void give_out(struct learn_entity *e, struct drift *d)
{
    e->first = d->first;
    e->fields = d->count;
    memcpy(e->counts, d->counts, sizeof(e->counts));
    changes_free(e->changes, e->change_count);
    e->changes = d->changes;
    e->change_count = d->change_count;
    d->changes = NULL;
    d->change_count = 0;
}

static int learn_known(struct db *db, const struct store_learn *x, struct learn_entity *e,
    const struct schema *schema, const struct labels *labels, struct err *err)
{
    const struct drift_said said = { schema->fields, schema->count, labels, e->unknown };
    struct store_fields known;
    struct drift d;
    char table[65] = "";

    if (take_turn(db, x, e, err) < 0 ||
        db_run(db, "SELECT tbl FROM potok_entity WHERE portal = $1 AND entity = $2",
            DB_ARGS(dbv_s(x->who.portal), dbv_s(e->entity)), on_table, table, NULL, err) < 0 ||
        store_fields_read(db, &x->who, e->entity, str_of(table), &known, err) < 0)
        return -1;
    drift_see(&d, &said, known.list, known.count, e->policy);
    int failed = learn_drift(db, x, e, str_of(table), &d, err);
    if (failed == 0)
        give_out(e, &d);
    drift_fini(&d);
    store_fields_fini(&known);
    return failed;
}

/* Rule 3 applied to fields: a change that was told after the dispatch is perhaps not in this answer. */
static int serve_wish(
    struct db *db, const struct store_learn *x, struct learn_entity *e, int64_t d, struct err *err)
{
    if (db_cursor_served(db, x->who.portal, e->entity, CURSOR_FIELDS, d, err) < 0)
        return -1;
    return db_cursor_wished(db, x->who.portal, e->entity, CURSOR_FIELDS, &e->wished, err);
}

static int learn_entity(
    struct db *db, const struct store_learn *x, struct learn_entity *e, int64_t d, struct err *err)
{
    struct schema schema = { 0 };
    struct labels labels = { NULL, 0 };
    int failed = schema_decode(&schema, e->schema, err);

    if (failed == 0)
        failed = labels_decode(&labels, e->labels, err);
    if (failed < 0)
        err_wrap(err, "schema of " STR_FMT, STR_ARG(e->entity));
    if (failed == 0)
        failed = learn_known(db, x, e, &schema, &labels, err);
    if (failed == 0)
        failed = serve_wish(db, x, e, d, err);
    if (failed == 0 && e->run > 0)
        failed = open_run(db, x, e, err);
    labels_free(&labels);
    schema_free(&schema);
    return failed;
}

static int learn_all(struct db *db, struct store_learn *x, struct err *err)
{
    int64_t d;

    if (db_get_i64(db, "SELECT d FROM potok_job WHERE id = $1 AND kind = 'probe'",
            DB_ARGS(dbv_i((int64_t)x->job)), 0, &d, err) < 0)
        return -1;
    for (int i = 0; i < x->count; i++)
        if (learn_entity(db, x, &x->list[i], d, err) < 0)
            return -1;
    return db_run(db, "UPDATE potok_job SET state = 'done', done_ms = $2 WHERE id = $1 AND kind = 'probe'",
        DB_ARGS(dbv_i((int64_t)x->job), dbv_i((int64_t)x->who.now_ms)), NULL, NULL, NULL, err);
}

int store_learn(struct db *db, struct store_learn *x, struct err *err)
{
    if (store_begin(db, &x->who, err) < 0)
        return -1;
    return store_end(db, learn_all(db, x, err), err);
}

void store_learn_fini(struct store_learn *x)
{
    for (int i = 0; i < x->count; i++) {
        buf_fini(&x->list[i].merged);
        changes_free(x->list[i].changes, x->list[i].change_count);
        x->list[i].changes = NULL;
        x->list[i].change_count = 0;
    }
}
