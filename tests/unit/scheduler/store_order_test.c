#include "fixture.h"

static bool loaded_paused(struct world *w)
{
    struct store_mirror m = { .entity = DEALS, .table = STR("crm_deals") };
    struct err err = { 0 };

    CHECK_OK(store_load_mirror(w->db, &w->who, &m, &err), err);
    store_mirror_fini(&m);
    return m.paused;
}

TEST(a_pause_is_remembered_by_the_next_scheduler)
{
    struct world w = world_new("pause");
    struct store_pause x = { .who = w.who, .entities = { DEALS }, .count = 1, .paused = true };
    struct err err = { 0 };

    CHECK(!loaded_paused(&w));
    CHECK_OK(store_pause(w.db, &x, &err), err);
    CHECK_OK(store_pause(w.db, &x, &err), err);
    w.who = world_lease(w.db, 2000);
    CHECK(loaded_paused(&w));
    CHECK_EQ(store_pause(w.db, &x, &err), -1); /* the former one's word counts no more */
    CHECK_EQ(err.code, STORE_LEASE_LOST);
    x.who = w.who;
    x.paused = false;
    CHECK_OK(store_pause(w.db, &x, &err), err);
    CHECK(!loaded_paused(&w));
    db_close(&w.db);
}

TEST(marks_that_are_left_are_counted_by_record)
{
    struct world w = world_new("left");
    uint64_t ids[] = { 9, 2, 5, 5, 77 };
    struct store_left x = {
        .entity = DEALS, .portals = { STR("main") }, .portal_count = 1, .ids = ids, .count = 5
    };
    struct err err = { 0 };

    CHECK_OK(store_left(w.db, &x, &err), err);
    CHECK_EQ(x.left, 0);
    world_mark(&w, 2, 0, 0, 0);
    world_mark(&w, 3, 0, 0, 0);
    world_mark(&w, 9, 1, STORE_MARK_ALONE, 5000);
    CHECK_OK(store_left(w.db, &x, &err), err);
    CHECK_EQ(x.left, 2);
    CHECK_EQ(x.failing, 1);
    db_close(&w.db);
}

TEST_MAIN(CASE(a_pause_is_remembered_by_the_next_scheduler), CASE(marks_that_are_left_are_counted_by_record))
