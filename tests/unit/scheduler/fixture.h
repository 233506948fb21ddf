/* fixture.h - a database of the test's own with the system tables, one portal "main" and entity "deals". */
#pragma once

#include "services/scheduler/store/store.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/msg.h"
#include "proto/schema.h"
#include "support/check.h"
#include "support/database.h"

#define DEALS STR("deals")

struct world {
    struct db *db;
    struct store_who who;       /* the lease we hold */
};

static inline struct db *world_open(const char *name)
{
    struct db *db = NULL;
    struct err err = { 0 };

    CHECK_OK(db_open(&db, check_database(name), &err), err);
    CHECK_OK(db_migrate(db, &err), err);
    return db;
}

/* Who holds leases in these tests, one life of it. */
#define WORLD_HOLDER STR("scheduler.1 here 77 - 00000000-0000-7000-8000-000000000001")

/* The lease of portal "main" for the portal at that host, which would write to crm_deals, whoever holds it. */
static inline int world_take_as(struct db *db, struct str holder, struct db_identity who, uint64_t now_ms,
    struct store_lease *ret, struct err *err)
{
    struct store_take take = { .who = who };
    bool taken = false;

    if (store_look_leases(db, &who.portal, 1, &take.seen, err) < 0 ||
        store_take_leases(db, holder, now_ms, 0, &take, 1, &taken, err) < 0)
        return -1;
    CHECK(taken);
    *ret = take.lease;
    return 0;
}

static inline int world_take(struct db *db, const char *host, uint64_t now_ms, struct store_lease *ret, struct err *err)
{
    static const struct str tables[] = { { "crm_deals", 9 } };

    return world_take_as(db, WORLD_HOLDER, (struct db_identity){ STR("main"), str_of(host), tables, 1 }, now_ms, ret, err);
}

static inline struct store_who world_lease(struct db *db, uint64_t now_ms)
{
    struct store_lease lease;
    struct err err = { 0 };

    CHECK_OK(world_take(db, "p.example", now_ms, &lease, &err), err);
    return (struct store_who){ STR("main"), lease.epoch, now_ms };
}

static inline struct world world_new(const char *name)
{
    struct world w = { .db = world_open(name) };
    struct store_mirror m = { .entity = DEALS, .table = STR("crm_deals") };
    struct err err = { 0 };

    w.who = world_lease(w.db, 1000);
    CHECK_OK(store_load_mirror(w.db, &w.who, &m, &err), err);
    store_mirror_fini(&m);
    return w;
}

static inline void world_run(struct world *w, const char *sql)
{
    struct err err = { 0 };

    CHECK_OK(db_begin(w->db, &err), err);
    CHECK_OK(db_run(w->db, sql, DB_NOARGS, NULL, NULL, NULL, &err), err);
    CHECK_OK(db_commit(w->db, &err), err);
}

static inline int64_t world_get(struct world *w, const char *sql)
{
    struct err err = { 0 };
    int64_t ret;

    CHECK_OK(db_get_i64(w->db, sql, DB_NOARGS, -1, &ret, &err), err);
    return ret;
}

#define CHECK_GET(w, sql, expected) CHECK_EQ(world_get(w, sql), expected)

/* An open run with one range job [first, last]; gives the job. */
static inline uint64_t world_range(struct world *w, uint64_t run, uint64_t first, uint64_t last)
{
    char sql[400];

    snprintf(sql, sizeof(sql), "INSERT INTO potok_run (id, portal, entity, kind, state, started_ms) "
             "VALUES (%llu, 'main', 'deals', 'full', 'open', 1) ON CONFLICT (id) DO NOTHING", (unsigned long long)run);
    world_run(w, sql);
    snprintf(sql, sizeof(sql), "INSERT INTO potok_job (run, portal, entity, kind, first, last, state) "
             "VALUES (%llu, 'main', 'deals', 'range', %llu, %llu, 'open')", (unsigned long long)run,
        (unsigned long long)first, (unsigned long long)last);
    world_run(w, sql);
    return (uint64_t)world_get(w, "SELECT max(id) FROM potok_job");
}

static inline void world_mark(struct world *w, uint64_t id, int ask, int tries, uint64_t not_before_ms)
{
    char sql[400];

    snprintf(sql, sizeof(sql), "INSERT INTO potok_mark (portal, entity, id, k, ask, tries, not_before_ms) "
             "SELECT 'main', 'deals', %llu, tick, %d, %d, %llu FROM potok_lease", (unsigned long long)id, ask, tries,
        (unsigned long long)not_before_ms);
    world_run(w, sql);
}

/* Dispatches one range job by the lease `who`; its d, 0 = not sent, or -1. */
static inline int64_t world_send(struct world *w, struct store_who who, uint64_t job, struct err *err)
{
    struct store_dispatch x = { .who = who, .count = 1 };

    x.items[0] = (struct dispatch_item){ .kind = JOB_RANGE, .entity = DEALS, .job = job };
    int failed = store_dispatch(w->db, &x, err);
    int64_t d = (int64_t)x.items[0].d;
    store_dispatch_fini(&x);
    return failed < 0 ? -1 : d;
}
