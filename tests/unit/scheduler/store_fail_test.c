#include "fixture.h"

TEST(a_failed_run_tells_why_and_leaves_no_open_job)
{
    struct world w = world_new("failed");
    uint64_t runs[] = { 1, 2 };
    bool failed[] = { false, true };
    struct err err = { 0 };

    world_range(&w, 1, 1, 50);
    world_range(&w, 2, 1, 50);
    world_range(&w, 3, 1, 50);
    world_run(&w, "UPDATE potok_run SET state = 'done' WHERE id = 2");
    CHECK_OK(store_fail_runs(w.db, &w.who, runs, 2, STR("wrong webhook"), failed, &err), err);
    CHECK(failed[0] && !failed[1]); /* the second had ended well already */
    CHECK_GET(&w,
        "SELECT count(*) FROM potok_run WHERE id = 1 AND state = 'failed' AND error = 'wrong webhook' "
        "AND finished_ms = 1000",
        1);
    CHECK_GET(&w, "SELECT count(*) FROM potok_run WHERE id = 2 AND state = 'done'", 1);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job WHERE run = 1", 0);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job WHERE run = 3", 1);
    db_close(&w.db);
}

TEST(halves_touch_and_an_attempt_of_the_whole_is_refused)
{
    struct world w = world_new("split");
    uint64_t job = world_range(&w, 1, 10, RANGE_OPEN), other = 0;
    struct err err = { 0 };

    CHECK(world_send(&w, w.who, job, &err) > 0);
    CHECK_OK(store_split(w.db, &w.who, job, 500, &other, &err), err);
    CHECK_GET(&w, "SELECT last FROM potok_job WHERE d = 0 AND first = 10", 500);
    CHECK_GET(&w, "SELECT first FROM potok_job WHERE run = 1 AND last > 1000000", 501);
    CHECK(other > 0);
    world_run(&w, "UPDATE potok_job SET state = 'done'");
    CHECK_OK(store_split(w.db, &w.who, job, 100, &other, &err), err);
    CHECK_EQ(other, 0);
    db_close(&w.db);
}

/* The model's search seq-starts-again: a mark set anew never carries a number that an older attempt may
 * clear. */
TEST(seq_starts_again__a_mark_carries_the_tick_as_it_stands)
{
    struct world w = world_new("seq");
    struct err err = { 0 };
    int64_t last_k = 0;

    for (int i = 0; i < 4; i++) {
        uint64_t job = world_range(&w, 1, 42, 42);
        int64_t d = world_send(&w, w.who, job, &err);

        CHECK_OK(store_aside(w.db, &w.who, job, STR("portal answered nonsense"), &err), err);
        int64_t k = world_get(&w, "SELECT k FROM potok_mark WHERE id = 42");
        CHECK(k >= d); /* no attempt given out so far has d > k */
        CHECK(k > last_k);
        last_k = k;
        if (i % 2)
            world_run(&w, "DELETE FROM potok_mark"); /* served; the next one is new */
    }
    db_close(&w.db);
}

TEST(a_mark_only_rises)
{
    struct world w = world_new("rises");
    uint64_t job = world_range(&w, 1, 42, 42);
    struct err err = { 0 };

    world_run(&w, "INSERT INTO potok_mark (portal, entity, id, k) VALUES ('main', 'deals', 42, 900)");
    CHECK_OK(store_aside(w.db, &w.who, job, STR("x"), &err), err);
    CHECK_GET(&w, "SELECT k FROM potok_mark WHERE id = 42", 900);
    db_close(&w.db);
}

TEST(a_record_set_aside_is_rejected_marked_and_makes_the_run_partial)
{
    struct world w = world_new("aside");
    uint64_t bad = world_range(&w, 1, 42, 42), good = world_range(&w, 1, 43, RANGE_OPEN);
    struct err err = { 0 };

    CHECK_OK(store_aside(w.db, &w.who, bad, STR("cannot be read"), &err), err);
    CHECK_GET(&w,
        "SELECT count(*) FROM potok_reject WHERE id = 42 AND field = '' AND reason = 'cannot be read'", 1);
    CHECK_GET(&w, "SELECT count(*) FROM potok_mark WHERE id = 42 AND not_before_ms > 1000 AND tries >= 3", 1);
    CHECK_GET(&w, "SELECT count(*) FROM potok_run WHERE state = 'open'", 1);
    CHECK_OK(store_aside(w.db, &w.who, good, STR("cannot be read"), &err), err);
    CHECK_GET(&w, "SELECT finished_ms FROM potok_run WHERE state = 'partial'", 1000);
    CHECK_OK(store_aside(w.db, &w.who, bad, STR("again"), &err), err); /* closed: nothing happens */
    CHECK_GET(&w, "SELECT count(*) FROM potok_reject WHERE reason = 'again'", 0);
    db_close(&w.db);
}

TEST(a_single_id_that_fails_waits_longer_each_time_and_keeps_its_mark)
{
    struct world w = world_new("alone");
    struct err err = { 0 };
    int64_t before = 0;

    world_mark(&w, 9, 1, 0, 0);
    for (int i = 0; i < 14; i++) {
        world_run(&w, "INSERT INTO potok_job (id, run, portal, entity, kind, state) VALUES (77, 0, 'main', "
                      "'deals', 'get', 'open')");
        CHECK_OK(store_alone(w.db, &w.who, 77, DEALS, 9, STR(""), &err), err);
        CHECK_GET(&w, "SELECT count(*) FROM potok_job", 0);
        int64_t wait = world_get(&w, "SELECT not_before_ms - 1000 FROM potok_mark");
        CHECK(wait >= before && wait <= 3600000);
        before = wait;
    }
    CHECK_GET(&w, "SELECT tries FROM potok_mark", 14);
    CHECK_EQ(before, 3600000);
    CHECK_GET(&w, "SELECT count(*) FROM potok_reject", 0);
    db_close(&w.db);
}

TEST(a_single_id_that_is_refused_is_rejected_while_it_has_its_mark)
{
    struct world w = world_new("word");
    struct err err = { 0 };

    world_mark(&w, 9, 1, 0, 0);
    CHECK_OK(store_alone(w.db, &w.who, 0, DEALS, 9, STR("nobody knows why"), &err), err);
    CHECK_OK(store_alone(w.db, &w.who, 0, DEALS, 9, STR("nor now"), &err), err);
    CHECK_OK(store_alone(w.db, &w.who, 0, DEALS, 10, STR("without a mark"), &err), err);
    CHECK_GET(&w, "SELECT count(*) FROM potok_reject", 1);
    CHECK_GET(&w,
        "SELECT count(*) FROM potok_reject WHERE portal = 'main' AND entity = 'deals' AND id = 9 AND field = "
        "'' AND reason = 'nor now'",
        1);
    CHECK_GET(&w, "SELECT tries FROM potok_mark WHERE id = 9", 2);
    db_close(&w.db);
}

/* Of the ids that a reading d asked for: 3 was answered, 4 was marked anew since, 5 was left out. */
TEST(what_an_answer_left_out_failed_once_more)
{
    static const uint64_t ids[] = { 3, 4, 5 };
    struct world w = world_new("left_out");
    struct err err = { 0 };

    for (uint64_t id = 4; id <= 6; id++)
        world_mark(&w, id, 1, 0, 0);
    world_run(&w, "UPDATE potok_mark SET k = CASE id WHEN 4 THEN 7 ELSE 6 END");
    CHECK_OK(store_left_out(w.db, &w.who, DEALS, ids, 3, 7, &err), err);
    CHECK_GET(&w, "SELECT count(*) FROM potok_mark WHERE tries > 0", 1);
    CHECK_GET(&w, "SELECT not_before_ms FROM potok_mark WHERE id = 5 AND tries = 1", 2000);
    CHECK_GET(&w, "SELECT count(*) FROM potok_reject", 0);
    db_close(&w.db);
}

/* The model's search ranges-in-memory: what is left of a run is in the database, whoever comes after finds
 * it. */
TEST(ranges_in_memory__a_new_scheduler_finds_every_open_job)
{
    struct world w = world_new("memory");
    struct str entities[] = { DEALS };
    struct err err = { 0 };

    world_range(&w, 5, 1, 100);
    world_range(&w, 5, 101, RANGE_OPEN);
    world_run(&w, "UPDATE potok_job SET state = 'done' WHERE first = 1");
    world_range(&w, 5, 51, 100); /* a continuation, written with the end of its first part */
    world_lease(w.db, 2000);

    struct store_scan s = {
        .portal = STR("main"), .now_ms = 2000, .entities = entities, .entity_count = 1, .run_count = 1
    };
    s.runs[0].id = 5;
    CHECK_OK(store_scan(w.db, &s, &err), err);
    CHECK_EQ(s.job_count, 2);
    CHECK_EQ(s.jobs[0].first, 101);
    CHECK(s.jobs[0].last == RANGE_OPEN);
    CHECK_EQ(s.jobs[1].first, 51);
    CHECK_EQ(s.jobs[1].run, 5);
    CHECK_STR(s.jobs[1].entity, "deals");
    CHECK_STR(s.runs[0].state, "open");
    store_scan_fini(&s);
    db_close(&w.db);
}

TEST(a_scan_tells_which_marks_are_due)
{
    struct world w = world_new("due");
    struct str entities[] = { STR("leads"), DEALS };
    struct store_scan s = {
        .portal = STR("main"), .now_ms = 2000, .entities = entities, .entity_count = 2, .run_count = 1
    };
    struct err err = { 0 };

    s.runs[0].id = 12345;
    world_mark(&w, 1, 0, 0, 3000);
    world_mark(&w, 2, 1, 0, 1999);
    CHECK_OK(store_scan(w.db, &s, &err), err);
    CHECK(!s.due[0][0] && !s.due[0][1] && !s.due[1][0] && s.due[1][1]);
    CHECK_STR(s.runs[0].state, "");
    store_scan_fini(&s);
    db_close(&w.db);
}

TEST_MAIN(CASE(a_failed_run_tells_why_and_leaves_no_open_job),
    CASE(halves_touch_and_an_attempt_of_the_whole_is_refused),
    CASE(seq_starts_again__a_mark_carries_the_tick_as_it_stands), CASE(a_mark_only_rises),
    CASE(a_record_set_aside_is_rejected_marked_and_makes_the_run_partial),
    CASE(a_single_id_that_fails_waits_longer_each_time_and_keeps_its_mark),
    CASE(a_single_id_that_is_refused_is_rejected_while_it_has_its_mark),
    CASE(what_an_answer_left_out_failed_once_more),
    CASE(ranges_in_memory__a_new_scheduler_finds_every_open_job), CASE(a_scan_tells_which_marks_are_due))
