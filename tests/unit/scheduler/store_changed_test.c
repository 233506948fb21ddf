#include "fixture.h"

#include "proto/msg.h"

static uint64_t ask_for(struct world *w, enum job_kind kind, uint64_t every_ms)
{
    struct store_changed x = {
        .who = w->who, .kind = kind, .every_ms = every_ms, .entities = { DEALS }, .count = 1
    };
    struct err err = { 0 };

    CHECK_OK(store_changed(w->db, &x, &err), err);
    return x.jobs[0];
}

static uint64_t ask(struct world *w)
{
    return ask_for(w, JOB_CHANGED, 0);
}

static struct world with_cursor(const char *name)
{
    struct world w = world_new(name);

    world_run(&w, "INSERT INTO potok_cursor (portal, entity, name, value, at_ms) "
                  "VALUES ('main', 'deals', 'changed', 1795228000000, 1)");
    return w;
}

TEST(a_look_begins_once_and_asks_from_the_cursor_on)
{
    struct world w = with_cursor("begin");
    struct store_dispatch x = { .who = w.who, .count = 1 };
    uint64_t job = ask(&w);
    struct err err = { 0 };

    CHECK(job > 0);
    CHECK_EQ(ask(&w), 0);
    CHECK_GET(
        &w, "SELECT count(*) FROM potok_job WHERE kind = 'changed' AND first = 1 AND state = 'open'", 1);
    CHECK_GET(&w, "SELECT count(*) FROM potok_run", 0);
    x.items[0] = (struct dispatch_item){ .kind = JOB_CHANGED, .entity = DEALS, .job = job };
    CHECK_OK(store_dispatch(w.db, &x, &err), err);
    CHECK(x.items[0].d > 0);
    CHECK(x.items[0].since == 1795228000000);
    CHECK(x.items[0].last == RANGE_OPEN);
    store_dispatch_fini(&x);
    db_close(&w.db);
}

TEST(nothing_is_asked_where_it_would_not_do)
{
    static const struct {
        const char *what, *sql;
    } cases[] = {
        { "no full sync yet", "DELETE FROM potok_cursor" },
        { "a full sync goes on", "INSERT INTO potok_run (portal, entity, kind, state) VALUES ('main', "
                                 "'deals', 'full', 'probing')" },
        { "paused", "UPDATE potok_entity SET paused = 1" },
        { "a look goes on", "INSERT INTO potok_job (run, portal, entity, kind, first, last, state) "
                            "VALUES (0, 'main', 'deals', 'changed', 51, 99, 'open')" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[32];

        snprintf(name, sizeof(name), "not%zu", i);
        struct world w = with_cursor(name);
        world_run(&w, cases[i].sql);
        if (ask(&w) != 0)
            fail_msg("%s", cases[i].what);
        db_close(&w.db);
    }
}

TEST(a_record_set_aside_ends_the_look_its_mark_is_stronger)
{
    struct world w = with_cursor("aside");
    uint64_t job = ask(&w);
    struct err err = { 0 };

    world_run(&w, "UPDATE potok_job SET first = 42, last = 42");
    world_run(&w, "UPDATE potok_cursor SET value = 1795228660000 WHERE name = 'changing'");
    CHECK_OK(store_aside(w.db, &w.who, job, STR("too large"), &err), err);
    CHECK_GET(&w, "SELECT count(*) FROM potok_mark WHERE id = 42 AND ask = 1", 1);
    CHECK_GET(&w, "SELECT value / 1000 FROM potok_cursor WHERE name = 'changed'", 1795228660 - 600);
    CHECK(ask(&w) > 0);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job", 1);
    db_close(&w.db);
}

TEST(ids_are_swept_when_neither_a_sweep_nor_a_full_sync_did_it_lately)
{
    static const struct {
        const char *what, *sql;
        uint64_t every_ms;
        bool begun;
    } cases[] = {
        { "never swept", "UPDATE potok_entity SET full_ms = NULL", 500, true },
        { "swept just now",
            "INSERT INTO potok_cursor (portal, entity, name, value, at_ms) VALUES "
            "('main', 'deals', 'swept', 900, 900)",
            500, false },
        { "wanted by the operator",
            "INSERT INTO potok_cursor (portal, entity, name, value, at_ms) VALUES "
            "('main', 'deals', 'swept', 900, 900)",
            0, true },
        { "swept long ago",
            "INSERT INTO potok_cursor (portal, entity, name, value, at_ms) VALUES "
            "('main', 'deals', 'swept', 400, 400)",
            500, true },
        { "a full sync ended just now", "UPDATE potok_entity SET full_ms = 900", 500, false },
        { "swept in a time to come",
            "INSERT INTO potok_cursor (portal, entity, name, value, at_ms) VALUES "
            "('main', 'deals', 'swept', 9000, 9000)",
            500, true },
        { "what changed is looked for",
            "INSERT INTO potok_job (run, portal, entity, kind, first, last, state) "
            "VALUES (0, 'main', 'deals', 'changed', 51, 99, 'open')",
            500, true },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[32];

        snprintf(name, sizeof(name), "swept%zu", i);
        struct world w = with_cursor(name);
        world_run(&w, cases[i].sql);
        if ((ask_for(&w, JOB_SWEEP, cases[i].every_ms) > 0) != cases[i].begun)
            fail_msg("%s", cases[i].what);
        db_close(&w.db);
    }
}

/* What is left of it must not move the cursor over what was given up. */
TEST(a_look_is_given_up_whole)
{
    struct world w = with_cursor("whole");
    uint64_t job = ask(&w), other = 0;
    struct err err = { 0 };

    CHECK_OK(store_split(w.db, &w.who, job, 500, &other, &err), err);
    CHECK(other > 0);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job WHERE kind = 'changed'", 2);
    CHECK_OK(store_alone(w.db, &w.who, job, DEALS, 0, STR(""), &err), err);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job", 0);
    db_close(&w.db);
}

static void wish(struct world *w)
{
    struct store_marks group = { .who = w->who, .entity = DEALS, .wishes = 1U << CURSOR_SWEEP };
    struct err err = { 0 };

    CHECK_OK(store_events(w->db, &group, 1, &err), err);
}

/* From then on its job stands for it. */
TEST(a_wish_for_a_sweep_is_kept_until_the_sweep_begins)
{
    struct world w = with_cursor("wish");

    wish(&w);
    CHECK_GET(&w, "SELECT count(*) FROM potok_cursor WHERE name = 'sweep' AND value = 1", 1);
    CHECK(ask(&w) > 0); /* for what changed */
    world_run(&w, "UPDATE potok_entity SET paused = 1");
    CHECK_EQ(ask_for(&w, JOB_SWEEP, 0), 0);
    CHECK_GET(&w, "SELECT count(*) FROM potok_cursor WHERE name = 'sweep'", 1);
    world_run(&w, "UPDATE potok_entity SET paused = 0");
    CHECK(ask_for(&w, JOB_SWEEP, 0) > 0);
    CHECK_GET(&w, "SELECT count(*) FROM potok_cursor WHERE name = 'sweep'", 0);
    wish(&w); /* while it goes: another one */
    CHECK_EQ(ask_for(&w, JOB_SWEEP, 0), 0);
    CHECK_GET(&w, "SELECT count(*) FROM potok_cursor WHERE name = 'sweep'", 1);
    db_close(&w.db);
}

TEST_MAIN(CASE(a_look_begins_once_and_asks_from_the_cursor_on), CASE(nothing_is_asked_where_it_would_not_do),
    CASE(a_record_set_aside_ends_the_look_its_mark_is_stronger), CASE(a_look_is_given_up_whole),
    CASE(ids_are_swept_when_neither_a_sweep_nor_a_full_sync_did_it_lately),
    CASE(a_wish_for_a_sweep_is_kept_until_the_sweep_begins))
