/* walk.c - all records of an entity beside all rows of its table, in the order of ids. */
#include "verify.h"

#include "base/mem.h"
#include "db/column_names.h"
#include "db/db.h"
#include "proto/field_columns.h"

#include <stdio.h>
#include <stdlib.h>

enum { HEAD_ID, HEAD_HASH, HEAD_HI, HEAD_DELETED, HEAD_COLUMNS };

/* ---- the table as it is ---- */

static struct verify_column *column_of(struct verify_entity *e, struct str name)
{
    for (int i = 0; i < e->column_count; i++)
        if (str_eq(e->columns[i].name, name))
            return &e->columns[i];
    return NULL;
}

static int on_name(void *ctx, const struct db_val *row, int columns)
{
    struct verify_column *c = column_of(ctx, row[0].s);

    (void)columns;
    if (c != NULL)
        c->there = true;
    return 0;
}

static int on_kind(void *ctx, const struct db_val *row, int columns)
{
    struct verify_column *c = column_of(ctx, row[0].s);
    enum col_kind kind;

    (void)columns;
    if (c != NULL && col_kind_parse(row[1].s, &kind) == 0)
        c->column = kind;
    return 0;
}

static void build_select(struct verify *v, struct verify_entity *e)
{
    char name[2 * FIELD_COLUMN_SIZE + 3];

    buf_clear(&e->select);
    buf_str(&e->select, "SELECT id, _hash, _hi, _deleted_at");
    for (int i = 0; i < e->column_count; i++) {
        if (!e->columns[i].there)
            continue;
        db_quote(v->db, e->columns[i].name, name);
        buf_fmt(&e->select, ", %s", name);
    }
    buf_fmt(&e->select, " FROM %s WHERE ", e->table);
}

/* An empty message teaches the map its schema. Names are copied: the map forgets its own when a field is
 * learnt. */
static int take_columns(struct verify_entity *e, struct err *err)
{
    if (map_begin(&e->map, buf_view(&e->schema), STR(""), 0, err) < 0)
        return -1;
    e->column_count = e->map.shape.column_count;
    e->columns = xcalloc((size_t)e->column_count + 1, sizeof(*e->columns));
    e->kinds = xcalloc((size_t)e->column_count + 1, sizeof(*e->kinds));
    e->wants = xcalloc((size_t)e->column_count + 1, sizeof(*e->wants));
    e->out = xcalloc((size_t)e->column_count + 1, sizeof(*e->out));
    for (int i = 0; i < e->column_count; i++) {
        const struct shape_column *c = &e->map.shape.columns[i];
        struct str name = { str_dup(c->name), c->name.n };

        e->columns[i] = (struct verify_column){ name, c->kind, c->kind, false };
    }
    return 0;
}

int verify_prepare(struct verify *v, struct verify_entity *e, struct err *err)
{
    char table[64];

    snprintf(table, sizeof(table), "%s%s", v->portal->prefix, e->entity->plural);
    db_quote(v->db, str_of(table), e->table);
    if (take_columns(e, err) < 0)
        return -1;
    if (db_column_names(v->db, str_of(table), on_name, e, err) < 0 ||
        db_run(v->db, "SELECT col, kind FROM potok_column WHERE tbl = $1", DB_ARGS(dbv_c(table)), on_kind, e,
            NULL, err) < 0)
        return -1;
    for (int i = 0; i < e->column_count; i++)
        e->kinds[i] = (struct db_column){ e->columns[i].name, e->columns[i].column };
    build_select(v, e);
    return 0;
}

/* ---- a row beside its record ---- */

struct merge {
    struct verify *v;
    struct verify_entity *e;
    size_t at; /* of e->records */
    verify_on_result *on_result;
    void *ctx;
    struct err *err; /* kind: a record's value is none */
};

static void tell_field(
    struct verify *v, const struct verify_column *c, const struct db_val *want, const struct db_val *have)
{
    struct buf here, portal;

    buf_init(&here, 4096);
    buf_init(&portal, 4096);
    verify_show(have, want, &here);
    verify_show(want, have, &portal);
    json_t *o = json_object();

    json_object_set_new(o, "column", json_stringn(c->name.p, c->name.n));
    json_object_set_new(o, "here", json_stringn(here.p, here.n));
    json_object_set_new(o, "portal", json_stringn(portal.p, portal.n));
    json_array_append_new(v->detail, o);
    buf_fini(&here);
    buf_fini(&portal);
}

/* The values that the writer would write of this record, to e->wants. */
static int want_row(struct merge *m, const struct verify_record *r)
{
    struct verify_entity *e = m->e;
    struct verify *v = m->v;
    struct wire w;

    wire_init(&w, r->values.p, r->values.n);
    buf_clear(&v->made);
    buf_room(&v->made, 6 * r->values.n + 24 * (size_t)e->column_count);
    for (int i = 0; i < e->column_count; i++)
        if (verify_want(&e->columns[i], &w, v->takes_nul, &v->made, &e->wants[i]) < 0)
            return err_set(m->err, ERR_BUG, "record %lld: a value of the wrong kind", (long long)r->id);
    if (db_leave_out(v->db, e->kinds, e->wants, e->column_count, e->out) == 0)
        return 0;
    for (int i = 0; i < e->column_count; i++)
        if (e->out[i])
            e->wants[i] = DBV_NULL;
    return 0;
}

/* Whether all values are the record's; each that is not is told where that is wanted. */
static bool same_row(struct merge *m, const struct verify_record *r, const struct db_val *values)
{
    struct verify *v = m->v;
    struct db_val missing = DBV_NULL;
    bool same = true;
    int at = 0;

    if (want_row(m, r) < 0)
        return false;
    for (int i = 0; i < m->e->column_count; i++) {
        const struct verify_column *c = &m->e->columns[i];
        const struct db_val *want = &m->e->wants[i], *have = c->there ? &values[at++] : &missing;

        if (verify_same(c->column, want, have) && db_is_as_written(v->db, c->column, want, have))
            continue;
        same = false;
        if (v->detail == NULL)
            break;
        tell_field(v, c, want, have);
    }
    return same;
}

static void tell_missing(struct merge *m, const struct verify_record *r)
{
    struct verify_result result = { .id = r->id, .what = VERIFY_MISSING, .record = r };

    m->on_result(m->ctx, &result);
}

static int on_row(void *ctx, const struct db_val *row, int columns)
{
    struct merge *m = ctx;
    struct verify_entity *e = m->e;
    struct verify_result result = { .id = row[HEAD_ID].i, .live = row[HEAD_DELETED].type == DB_NULL };

    while (m->at < e->record_count && e->records[m->at].id < result.id)
        tell_missing(m, &e->records[m->at++]);
    if (m->at < e->record_count && e->records[m->at].id == result.id)
        result.record = &e->records[m->at++];
    if (m->v->detail != NULL)
        json_array_clear(m->v->detail);
    result.row = verify_fingerprint(row, columns) | 1;
    if (result.record == NULL) {
        result.what = result.live ? VERIFY_EXTRA : VERIFY_EQUAL;
    } else if (!result.live) {
        result.what = VERIFY_MISSING;
    } else {
        const struct str hash = row[HEAD_HASH].s;

        result.hash_same =
            hash.n == ROW_HASH_BYTES && memcmp(hash.p, result.record->hash, ROW_HASH_BYTES) == 0;
        result.what = same_row(m, result.record, row + HEAD_COLUMNS) ? VERIFY_EQUAL : VERIFY_DIFFERENT;
    }
    m->on_result(m->ctx, &result);
    return m->err->kind != ERR_NONE;
}

int verify_rows(struct verify *v, struct verify_entity *e, const char *where, const struct db_val *args,
    int arg_count, verify_on_result *on_result, void *ctx, struct err *err)
{
    struct merge m = { v, e, 0, on_result, ctx, err };
    char *sql = xasprintf("%s%s ORDER BY id", buf_cstr(&e->select), where);
    int result;

    *err = (struct err){ .kind = ERR_NONE };
    result = db_run(v->db, sql, args, arg_count, on_row, &m, NULL, err);
    free(sql);
    if (result < 0 || err->kind != ERR_NONE)
        return -1;
    if (v->detail != NULL)
        json_array_clear(v->detail);
    while (m.at < e->record_count)
        tell_missing(&m, &e->records[m.at++]);
    return 0;
}

/* ---- the walk ---- */

static void on_walked(void *ctx, const struct verify_result *r)
{
    struct verify_entity *e = ctx;

    e->rows += r->live;
    if (r->what == VERIFY_EQUAL)
        return;
    if (e->doubt_count == e->doubt_room) {
        e->doubt_room = e->doubt_room > 0 ? 2 * e->doubt_room : 64;
        e->doubts = xrealloc(e->doubts, e->doubt_room * sizeof(*e->doubts));
    }
    e->doubts[e->doubt_count++] = (struct doubt){ .id = r->id, .what = r->what };
}

/* Where less than a call's records are expected, one command less leaves room for the one that tells where
 * the range ends (connectors/bitrix.h). The table is as good an estimate as any. */
static int pages_from(
    const struct verify *v, const struct verify_entity *e, uint64_t first, uint64_t *ret, struct err *err)
{
    char *sql = xasprintf("SELECT count(*) FROM (SELECT id FROM %s WHERE id >= $1 LIMIT $2) x", e->table);
    const int64_t full = PAGE_SIZE_RECORDS * BATCH_COMMANDS;
    int64_t rows = 0;
    int result = db_get_i64(v->db, sql, DB_ARGS(dbv_i((int64_t)first), dbv_i(full + 1)), 0, &rows, err);

    free(sql);
    *ret = rows <= full && v->pages == BATCH_COMMANDS ? BATCH_COMMANDS - 1 : v->pages;
    return result;
}

/* Ids below the first one asked for and above the last one shown belong to the first and the last range. */
int verify_walk(struct verify *v, struct verify_entity *e, struct err *err)
{
    uint64_t first = 1;

    while (first > 0) {
        struct msg_job job = {
            .kind = STR("range"), .entity = str_of(e->entity->plural), .first = first, .last = RANGE_OPEN
        };
        struct bitrix_answer answer;

        if (pages_from(v, e, first, &job.pages, err) < 0 || verify_fetch(v, e, &job, &answer, err) < 0)
            return -1;
        int64_t from = first == 1 ? INT64_MIN : (int64_t)first;
        int64_t to = answer.next_first == 0 ? INT64_MAX : (int64_t)answer.next_first - 1;

        first = answer.next_first;
        e->read += answer.count;
        bitrix_answer_fini(&answer);
        if (verify_rows(v, e, "id BETWEEN $1 AND $2", DB_ARGS(dbv_i(from), dbv_i(to)), on_walked, e, err) < 0)
            return -1;
        verify_tell_progress(v, e);
    }
    return 0;
}
