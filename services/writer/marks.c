/* Witnesses and marks: what a reading leaves behind besides rows. */
#include "apply.h"

#include "base/mem.h"

#include <stdio.h>

#define LOOK_AGAIN_MS 2000

/* `greatest`, in words every engine knows: a mark only rises. */
#define ON_MARK \
    " ON CONFLICT (portal, entity, id) DO UPDATE SET " \
    "k = CASE WHEN excluded.k > potok_mark.k THEN excluded.k ELSE potok_mark.k END, " \
    "ask = CASE WHEN excluded.ask > potok_mark.ask THEN excluded.ask ELSE potok_mark.ask END"

/* Over every id of the range: unchanged, refused, accused, ghost, without a row. */
int leave_witness(struct apply *a, struct err *err)
{
    if (!a->batch.whole_range)
        return 0;
    return db_run(a->db,
        "INSERT INTO potok_witness (portal, entity, first, last, c) VALUES ($1, $2, $3, $4, $5)",
        DB_ARGS(dbv_s(a->rows->portal), dbv_s(a->rows->entity), dbv_i((int64_t)a->rows->first),
            dbv_i((int64_t)a->rows->last), dbv_i((int64_t)a->c)),
        NULL, NULL, NULL, err);
}

/* A live row that the range left out gets a mark; the reading by id decides. */
int accuse(struct apply *a, struct err *err)
{
    char sql[640];
    int64_t changes = 0;

    if (a->left_out == 0)
        return 0;
    if (put_ids(a, NULL, NULL, err) < 0)
        return -1;
    snprintf(sql, sizeof(sql),
        "INSERT INTO potok_mark (portal, entity, id, k, ask, set_ms) "
        "SELECT $1, $2, id, $3, 1, $4 FROM %s WHERE id BETWEEN $5 AND $6 AND _deleted_at IS NULL "
        "AND id NOT IN (SELECT id FROM potok_ids)" ON_MARK,
        a->table);
    if (db_run(a->db, sql,
            DB_ARGS(dbv_s(a->rows->portal), dbv_s(a->rows->entity), dbv_i((int64_t)a->c), dbv_i(a->now_ms),
                dbv_i((int64_t)a->rows->first), dbv_i((int64_t)a->rows->last)),
            NULL, NULL, &changes, err) < 0)
        return -1;
    a->counts.marked += (uint64_t)changes;
    return 0;
}

static int set_mark(struct apply *a, uint64_t id, struct err *err)
{
    if (db_run(a->db,
            "INSERT INTO potok_mark (portal, entity, id, k, ask, set_ms) "
            "VALUES ($1, $2, $3, $4, 0, $5)" ON_MARK,
            DB_ARGS(dbv_s(a->rows->portal), dbv_s(a->rows->entity), dbv_i((int64_t)id), dbv_i((int64_t)a->c),
                dbv_i(a->now_ms)),
            NULL, NULL, NULL, err) < 0)
        return -1;
    a->counts.marked++;
    return 0;
}

static int clear_mark(struct apply *a, uint64_t id, struct err *err)
{
    return db_run(a->db, "DELETE FROM potok_mark WHERE portal = $1 AND entity = $2 AND id = $3 AND k < $4",
        DB_ARGS(
            dbv_s(a->rows->portal), dbv_s(a->rows->entity), dbv_i((int64_t)id), dbv_i((int64_t)a->rows->d)),
        NULL, NULL, NULL, err);
}

/* Is there any mark this message may clear? Mostly not, and then 2,500 ids need not be asked one by one. */
static int any_older_mark(struct apply *a, int64_t *ret, struct err *err)
{
    return db_get_i64(a->db,
        "SELECT 1 FROM potok_mark WHERE portal = $1 AND entity = $2 AND id BETWEEN $3 AND $4 AND k < $5 "
        "LIMIT 1",
        DB_ARGS(dbv_s(a->rows->portal), dbv_s(a->rows->entity), dbv_i(a->least), dbv_i(a->most),
            dbv_i((int64_t)a->rows->d)),
        0, ret, err);
}

static bool clears(const struct apply *a, const struct entry *e)
{
    return verdict_mark(e->verdict, a->batch.walks) == MARK_CLEAR;
}

/* What becomes of an event's mark that a reading may clear. Reads may lag behind the event, so a reading that
 * shows what the event cannot have meant gets a second look (model: look-gone): it changed nothing, or the
 * event said "deleted" (ask = 1, which the second look keeps) and the record is there. Other marks go. */
static bool shows_nothing_new(const struct apply *a, const struct entry *e)
{
    return clears(a, e) && verdict_changes_nothing(e->verdict, e->there, &e->stored);
}

static bool shows_change(const struct apply *a, const struct entry *e)
{
    return clears(a, e) && !verdict_changes_nothing(e->verdict, e->there, &e->stored) && e->there;
}

static bool shows_gone(const struct apply *a, const struct entry *e)
{
    return clears(a, e) && !verdict_changes_nothing(e->verdict, e->there, &e->stored) && !e->there;
}

static const struct showing {
    bool (*is)(const struct apply *a, const struct entry *e);
    const char *doubted; /* of an event's marks these are not cleared but looked at again; NULL: none */
} SHOWINGS[] = {
    { shows_nothing_new, "again = 1" },
    { shows_change, "again = 1 AND ask = 1" },
    { shows_gone, NULL },
};

/* A mark of an event becomes a new one, set now: k = c, so that no attempt that is already under way can be
 * its second look (rule 3). */
static int look_again(struct apply *a, const struct showing *of, struct err *err)
{
    char sql[300];
    int64_t changes = 0;

    snprintf(sql, sizeof(sql),
        "UPDATE potok_mark SET again = 0, k = $4, set_ms = $5, not_before_ms = $6 WHERE portal = $1 "
        "AND entity = $2 AND k < $3 AND %s AND id IN (SELECT id FROM potok_ids)",
        of->doubted);
    if (db_run(a->db, sql,
            DB_ARGS(dbv_s(a->rows->portal), dbv_s(a->rows->entity), dbv_i((int64_t)a->rows->d),
                dbv_i((int64_t)a->c), dbv_i(a->now_ms), dbv_i(a->now_ms + LOOK_AGAIN_MS)),
            NULL, NULL, &changes, err) < 0)
        return -1;
    a->counts.marked += (uint64_t)changes;
    return 0;
}

/* Those looked at again have k = c then, no longer below d: what is left is cleared. */
static int clear_those(struct apply *a, const struct showing *of, struct err *err)
{
    size_t count;

    if (put_ids(a, of->is, &count, err) < 0)
        return -1;
    if (count == 0)
        return 0;
    if (of->doubted != NULL && look_again(a, of, err) < 0)
        return -1;
    return db_run(a->db,
        "DELETE FROM potok_mark WHERE portal = $1 AND entity = $2 AND k < $3 "
        "AND id IN (SELECT id FROM potok_ids)",
        DB_ARGS(dbv_s(a->rows->portal), dbv_s(a->rows->entity), dbv_i((int64_t)a->rows->d)), NULL, NULL, NULL,
        err);
}

static int clear_marks(struct apply *a, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(SHOWINGS); i++)
        if (clear_those(a, &SHOWINGS[i], err) < 0)
            return -1;
    return 0;
}

int settle_marks(struct apply *a, struct err *err)
{
    int64_t older;

    if (any_older_mark(a, &older, err) < 0)
        return -1;
    if (older != 0 && a->batch.kind != JOB_SWEEP && clear_marks(a, err) < 0) /* a sweep read no values */
        return -1;
    for (size_t i = 0; i < a->batch.count; i++) {
        const struct entry *e = &a->batch.entries[i];

        if (verdict_mark(e->verdict, a->batch.walks) == MARK_SET && set_mark(a, e->id, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < a->rows->denied.n; i++) /* neither there nor gone: asking again would not help */
        if (clear_mark(a, a->rows->denied.p[i], err) < 0)
            return -1;
    return 0;
}

/* Ids that a filtered list left out: the portal's own word is wanted. */
int ask_again(struct apply *a, struct err *err)
{
    if (a->rows->unlisted.n == 0)
        return 0;
    if (db_put_ids(a->db, a->rows->unlisted.p, a->rows->unlisted.n, err) < 0)
        return -1;
    return db_run(a->db,
        "UPDATE potok_mark SET ask = 1 WHERE portal = $1 AND entity = $2 AND ask <> 1 "
        "AND id IN (SELECT id FROM potok_ids)",
        DB_ARGS(dbv_s(a->rows->portal), dbv_s(a->rows->entity)), NULL, NULL, NULL, err);
}
