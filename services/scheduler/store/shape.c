/* Fields that the operator accepted: potok_field says so before the schema does. */
#include "store.h"

#include "base/mem.h"
#include "proto/schema.h"

#include <stdio.h>
#include <stdlib.h>

static int on_entity(void *ctx, const struct db_val *row, int columns)
{
    struct store_shape *x = ctx;

    x->shape = row[0].i;
    if (row[1].type != DB_NULL)
        buf_add(&x->schema, row[1].s.p, row[1].s.n);
    return 0;
}

struct lift {
    struct schema schema;
    bool any;
};

static int on_accepted(void *ctx, const struct db_val *row, int columns)
{
    struct lift *l = ctx;
    const struct field *f = schema_find(&l->schema, row[0].s);

    if (f != NULL && f->hold != HOLD_NOT) {
        l->schema.fields[f - l->schema.fields].hold = HOLD_NOT;
        l->any = true;
    }
    return 0;
}

static int on_run(void *ctx, const struct db_val *row, int columns)
{
    *(uint64_t *)ctx = (uint64_t)row[0].i;
    return 0;
}

int store_read_again(
    struct db *db, const struct store_who *who, struct str entity, uint64_t *ret_run, struct err *err)
{
    struct db_val portal = dbv_s(who->portal), name = dbv_s(entity);

    *ret_run = 0;
    if (db_run(db,
            "UPDATE potok_run SET state = 'probing', read = 0, same = 0, error = NULL WHERE id = (SELECT "
            "max(id) FROM potok_run WHERE portal = $1 AND entity = $2 AND state IN ('probing', 'open')) "
            "RETURNING id",
            DB_ARGS(portal, name), on_run, ret_run, NULL, err) < 0)
        return -1;
    if (*ret_run == 0)
        return db_run(db,
            "INSERT INTO potok_run (portal, entity, kind, state, started_ms) "
            "VALUES ($1, $2, 'full', 'probing', $3) RETURNING id",
            DB_ARGS(portal, name, dbv_i((int64_t)who->now_ms)), on_run, ret_run, NULL, err);
    return db_run(db, "DELETE FROM potok_job WHERE run = $1 AND kind = 'range'",
        DB_ARGS(dbv_i((int64_t)*ret_run)), NULL, NULL, NULL, err);
}

/* A run with a note passed records that lack a column made again meanwhile (db_ensure_table). */
static int look_for_note(struct db *db, const struct store_shape *x, bool *ret, struct err *err)
{
    int64_t noted;

    if (db_get_i64(db,
            "SELECT count(*) FROM potok_run WHERE id = (SELECT max(id) FROM potok_run WHERE portal = $1 AND "
            "entity = $2) AND state IN ('probing', 'open', 'done') AND error IS NOT NULL",
            DB_ARGS(dbv_s(x->who.portal), dbv_s(x->entity)), 0, &noted, err) < 0)
        return -1;
    *ret = *ret || noted > 0;
    return 0;
}

static int lift(struct db *db, struct store_shape *x, struct lift *l, struct err *err)
{
    if (db_run(db, "SELECT name FROM potok_field WHERE portal = $1 AND entity = $2 AND held = 0",
            DB_ARGS(dbv_s(x->who.portal), dbv_s(x->entity)), on_accepted, l, NULL, err) < 0 ||
        look_for_note(db, x, &l->any, err) < 0)
        return -1;
    if (!l->any)
        return 0;
    buf_clear(&x->schema);
    schema_encode(l->schema.fields, l->schema.count, &x->schema);
    x->lifted = true;
    if (db_run(db, "UPDATE potok_entity SET schema = $3 WHERE portal = $1 AND entity = $2",
            DB_ARGS(dbv_s(x->who.portal), dbv_s(x->entity), dbv_b(buf_view(&x->schema))), NULL, NULL, NULL,
            err) < 0)
        return -1;
    return store_read_again(db, &x->who, x->entity, &x->run, err);
}

int store_shape_in(struct db *db, struct store_shape *x, struct err *err)
{
    struct lift l = { .any = false };
    char sql[120];

    buf_fini(&x->schema);
    buf_init(&x->schema, 1 << 20);
    x->lifted = false;
    snprintf(sql, sizeof(sql), "SELECT shape, schema FROM potok_entity WHERE portal = $1 AND entity = $2%s",
        db_for_update(db));
    if (db_run(db, sql, DB_ARGS(dbv_s(x->who.portal), dbv_s(x->entity)), on_entity, x, NULL, err) < 0)
        return -1;
    struct err spoilt; /* somebody else's doing: the next probe writes another */
    if (x->schema.n == 0 || schema_decode(&l.schema, buf_view(&x->schema), &spoilt) < 0)
        return 0;
    int failed = lift(db, x, &l, err);
    schema_free(&l.schema);
    return failed;
}

int store_shape(struct db *db, struct store_shape *x, struct err *err)
{
    if (store_begin(db, &x->who, err) < 0)
        return -1;
    return store_end(db, store_shape_in(db, x, err), err);
}

void store_shape_fini(struct store_shape *x)
{
    buf_fini(&x->schema);
}
