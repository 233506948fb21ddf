#include "store.h"

#include <stdlib.h>

static int pause_all(struct db *db, const struct store_pause *x, struct err *err)
{
    for (int i = 0; i < x->count; i++)
        if (db_run(db,
                "UPDATE potok_entity SET paused = $3 WHERE portal = $1 AND entity = $2 AND paused <> $3",
                DB_ARGS(dbv_s(x->who.portal), dbv_s(x->entities[i]), dbv_i(x->paused)), NULL, NULL, NULL,
                err) < 0)
            return -1;
    return 0;
}

int store_pause(struct db *db, const struct store_pause *x, struct err *err)
{
    if (store_begin(db, &x->who, err) < 0)
        return -1;
    return store_end(db, pause_all(db, x, err), err);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static int on_mark(void *ctx, const struct db_val *row, int columns)
{
    struct store_left *x = ctx;
    uint64_t id = (uint64_t)row[0].i;

    if (bsearch(&id, x->ids, x->count, sizeof(id), by_number) == NULL)
        return 0;
    x->left++;
    x->failing += row[1].i >= STORE_MARK_ALONE;
    return 0;
}

/* Beside the steps, so without a transaction. */
int store_left(struct db *db, struct store_left *x, struct err *err)
{
    x->left = x->failing = 0;
    if (x->count == 0)
        return 0;
    qsort(x->ids, x->count, sizeof(*x->ids), by_number);
    for (int i = 0; i < x->portal_count; i++)
        if (db_run(db,
                "SELECT id, tries FROM potok_mark WHERE portal = $1 AND entity = $2 AND id BETWEEN $3 AND $4",
                DB_ARGS(dbv_s(x->portals[i]), dbv_s(x->entity), dbv_i((int64_t)x->ids[0]),
                    dbv_i((int64_t)x->ids[x->count - 1])),
                on_mark, x, NULL, err) < 0)
            return -1;
    return 0;
}
