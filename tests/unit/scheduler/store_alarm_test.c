#include "fixture.h"

static struct alarm_row row(const char *name, uint64_t since_ms, uint64_t told_ms, uint64_t gone_ms)
{
    struct alarm_row r = { .portal = "main", .since_ms = since_ms, .told_ms = told_ms, .gone_ms = gone_ms };

    snprintf(r.name, sizeof(r.name), "%s", name);
    snprintf(r.text, sizeof(r.text), "why: \"%s\"", name);
    return r;
}

static void keep(struct world *w, struct alarm_row *rows, int count)
{
    struct err err = { 0 };
    struct store_alarms x = { rows, count };

    CHECK_OK(store_keep_alarms(w->db, &w->who, &x, &err), err);
}

TEST(alarms_are_read_as_they_were_kept)
{
    struct world w = world_new("kept");
    struct alarm_row rows[] = { row("portal.stopped", 1000, 1001, 0), row("portal.unwell", 900, 0, 0),
        row("sync.failed", 800, 801, 999) };
    struct store_alarms back = { 0 };
    struct err err = { 0 };

    keep(&w, rows, 3);
    CHECK_GET(
        &w, "SELECT count(*) FROM potok_alarm WHERE gone_ms IS NULL AND level IN ('error', 'warning')", 2);
    CHECK_GET(&w, "SELECT count(*) FROM potok_alarm WHERE told_ms IS NULL", 1);
    rows[1].told_ms = 1200;
    keep(&w, &rows[1], 1);
    CHECK_OK(store_load_alarms(w.db, &back, &err), err);
    CHECK_EQ(back.count, 3);
    CHECK_STR(back.list[0].name, "portal.unwell"); /* what is raised comes first, the oldest before others */
    CHECK_EQ(back.list[0].told_ms, 1200);
    CHECK_EQ(back.list[0].gone_ms, 0);
    CHECK_STR(back.list[1].text, "why: \"portal.stopped\"");
    CHECK_EQ(back.list[2].gone_ms, 999);
    free(back.list);
    db_close(&w.db);
}

TEST(what_is_over_for_a_week_is_forgotten)
{
    struct world w = world_new("week");
    struct alarm_row old[] = { row("sync.failed", 1, 2, 3), row("portal.stopped", 1, 2, 0) };

    keep(&w, old, 2);
    CHECK_GET(&w, "SELECT count(*) FROM potok_alarm", 2);
    w.who.now_ms = (uint64_t)8 * 86400000;
    keep(&w, old, 0);
    CHECK_GET(&w, "SELECT count(*) FROM potok_alarm", 1);
    db_close(&w.db);
}

TEST(who_lost_the_lease_keeps_nothing)
{
    struct world w = world_new("fence");
    struct alarm_row one = row("portal.stopped", 1, 2, 0);
    struct store_alarms x = { &one, 1 };
    struct store_block block = { 5, 6 };
    struct err err = { 0 };

    w.who.epoch++;
    CHECK_EQ(store_keep_alarms(w.db, &w.who, &x, &err), -1);
    CHECK_EQ(err.code, STORE_LEASE_LOST);
    CHECK_EQ(store_keep_block(w.db, &w.who, &block, &err), -1);
    CHECK_EQ(err.code, STORE_LEASE_LOST);
    CHECK_GET(&w, "SELECT count(*) FROM potok_alarm", 0);
    db_close(&w.db);
}

TEST(a_block_is_kept_until_it_is_over)
{
    struct world w = world_new("block");
    struct store_block block = { 1000, 601000 }, back = { 0 };
    struct err err = { 0 };

    CHECK_OK(store_load_block(w.db, STR("main"), &back, &err), err);
    CHECK_EQ(back.until_ms, 0);
    CHECK_OK(store_keep_block(w.db, &w.who, &block, &err), err);
    block.until_ms = 1201000;
    CHECK_OK(store_keep_block(w.db, &w.who, &block, &err), err);
    CHECK_OK(store_load_block(w.db, STR("main"), &back, &err), err);
    CHECK_EQ(back.begun_ms, 1000);
    CHECK_EQ(back.until_ms, 1201000);
    block.until_ms = 0;
    CHECK_OK(store_keep_block(w.db, &w.who, &block, &err), err);
    CHECK_GET(&w, "SELECT count(*) FROM potok_cursor", 0);
    db_close(&w.db);
}

TEST_MAIN(CASE(alarms_are_read_as_they_were_kept), CASE(what_is_over_for_a_week_is_forgotten),
    CASE(who_lost_the_lease_keeps_nothing), CASE(a_block_is_kept_until_it_is_over))
