#include "fixture.h"

static void make_table(struct world *w)
{
    const struct db_column columns[] = { { STR("title"), COL_TEXT } };
    struct err err = { 0 };

    CHECK_OK(db_ensure_table(w->db, STR("crm_deals"), columns, 1, NULL, &err), err);
    world_run(w, "INSERT INTO crm_deals (id, title, _hi, _deleted_at, _written_at) VALUES "
                 "(1, 'live', 5, NULL, '2024-01-01T00:00:00Z'), (2, NULL, 5, '2024-01-01T00:00:00Z', NULL), "
                 "(3, NULL, 9, '2024-01-01T00:00:00Z', NULL), "
                 "(4, 'was', 5, '2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z')");
}

static int raise_floor(struct world *w, uint64_t low, bool ghosts, struct err *err)
{
    struct str entities[] = { DEALS }, tables[] = { STR("crm_deals") };
    bool look[] = { ghosts }, busy[] = { false };
    struct store_floor x = { w->who, low, entities, tables, look, busy, 1 };
    int failed = store_floor(w->db, &x, err);

    CHECK(failed < 0 || !busy[0]);
    return failed;
}

TEST(floor__goes_up_and_never_down)
{
    struct world w = world_new("up");
    struct err err = { 0 };

    CHECK_OK(raise_floor(&w, 7, false, &err), err);
    CHECK_GET(&w, "SELECT floor FROM potok_entity", 7);
    CHECK_OK(raise_floor(&w, 6, false, &err), err);
    CHECK_GET(&w, "SELECT floor FROM potok_entity", 7);
    db_close(&w.db);
}

/* The model's search witness-dies-at-d: a witness goes when the floor reaches its c, not before. */
TEST(floor__witnesses_below_it_go_and_those_above_stay)
{
    struct world w = world_new("witness");
    struct err err = { 0 };

    world_run(&w,
        "INSERT INTO potok_witness (portal, entity, first, last, c) VALUES ('main', 'deals', 1, 9, 4), "
        "('main', 'deals', 1, 9, 5), ('main', 'deals', 1, 9, 6), ('main', 'leads', 1, 9, 1), "
        "('two', 'deals', 1, 9, 1)");
    CHECK_OK(raise_floor(&w, 5, false, &err), err);
    CHECK_GET(&w, "SELECT count(*) FROM potok_witness WHERE portal = 'main' AND entity = 'deals'", 1);
    CHECK_GET(&w, "SELECT c FROM potok_witness WHERE portal = 'main' AND entity = 'deals'", 6);
    CHECK_GET(&w, "SELECT count(*) FROM potok_witness", 3);
    db_close(&w.db);
}

/* The model's search purge-blind: a ghost that goes before the floor lets an old reading bring the record
 * back. */
TEST(purge_blind__only_empty_ghosts_below_the_floor_go)
{
    struct world w = world_new("ghosts");
    struct err err = { 0 };

    make_table(&w);
    CHECK_OK(raise_floor(&w, 4, true, &err), err);
    CHECK_GET(&w, "SELECT count(*) FROM crm_deals", 4);
    CHECK_OK(raise_floor(&w, 5, true, &err), err);
    CHECK_GET(&w, "SELECT count(*) FROM crm_deals", 3);
    CHECK_GET(&w, "SELECT count(*) FROM crm_deals WHERE id IN (1, 3, 4)", 3);
    CHECK_OK(raise_floor(&w, 9, false, &err), err); /* not looked for: later is always safe */
    CHECK_GET(&w, "SELECT count(*) FROM crm_deals", 3);
    CHECK_OK(raise_floor(&w, 9, true, &err), err);
    CHECK_GET(&w, "SELECT count(*) FROM crm_deals", 2);
    db_close(&w.db);
}

TEST(floor__a_mirror_without_its_table_does_not_hold_it)
{
    struct world w = world_new("no_table");
    struct err err = { 0 };

    CHECK_OK(raise_floor(&w, 7, true, &err), err);
    CHECK_GET(&w, "SELECT floor FROM potok_entity", 7);
    db_close(&w.db);
}

TEST(floor__finished_jobs_by_id_are_forgotten)
{
    struct world w = world_new("jobs");
    struct err err = { 0 };

    world_run(&w, "INSERT INTO potok_job (run, portal, entity, kind, state) VALUES (0, 'main', 'deals', "
                  "'ids', 'done'), "
                  "(0, 'main', 'deals', 'get', 'open'), (1, 'main', 'deals', 'range', 'done'), "
                  "(0, 'main', '', 'probe', 'done'), (0, 'two', 'deals', 'ids', 'done')");
    CHECK_OK(raise_floor(&w, 2, false, &err), err);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job", 3);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job WHERE portal = 'main' AND kind IN ('get', 'range')", 2);
    db_close(&w.db);
}

/* A writer that stands still in its transaction would hold up marks of every entity. */
TEST(floor__a_writers_turn_is_not_waited_for)
{
    struct world w = world_new("turn");
    struct err err = { 0 };

    if (check_is_postgres()) { /* elsewhere a transaction is alone anyway */
        struct db *writer = world_open("turn");
        struct str entities[] = { DEALS }, tables[] = { STR("crm_deals") };
        bool look[] = { true }, busy[] = { false };
        struct store_floor x = { w.who, 7, entities, tables, look, busy, 1 };
        int64_t turn;

        make_table(&w);
        CHECK_OK(db_begin(writer, &err), err);
        CHECK_OK(db_get_i64(writer, "SELECT 1 FROM potok_entity WHERE entity = 'deals' FOR UPDATE", DB_NOARGS,
                     0, &turn, &err),
            err);
        CHECK_OK(store_floor(w.db, &x, &err), err);
        CHECK(busy[0]);
        CHECK_GET(&w, "SELECT floor FROM potok_entity", 0);
        CHECK_GET(&w, "SELECT count(*) FROM crm_deals", 4);
        db_rollback(writer);
        db_close(&writer);
    }
    CHECK_OK(raise_floor(&w, 7, false, &err), err);
    CHECK_GET(&w, "SELECT floor FROM potok_entity", 7);
    db_close(&w.db);
}

TEST_MAIN(CASE(floor__goes_up_and_never_down), CASE(floor__witnesses_below_it_go_and_those_above_stay),
    CASE(purge_blind__only_empty_ghosts_below_the_floor_go),
    CASE(floor__a_mirror_without_its_table_does_not_hold_it), CASE(floor__finished_jobs_by_id_are_forgotten),
    CASE(floor__a_writers_turn_is_not_waited_for))
