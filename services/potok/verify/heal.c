/* heal.c - what differs is marked, so that the ordinary path repairs it: nothing else touches the
 * tables' values. */
#include "verify.h"

#include "base/clock.h"
#include "base/mem.h"
#include "db/db.h"
#include "schema/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK       500
#define POLL_MS     250
#define PATIENCE_MS 60000 /* without one mark served */
#define ROUNDS      4

/* ---- which ---- */

struct chosen {
    struct doubt **list; /* ascending */
    size_t count;
};

/* An id that is none of the portal's cannot be asked for. */
static struct chosen confirmed(const struct verify_entity *e)
{
    struct chosen c = { xcalloc(e->doubt_count + 1, sizeof(*c.list)), 0 };

    for (size_t i = 0; i < e->doubt_count; i++)
        if (e->doubts[i].state == DOUBT_CONFIRMED && e->doubts[i].id > 0)
            c.list[c.count++] = &e->doubts[i];
    return c;
}

/* ---- marks ---- */

/* Without its hash a row is written whatever its next reading says; a tick that no reading can have is taken
 * back, of a row that somebody called deleted too. */
static int open_rows(
    struct db *db, const struct verify_entity *e, const char *ids, int64_t tick, struct err *err)
{
    char *sql = xasprintf(
        "UPDATE %s SET _hash = NULL, _hi = CASE WHEN _hi > $1 THEN $1 ELSE _hi END WHERE %s", e->table, ids);
    int result = db_run(db, sql, DB_ARGS(dbv_i(tick)), NULL, NULL, NULL, err);

    free(sql);
    return result;
}

static int mark_one(struct db *db, const struct verify *v, const struct verify_entity *e,
    const struct doubt *d, int64_t tick, struct err *err)
{
    return db_run(db,
        "INSERT INTO potok_mark (portal, entity, id, k, ask, set_ms) VALUES ($1, $2, $3, $4, $5, $6) "
        "ON CONFLICT (portal, entity, id) DO UPDATE SET ask = excluded.ask, not_before_ms = 0, "
        "k = CASE WHEN excluded.k > potok_mark.k THEN excluded.k ELSE potok_mark.k END",
        DB_ARGS(dbv_c(v->portal->name), dbv_c(e->entity->plural), dbv_i(d->id), dbv_i(tick),
            dbv_i(d->what == VERIFY_EXTRA), dbv_i((int64_t)clock_wall_ms())),
        NULL, NULL, NULL, err);
}

/* The entity's turn first, as every writer takes it. */
static int mark_in(struct db *db, const struct verify *v, const struct verify_entity *e,
    const struct chosen *c, size_t from, size_t to, struct err *err)
{
    struct db_val portal = dbv_c(v->portal->name);
    int64_t tick = 0, ignored;
    struct buf ids;
    char turn[120];
    int result;

    snprintf(turn, sizeof(turn), "SELECT shape FROM potok_entity WHERE portal = $1 AND entity = $2%s",
        db_for_update(db));
    buf_init(&ids, 1 << 20);
    verify_where_ids(c->list, from, to, &ids);
    result = db_get_i64(db, turn, DB_ARGS(portal, dbv_c(e->entity->plural)), 0, &ignored, err);
    if (result == 0)
        result =
            db_get_i64(db, "SELECT tick FROM potok_lease WHERE portal = $1", DB_ARGS(portal), 0, &tick, err);
    if (result == 0)
        result = open_rows(db, e, buf_cstr(&ids), tick, err);
    for (size_t i = from; i < to && result == 0; i++)
        result = mark_one(db, v, e, c->list[i], tick, err);
    buf_fini(&ids);
    return result;
}

static int mark_all(
    struct db *db, const struct verify *v, struct verify_entity *e, const struct chosen *c, struct err *err)
{
    for (size_t from = 0; from < c->count; from += CHUNK) {
        size_t to = c->count - from < CHUNK ? c->count : from + CHUNK;

        if (db_begin(db, err) < 0)
            return -1;
        if (mark_in(db, v, e, c, from, to, err) < 0) {
            db_rollback(db);
            return -1;
        }
        if (db_commit(db, err) < 0)
            return -1;
        e->marked += to - from;
    }
    return 0;
}

/* ---- waiting ---- */

static int count_marks(const struct verify *v, const struct verify_entity *e, const struct chosen *c,
    int64_t *ret, struct err *err)
{
    *ret = 0;
    for (size_t from = 0; from < c->count; from += CHUNK) {
        struct buf sql;
        int64_t n = 0;

        buf_init(&sql, 1 << 20);
        buf_str(&sql, "SELECT count(*) FROM potok_mark WHERE portal = $1 AND entity = $2 AND ");
        verify_where_ids(c->list, from, c->count - from < CHUNK ? c->count : from + CHUNK, &sql);
        int result = db_get_i64(
            v->db, buf_cstr(&sql), DB_ARGS(dbv_c(v->portal->name), dbv_c(e->entity->plural)), 0, &n, err);

        buf_fini(&sql);
        if (result < 0)
            return -1;
        *ret += n;
    }
    return 0;
}

static int wait_served(
    const struct verify *v, const struct verify_entity *e, const struct chosen *c, struct err *err)
{
    uint64_t moved_ms = clock_mono_ms();
    int64_t last = INT64_MAX, n;

    while (clock_mono_ms() - moved_ms < PATIENCE_MS) {
        if (count_marks(v, e, c, &n, err) < 0)
            return -1;
        if (n == 0)
            return 0;
        if (n < last)
            moved_ms = clock_mono_ms();
        last = n < last ? n : last;
        usleep(POLL_MS * 1000);
    }
    return 0;
}

/* ---- the whole ---- */

/* The same ids once more; what was found stays in the counts and the list. */
static int look_again(struct verify *v, struct verify_entity *e, struct err *err)
{
    struct verify_entity found = *e;
    uint64_t equal = 0, left = 0;
    int result;

    for (size_t i = 0; i < e->doubt_count; i++) {
        struct doubt *d = &e->doubts[i];

        if (d->state == DOUBT_CONFIRMED && d->id > 0)
            *d = (struct doubt){ .id = d->id, .what = d->what };
        else
            d->state = d->state == DOUBT_CONFIRMED ? DOUBT_CONFIRMED : DOUBT_NONE;
    }
    e->list = json_array();
    result = verify_settle(v, e, ROUNDS, err);
    json_decref(e->list);
    e->list = found.list;
    left = e->missing + e->extra + e->different + e->moving + e->denied;
    equal = found.missing + found.extra + found.different - left;
    e->missing = found.missing;
    e->extra = found.extra;
    e->different = found.different;
    e->moving = found.moving;
    e->denied = found.denied;
    e->healed = equal;
    e->left = left;
    return result;
}

int verify_heal(struct verify *v, struct verify_entity *e, struct err *err)
{
    struct chosen c = confirmed(e);
    struct db *db = NULL;
    int result = 0;

    if (c.count > 0) {
        result = schema_open(&v->home, &db, err);
        if (result == 0)
            result = mark_all(db, v, e, &c, err);
        db_close(&db);
        if (result == 0 && v->running)
            result = wait_served(v, e, &c, err);
    }
    free(c.list);
    if (result == 0 && e->marked > 0 && v->running)
        result = look_again(v, e, err);
    return result;
}

int verify_note_agreement(struct verify *v, struct verify_entity *e, struct err *err)
{
    struct db *db = NULL;
    int result = schema_open(&v->home, &db, err);

    if (result == 0)
        result = db_begin(db, err);
    if (result == 0 &&
        (result = db_run(db, "UPDATE potok_entity SET agreed_ms = $3 WHERE portal = $1 AND entity = $2",
             DB_ARGS(dbv_c(v->portal->name), dbv_c(e->entity->plural), dbv_i((int64_t)clock_wall_ms())), NULL,
             NULL, NULL, err)) == 0)
        result = db_commit(db, err);
    db_close(&db);
    return result;
}
