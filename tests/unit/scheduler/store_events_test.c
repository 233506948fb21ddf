#include "fixture.h"

#define IDS(...) (uint64_t[]){ __VA_ARGS__ }, sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t)

static int say(struct world *w, struct store_who who, int ask, uint64_t *ids, size_t n, struct err *err)
{
    struct store_marks group = {
        .who = who, .entity = DEALS, .ask = ask, .again = true, .ids = ids, .count = n
    };

    return store_events(w->db, &group, 1, err);
}

static int on_row(void *ctx, const struct db_val *row, int columns)
{
    size_t n = strlen(ctx);

    for (int i = 0; i < columns; i++)
        n += (size_t)snprintf((char *)ctx + n, 400 - n, "%s%lld", i > 0 ? " " : "", (long long)row[i].i);
    snprintf((char *)ctx + n, 400 - n, ";");
    return 0;
}

static const char *marks(struct world *w)
{
    static char text[400];
    struct err err = { 0 };

    text[0] = '\0';
    CHECK_OK(db_run(w->db, "SELECT id, k, ask, again FROM potok_mark ORDER BY id", DB_NOARGS, on_row, text,
                 NULL, &err),
        err);
    return text;
}

TEST(an_event_is_a_mark_of_the_tick_as_it_stands)
{
    struct world w = world_new("event");
    struct err err = { 0 };

    world_run(&w, "UPDATE potok_lease SET tick = 7");
    CHECK_OK(say(&w, w.who, 0, IDS(9, 3, 9, 3, 5), &err), err); /* any order, doubles */
    CHECK_STR(marks(&w), "3 7 0 1;5 7 0 1;9 7 0 1;");
    CHECK_GET(
        &w, "SELECT count(*) FROM potok_mark WHERE set_ms = 1000 AND tries = 0 AND not_before_ms = 0", 3);
    CHECK_GET(&w, "SELECT tick FROM potok_lease", 7); /* no number is spent */
    db_close(&w.db);
}

/* Model rule 3: always set, also while the record is being read; k only rises. */
TEST(mark_lazy__a_mark_rises_and_never_falls)
{
    struct world w = world_new("rises");
    struct err err = { 0 };

    world_run(&w, "UPDATE potok_lease SET tick = 7");
    CHECK_OK(say(&w, w.who, 0, IDS(1, 2), &err), err);
    world_run(&w, "UPDATE potok_lease SET tick = 9");
    CHECK_OK(say(&w, w.who, 0, IDS(1), &err), err);
    CHECK_STR(marks(&w), "1 9 0 1;2 7 0 1;");
    world_run(&w, "UPDATE potok_mark SET k = 100 WHERE id = 2"); /* a writer's doubt read a later tick */
    CHECK_OK(say(&w, w.who, 0, IDS(2), &err), err);
    CHECK_STR(marks(&w), "1 9 0 1;2 100 0 1;");
    CHECK_GET(
        &w, "SELECT count(*) FROM potok_mark WHERE set_ms = 1000", 2); /* its age is that of the first */
    db_close(&w.db);
}

TEST(a_deletion_is_asked_for_itself_and_stays_so)
{
    struct world w = world_new("gone");
    struct err err = { 0 };

    CHECK_OK(say(&w, w.who, 1, IDS(1), &err), err);
    CHECK_OK(say(&w, w.who, 0, IDS(1), &err), err); /* an update that came late */
    CHECK_STR(marks(&w), "1 1 1 1;");
    db_close(&w.db);
}

TEST(an_event_is_a_new_reason_for_what_waited)
{
    struct world w = world_new("reason");
    struct err err = { 0 };

    world_mark(&w, 1, 0, 5, 99999999);
    CHECK_OK(say(&w, w.who, 0, IDS(1), &err), err);
    CHECK_GET(&w, "SELECT count(*) FROM potok_mark WHERE tries = 0 AND not_before_ms = 0 AND again = 1", 1);
    db_close(&w.db);
}

TEST(a_mark_set_by_hand_takes_no_second_look_away)
{
    struct world w = world_new("hand");
    struct err err = { 0 };
    struct store_marks group = { .who = w.who, .entity = DEALS, .ids = (uint64_t[]){ 1, 2 }, .count = 2 };

    CHECK_OK(say(&w, w.who, 0, IDS(1), &err), err);
    CHECK_OK(store_events(w.db, &group, 1, &err), err);
    CHECK_STR(marks(&w), "1 1 0 1;2 1 0 0;");
    db_close(&w.db);
}

TEST(what_a_deposed_scheduler_was_told_is_no_mark)
{
    struct world w = world_new("deposed");
    struct err err = { 0 };
    struct store_who old = w.who;

    world_lease(w.db, 2000);
    CHECK_EQ(say(&w, old, 0, IDS(1), &err), -1);
    CHECK_EQ(err.code, STORE_LEASE_LOST);
    CHECK_STR(marks(&w), "");
    db_close(&w.db);
}

TEST(all_groups_or_none)
{
    struct world w = world_new("none");
    struct store_who old = w.who;
    struct err err = { 0 };

    w.who = world_lease(w.db, 2000);
    struct store_marks groups[2] = {
        { .who = w.who, .entity = DEALS, .ids = (uint64_t[]){ 1 }, .count = 1 },
        { .who = old, .entity = DEALS, .ask = 1, .ids = (uint64_t[]){ 2 }, .count = 1 },
    };
    CHECK_EQ(store_events(w.db, groups, 2, &err), -1);
    CHECK_STR(marks(&w), "");
    CHECK_OK(store_events(w.db, groups, 0, &err), err);
    db_close(&w.db);
}

/* An event between a reading's dispatch and its end: k = d is not below d. */
TEST(an_event_during_a_reading_is_not_below_its_number)
{
    struct world w = world_new("during");
    struct err err = { 0 };
    int64_t d = world_send(&w, w.who, world_range(&w, 1, 1, 100), &err);

    CHECK(d > 0);
    CHECK_OK(say(&w, w.who, 0, IDS(1), &err), err);
    CHECK_EQ(world_get(&w, "SELECT k FROM potok_mark"), d);
    db_close(&w.db);
}

/* ---- wishes ---- */

static int wish(struct world *w, struct store_who who, uint64_t *ids, size_t n, struct err *err)
{
    struct store_marks group = {
        .who = who, .entity = DEALS, .ids = ids, .count = n, .wishes = 1U << CURSOR_FIELDS
    };

    return store_events(w->db, &group, 1, err);
}

static bool wished_at_start(struct world *w, enum cursor_wish which)
{
    struct store_mirror m = { .entity = DEALS, .table = STR("crm_deals") };
    struct err err = { 0 };

    CHECK_OK(store_load_mirror(w->db, &w->who, &m, &err), err);
    store_mirror_fini(&m);
    return m.wished[which];
}

TEST(a_wish_is_kept_with_the_marks_and_found_by_the_next_start)
{
    struct world w = world_new("wish");
    struct err err = { 0 };

    world_run(&w, "UPDATE potok_lease SET tick = 7");
    CHECK(!wished_at_start(&w, CURSOR_FIELDS));
    CHECK_OK(wish(&w, w.who, IDS(4), &err), err);
    CHECK_STR(marks(&w), "4 7 0 0;");
    CHECK_GET(&w, "SELECT value FROM potok_cursor WHERE name = 'fields' AND entity = 'deals'", 7);
    w.who = world_lease(w.db, 2000);
    CHECK(wished_at_start(&w, CURSOR_FIELDS));
    CHECK(!wished_at_start(&w, CURSOR_SWEEP));
    world_run(&w, "UPDATE potok_lease SET tick = 9");
    CHECK_OK(wish(&w, w.who, NULL, 0, &err), err); /* the same again, and no mark */
    CHECK_STR(marks(&w), "4 7 0 0;");
    CHECK_GET(&w, "SELECT value FROM potok_cursor WHERE name = 'fields'", 9);
    db_close(&w.db);
}

TEST(what_a_deposed_scheduler_was_told_is_no_wish)
{
    struct world w = world_new("deposedwish");
    struct store_who old = w.who;
    struct err err = { 0 };

    world_lease(w.db, 2000);
    CHECK_EQ(wish(&w, old, IDS(4), &err), -1);
    CHECK_EQ(err.code, STORE_LEASE_LOST);
    CHECK_GET(&w, "SELECT count(*) FROM potok_cursor", 0);
    CHECK_STR(marks(&w), "");
    db_close(&w.db);
}

/* Its wishes go with its cursors: all is read anew. */
TEST(another_table_wishes_for_nothing)
{
    struct world w = world_new("moved");
    struct store_mirror m = { .entity = DEALS, .table = STR("elsewhere") };
    struct err err = { 0 };

    CHECK_OK(wish(&w, w.who, NULL, 0, &err), err);
    CHECK_OK(store_load_mirror(w.db, &w.who, &m, &err), err);
    CHECK(!m.wished[CURSOR_FIELDS]);
    store_mirror_fini(&m);
    db_close(&w.db);
}

TEST_MAIN(CASE(an_event_is_a_mark_of_the_tick_as_it_stands), CASE(mark_lazy__a_mark_rises_and_never_falls),
    CASE(a_deletion_is_asked_for_itself_and_stays_so), CASE(an_event_is_a_new_reason_for_what_waited),
    CASE(a_mark_set_by_hand_takes_no_second_look_away), CASE(what_a_deposed_scheduler_was_told_is_no_mark),
    CASE(all_groups_or_none), CASE(an_event_during_a_reading_is_not_below_its_number),
    CASE(a_wish_is_kept_with_the_marks_and_found_by_the_next_start),
    CASE(what_a_deposed_scheduler_was_told_is_no_wish), CASE(another_table_wishes_for_nothing))
