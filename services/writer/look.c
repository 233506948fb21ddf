/* What the database knows of the message's ids, and the verdict on each. */
#include "apply.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct witnesses {
    struct witness *list;
    size_t count, room;
};

static int on_witness(void *ctx, const struct db_val *row, int columns)
{
    struct witnesses *w = ctx;

    (void)columns;
    if (w->count == w->room) {
        w->room = w->room > 0 ? 2 * w->room : 16;
        w->list = xrealloc(w->list, w->room * sizeof(*w->list));
    }
    w->list[w->count++] = (struct witness){ (uint64_t)row[0].i, (uint64_t)row[1].i, (uint64_t)row[2].i };
    return 0;
}

/* Rows come ascending, and so do the entries: `at` walks along. */
struct walk {
    struct apply *a;
    size_t at;
};

static int on_row(void *ctx, const struct db_val *row, int columns)
{
    struct walk *w = ctx;
    struct batch *b = &w->a->batch;
    uint64_t id = (uint64_t)row[0].i;
    bool ghost = row[3].type != DB_NULL;

    (void)columns;
    while (w->at < b->count && b->entries[w->at].id < id)
        w->at++;
    if (w->at == b->count || b->entries[w->at].id != id) {
        w->a->left_out += !ghost;
        return 0;
    }
    struct stored *stored = &b->entries[w->at].stored;
    stored->present = true;
    stored->ghost = ghost;
    stored->hi = (uint64_t)row[2].i;
    if (row[1].s.n == HASH_BYTES && !ghost)
        memcpy(stored->hash, row[1].s.p, HASH_BYTES);
    else /* a hash of another length was not ours: never equal */
        memset(stored->hash, 0, HASH_BYTES);
    return 0;
}

static int look_range(struct apply *a, struct walk *w, struct err *err)
{
    char sql[320];

    snprintf(sql, sizeof(sql),
        "SELECT id, _hash, _hi, _deleted_at FROM %s WHERE id BETWEEN $1 AND $2 ORDER BY id", a->table);
    return db_run(a->db, sql, DB_ARGS(dbv_i((int64_t)a->rows->first), dbv_i((int64_t)a->rows->last)), on_row,
        w, NULL, err);
}

int put_ids(struct apply *a, bool (*chosen)(const struct apply *a, const struct entry *e), size_t *ret_count,
    struct err *err)
{
    uint64_t *ids = xmalloc((a->batch.count + 1) * sizeof(*ids));
    size_t n = 0;
    int result;

    for (size_t i = 0; i < a->batch.count; i++)
        if (chosen == NULL || chosen(a, &a->batch.entries[i]))
            ids[n++] = a->batch.entries[i].id;
    result = n == 0 && chosen != NULL ? 0 : db_put_ids(a->db, ids, n, err);
    free(ids);
    if (ret_count != NULL)
        *ret_count = n;
    return result;
}

static int look_ids(struct apply *a, struct walk *w, struct err *err)
{
    char sql[320];

    if (put_ids(a, NULL, NULL, err) < 0)
        return -1;
    snprintf(sql, sizeof(sql),
        "SELECT t.id, t._hash, t._hi, t._deleted_at FROM potok_ids i CROSS JOIN %s t WHERE t.id = i.id "
        "ORDER BY i.id",
        a->table);
    return db_run(a->db, sql, DB_NOARGS, on_row, w, NULL, err);
}

static void judge(struct apply *a, const struct witnesses *w)
{
    for (size_t i = 0; i < a->batch.count; i++) {
        struct entry *e = &a->batch.entries[i];
        struct reading reading = { a->rows->d, e->there, (const uint8_t *)e->hash.p };

        e->stored.witnessed = witness_covers(w->list, w->count, a->rows->d, e->id);
        e->verdict =
            a->batch.kind == JOB_SWEEP ? verdict_of_id(&e->stored) : verdict_of(&reading, &e->stored);
    }
}

int look(struct apply *a, struct err *err)
{
    struct walk walk = { a, 0 };
    struct witnesses w = { NULL, 0, 0 };
    int result;

    result = db_run(a->db,
        "SELECT first, last, c FROM potok_witness WHERE portal = $1 AND entity = $2 AND c >= $3",
        DB_ARGS(dbv_s(a->rows->portal), dbv_s(a->rows->entity), dbv_i((int64_t)a->rows->d)), on_witness, &w,
        NULL, err);
    if (result == 0)
        result = a->batch.whole_range ? look_range(a, &walk, err) : look_ids(a, &walk, err);
    if (result == 0)
        judge(a, &w);
    free(w.list);
    return result;
}
