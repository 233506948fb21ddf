/* story.h - one portal "main" with deals 1, 2, 3 …, their titles one letter long; readings of it in flight; the writer's
 * transaction on real SQLite. A flight is a dispatched job; reading it gives a ROWS message. */
#pragma once

#include "support/check.h"

#include "base/mem.h"
#include "proto/wire.h"
#include "services/writer/apply.h"
#include "unit/db/fixture.h"

#include <inttypes.h>
#include <stdlib.h>

struct note {                   /* what a reading says of an id */
    uint64_t id;
    const char *title;          /* NULL: not there */
};

struct flight {
    uint64_t d, job;
    const char *kind;
    uint64_t first, last;       /* of a range */
};

struct story {
    struct db *one, *two, *other;       /* two writers; everybody else */
    char name[64];
    int64_t run;                        /* of the jobs of ranges from here on; 0 = none */
};

#define END RANGE_OPEN
#define NOTES(...) (const struct note[]){ __VA_ARGS__ }, \
    sizeof((const struct note[]){ __VA_ARGS__ }) / sizeof(struct note)
#define NOTHING NULL, 0

static inline void tell(struct story *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void tell(struct story *s, const char *format, ...)
{
    char sql[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(sql, sizeof(sql), format, args);
    va_end(args);
    test_write(s->other, sql);
}

/* Writes with RETURNING. */
static inline int64_t told(struct story *s, const char *sql)
{
    struct err err = { 0 };
    int64_t value = -1;

    CHECK_OK(db_begin(s->other, &err), err);
    CHECK_OK(db_get_i64(s->other, sql, DB_NOARGS, -1, &value, &err), err);
    CHECK_OK(db_commit(s->other, &err), err);
    return value;
}

static inline uint64_t tick(struct story *s)
{
    return (uint64_t)told(s, "UPDATE potok_lease SET tick = tick + 1 WHERE portal = 'main' RETURNING tick");
}

/* A job dispatched with the number d. */
static inline struct flight fly_as(struct story *s, uint64_t d, const char *kind, uint64_t first, uint64_t last)
{
    char sql[512];

    snprintf(sql, sizeof(sql), "INSERT INTO potok_job (run, portal, entity, kind, first, last, state, d) VALUES (%s%.0" PRId64
        ", 'main', 'deals', '%s', %" PRIu64 ", %" PRIu64 ", 'open', %" PRIu64 ") RETURNING id",
        s->run == 0 ? "NULL" : "", s->run, kind, first, last, d);
    return (struct flight){ d, (uint64_t)told(s, sql), kind, first, last };
}

static inline struct flight fly_range(struct story *s, uint64_t first, uint64_t last)
{
    return fly_as(s, tick(s), "range", first, last);
}

static inline struct flight fly_get(struct story *s)
{
    return fly_as(s, tick(s), "get", 0, 0);
}

static inline struct flight fly_ids(struct story *s)
{
    return fly_as(s, tick(s), "ids", 0, 0);
}

/* The title's letter sixteen times. */
static inline struct str hash_of(const char *title)
{
    static char hash[256][HASH_BYTES];
    uint8_t letter = (uint8_t)title[0];

    memset(hash[letter], letter, HASH_BYTES);
    return (struct str){ hash[letter], HASH_BYTES };
}

static inline struct str columns_of_deals(void)
{
    static struct buf bytes;
    struct column title = { STR("title"), COL_TEXT };

    if (bytes.n == 0) {
        buf_init(&bytes, 1000);
        columns_encode(&title, 1, &bytes);
    }
    return buf_view(&bytes);
}

static inline struct ids ids_for(struct msg *m, size_t n)
{
    struct ids ids = { xcalloc(n + 1, sizeof(uint64_t)), 0 };

    m->arrays[m->array_count++] = ids.p;
    return ids;
}

/* The reading of a flight. The caller frees it with msg_free(). */
static inline struct msg *read_flight(const struct flight *f, const struct note *notes, size_t n)
{
    struct msg *m = msg_new(MSG_ROWS);
    struct buf payload;
    bool range = strcmp(f->kind, "range") == 0;

    m->rows = (struct msg_rows){ .job = f->job, .d = f->d, .epoch = 1, .portal = STR("main"), .kind = str_of(f->kind),
        .entity = STR("deals"), .table = STR("crm_deals"), .first = f->first, .last = f->last, .fetched_ms = 1700000000000,
        .columns = columns_of_deals() };
    m->rows.asked = ids_for(m, n);
    m->rows.absent = ids_for(m, n);
    buf_init(&payload, 10000000);
    for (size_t i = 0; i < n; i++) {
        if (!range)
            m->rows.asked.p[m->rows.asked.n++] = notes[i].id;
        if (notes[i].title == NULL) {
            m->rows.absent.p[m->rows.absent.n++] = notes[i].id;
            continue;
        }
        wire_put_array(&payload, 3);
        wire_put_u64(&payload, notes[i].id);
        wire_put_bin(&payload, hash_of(notes[i].title).p, HASH_BYTES);
        wire_put_str(&payload, str_of(notes[i].title));
        m->rows.count++;
    }
    msg_take_payload(m, &payload);
    return m;
}

/* "ok", "late 1 7", "refused" - of an apply that has begun. */
static inline const char *end_apply(struct apply *a)
{
    static char text[512];
    struct err err = { 0 };
    bool refused = a->refused;
    size_t n = (size_t)snprintf(text, sizeof(text), "%s", refused ? "refused" : a->counts.late > 0 ? "late" : "ok");

    for (size_t i = 0; i < a->batch.count && !refused && n < sizeof(text) - 32; i++)
        if (a->batch.entries[i].verdict == VERDICT_LATE)
            n += (size_t)snprintf(text + n, sizeof(text) - n, " %" PRIu64, a->batch.entries[i].id);
    CHECK_OK(apply_end(a, &err), err);
    return text;
}

static inline const char *apply_msg(struct db *db, struct msg *m)
{
    struct apply a;
    struct err err = { 0 };
    const char *outcome;

    CHECK_OK(apply_begin(&a, db, m, &err), err);
    outcome = end_apply(&a);
    msg_free(&m);
    return outcome;
}

/* Reads and commits. */
static inline const char *commit(struct db *db, struct flight f, const struct note *notes, size_t n)
{
    return apply_msg(db, read_flight(&f, notes, n));
}

/* The live title of a deal, or "-". Valid until called twice more. */
static inline const char *deal(struct story *s, uint64_t id)
{
    static char titles[2][64];
    static int turn;
    char sql[128], *title = titles[turn++ % 2];

    snprintf(sql, sizeof(sql), "SELECT title FROM crm_deals WHERE _deleted_at IS NULL AND id = %" PRIu64, id);
    snprintf(title, sizeof(titles[0]), "%s", test_rows(s->other, sql));
    if (title[0] == '\0')
        return "-";
    title[strlen(title) - 1] = '\0';
    return title;
}

/* "id k;id k;" */
static inline const char *marks(struct story *s)
{
    return test_rows(s->other, "SELECT id, k FROM potok_mark ORDER BY id");
}

/* As an event does: k = tick as it stands. */
static inline void mark(struct story *s, uint64_t id)
{
    tell(s, "INSERT INTO potok_mark (portal, entity, id, k) SELECT 'main', 'deals', %" PRIu64 ", tick FROM potok_lease WHERE true "
        "ON CONFLICT (portal, entity, id) DO UPDATE SET k = CASE WHEN excluded.k > potok_mark.k THEN excluded.k ELSE potok_mark.k END", id);
}

/* As the scheduler does when nothing up to `low` is awaited; here all ghosts go, not only those without values. */
static inline void raise_floor(struct story *s, uint64_t low)
{
    struct err err = { 0 };
    const struct db_val arg = dbv_i((int64_t)low);
    static const char *const steps[] = {
        "UPDATE potok_entity SET floor = $1 WHERE portal = 'main' AND entity = 'deals' AND floor < $1",
        "DELETE FROM potok_witness WHERE portal = 'main' AND entity = 'deals' AND c <= $1",
        "DELETE FROM crm_deals WHERE _deleted_at IS NOT NULL AND _hi <= $1",
    };

    CHECK_OK(db_begin(s->other, &err), err);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        CHECK_OK(db_run(s->other, steps[i], &arg, 1, NULL, NULL, NULL, &err), err);
    CHECK_OK(db_commit(s->other, &err), err);
}

static inline void make_table(struct db *db)
{
    struct db_column title = { STR("title"), COL_TEXT };
    struct err err = { 0 };

    CHECK_OK(db_ensure_table(db, STR("crm_deals"), &title, 1, NULL, &err), err);
}

static inline void open_story(struct story *s, const char *name)
{
    struct err err = { 0 };

    *s = (struct story){ .one = test_open(name), .two = test_open(name), .other = test_open(name) };
    snprintf(s->name, sizeof(s->name), "%s", name);
    CHECK_OK(db_migrate(s->other, &err), err);
    make_table(s->one);
    make_table(s->two);
    tell(s, "INSERT INTO potok_lease (portal, tick, epoch, bucket, bucket_ms) VALUES ('main', 1, 1, 0, 0)");
    tell(s, "INSERT INTO potok_entity (portal, entity, tbl) VALUES ('main', 'deals', 'crm_deals')");
}

static inline void close_story(struct story *s)
{
    db_close(&s->one);
    db_close(&s->two);
    db_close(&s->other);
}

static inline void forget_all(struct story *s)
{
    static const char *const tables[] = { "crm_deals", "potok_witness", "potok_mark", "potok_job", "potok_run", "potok_reject" };

    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        tell(s, "DELETE FROM %s", tables[i]);
    tell(s, "UPDATE potok_lease SET tick = 1, epoch = 1");
    tell(s, "UPDATE potok_entity SET floor = 0, full_ms = NULL");
    s->run = 0;
}

/* A new story in the database of this test program, its rows as read by id a while ago (d = 2). */
static inline struct story *fresh(const struct note *notes, size_t n)
{
    static const struct note nobody = { 1000000, NULL };
    static struct story s;

    if (s.one == NULL)
        open_story(&s, "story.db");
    db_rollback(s.one);         /* what a failed test left open */
    db_rollback(s.two);
    forget_all(&s);
    CHECK_STR(commit(s.one, fly_get(&s), n == 0 ? &nobody : notes, n == 0 ? 1 : n), "ok");
    if (n == 0)
        tell(&s, "DELETE FROM crm_deals");
    return &s;
}
