#include "fixture.h"

#include "base/mem.h"

struct learnt {
    struct buf schema, old;
    struct learn_entity entity;
    struct store_learn store;
};

static void encode(struct buf *b, const struct field *fields, int n)
{
    buf_fini(b);
    buf_init(b, 1 << 20);
    schema_encode(fields, n, b);
}

static void learn(struct world *w, struct learnt *l, const struct field *fields, int n, uint64_t run,
    const char *unknown, uint64_t now_ms)
{
    struct err err = { 0 };

    encode(&l->schema, fields, n);
    buf_fini(&l->old);
    buf_init(&l->old, 1 << 20);
    buf_add(&l->old, l->entity.merged.p, l->entity.merged.n);
    buf_fini(&l->entity.merged);
    l->entity = (struct learn_entity){ .entity = DEALS,
        .run = run,
        .schema = buf_view(&l->schema),
        .old_schema = buf_view(&l->old),
        .unknown = str_of(unknown),
        .bounds = { 1, 40000, 20000 } };
    l->store = (struct store_learn){ .who = w->who, .job = 1, .list = &l->entity, .count = 1 };
    l->store.who.now_ms = now_ms;
    CHECK_OK(store_learn(w->db, &l->store, &err), err);
}

static void learnt_fini(struct learnt *l)
{
    buf_fini(&l->schema);
    buf_fini(&l->old);
    buf_fini(&l->entity.merged);
}

#define FIELD_ID \
    { \
        { "ID", 2 }, { "integer", 7 }, false, HOLD_NOT \
    }
#define FIELD_TITLE \
    { \
        { "TITLE", 5 }, { "string", 6 }, false, HOLD_NOT \
    }
#define FIELD_TAGS \
    { \
        { "UF_TAGS", 7 }, { "string", 6 }, true, HOLD_NOT \
    }

TEST(a_probing_run_becomes_open_with_ranges_over_all_ids)
{
    struct world w = world_new("open");
    const struct field fields[] = { FIELD_ID, FIELD_TITLE };
    struct learnt l = { 0 };

    world_range(&w, 1, 1, 50); /* of a run before */
    world_run(&w, "UPDATE potok_job SET state = 'done'");
    world_run(&w, "INSERT INTO potok_run (id, portal, entity, kind, state) VALUES (2, 'main', 'deals', "
                  "'full', 'probing')");
    learn(&w, &l, fields, 2, 2, "", 100);
    CHECK_EQ(l.entity.range_count, 4);
    CHECK_EQ(l.entity.added, 2);
    CHECK_GET(&w, "SELECT expected FROM potok_run WHERE id = 2 AND state = 'open'", 20000);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job", 4);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job WHERE run = 2 AND state = 'open' AND d = 0", 4);
    CHECK_GET(&w, "SELECT min(first) FROM potok_job", 1);
    CHECK_EQ(world_get(&w, "SELECT max(last) FROM potok_job"), (int64_t)RANGE_OPEN);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job a JOIN potok_job b ON b.first = a.last + 1", 3);
    CHECK_GET(&w, "SELECT total FROM potok_entity WHERE schema IS NOT NULL", 20000);
    for (int i = 0; i < 4; i++)
        CHECK(l.entity.jobs[i] > 0);
    learnt_fini(&l);
    db_close(&w.db);
}

/* A probe answered twice, or after its run was ended, cuts nothing a second time. */
TEST(a_run_that_is_not_probing_gets_no_ranges)
{
    struct world w = world_new("again");
    const struct field fields[] = { FIELD_ID };
    struct learnt l = { 0 };

    world_range(&w, 2, 1, 50);
    learn(&w, &l, fields, 1, 2, "", 100);
    CHECK_EQ(l.entity.range_count, 0);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job", 1);
    learnt_fini(&l);
    db_close(&w.db);
}

TEST(fields_keep_their_history)
{
    struct world w = world_new("history");
    const struct field one[] = { FIELD_ID, FIELD_TITLE }, two[] = { FIELD_ID, FIELD_TAGS };
    struct learnt l = { 0 };

    learn(&w, &l, one, 2, 0, "", 100);
    learn(&w, &l, two, 2, 0, "", 200);
    CHECK_EQ(l.entity.added, 1);
    CHECK_EQ(l.entity.gone, 1);
    CHECK_GET(&w, "SELECT gone_ms FROM potok_field WHERE name = 'TITLE'", 200);
    CHECK_GET(&w, "SELECT first_ms FROM potok_field WHERE name = 'ID'", 100);
    CHECK_GET(&w, "SELECT last_ms FROM potok_field WHERE name = 'ID' AND gone_ms IS NULL", 200);
    CHECK_GET(
        &w, "SELECT count(*) FROM potok_field WHERE col = 'uf_tags' AND kind = 'json' AND multiple = 1", 1);
    learn(&w, &l, one, 2, 0, "", 300);
    CHECK_GET(&w,
        "SELECT last_ms FROM potok_field WHERE name = 'TITLE' AND gone_ms IS NULL AND first_ms = 100", 300);
    learnt_fini(&l);
    db_close(&w.db);
}

TEST(a_field_of_another_type_is_told_and_not_added_twice)
{
    struct world w = world_new("retyped");
    const struct field one[] = { FIELD_ID, FIELD_TITLE };
    const struct field two[] = { FIELD_ID, { { "TITLE", 5 }, { "double", 6 }, false, HOLD_NOT } };
    struct learnt l = { 0 };

    learn(&w, &l, one, 2, 0, "", 100);
    learn(&w, &l, two, 2, 0, "", 200);
    CHECK_EQ(l.entity.retyped, 1);
    CHECK_EQ(l.entity.added + l.entity.gone, 0);
    CHECK_GET(&w, "SELECT count(*) FROM potok_field WHERE name = 'TITLE' AND type = 'double'", 1);
    learnt_fini(&l);
    db_close(&w.db);
}

TEST(a_field_that_only_records_show_becomes_text_and_stays)
{
    struct world w = world_new("unknown");
    const struct field fields[] = { FIELD_ID, FIELD_TITLE };
    const struct field described[] = { { { "FACE_ID", 7 }, { "integer", 7 }, false, HOLD_NOT }, FIELD_ID, FIELD_TITLE };
    struct learnt l = { 0 };
    struct schema s;
    struct err err = { 0 };

    learn(&w, &l, fields, 2, 0, "FACE_ID TITLE", 100);
    CHECK_EQ(l.entity.fields, 3);
    CHECK_GET(&w,
        "SELECT count(*) FROM potok_field WHERE name = 'FACE_ID' AND type = 'unknown' AND kind = 'text'", 1);
    learn(&w, &l, fields, 2, 0, "", 200); /* the next probe still does not describe it */
    CHECK_EQ(l.entity.fields, 3);
    CHECK_EQ(l.entity.gone, 0);
    CHECK_OK(schema_decode(&s, buf_view(&l.entity.merged), &err), err);
    CHECK(schema_find(&s, STR("FACE_ID")) != NULL);
    schema_free(&s);
    learn(&w, &l, described, 3, 0, "", 300); /* until it does */
    CHECK_EQ(l.entity.retyped, 1);
    learnt_fini(&l);
    db_close(&w.db);
}

TEST(what_is_learnt_twice_is_the_same_bytes)
{
    struct world w = world_new("bytes");
    const struct field fields[] = { FIELD_ID, FIELD_TITLE, FIELD_TAGS };
    struct learnt l = { 0 };

    learn(&w, &l, fields, 3, 0, "", 100);
    learn(&w, &l, fields, 3, 0, "", 200);
    CHECK_EQ(l.entity.added + l.entity.gone + l.entity.retyped, 0);
    CHECK(str_eq(buf_view(&l.entity.merged), buf_view(&l.old)));
    learnt_fini(&l);
    db_close(&w.db);
}

TEST_MAIN(CASE(a_probing_run_becomes_open_with_ranges_over_all_ids),
    CASE(a_run_that_is_not_probing_gets_no_ranges), CASE(fields_keep_their_history),
    CASE(a_field_of_another_type_is_told_and_not_added_twice),
    CASE(a_field_that_only_records_show_becomes_text_and_stays), CASE(what_is_learnt_twice_is_the_same_bytes))
