#include "fixture.h"

static struct dispatch_item of_marks(enum job_kind kind, uint32_t most)
{
    return (struct dispatch_item){ .kind = kind, .entity = DEALS, .from_marks = true, .most = most };
}

static struct dispatch_item hold(struct dispatch_item item, uint64_t id)
{
    item.held = calloc(1, sizeof(uint64_t));
    item.held[0] = id;
    item.held_count = 1;
    return item;
}

static void check_ids(const struct dispatch_item *item, size_t n, const uint64_t *ids)
{
    CHECK_EQ(item->id_count, n);
    for (size_t i = 0; i < n; i++)
        CHECK_EQ(item->ids[i], ids[i]);
}

TEST(every_job_of_a_dispatch_has_a_number_of_its_own)
{
    struct world w = world_new("numbers");
    struct store_dispatch x = { .who = w.who, .count = 4 };
    struct err err = { 0 };

    for (int i = 0; i < 3; i++)
        x.items[i] = (struct dispatch_item){ .kind = JOB_RANGE,
            .entity = DEALS,
            .job = world_range(&w, 1, 1 + 100 * (uint64_t)i, 100 + 100 * (uint64_t)i) };
    x.items[3] = (struct dispatch_item){ .kind = JOB_PROBE, .entity = STR("") };
    CHECK_OK(store_dispatch(w.db, &x, &err), err);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(x.items[i].d, 2 + i);
    CHECK_EQ(x.items[1].first, 101);
    CHECK_EQ(x.items[1].last, 200);
    CHECK_EQ(x.items[1].run, 1);
    CHECK_EQ(x.items[1].tries, 1);
    CHECK(x.items[3].job > 0);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job WHERE kind = 'probe' AND d = 5 AND state = 'open'", 1);
    store_dispatch_fini(&x);
    db_close(&w.db);
}

TEST(each_call_is_counted_to_its_run_with_its_number)
{
    struct world w = world_new("calls");
    struct store_dispatch x = { .who = w.who, .count = 4 };
    struct err err = { 0 };

    for (int i = 0; i < 3; i++)
        x.items[i] = (struct dispatch_item){ .kind = JOB_RANGE,
            .entity = DEALS,
            .job = world_range(&w, i < 2 ? 1 : 2, 1 + 100 * (uint64_t)i, 100 + 100 * (uint64_t)i) };
    x.items[3] = (struct dispatch_item){ .kind = JOB_PROBE, .entity = STR(""), .pays = 2 };
    world_run(&w, "UPDATE potok_job SET state = 'done' WHERE first = 101");
    CHECK_OK(store_dispatch(w.db, &x, &err), err);
    CHECK_GET(&w, "SELECT requests FROM potok_run WHERE id = 1", 1);
    CHECK_GET(&w, "SELECT requests FROM potok_run WHERE id = 2", 2);
    store_dispatch_fini(&x);
    db_close(&w.db);
}

TEST(a_call_of_methods_has_a_number_and_no_row)
{
    struct world w = world_new("methods");
    struct store_dispatch x = { .who = w.who, .count = 1 };
    struct err err = { 0 };

    x.items[0] = (struct dispatch_item){ .kind = JOB_CALL, .entity = STR("") };
    CHECK_OK(store_dispatch(w.db, &x, &err), err);
    CHECK_EQ(x.items[0].d, 2);
    CHECK_EQ(x.items[0].job, 0);
    CHECK_EQ(x.items[0].pays, 0);
    CHECK_GET(&w, "SELECT tick FROM potok_lease", 2);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job", 0);
    store_dispatch_fini(&x);
    db_close(&w.db);
}

TEST(what_is_read_by_id_when_its_run_has_ended_is_not_counted_to_it)
{
    static const struct {
        const char *state;
        int64_t requests;
    } cases[] = { { "open", 1 }, { "done", 0 }, { "failed", 0 } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[24], sql[80];
        snprintf(name, sizeof(name), "byid%d", (int)i);
        struct world w = world_new(name);
        struct store_dispatch x = { .who = w.who, .count = 1 };
        struct err err = { 0 };

        world_range(&w, 1, 1, 50);
        snprintf(sql, sizeof(sql), "UPDATE potok_run SET state = '%s'", cases[i].state);
        world_run(&w, sql);
        world_mark(&w, 4, 1, 0, 0);
        x.items[0] =
            (struct dispatch_item){ .kind = JOB_GET, .entity = DEALS, .from_marks = true, .most = 1 };
        CHECK_OK(store_dispatch(w.db, &x, &err), err);
        CHECK(x.items[0].d > 0);
        CHECK_EQ(x.items[0].run, 1);
        CHECK_EQ(x.items[0].pays, cases[i].requests);
        CHECK_GET(&w, "SELECT requests FROM potok_run", cases[i].requests);
        store_dispatch_fini(&x);
        db_close(&w.db);
    }
}

TEST(a_job_that_is_no_longer_open_is_not_sent)
{
    struct world w = world_new("closed");
    uint64_t job = world_range(&w, 1, 1, 100);
    struct err err = { 0 };

    world_run(&w, "UPDATE potok_job SET state = 'done'");
    CHECK_EQ(world_send(&w, w.who, job, &err), 0);
    CHECK_EQ(world_send(&w, w.who, 999, &err), 0);
    CHECK_GET(&w, "SELECT tick FROM potok_lease", 1);
    db_close(&w.db);
}

/* The model's search mark-lazy and rule 3: what is served was marked before the number was given. */
TEST(mark_lazy__a_job_by_id_has_a_number_above_its_marks)
{
    struct world w = world_new("marks");
    struct store_dispatch x = { .who = w.who, .count = 1 };
    struct err err = { 0 };

    world_mark(&w, 30, 0, 0, 0);
    world_mark(&w, 10, 0, 0, 0);
    world_mark(&w, 20, 1, 0, 0);
    x.items[0] = of_marks(JOB_IDS, 2500);
    CHECK_OK(store_dispatch(w.db, &x, &err), err);
    check_ids(&x.items[0], 2, (const uint64_t[]){ 10, 30 });
    CHECK(world_get(&w, "SELECT max(k) FROM potok_mark") < (int64_t)x.items[0].d);
    /* marked again while it is read: the attempt under way may not clear it */
    world_run(&w, "UPDATE potok_mark SET k = (SELECT tick FROM potok_lease) WHERE id = 10");
    CHECK_GET(&w, "SELECT count(*) FROM potok_mark m, potok_job j WHERE m.id = 10 AND m.k < j.d", 0);
    store_dispatch_fini(&x);
    db_close(&w.db);
}

TEST(no_mark_is_in_flight_twice)
{
    struct world w = world_new("twice");
    struct store_dispatch x = { .who = w.who, .count = 3 };
    struct err err = { 0 };

    for (uint64_t id = 1; id <= 5; id++)
        world_mark(&w, id, 0, 0, 0);
    x.items[0] = hold(of_marks(JOB_IDS, 2), 2);
    x.items[1] = hold(of_marks(JOB_IDS, 2), 2);
    x.items[2] = hold(of_marks(JOB_IDS, 2), 2);
    CHECK_OK(store_dispatch(w.db, &x, &err), err);
    check_ids(&x.items[0], 2, (const uint64_t[]){ 1, 3 });
    check_ids(&x.items[1], 2, (const uint64_t[]){ 4, 5 });
    CHECK_EQ(x.items[2].d, 0); /* nothing left: no number, no row */
    CHECK_GET(&w, "SELECT tick FROM potok_lease", 3);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job", 2);
    store_dispatch_fini(&x);
    db_close(&w.db);
}

/* Rule 9 (the model's search poison): a record that always fails blocks no other. */
TEST(no_split__marks_that_failed_often_go_alone_and_not_before_their_time)
{
    struct world w = world_new("alone");
    struct store_dispatch x = { .who = w.who, .count = 3 };
    struct err err = { 0 };

    x.who.now_ms = 5000;
    world_mark(&w, 1, 1, STORE_MARK_ALONE, 4000);
    world_mark(&w, 2, 1, 0, 0);
    world_mark(&w, 3, 1, 1, 6000);
    world_mark(&w, 4, 1, STORE_MARK_ALONE, 3000);
    world_mark(&w, 5, 1, 1, 5000);
    world_mark(&w, 6, 1, 1, 5000 + STORE_MARK_WAIT_MS);  /* waits */
    world_mark(&w, 8, 1, 1, 5001 + STORE_MARK_WAIT_MS);  /* no mark waits so long: our clock stepped back */
    world_mark(&w, 9, 1, 0, 5000 + STORE_MARK_LOOK_MS);  /* a second look */
    world_mark(&w, 10, 1, 0, 5001 + STORE_MARK_LOOK_MS); /* of a writer whose clock was ahead of ours */
    for (int i = 0; i < 3; i++)
        x.items[i] = of_marks(JOB_GET, 50);
    CHECK_OK(store_dispatch(w.db, &x, &err), err);
    check_ids(&x.items[0], 4, (const uint64_t[]){ 2, 5, 8, 10 });
    check_ids(&x.items[1], 1, (const uint64_t[]){ 4 });
    check_ids(&x.items[2], 1, (const uint64_t[]){ 1 });
    store_dispatch_fini(&x);
    db_close(&w.db);
}

/* Else it would never be read while changes of others keep coming. */
TEST(a_mark_that_failed_often_has_its_turn_before_the_others)
{
    struct world w = world_new("turn");
    struct store_dispatch x = { .who = w.who, .count = 3 };
    struct err err = { 0 };

    x.who.now_ms = 5000;
    world_mark(&w, 1, 1, STORE_MARK_ALONE, 4000);
    world_mark(&w, 2, 1, STORE_MARK_ALONE, 6000); /* not yet */
    world_mark(&w, 3, 1, 0, 0);
    for (int i = 0; i < 3; i++) {
        x.items[i] = of_marks(JOB_GET, 50);
        x.items[i].alone_first = true;
    }
    CHECK_OK(store_dispatch(w.db, &x, &err), err);
    check_ids(&x.items[0], 1, (const uint64_t[]){ 1 });
    check_ids(&x.items[1], 1, (const uint64_t[]){ 3 });
    CHECK_EQ(x.items[2].d, 0);
    store_dispatch_fini(&x);
    db_close(&w.db);
}

TEST(a_batch_of_ids_is_sent_again_with_its_ids)
{
    struct world w = world_new("again");
    struct store_dispatch x = { .who = w.who, .count = 1 };
    struct err err = { 0 };

    world_mark(&w, 7, 0, 0, 0);
    x.items[0] = of_marks(JOB_IDS, 50);
    CHECK_OK(store_dispatch(w.db, &x, &err), err);
    uint64_t job = x.items[0].job, d = x.items[0].d;
    x.items[0].from_marks = false;
    CHECK_OK(store_dispatch(w.db, &x, &err), err);
    CHECK_EQ(x.items[0].job, job);
    CHECK(x.items[0].d > d);
    CHECK_EQ(x.items[0].tries, 2);
    check_ids(&x.items[0], 1, (const uint64_t[]){ 7 });
    store_dispatch_fini(&x);
    db_close(&w.db);
}

TEST(an_idle_fetcher_gets_the_upper_half_of_a_long_range)
{
    struct world w = world_new("steal");
    struct store_dispatch x = { .who = w.who, .count = 1 };
    struct err err = { 0 };

    x.items[0] = (struct dispatch_item){
        .kind = JOB_RANGE, .entity = DEALS, .job = world_range(&w, 4, 100, RANGE_OPEN), .split_at = 5000
    };
    CHECK_OK(store_dispatch(w.db, &x, &err), err);
    CHECK_EQ(x.items[0].first, 100);
    CHECK_EQ(x.items[0].last, 5000);
    CHECK(x.items[0].other_last == RANGE_OPEN);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job WHERE state = 'open' AND run = 4", 2);
    CHECK_GET(&w, "SELECT first FROM potok_job WHERE d = 0", 5001);
    CHECK_EQ((uint64_t)world_get(&w, "SELECT id FROM potok_job WHERE d = 0"), x.items[0].other);
    store_dispatch_fini(&x);
    db_close(&w.db);
}

TEST(a_split_outside_the_range_is_no_split)
{
    struct world w = world_new("nosplit");
    static const uint64_t at[] = { 99, 200, 5000 };
    struct err err = { 0 };

    for (int i = 0; i < 3; i++) {
        struct store_dispatch x = { .who = w.who, .count = 1 };

        x.items[0] = (struct dispatch_item){
            .kind = JOB_RANGE, .entity = DEALS, .job = world_range(&w, 4, 100, 200), .split_at = at[i]
        };
        CHECK_OK(store_dispatch(w.db, &x, &err), err);
        CHECK_EQ(x.items[0].other, 0);
        CHECK_EQ(x.items[0].last, 200);
        store_dispatch_fini(&x);
    }
    db_close(&w.db);
}

TEST_MAIN(CASE(every_job_of_a_dispatch_has_a_number_of_its_own),
    CASE(each_call_is_counted_to_its_run_with_its_number), CASE(a_call_of_methods_has_a_number_and_no_row),
    CASE(what_is_read_by_id_when_its_run_has_ended_is_not_counted_to_it),
    CASE(a_job_that_is_no_longer_open_is_not_sent), CASE(mark_lazy__a_job_by_id_has_a_number_above_its_marks),
    CASE(no_mark_is_in_flight_twice),
    CASE(no_split__marks_that_failed_often_go_alone_and_not_before_their_time),
    CASE(a_mark_that_failed_often_has_its_turn_before_the_others),
    CASE(a_batch_of_ids_is_sent_again_with_its_ids),
    CASE(an_idle_fetcher_gets_the_upper_half_of_a_long_range), CASE(a_split_outside_the_range_is_no_split))
