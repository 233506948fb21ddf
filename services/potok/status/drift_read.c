#include "drift_view.h"

#include "base/mem.h"
#include "home.h"

#include <stdlib.h>
#include <string.h>

static void *grown(void *list, int count, size_t size)
{
    return count % 16 == 0 ? xrealloc(list, (size_t)(count + 16) * size) : list;
}

static struct drift_entity *entity_of_view(struct drift_view *v, struct str portal, struct str entity)
{
    for (int i = 0; i < v->entity_count; i++)
        if (str_is(portal, v->entities[i].portal) && str_is(entity, v->entities[i].entity))
            return &v->entities[i];
    v->entities = grown(v->entities, v->entity_count, sizeof(*v->entities));
    struct drift_entity *e = &v->entities[v->entity_count++];

    *e = (struct drift_entity){ .portal = str_dup(portal), .entity = str_dup(entity) };
    return e;
}

static int on_count(void *ctx, const struct db_val *row, int columns)
{
    entity_of_view(ctx, row[0].s, row[1].s)->changes = row[2].i;
    return 0;
}

static int on_change(void *ctx, const struct db_val *row, int columns)
{
    struct drift_view *v = ctx;
    char **texts[7];

    v->changes = grown(v->changes, v->change_count, sizeof(*v->changes));
    struct drift_change *c = &v->changes[v->change_count++];

    memcpy(texts, (char **[]){ &c->portal, &c->entity, &c->field, &c->title, &c->what, &c->was, &c->now },
        sizeof(texts));
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        *texts[i] = str_dup(row[i].s);
    c->at_ms = row[7].i;
    return 0;
}

static int on_field(void *ctx, const struct db_val *row, int columns)
{
    struct drift_view *v = ctx;
    struct drift_entity *e = entity_of_view(v, row[0].s, row[1].s);

    e->left_out += row[4].i == HOLD_OUT;
    e->set_aside += row[4].i == HOLD_ASIDE;
    e->retyped += row[4].i == HOLD_NOT;
    if (v->field_count == DRIFT_VIEW_FIELDS)
        return 0;
    v->fields = grown(v->fields, v->field_count, sizeof(*v->fields));
    v->fields[v->field_count++] = (struct drift_field){ .portal = str_dup(row[0].s),
        .entity = str_dup(row[1].s),
        .field = str_dup(row[2].s),
        .title = str_dup(row[3].s),
        .held = row[4].i,
        .kind = str_dup(row[5].s),
        .column_kind = str_dup(row[6].s) };
    return 0;
}

static int read_all(struct reading *r, uint64_t since_ms, struct drift_view *v)
{
    struct db_val since = dbv_i((int64_t)since_ms);

    if (reading_run(r,
            "SELECT portal, entity, count(*) FROM potok_field_change WHERE at_ms >= $1 "
            "GROUP BY portal, entity ORDER BY portal, entity",
            &since, 1, on_count, v) < 0)
        return -1;
    if (reading_run(r,
            "SELECT c.portal, c.entity, c.name, coalesce(f.title, ''), c.what, coalesce(c.was, ''), "
            "coalesce(c.now, ''), c.at_ms FROM potok_field_change c LEFT JOIN potok_field f "
            "ON f.portal = c.portal AND f.entity = c.entity AND f.name = c.name "
            "WHERE c.at_ms >= $1 ORDER BY c.id DESC LIMIT $2",
            DB_ARGS(since, dbv_i(DRIFT_VIEW_NEWEST)), on_change, v) < 0)
        return -1;
    return reading_run(r,
        "SELECT f.portal, f.entity, f.name, coalesce(f.title, ''), f.held, f.kind, coalesce(c.kind, '') "
        "FROM potok_field f JOIN potok_entity e ON e.portal = f.portal AND e.entity = f.entity "
        "LEFT JOIN potok_column c ON c.tbl = e.tbl AND c.col = f.col "
        "WHERE f.gone_ms IS NULL AND (f.held <> 0 OR (c.kind <> f.kind AND f.name <> 'ID')) "
        "ORDER BY f.portal, f.entity, f.name",
        DB_NOARGS, on_field, v);
}

int drift_view_read(struct reading *r, uint64_t now_ms, struct drift_view *ret)
{
    *ret = (struct drift_view){ .portal_count = r->home->config.portal_count };
    if (read_all(r, now_ms - (uint64_t)DRIFT_VIEW_DAYS * 86400000, ret) == 0)
        return 0;
    drift_view_fini(ret);
    return -1;
}

void drift_view_fini(struct drift_view *v)
{
    for (int i = 0; i < v->entity_count; i++) {
        free(v->entities[i].portal);
        free(v->entities[i].entity);
    }
    for (int i = 0; i < v->change_count; i++) {
        struct drift_change *c = &v->changes[i];

        for (size_t k = 0; k < 7; k++)
            free(((char *[]){ c->portal, c->entity, c->field, c->title, c->what, c->was, c->now })[k]);
    }
    for (int i = 0; i < v->field_count; i++) {
        struct drift_field *f = &v->fields[i];

        for (size_t k = 0; k < 6; k++)
            free(((char *[]){ f->portal, f->entity, f->field, f->title, f->kind, f->column_kind })[k]);
    }
    free(v->entities);
    free(v->changes);
    free(v->fields);
    *v = (struct drift_view){ .entities = NULL };
}
