#include "fixture.h"

TEST(a_first_lease_begins_the_counter)
{
    struct db *db = world_open("first");
    struct store_lease lease;
    struct err err = { 0 };

    CHECK_OK(world_take(db, "p.example", 77, &lease, &err), err);
    CHECK_EQ(lease.epoch, 1);
    CHECK_EQ(lease.tick, 1);
    CHECK(lease.bucket == 0);
    db_close(&db);
}

TEST(a_takeover_ends_what_memory_alone_knew_and_keeps_the_rest)
{
    struct world w = world_new("takeover");

    world_range(&w, 1, 1, RANGE_OPEN);
    world_run(&w, "INSERT INTO potok_job (run, portal, entity, kind, state) VALUES (0, 'main', 'deals', "
                  "'ids', 'open'), "
                  "(0, 'main', 'deals', 'get', 'open'), (0, 'main', '', 'probe', 'open'), (0, 'two', '', "
                  "'probe', 'open')");
    world_mark(&w, 5, 0, 0, 0);
    struct store_who next = world_lease(w.db, 2000);
    CHECK_EQ(next.epoch, 2);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job WHERE portal = 'main'", 1);
    CHECK_GET(
        &w, "SELECT count(*) FROM potok_job WHERE portal = 'main' AND kind = 'range' AND state = 'open'", 1);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job WHERE portal = 'two'", 1);
    CHECK_GET(&w, "SELECT count(*) FROM potok_mark", 1);
    db_close(&w.db);
}

TEST(another_portals_tables_are_refused_and_stay_as_they_are)
{
    struct world w = world_new("identity");
    struct store_lease lease;
    struct err err = { 0 };

    world_range(&w, 1, 1, 100);
    world_run(&w, "INSERT INTO potok_job (run, portal, entity, kind, state) VALUES (0, 'main', 'deals', "
                  "'ids', 'open')");
    CHECK_EQ(world_take(w.db, "q.example", 5, &lease, &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "portal main: its tables are a copy of p.example, and the address is of q.example");
    CHECK_HAS(err.text, "`potok config moved main`");
    CHECK_HAS(err.text, "DATABASE_URL");
    CHECK_GET(&w, "SELECT epoch FROM potok_lease", 1);
    CHECK_GET(&w, "SELECT count(*) FROM potok_lease WHERE identity = 'p.example'", 1);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job", 2);
    CHECK_OK(world_take(w.db, "p.example", 5, &lease, &err), err);
    CHECK_EQ(lease.epoch, 2);
    db_close(&w.db);
}

TEST(a_database_older_than_the_question_belongs_to_who_asks_first)
{
    struct world w = world_new("older");
    struct store_lease lease;
    struct err err = { 0 };

    world_run(&w, "UPDATE potok_lease SET identity = NULL");
    CHECK_OK(world_take(w.db, "q.example", 5, &lease, &err), err);
    CHECK_GET(&w, "SELECT count(*) FROM potok_lease WHERE identity = 'q.example'", 1);
    CHECK_EQ(world_take(w.db, "p.example", 5, &lease, &err), -1);
    db_close(&w.db);
}

TEST(a_table_that_another_portal_keeps_is_refused)
{
    struct world w = world_new("tables");
    static const struct str mine[] = { { "crm_leads", 9 }, { "crm_deals", 9 } };
    struct db_identity who = { STR("office"), STR("p.example"), mine, 2 };
    struct store_lease lease;
    struct err err = { 0 };

    CHECK_EQ(world_take_as(w.db, WORLD_HOLDER, who, 5, &lease, &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "table crm_deals is the copy of portal main (p.example)");
    CHECK_HAS(err.text, "prefix");
    CHECK_GET(&w, "SELECT count(*) FROM potok_lease", 1);
    who.count = 1;
    CHECK_OK(world_take_as(w.db, WORLD_HOLDER, who, 5, &lease, &err), err);
    db_close(&w.db);
}

/* The model's search local-numbers: numbers from memory let a deposed scheduler's reading win or lose
 * wrongly. */
TEST(local_numbers__a_deposed_scheduler_gets_no_number_and_changes_nothing)
{
    struct world w = world_new("deposed");
    uint64_t job = world_range(&w, 1, 1, 100);
    struct store_who old = w.who, new = world_lease(w.db, 2000);
    struct err err = { 0 };

    int64_t tick = world_get(&w, "SELECT tick FROM potok_lease");
    CHECK_EQ(world_send(&w, old, job, &err), -1);
    CHECK_EQ(err.kind, ERR_PERM);
    CHECK_EQ(err.code, STORE_LEASE_LOST);
    CHECK_HAS(err.text, "lease of portal main lost");
    CHECK_GET(&w, "SELECT tick FROM potok_lease", tick);
    CHECK_GET(&w, "SELECT d FROM potok_job", 0);
    CHECK_EQ(world_send(&w, new, job, &err), tick + 1);
    CHECK_GET(&w, "SELECT d FROM potok_job", tick + 1);
    db_close(&w.db);
}

TEST(local_numbers__numbers_go_on_after_a_restart)
{
    struct world w = world_new("restart");
    uint64_t job = world_range(&w, 1, 1, 100);
    struct err err = { 0 };
    int64_t last = 0;

    for (int i = 0; i < 5; i++) {
        int64_t d = world_send(&w, world_lease(w.db, 1000), job, &err);

        CHECK(d > last);
        last = d;
    }
    CHECK_GET(&w, "SELECT tries FROM potok_job", 5);
    db_close(&w.db);
}

TEST(nothing_a_deposed_scheduler_tries_is_written)
{
    struct world w = world_new("fence");
    uint64_t job = world_range(&w, 1, 1, 100), runs[] = { 1 }, other = 0;
    int64_t requests[] = { 9 };
    struct store_who old = w.who;
    struct str entities[] = { DEALS }, tables[] = { STR("crm_deals") };
    bool ghosts[] = { false };
    bool busy[] = { false };
    struct store_floor floor = { old, 50, entities, tables, ghosts, busy, 1 };
    struct store_sync sync = { .who = old, .entities = { DEALS }, .count = 1 };
    struct err err;

    world_lease(w.db, 2000);
#define LOST(call) \
    do { \
        err = (struct err){ 0 }; \
        CHECK_EQ(call, -1); \
        CHECK_EQ(err.code, STORE_LEASE_LOST); \
    } while (0)
    LOST(store_split(w.db, &old, job, 50, &other, &err));
    LOST(store_aside(w.db, &old, job, STR("x"), &err));
    LOST(store_alone(w.db, &old, job, DEALS, 1, STR("x"), &err));
    LOST(store_left_out(w.db, &old, DEALS, (uint64_t[]){ 1 }, 1, 9, &err));
    LOST(store_fail_runs(w.db, &old, runs, 1, STR("x"), busy, &err));
    LOST(store_add_requests(w.db, &old, runs, requests, 1, &err));
    LOST(store_floor(w.db, &floor, &err));
    LOST(store_sync(w.db, &sync, &err));
#undef LOST
    CHECK_GET(&w, "SELECT count(*) FROM potok_job WHERE state = 'open' AND last = 100", 1);
    CHECK_GET(&w, "SELECT requests FROM potok_run WHERE state = 'open'", 0);
    CHECK_GET(&w, "SELECT floor FROM potok_entity", 0);
    db_close(&w.db);
}

TEST(the_bucket_is_saved_with_each_dispatch)
{
    struct world w = world_new("bucket");
    uint64_t job = world_range(&w, 1, 1, 100);
    struct store_dispatch x = { .who = w.who, .bucket = 12.625, .count = 1 };
    struct store_lease lease;
    struct err err = { 0 };

    x.who.now_ms = 5555;
    x.items[0] = (struct dispatch_item){ .kind = JOB_RANGE, .entity = DEALS, .job = job };
    CHECK_OK(store_dispatch(w.db, &x, &err), err);
    store_dispatch_fini(&x);
    CHECK_OK(world_take(w.db, "p.example", 9999, &lease, &err), err);
    CHECK(lease.bucket > 12.62 && lease.bucket < 12.63);
    CHECK_EQ(lease.bucket_ms, 5555);
    db_close(&w.db);
}

TEST(a_mirror_is_loaded_with_what_it_was_doing)
{
    struct world w = world_new("load");
    struct store_mirror m = { .entity = DEALS, .table = STR("crm_deals") };
    struct err err = { 0 };

    world_range(&w, 3, 1, 100);
    world_run(&w, "UPDATE potok_entity SET floor = 8, schema = 'bytes', full_ms = 5");
    CHECK_OK(store_load_mirror(w.db, &w.who, &m, &err), err);
    CHECK_EQ(m.floor, 8);
    CHECK_EQ(m.run, 3);
    CHECK(!m.probing && m.ever_full);
    CHECK_VIEW(buf_view(&m.schema), "bytes");
    store_mirror_fini(&m);
    world_run(&w, "UPDATE potok_run SET state = 'done'");
    m = (struct store_mirror){ .entity = DEALS, .table = STR("crm_deals") };
    CHECK_OK(store_load_mirror(w.db, &w.who, &m, &err), err);
    CHECK_EQ(m.run, 0);
    CHECK_EQ(m.started_ms, 1);
    store_mirror_fini(&m);
    db_close(&w.db);
}

TEST(a_mirror_whose_table_has_another_name_begins_anew)
{
    struct world w = world_new("moved");
    struct store_mirror m = { .entity = DEALS, .table = STR("b_deals") };
    struct err err = { 0 };

    world_range(&w, 3, 1, 100);
    world_mark(&w, 7, 0, 0, 0);
    world_run(&w, "UPDATE potok_entity SET floor = 8, schema = 'bytes', full_ms = 5");
    CHECK_OK(store_load_mirror(w.db, &w.who, &m, &err), err);
    CHECK_STR(m.former, "crm_deals");
    CHECK_EQ(m.run, 0);
    CHECK(!m.ever_full);
    CHECK_EQ(
        m.floor, 8); /* numbers go on: the rows of a table that comes back stay older than what is read */
    CHECK_VIEW(buf_view(&m.schema), "bytes");
    CHECK_GET(&w, "SELECT count(*) FROM potok_entity WHERE tbl = 'b_deals' AND full_ms IS NULL", 1);
    CHECK_GET(&w,
        "SELECT count(*) FROM potok_run WHERE state = 'failed' AND finished_ms = 1000 "
        "AND error LIKE '%b_deals%crm_deals%'",
        1);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job", 0);
    CHECK_GET(&w, "SELECT count(*) FROM potok_mark", 1);
    store_mirror_fini(&m);
    m = (struct store_mirror){ .entity = DEALS, .table = STR("b_deals") };
    CHECK_OK(store_load_mirror(w.db, &w.who, &m, &err), err);
    CHECK_STR(m.former, "");
    store_mirror_fini(&m);
    db_close(&w.db);
}

TEST_MAIN(CASE(a_first_lease_begins_the_counter),
    CASE(a_takeover_ends_what_memory_alone_knew_and_keeps_the_rest),
    CASE(another_portals_tables_are_refused_and_stay_as_they_are),
    CASE(a_database_older_than_the_question_belongs_to_who_asks_first),
    CASE(a_table_that_another_portal_keeps_is_refused),
    CASE(local_numbers__a_deposed_scheduler_gets_no_number_and_changes_nothing),
    CASE(local_numbers__numbers_go_on_after_a_restart), CASE(nothing_a_deposed_scheduler_tries_is_written),
    CASE(the_bucket_is_saved_with_each_dispatch), CASE(a_mirror_is_loaded_with_what_it_was_doing),
    CASE(a_mirror_whose_table_has_another_name_begins_anew))
