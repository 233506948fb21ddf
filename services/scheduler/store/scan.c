#include "store.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

static void copy(char *to, size_t size, struct str from)
{
    snprintf(to, size, "%.*s", (int)from.n, from.p);
}

static int on_job(void *ctx, const struct db_val *row, int columns)
{
    struct store_scan *s = ctx;
    enum job_kind kind;

    if (job_kind_of(row[2].s, &kind) < 0)
        return 0;
    if (s->job_count == s->job_cap) {
        s->job_cap = s->job_cap == 0 ? 32 : 2 * s->job_cap;
        s->jobs = xrealloc(s->jobs, (size_t)s->job_cap * sizeof(*s->jobs));
    }
    struct store_job *job = &s->jobs[s->job_count++];
    *job = (struct store_job){ .id = (uint64_t)row[0].i,
        .run = (uint64_t)row[1].i,
        .kind = kind,
        .first = (uint64_t)row[4].i,
        .last = (uint64_t)row[5].i,
        .d = (uint64_t)row[6].i,
        .tries = (unsigned)row[7].i };
    copy(job->entity, sizeof(job->entity), row[3].s);
    return 0;
}

static int on_run(void *ctx, const struct db_val *row, int columns)
{
    struct store_run *r = ctx;

    copy(r->state, sizeof(r->state), row[0].s);
    r->expected = row[1].i;
    r->read = row[2].i;
    r->written = row[3].i;
    r->same = row[4].i;
    r->gone = row[5].i;
    r->rejected = row[6].i;
    r->started_ms = row[7].i;
    r->finished_ms = row[8].i;
    copy(r->error, sizeof(r->error), row[9].s);
    return 0;
}

static int on_due(void *ctx, const struct db_val *row, int columns)
{
    *(bool *)ctx = true;
    return 1;
}

static int on_shape(void *ctx, const struct db_val *row, int columns)
{
    struct store_scan *s = ctx;

    for (int i = 0; i < s->entity_count; i++)
        if (str_eq(s->entities[i], row[0].s))
            s->shapes[i] = row[1].i;
    return 0;
}

static int scan_marks(struct db *db, struct store_scan *s, int entity, int ask, struct err *err)
{
    return db_run(db,
        "SELECT id FROM potok_mark WHERE portal = $1 AND entity = $2 AND ask = $3 "
        "AND " STORE_MARK_IS_DUE " LIMIT 1",
        DB_ARGS(dbv_s(s->portal), dbv_s(s->entities[entity]), dbv_i(ask), dbv_i((int64_t)s->now_ms)), on_due,
        &s->due[entity][ask], NULL, err);
}

/* Runs before jobs: a run seen open whose last job ends in between is seen again by the next scan. */
int store_scan(struct db *db, struct store_scan *s, struct err *err)
{
    s->job_count = 0;
    memset(s->due, 0, sizeof(s->due));
    for (int i = 0; i < s->run_count; i++)
        if (db_run(db,
                "SELECT state, expected, read, written, same, gone, rejected, started_ms, finished_ms, error "
                "FROM potok_run WHERE id = $1",
                DB_ARGS(dbv_i((int64_t)s->runs[i].id)), on_run, &s->runs[i], NULL, err) < 0)
            return -1;
    if (db_run(db,
            "SELECT id, run, kind, entity, first, last, d, tries FROM potok_job "
            "WHERE portal = $1 AND state = 'open' ORDER BY id",
            DB_ARGS(dbv_s(s->portal)), on_job, s, NULL, err) < 0)
        return -1;
    if (db_run(db, "SELECT entity, shape FROM potok_entity WHERE portal = $1", DB_ARGS(dbv_s(s->portal)),
            on_shape, s, NULL, err) < 0)
        return -1;
    for (int i = 0; i < s->entity_count; i++)
        for (int ask = 0; ask < 2; ask++)
            if (scan_marks(db, s, i, ask, err) < 0)
                return -1;
    return 0;
}

void store_scan_fini(struct store_scan *s)
{
    free(s->jobs);
    s->jobs = NULL;
    s->job_count = s->job_cap = 0;
}
