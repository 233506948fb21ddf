#include "store.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

/* Fence and number at once: 0 = the lease is another's. Marks are found whenever they are looked for; wishes
 * are read when the lease is taken, so that nobody may take it before they are committed. */
static int tick_of(struct db *db, const struct store_marks *g, int64_t *ret, struct err *err)
{
    const struct store_who *who = &g->who;
    char sql[100];

    snprintf(sql, sizeof(sql), "SELECT tick FROM potok_lease WHERE portal = $1 AND epoch = $2%s",
        g->wishes != 0 ? db_for_update(db) : "");
    if (db_get_i64(db, sql, DB_ARGS(dbv_s(who->portal), dbv_i((int64_t)who->epoch)), 0, ret, err) < 0)
        return -1;
    if (*ret == 0)
        return err_code(err, ERR_PERM, STORE_LEASE_LOST,
            "lease of portal " STR_FMT " lost: another scheduler took over", STR_ARG(who->portal));
    return 0;
}

/* Model rule 3: k is the tick as it stands, and only rises; whoever reads the record from here on clears it.
 * What failed before has a new reason to be tried. */
static int set_marks(struct db *db, const struct store_marks *g, int64_t tick, struct err *err)
{
    if (g->count == 0)
        return 0;
    if (db_put_ids(db, g->ids, g->count, err) < 0)
        return -1;
    return db_run(db,
        "INSERT INTO potok_mark (portal, entity, id, k, ask, set_ms, again) "
        "SELECT $1, $2, id, $3, $4, $5, $6 FROM potok_ids "
        "WHERE true ON CONFLICT (portal, entity, id) DO UPDATE SET "
        "k = CASE WHEN excluded.k > potok_mark.k THEN excluded.k ELSE potok_mark.k END, "
        "ask = CASE WHEN excluded.ask > potok_mark.ask THEN excluded.ask ELSE potok_mark.ask END, "
        "again = CASE WHEN excluded.again > potok_mark.again THEN excluded.again ELSE potok_mark.again END, "
        "tries = 0, not_before_ms = 0",
        DB_ARGS(dbv_s(g->who.portal), dbv_s(g->entity), dbv_i(tick), dbv_i(g->ask),
            dbv_i((int64_t)g->who.now_ms), dbv_i(g->again)),
        NULL, NULL, NULL, err);
}

static int keep_wishes(struct db *db, const struct store_marks *g, int64_t tick, struct err *err)
{
    for (int i = 0; i < CURSOR_WISHES; i++)
        if ((g->wishes & 1U << i) != 0 && db_cursor_wish(db, g->who.portal, g->entity, (enum cursor_wish)i,
                                              tick, (int64_t)g->who.now_ms, err) < 0)
            return -1;
    return 0;
}

static int keep_group(struct db *db, const struct store_marks *g, struct err *err)
{
    int64_t tick;

    if (tick_of(db, g, &tick, err) < 0 || set_marks(db, g, tick, err) < 0)
        return -1;
    return keep_wishes(db, g, tick, err);
}

static int by_row(const void *a, const void *b)
{
    const struct store_marks *x = *(const struct store_marks *const *)a,
                             *y = *(const struct store_marks *const *)b;
    int order = str_order(x->who.portal, y->who.portal);

    return order != 0 ? order : str_order(x->entity, y->entity);
}

/* Several portals, and entities, in one transaction: whoever takes their rows takes them in the same order,
 * or two would wait for each other. */
int store_events(struct db *db, const struct store_marks *groups, int count, struct err *err)
{
    const struct store_marks **sorted;
    int failed = 0;

    if (count == 0)
        return 0;
    if (db_begin(db, err) < 0)
        return -1;
    sorted = xcalloc((size_t)count, sizeof(*sorted));
    for (int i = 0; i < count; i++)
        sorted[i] = &groups[i];
    qsort(sorted, (size_t)count, sizeof(*sorted), by_row);
    for (int i = 0; i < count && failed == 0; i++)
        failed = keep_group(db, sorted[i], err);
    free(sorted);
    return store_end(db, failed, err);
}
