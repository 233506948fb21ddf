#include "fixture.h"

#define DAY   86400000ull
#define NOW   (1000 * DAY)
#define KEEP  (90 * DAY)
#define EMPTY (9 * DAY)

/* Ended `days` ago. */
static void run_of(
    struct world *w, const char *entity, int days, const char *state, int written, const char *error)
{
    char sql[400];

    snprintf(sql, sizeof(sql),
        "INSERT INTO potok_run (portal, entity, kind, state, started_ms, finished_ms, read, same, written, "
        "error) "
        "VALUES ('main', '%s', 'full', '%s', 1, %llu, 50, 50, %d, %s)",
        entity, state, (unsigned long long)(NOW - (uint64_t)days * DAY), written, error);
    world_run(w, sql);
}

static void change_of(struct world *w, const char *entity, int days)
{
    char sql[300];

    snprintf(sql, sizeof(sql),
        "INSERT INTO potok_field_change (portal, entity, name, at_ms, what) VALUES ('main', '%s', 'UF_X', "
        "%llu, "
        "'items')",
        entity, (unsigned long long)(NOW - (uint64_t)days * DAY));
    world_run(w, sql);
}

static void newest_runs(struct world *w, const char *entity, int count)
{
    for (int i = 0; i < count; i++)
        run_of(w, entity, 0, "done", 0, "NULL");
}

static uint64_t forget(struct world *w, bool *ret_more)
{
    static const struct str entities[] = { { "deals", 5 }, { "leads", 5 } };
    struct store_history x = {
        .who = w->who, .keep_ms = KEEP, .empty_ms = EMPTY, .entities = entities, .count = 2
    };
    struct err err = { 0 };

    x.who.now_ms = NOW;
    CHECK_OK(store_history(w->db, &x, &err), err);
    if (ret_more != NULL)
        *ret_more = x.more;
    return x.gone;
}

TEST(an_old_run_goes_and_one_that_moved_nothing_goes_sooner)
{
    static const struct {
        const char *what, *state;
        int days, written;
        const char *error;
        bool goes;
    } cases[] = {
        { "moved nothing, old", "done", 10, 0, "NULL", true },
        { "moved nothing, of late", "done", 8, 0, "NULL", false },
        { "it wrote", "done", 10, 1, "NULL", false },
        { "it wrote, very old", "done", 91, 1, "NULL", true },
        { "it failed", "failed", 10, 0, "'wrong webhook'", false },
        { "it failed, very old", "failed", 91, 0, "'wrong webhook'", true },
        { "it has a note", "done", 10, 0, "'a column was made again'", false },
        { "in part", "partial", 10, 0, "NULL", false },
        { "under way", "open", 91, 0, "NULL", false },
        { "it begins", "probing", 91, 0, "NULL", false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[24];
        snprintf(name, sizeof(name), "old%zu", i);
        struct world w = world_new(name);

        run_of(&w, "deals", cases[i].days, cases[i].state, cases[i].written, cases[i].error);
        newest_runs(&w, "deals", STORE_RUNS_NEWEST);
        if (forget(&w, NULL) != (cases[i].goes ? 1 : 0))
            fail_msg("%s", cases[i].what);
        CHECK_GET(&w, "SELECT count(*) FROM potok_run", STORE_RUNS_NEWEST + (cases[i].goes ? 0 : 1));
        db_close(&w.db);
    }
}

/* What the scheduler's start, readings by id, `potok status` and `potok up` go by. */
TEST(the_last_runs_of_each_entity_stay_however_old_they_are)
{
    struct world w = world_new("last");

    for (int i = 0; i < STORE_RUNS_NEWEST + 3; i++)
        run_of(&w, "deals", 500 - i, "done", 0, "NULL");
    run_of(&w, "leads", 600, "failed", 0, "'wrong webhook'");
    CHECK_EQ(forget(&w, NULL), 3);
    CHECK_GET(&w, "SELECT count(*) FROM potok_run WHERE entity = 'deals'", STORE_RUNS_NEWEST);
    CHECK_GET(&w, "SELECT min(id) FROM potok_run WHERE entity = 'deals'", 4);
    CHECK_GET(&w, "SELECT count(*) FROM potok_run WHERE entity = 'leads'", 1);
    CHECK_EQ(forget(&w, NULL), 0);
    db_close(&w.db);
}

TEST(a_run_that_jobs_belong_to_stays)
{
    struct world w = world_new("jobs");

    run_of(&w, "deals", 500, "done", 0, "NULL");
    world_range(&w, (uint64_t)world_get(&w, "SELECT max(id) FROM potok_run"), 1, 50);
    newest_runs(&w, "deals", STORE_RUNS_NEWEST);
    CHECK_EQ(forget(&w, NULL), 0);
    world_run(&w, "DELETE FROM potok_job");
    CHECK_EQ(forget(&w, NULL), 1);
    db_close(&w.db);
}

TEST(they_go_a_few_hundred_at_a_time)
{
    struct world w = world_new("batches");
    bool more;

    world_run(&w, "INSERT INTO potok_run (portal, entity, kind, state, started_ms, finished_ms) "
                  "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700) "
                  "SELECT 'main', 'deals', 'full', 'done', 1, 1 FROM n");
    CHECK_EQ(forget(&w, &more), 500);
    CHECK(more);
    CHECK_EQ(forget(&w, &more), 700 - 500 - STORE_RUNS_NEWEST);
    CHECK(!more);
    db_close(&w.db);
}

TEST(changes_of_fields_go_beyond_the_newest_thousand_alone)
{
    struct world w = world_new("changes");

    change_of(&w, "deals", 500);
    change_of(&w, "leads", 500);
    world_run(&w, "INSERT INTO potok_field_change (portal, entity, name, at_ms, what) "
                  "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) "
                  "SELECT 'main', 'deals', 'UF_Y', 86400000000 - i, 'items' FROM n");
    CHECK_EQ(forget(&w, NULL), 0);
    change_of(&w, "deals", 1);
    CHECK_EQ(forget(&w, NULL), 1);
    CHECK_GET(&w, "SELECT count(*) FROM potok_field_change WHERE entity = 'deals'", STORE_CHANGES_NEWEST);
    CHECK_GET(&w, "SELECT count(*) FROM potok_field_change WHERE entity = 'leads'", 1);
    db_close(&w.db);
}

/* Two schedulers: whose lease is lost removes nothing. */
TEST(it_asks_for_the_lease)
{
    struct world w = world_new("lease");
    struct str entities[] = { DEALS };
    struct store_history x = { .who = w.who, .keep_ms = 1, .empty_ms = 1, .entities = entities, .count = 1 };
    struct err err = { 0 };

    x.who.epoch--;
    CHECK_EQ(store_history(w.db, &x, &err), -1);
    CHECK_EQ(err.code, STORE_LEASE_LOST);
    db_close(&w.db);
}

TEST_MAIN(CASE(an_old_run_goes_and_one_that_moved_nothing_goes_sooner),
    CASE(the_last_runs_of_each_entity_stay_however_old_they_are), CASE(a_run_that_jobs_belong_to_stays),
    CASE(they_go_a_few_hundred_at_a_time), CASE(changes_of_fields_go_beyond_the_newest_thousand_alone),
    CASE(it_asks_for_the_lease))
