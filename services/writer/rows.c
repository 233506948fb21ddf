/* Rows written, ghosts made, and the tick of unchanged rows moved. */
#include "value.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct source { /* of db_upsert(): the entries that are there and new */
    struct apply *a;
    bool absent; /* those without a row; else those with one */
    size_t at;
    bool *out;      /* of each column: the row has no room for it */
    struct err err; /* kind is set: a value was not what its column says */
};

static bool is_written(const struct entry *e, bool absent)
{
    return e->there && e->verdict == VERDICT_NEW && e->stored.present != absent;
}

static int next_row(void *ctx, int64_t *ret_id, struct str *ret_hash, struct db_val *values)
{
    struct source *s = ctx;
    const struct batch *b = &s->a->batch;
    const struct entry *e;
    int bad = 0;

    while (s->at < b->count && !is_written(&b->entries[s->at], s->absent))
        s->at++;
    if (s->at == b->count)
        return 0;
    e = &b->entries[s->at++];
    if (values_take(s->a, e, values, s->out, &bad) == VALUE_BAD) {
        const struct column *column = &b->columns.list[bad];

        err_set(&s->err, ERR_PERM, "record %llu: column " STR_FMT ": not a value of kind %s",
            (unsigned long long)e->id, STR_ARG(column->name), col_kind_name(column->kind));
        return 0;
    }
    *ret_id = (int64_t)e->id;
    *ret_hash = e->hash;
    return 1;
}

static int write_those(struct apply *a, bool absent, struct err *err)
{
    struct source source = { .a = a, .absent = absent };
    struct db_upsert upsert = {
        .table = a->rows->table,
        .columns = a->columns,
        .count = a->batch.columns.count,
        .absent = absent,
        .stamp = { a->rows->d, a->c, a->fetched_ms, a->now_ms },
        .next = next_row,
        .ctx = &source,
    };
    uint64_t expected = 0;
    int64_t changes = 0;

    for (size_t i = 0; i < a->batch.count; i++)
        expected += is_written(&a->batch.entries[i], absent);
    if (expected == 0)
        return 0;
    source.out = xcalloc((size_t)a->batch.columns.count + 1, sizeof(*source.out));

    int result = db_upsert(a->db, &upsert, &changes, err);

    free(source.out);
    if (result < 0)
        return -1;
    if (source.err.kind != ERR_NONE) {
        *err = source.err;
        return -1;
    }
    if ((uint64_t)changes != expected) /* the look was under the turn: the guard has nothing to refuse */
        return err_set(
            err, ERR_BUG, "%lld of %llu rows written", (long long)changes, (unsigned long long)expected);
    a->counts.written += expected;
    return 0;
}

/* Under the turn nobody else makes rows: what the look did not find is not there, and needs no guard. */
int write_rows(struct apply *a, struct err *err)
{
    return write_those(a, true, err) < 0 ? -1 : write_those(a, false, err);
}

static bool is_new_ghost(const struct apply *a, const struct entry *e)
{
    (void)a;
    return !e->there && e->verdict == VERDICT_NEW;
}

/* Of the ghosts those that were records here. */
static uint64_t count_lost(const struct apply *a)
{
    uint64_t n = 0;

    for (size_t i = 0; i < a->batch.count; i++)
        n += is_new_ghost(a, &a->batch.entries[i]) && a->batch.entries[i].stored.present;
    return n;
}

/* "Not there" is a row, also for an id never seen: an older reading must find it. Values stay for people. */
int write_ghosts(struct apply *a, struct err *err)
{
    char sql[640], when[CLOCK_ISO_SIZE];
    size_t count;

    if (a->rows->absent.n == 0)
        return 0;
    if (put_ids(a, is_new_ghost, &count, err) < 0)
        return -1;
    if (count == 0)
        return 0;
    snprintf(sql, sizeof(sql),
        "INSERT INTO %s (id, _hi, _hash, _fetched_at, _deleted_at) SELECT id, $1, NULL, $2, $2 FROM "
        "potok_ids "
        "WHERE true ON CONFLICT (id) DO UPDATE SET _hi = excluded._hi, _hash = NULL, _fetched_at = "
        "excluded._fetched_at, "
        "_deleted_at = excluded._deleted_at WHERE %s._hi < $3",
        a->table, a->table);
    clock_iso((uint64_t)a->fetched_ms, when);
    a->counts.gone += count_lost(a);
    return db_run(a->db, sql, DB_ARGS(dbv_i((int64_t)a->c), dbv_c(when), dbv_i((int64_t)a->rows->d)), NULL,
        NULL, NULL, err);
}

static bool is_behind(const struct apply *a, const struct entry *e)
{
    return e->verdict == VERDICT_SAME && e->stored.hi < a->c;
}

/* A reading of ids moves the tick of its unchanged rows; a range leaves a witness instead. */
int move_hi(struct apply *a, struct err *err)
{
    char sql[320];
    size_t count;

    if (a->batch.whole_range)
        return 0;
    if (put_ids(a, is_behind, &count, err) < 0)
        return -1;
    if (count == 0)
        return 0;
    snprintf(sql, sizeof(sql), "UPDATE %s SET _hi = $1 WHERE id IN (SELECT id FROM potok_ids) AND _hi < $1",
        a->table);
    return db_run(a->db, sql, DB_ARGS(dbv_i((int64_t)a->c)), NULL, NULL, NULL, err);
}
