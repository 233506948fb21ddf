#include "fixture.h"

TEST(a_sync_begins_a_run_or_joins_the_one_under_way)
{
    struct world w = world_new("sync");
    struct store_sync x = { .who = w.who, .entities = { DEALS, STR("leads") }, .count = 2 };
    struct err err = { 0 };

    world_range(&w, 8, 1, 50);
    CHECK_OK(store_sync(w.db, &x, &err), err);
    CHECK_EQ(x.runs[0], 8);
    CHECK(x.joined[0] && x.open[0] && !x.joined[1]);
    CHECK(x.runs[1] > 0 && x.runs[1] != 8);
    CHECK_GET(&w, "SELECT count(*) FROM potok_run WHERE entity = 'leads' AND state = 'probing'", 1);
    uint64_t leads = x.runs[1];
    CHECK_OK(store_sync(w.db, &x, &err), err);
    CHECK_EQ(x.runs[1], leads);
    CHECK(x.joined[1] && !x.open[1]);
    db_close(&w.db);
}

TEST(a_finished_run_is_not_joined)
{
    struct world w = world_new("next");
    struct store_sync x = { .who = w.who, .entities = { DEALS }, .count = 1 };
    struct err err = { 0 };

    world_range(&w, 8, 1, 50);
    world_run(&w, "UPDATE potok_run SET state = 'partial'");
    CHECK_OK(store_sync(w.db, &x, &err), err);
    CHECK(!x.joined[0] && x.runs[0] != 8);
    db_close(&w.db);
}

static json_int_t number(json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

TEST(status_shows_the_last_run_of_each_entity_with_its_jobs_and_marks)
{
    struct world w = world_new("status");
    json_t *status = json_object();
    struct err err = { 0 };

    world_range(&w, 1, 1, 50);
    world_run(&w, "UPDATE potok_run SET state = 'done'");
    world_run(&w, "UPDATE potok_job SET state = 'done'");
    world_range(&w, 2, 1, 50);
    world_range(&w, 2, 51, 90);
    world_mark(&w, 4, 0, 0, 0);
    world_mark(&w, 5, 1, 2, 0);
    world_mark(&w, 6, 1, STORE_MARK_ALONE, 0);
    CHECK_OK(store_status(w.db, STORE_SINCE_NONE, status, &err), err);

    json_t *runs = json_object_get(status, "runs"), *run = json_array_get(runs, 0);
    CHECK_EQ(json_array_size(runs), 1);
    CHECK_EQ(number(run, "id"), 2);
    CHECK_EQ(number(run, "open_jobs"), 2);
    CHECK_EQ(number(run, "marks"), 2);
    CHECK_EQ(number(run, "marks_failing"), 1);
    CHECK_STR(json_string_value(json_object_get(run, "table")), "crm_deals");
    CHECK_STR(json_string_value(json_object_get(run, "state")), "open");
    CHECK(json_is_null(json_object_get(run, "error")));
    CHECK_EQ(number(status, "jobs_open"), 2);
    CHECK_EQ(number(status, "marks"), 2);
    CHECK_EQ(number(status, "marks_failing"), 1);
    json_decref(status);
    db_close(&w.db);
}

TEST(status_shows_what_began_since_a_run)
{
    static const struct {
        int64_t since;
        size_t runs;
    } cases[] = { { 0, 3 }, { 1, 2 }, { 2, 1 }, { 3, 1 }, { STORE_SINCE_NONE, 1 } };
    struct world w = world_new("since");
    struct err err = { 0 };

    for (uint64_t run = 1; run <= 3; run++)
        world_range(&w, run, 1, 50);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *status = json_object(), *runs;

        CHECK_OK(store_status(w.db, cases[i].since, status, &err), err);
        runs = json_object_get(status, "runs");
        CHECK_EQ(json_array_size(runs), cases[i].runs);
        CHECK_EQ(number(json_array_get(runs, cases[i].runs - 1), "id"), 3);
        json_decref(status);
    }
    db_close(&w.db);
}

TEST(calls_add_up_in_the_run)
{
    struct world w = world_new("requests");
    uint64_t runs[] = { 1 };
    int64_t requests[] = { 3 }, fewer[] = { -1 };
    struct err err = { 0 };

    world_range(&w, 1, 1, 50);
    CHECK_OK(store_add_requests(w.db, &w.who, runs, requests, 1, &err), err);
    CHECK_OK(store_add_requests(w.db, &w.who, runs, requests, 1, &err), err);
    CHECK_GET(&w, "SELECT requests FROM potok_run", 6);
    CHECK_OK(store_add_requests(w.db, &w.who, runs, fewer, 1, &err), err);
    CHECK_GET(&w, "SELECT requests FROM potok_run", 5);
    db_close(&w.db);
}

TEST_MAIN(CASE(a_sync_begins_a_run_or_joins_the_one_under_way), CASE(a_finished_run_is_not_joined),
    CASE(status_shows_the_last_run_of_each_entity_with_its_jobs_and_marks),
    CASE(status_shows_what_began_since_a_run), CASE(calls_add_up_in_the_run))
