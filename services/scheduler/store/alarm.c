/* What operators were told, and blocks of portals: both outlive the scheduler. */
#include "store.h"

#include "base/mem.h"

#include <stdlib.h>

#define FORGET_MS ((uint64_t)7 * 86400000) /* what is over stays so long, for people */
#define BREAKER   "breaker"                /* name of the cursor: value is its end, at_ms its beginning */

static uint64_t take_ms(struct db_val v)
{
    return v.type == DB_INT && v.i > 0 ? (uint64_t)v.i : 0;
}

static int on_alarm(void *ctx, const struct db_val *row, int columns)
{
    struct store_alarms *x = ctx;

    if (x->count == ALARMS_MOST)
        return 1;
    x->list = xrealloc(x->list, (size_t)(x->count + 1) * sizeof(*x->list));
    struct alarm_row *r = &x->list[x->count++];

    *r = (struct alarm_row){
        .since_ms = take_ms(row[4]), .told_ms = take_ms(row[5]), .gone_ms = take_ms(row[6])
    };
    dbv_copy(r->portal, sizeof(r->portal), row[0]);
    dbv_copy(r->entity, sizeof(r->entity), row[1]);
    dbv_copy(r->name, sizeof(r->name), row[2]);
    dbv_copy(r->text, sizeof(r->text), row[3]);
    return 0;
}

int store_load_alarms(struct db *db, struct store_alarms *ret, struct err *err)
{
    return db_run(db,
        "SELECT portal, entity, name, text, since_ms, told_ms, gone_ms FROM potok_alarm "
        "ORDER BY coalesce(gone_ms, 0), since_ms",
        DB_NOARGS, on_alarm, ret, NULL, err);
}

static struct db_val or_null(uint64_t ms)
{
    return ms > 0 ? dbv_i((int64_t)ms) : DBV_NULL;
}

static int keep_one(struct db *db, const struct alarm_row *r, struct err *err)
{
    const struct alarm_kind *kind = alarm_kind_of(str_of(r->name));

    return db_run(db,
        "INSERT INTO potok_alarm (portal, entity, name, level, text, since_ms, told_ms, gone_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (portal, entity, name) DO UPDATE SET "
        "level = excluded.level, text = excluded.text, since_ms = excluded.since_ms, "
        "told_ms = excluded.told_ms, gone_ms = excluded.gone_ms",
        DB_ARGS(dbv_c(r->portal), dbv_c(r->entity), dbv_c(r->name),
            dbv_c(kind != NULL ? alarm_level_name(kind->level) : ""), dbv_c(r->text),
            dbv_i((int64_t)r->since_ms), or_null(r->told_ms), or_null(r->gone_ms)),
        NULL, NULL, NULL, err);
}

int store_keep_alarms(
    struct db *db, const struct store_who *who, const struct store_alarms *x, struct err *err)
{
    int failed = store_begin(db, who, err);

    if (failed < 0)
        return -1;
    for (int i = 0; i < x->count && failed == 0; i++)
        failed = keep_one(db, &x->list[i], err);
    if (failed == 0)
        failed = db_run(db, "DELETE FROM potok_alarm WHERE gone_ms < $1",
            DB_ARGS(dbv_i((int64_t)who->now_ms - (int64_t)FORGET_MS)), NULL, NULL, NULL, err);
    return store_end(db, failed, err);
}

/* ---- blocks ---- */

static int on_block(void *ctx, const struct db_val *row, int columns)
{
    struct store_block *b = ctx;

    b->until_ms = take_ms(row[0]);
    b->begun_ms = take_ms(row[1]);
    return 0;
}

int store_load_block(struct db *db, struct str portal, struct store_block *ret, struct err *err)
{
    return db_run(db,
        "SELECT value, at_ms FROM potok_cursor WHERE portal = $1 AND entity = '' AND name = '" BREAKER "'",
        DB_ARGS(dbv_s(portal)), on_block, ret, NULL, err);
}

int store_keep_block(struct db *db, const struct store_who *who, const struct store_block *b, struct err *err)
{
    static const char sql[] = "INSERT INTO potok_cursor (portal, entity, name, value, at_ms) "
                              "VALUES ($1, '', '" BREAKER "', $2, $3) ON CONFLICT (portal, entity, name) "
                              "DO UPDATE SET value = excluded.value, at_ms = excluded.at_ms";
    struct db_val portal = dbv_s(who->portal);
    int failed = store_begin(db, who, err);

    if (failed < 0)
        return -1;
    if (b->until_ms > 0)
        failed = db_run(db, sql, DB_ARGS(portal, dbv_i((int64_t)b->until_ms), dbv_i((int64_t)b->begun_ms)),
            NULL, NULL, NULL, err);
    else
        failed =
            db_run(db, "DELETE FROM potok_cursor WHERE portal = $1 AND entity = '' AND name = '" BREAKER "'",
                &portal, 1, NULL, NULL, NULL, err);
    return store_end(db, failed, err);
}
