#include "fixture.h"

#include "base/mem.h"

struct learnt {
    struct buf schema;
    struct buf old; /* what was stored before */
    struct buf labels;
    enum drift_policy policy;
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
    store_learn_fini(&l->store);
    l->entity = (struct learn_entity){ .entity = DEALS,
        .run = run,
        .schema = buf_view(&l->schema),
        .labels = buf_view(&l->labels),
        .policy = l->policy,
        .unknown = str_of(unknown),
        .bounds = { 1, 40000, 20000 } };
    l->store = (struct store_learn){ .who = w->who, .job = 1, .list = &l->entity, .count = 1 };
    l->store.who.now_ms = now_ms;
    CHECK_OK(store_learn(w->db, &l->store, &err), err);
}

static int on_text(void *ctx, const struct db_val *row, int columns)
{
    buf_add(ctx, row[0].s.p, row[0].s.n);
    return 0;
}

static void learnt_fini(struct learnt *l)
{
    buf_fini(&l->schema);
    buf_fini(&l->old);
    buf_fini(&l->labels);
    store_learn_fini(&l->store);
}

#define FIELD_ID \
    { \
        { "ID", 2 }, { "integer", 7 }, false, HOLD_NOT \
    }
#define FIELD_TITLE \
    { \
        { "TITLE", 5 }, { "string", 6 }, false, HOLD_NOT \
    }
#define FIELD_KIND \
    { \
        { "UF_KIND", 7 }, { "enumeration", 11 }, false, HOLD_NOT \
    }
#define FIELD_SUM \
    { \
        { "UF_SUM", 6 }, { "money", 5 }, false, HOLD_NOT \
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
    CHECK(l.entity.first);
    CHECK_EQ(l.entity.fields, 2);
    CHECK_GET(&w, "SELECT count(*) FROM potok_field_change", 0);
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
    CHECK_EQ(l.entity.counts[CHANGE_ADDED], 1);
    CHECK_EQ(l.entity.counts[CHANGE_GONE], 1);
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
    CHECK_EQ(l.entity.counts[CHANGE_RETYPED], 1);
    CHECK_EQ(l.entity.counts[CHANGE_ADDED] + l.entity.counts[CHANGE_GONE], 0);
    CHECK_GET(&w, "SELECT count(*) FROM potok_field WHERE name = 'TITLE' AND type = 'double'", 1);
    learnt_fini(&l);
    db_close(&w.db);
}

TEST(a_field_that_only_records_show_becomes_text_and_stays)
{
    struct world w = world_new("unknown");
    const struct field fields[] = { FIELD_ID, FIELD_TITLE };
    const struct field described[] = { { { "FACE_ID", 7 }, { "integer", 7 }, false, HOLD_NOT }, FIELD_ID,
        FIELD_TITLE };
    struct learnt l = { 0 };
    struct schema s;
    struct err err = { 0 };

    learn(&w, &l, fields, 2, 0, "FACE_ID TITLE", 100);
    CHECK_EQ(l.entity.fields, 3);
    CHECK_GET(&w,
        "SELECT count(*) FROM potok_field WHERE name = 'FACE_ID' AND type = 'unknown' AND kind = 'text'", 1);
    learn(&w, &l, fields, 2, 0, "", 200); /* the next probe still does not describe it */
    CHECK_EQ(l.entity.fields, 3);
    CHECK_EQ(l.entity.counts[CHANGE_GONE], 0);
    CHECK_OK(schema_decode(&s, buf_view(&l.entity.merged), &err), err);
    CHECK(schema_find(&s, STR("FACE_ID")) != NULL);
    schema_free(&s);
    learn(&w, &l, described, 3, 0, "", 300); /* until it does */
    CHECK_EQ(l.entity.counts[CHANGE_RETYPED], 1);
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
    CHECK_EQ(l.entity.change_count, 0);
    CHECK(str_eq(buf_view(&l.entity.merged), buf_view(&l.old)));
    learnt_fini(&l);
    db_close(&w.db);
}

/* ---- changes ---- */

static void call(struct learnt *l, const struct label *labels, int count)
{
    buf_fini(&l->labels);
    buf_init(&l->labels, 1 << 20);
    labels_encode(labels, count, &l->labels);
}

static void check_change(struct world *w, int no, const char *expected)
{
    struct err err = { 0 };
    struct buf got;
    char sql[300];

    snprintf(sql, sizeof(sql),
        "SELECT CAST(at_ms AS TEXT) || ' ' || name || ' ' || what || ': ' || "
        "coalesce(was, '-') || ' > ' || coalesce(now, '-') FROM potok_field_change ORDER BY id LIMIT 1 "
        "OFFSET %d",
        no);
    buf_init(&got, 4096);
    CHECK_OK(db_run(w->db, sql, DB_NOARGS, on_text, &got, NULL, &err), err);
    CHECK_STR(buf_cstr(&got), expected);
    buf_fini(&got);
}

TEST(each_change_is_one_line_of_history)
{
    struct world w = world_new("lines");
    const struct field one[] = { FIELD_ID, FIELD_TITLE, FIELD_KIND };
    const struct field two[] = { FIELD_ID, { { "TITLE", 5 }, { "double", 6 }, true, HOLD_NOT }, FIELD_KIND,
        FIELD_TAGS };
    const struct field three[] = { FIELD_ID, FIELD_KIND };
    const struct label first[] = { { STR("TITLE"), STR("Название"), STR("") },
        { STR("UF_KIND"), STR("Вид"), STR("[[\"5\",\"Опт\"],[\"7\",\"Розница\"]]") } };
    const struct label second[] = { { STR("TITLE"), STR("Заголовок"), STR("") },
        { STR("UF_KIND"), STR("Вид"), STR("[[\"5\",\"Опт\"],[\"7\",\"В розницу\"],[\"9\",\"Сеть\"]]") } };
    struct learnt l = { 0 };

    call(&l, first, 2);
    learn(&w, &l, one, 3, 0, "", 100);
    CHECK_GET(&w, "SELECT count(*) FROM potok_field WHERE title = 'Название' OR items LIKE '%Розница%'", 2);
    learn(&w, &l, one, 3, 0, "", 150);
    CHECK_GET(&w, "SELECT count(*) FROM potok_field_change", 0);
    CHECK_GET(&w, "SELECT count(*) FROM potok_field WHERE changed_ms IS NOT NULL", 0);
    call(&l, second, 2);
    learn(&w, &l, two, 4, 0, "", 200);
    check_change(&w, 0, "200 TITLE retyped: string > double, multiple");
    check_change(&w, 1, "200 TITLE renamed: Название > Заголовок");
    check_change(
        &w, 2, "200 UF_KIND items: [[\"7\",\"Розница\"]] > [[\"7\",\"В розницу\"],[\"9\",\"Сеть\"]]");
    check_change(&w, 3, "200 UF_TAGS added: - > string, multiple");
    CHECK_GET(&w, "SELECT count(*) FROM potok_field WHERE changed_ms = 200", 3);
    learn(&w, &l, three, 2, 0, "", 300);
    check_change(&w, 4, "300 TITLE gone: double, multiple > -");
    check_change(&w, 5, "300 UF_TAGS gone: string, multiple > -");
    call(&l, second, 0); /* nothing was told of names this time: what was known stays */
    learn(&w, &l, one, 3, 0, "", 400);
    check_change(&w, 6, "400 TITLE back: - > string");
    check_change(&w, 7, "400 TITLE retyped: double, multiple > string");
    CHECK_GET(&w, "SELECT count(*) FROM potok_field_change", 8);
    CHECK_GET(&w, "SELECT count(*) FROM potok_field WHERE title = 'Заголовок' OR items LIKE '%Сеть%'", 2);
    CHECK_GET(&w, "SELECT count(*) FROM potok_field WHERE gone_ms = 300 AND changed_ms = 300", 1);
    learnt_fini(&l);
    db_close(&w.db);
}

/* The first version knew no titles: learning them is no renaming. */
TEST(what_was_never_learnt_did_not_change)
{
    struct world w = world_new("never");
    const struct field fields[] = { FIELD_ID, FIELD_KIND };
    const struct label labels[] = { { STR("UF_KIND"), STR("Вид"), STR("[[\"5\",\"Опт\"]]") } };
    struct learnt l = { 0 };

    learn(&w, &l, fields, 2, 0, "", 100);
    call(&l, labels, 1);
    learn(&w, &l, fields, 2, 0, "", 200);
    CHECK_EQ(l.entity.change_count, 0);
    CHECK_GET(&w, "SELECT count(*) FROM potok_field WHERE title = 'Вид' AND items = '[[\"5\",\"Опт\"]]'", 1);
    learnt_fini(&l);
    db_close(&w.db);
}

/* ---- policies ---- */

static int hold_in_schema(const struct learnt *l, const char *name)
{
    struct err err = { 0 };
    struct schema s;

    CHECK_OK(schema_decode(&s, buf_view(&l->entity.merged), &err), err);
    const struct field *f = schema_find(&s, str_of(name));
    int hold = f == NULL ? -1 : (int)f->hold;
    schema_free(&s);
    return hold;
}

TEST(a_policy_holds_new_fields_and_leaves_known_ones_alone)
{
    struct world w = world_new("policy");
    const struct field one[] = { FIELD_ID, FIELD_TITLE }, two[] = { FIELD_ID, FIELD_KIND, FIELD_TITLE };
    struct learnt l = { .policy = DRIFT_QUARANTINE };

    learn(&w, &l, one, 2, 0, "", 100); /* the first time there is nothing to compare with */
    CHECK_EQ(hold_in_schema(&l, "TITLE"), HOLD_NOT);
    learn(&w, &l, two, 3, 0, "FACE_ID", 200);
    CHECK_EQ(hold_in_schema(&l, "TITLE"), HOLD_NOT);
    CHECK_EQ(hold_in_schema(&l, "UF_KIND"), HOLD_ASIDE);
    CHECK_EQ(hold_in_schema(&l, "FACE_ID"), HOLD_ASIDE);
    CHECK_EQ(l.entity.change_count, 2);
    CHECK(l.entity.changes[0].act && l.entity.changes[1].act);
    CHECK_GET(&w, "SELECT count(*) FROM potok_field WHERE held = 2", 2);
    l.policy = DRIFT_FREEZE;
    learn(&w, &l, one, 2, 0, "", 300); /* gone and back: still held, and by the policy of today */
    learn(&w, &l, two, 3, 0, "", 400);
    CHECK_EQ(hold_in_schema(&l, "UF_KIND"), HOLD_OUT);
    world_run(&w, "UPDATE potok_field SET held = 0 WHERE name = 'UF_KIND'");
    learn(&w, &l, two, 3, 0, "", 500);
    CHECK_EQ(hold_in_schema(&l, "UF_KIND"), HOLD_NOT);
    CHECK_EQ(hold_in_schema(&l, "FACE_ID"), HOLD_OUT);
    l.policy = DRIFT_EVOLVE;
    learn(&w, &l, two, 3, 0, "", 600);
    CHECK_EQ(hold_in_schema(&l, "FACE_ID"), HOLD_NOT);
    CHECK_GET(&w, "SELECT count(*) FROM potok_field WHERE held <> 0", 0);
    learnt_fini(&l);
    db_close(&w.db);
}

/* ---- a field that was gone ---- */

static void make_mirror(struct world *w)
{
    const struct db_column columns[] = { { STR("title"), COL_TEXT }, { STR("uf_sum"), COL_DECIMAL },
        { STR("uf_sum_currency"), COL_TEXT } };
    struct err err = { 0 };

    CHECK_OK(db_ensure_table(w->db, STR("crm_deals"), columns, 3, NULL, &err), err);
    world_run(w, "INSERT INTO crm_deals (id, _hi, _hash, _written_at, title, uf_sum, uf_sum_currency) VALUES "
                 "(1, 5, '0123456789abcdef', '2024-01-01T00:00:00Z', 'a', 10, 'RUB'),"
                 "(2, 5, '0123456789abcdef', '2024-01-01T00:00:00Z', 'b', NULL, NULL),"
                 "(3, 5, '0123456789abcdef', '2024-01-01T00:00:00Z', 'c', NULL, 'RUB')");
    world_run(w, "INSERT INTO crm_deals (id, _hi, _written_at, _deleted_at, title, uf_sum) VALUES "
                 "(4, 5, '2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z', 'd', 10)");
}

/* Deleted and made anew under the same name it is another field, and empty. Without this, rows whose new
 * value is NULL looked unchanged and kept the value of the field that was deleted. */
TEST(a_field_that_comes_back_does_not_inherit_the_values_of_its_forerunner)
{
    struct world w = world_new("back");
    const struct field with[] = { FIELD_ID, FIELD_TITLE, FIELD_SUM }, without[] = { FIELD_ID, FIELD_TITLE };
    struct learnt l = { 0 };

    learn(&w, &l, with, 3, 0, "", 100);
    make_mirror(&w);
    learn(&w, &l, without, 2, 0, "", 200);
    CHECK_EQ(l.entity.emptied, 0);
    CHECK_GET(&w, "SELECT count(*) FROM crm_deals WHERE uf_sum IS NOT NULL", 2); /* kept while it is gone */
    learn(&w, &l, with, 3, 0, "", 300);
    CHECK_EQ(l.entity.emptied, 2);
    CHECK_EQ(l.entity.again, world_get(&w, "SELECT id FROM potok_run WHERE state = 'probing'"));
    CHECK_GET(&w,
        "SELECT count(*) FROM crm_deals WHERE (uf_sum IS NOT NULL OR uf_sum_currency IS NOT NULL) AND "
        "_deleted_at IS NULL",
        0);
    CHECK_GET(&w, "SELECT count(*) FROM crm_deals WHERE _hash IS NULL AND id IN (1, 3, 4)", 3);
    CHECK_GET(&w, "SELECT count(*) FROM crm_deals WHERE _hash IS NOT NULL AND id = 2", 1);
    CHECK_GET(&w, "SELECT count(*) FROM crm_deals WHERE title IS NULL", 0);
    CHECK_GET(&w, "SELECT id FROM crm_deals WHERE uf_sum IS NOT NULL", 4); /* a ghost keeps its last values */
    learn(&w, &l, with, 3, 0, "", 400);
    CHECK_EQ(l.entity.emptied, 0);
    learnt_fini(&l);
    db_close(&w.db);
}

/* A second column goes and comes with the type: money, text, money. */
TEST(a_currency_that_comes_back_is_emptied_too)
{
    struct world w = world_new("currency");
    const struct field money[] = { FIELD_ID, FIELD_TITLE, FIELD_SUM };
    const struct field text[] = { FIELD_ID, FIELD_TITLE,
        { { "UF_SUM", 6 }, { "string", 6 }, false, HOLD_NOT } };
    struct learnt l = { 0 };

    learn(&w, &l, money, 3, 0, "", 100);
    make_mirror(&w);
    learn(&w, &l, text, 3, 0, "", 200);
    CHECK_EQ(l.entity.emptied, 0);
    CHECK(l.entity.changes[0].act);
    learn(&w, &l, money, 3, 0, "", 300);
    CHECK_EQ(l.entity.emptied, 2);
    CHECK_GET(
        &w, "SELECT count(*) FROM crm_deals WHERE uf_sum_currency IS NOT NULL AND _deleted_at IS NULL", 0);
    CHECK_GET(&w, "SELECT count(*) FROM crm_deals WHERE uf_sum IS NOT NULL", 2);
    learnt_fini(&l);
    db_close(&w.db);
}

TEST(a_mirror_without_a_table_or_a_column_has_nothing_to_empty)
{
    struct world w = world_new("nothing");
    const struct field one[] = { FIELD_ID, FIELD_TITLE }, two[] = { FIELD_ID, FIELD_KIND, FIELD_TITLE };
    struct learnt l = { 0 };

    learn(&w, &l, one, 2, 0, "", 100);
    learn(&w, &l, two, 3, 0, "", 200);
    CHECK_EQ(l.entity.emptied, 0);
    make_mirror(&w);
    learn(&w, &l, one, 2, 0, "", 300);
    learn(&w, &l, two, 3, 0, "", 400);
    CHECK_EQ(l.entity.emptied, 0);
    learnt_fini(&l);
    db_close(&w.db);
}

/* What its column holds decides whether somebody has to act, not what the field was yesterday. */
TEST(a_type_that_fits_its_column_again_needs_nobody)
{
    struct world w = world_new("fits");
    const struct field integer[] = { FIELD_ID, { { "UF_N", 4 }, { "integer", 7 }, false, HOLD_NOT } };
    const struct field text[] = { FIELD_ID, { { "UF_N", 4 }, { "string", 6 }, false, HOLD_NOT } };
    const struct field url[] = { FIELD_ID, { { "UF_N", 4 }, { "url", 3 }, false, HOLD_NOT } };
    struct learnt l = { 0 };

    learn(&w, &l, integer, 2, 0, "", 100);
    world_run(
        &w, "INSERT INTO potok_column (tbl, col, kind, made_ms) VALUES ('crm_deals', 'uf_n', 'int', 1)");
    learn(&w, &l, text, 2, 0, "", 200);
    CHECK(l.entity.changes[0].act);
    learn(&w, &l, url, 2, 0, "", 300);
    CHECK(l.entity.changes[0].act);
    learn(&w, &l, integer, 2, 0, "", 400);
    CHECK(!l.entity.changes[0].act);
    learnt_fini(&l);
    db_close(&w.db);
}

/* ---- acceptance ---- */

static struct store_shape look_at_shape(struct world *w)
{
    struct store_shape x = { .who = w->who, .entity = DEALS };
    struct err err = { 0 };

    CHECK_OK(store_shape(w->db, &x, &err), err);
    return x;
}

static void accept_all(struct world *w)
{
    world_run(w, "UPDATE potok_field SET held = 0");
    world_run(w, "UPDATE potok_entity SET shape = shape + 1, full_ms = NULL");
}

static void freeze_one(struct world *w, struct learnt *l)
{
    const struct field one[] = { FIELD_ID, FIELD_TITLE }, two[] = { FIELD_ID, FIELD_KIND, FIELD_TITLE };

    l->policy = DRIFT_FREEZE;
    learn(w, l, one, 2, 0, "", 100);
    learn(w, l, two, 3, 0, "", 200);
}

TEST(an_accepted_field_is_copied_by_a_new_run_over_everything)
{
    struct world w = world_new("accept");
    struct learnt l = { 0 };

    freeze_one(&w, &l);
    struct store_shape x = look_at_shape(&w);
    CHECK(!x.lifted);
    CHECK_EQ(x.shape, 0);
    store_shape_fini(&x);
    accept_all(&w);
    x = look_at_shape(&w);
    CHECK(x.lifted);
    CHECK_EQ(x.shape, 1);
    CHECK_EQ(x.run, world_get(&w, "SELECT id FROM potok_run WHERE state = 'probing' AND kind = 'full'"));
    CHECK(!str_eq(buf_view(&x.schema), buf_view(&l.entity.merged)));
    store_shape_fini(&x);
    x = look_at_shape(&w); /* once */
    CHECK(!x.lifted);
    store_shape_fini(&x);
    CHECK_GET(&w, "SELECT count(*) FROM potok_run", 1);
    learnt_fini(&l);
    db_close(&w.db);
}

TEST(a_run_under_way_begins_again)
{
    struct world w = world_new("begins");
    struct learnt l = { 0 };

    freeze_one(&w, &l);
    world_range(&w, 7, 1, 50);
    world_range(&w, 7, 51, 90);
    world_run(&w, "UPDATE potok_run SET read = 20, written = 20");
    accept_all(&w);
    struct store_shape x = look_at_shape(&w);
    CHECK_EQ(x.run, 7);
    CHECK_GET(&w, "SELECT count(*) FROM potok_run WHERE state = 'probing' AND read = 0 AND written = 20", 1);
    CHECK_GET(&w, "SELECT count(*) FROM potok_job", 0);
    store_shape_fini(&x);
    learnt_fini(&l);
    db_close(&w.db);
}

TEST(what_was_accepted_while_nothing_ran_is_seen_at_the_start)
{
    struct world w = world_new("start");
    struct learnt l = { 0 };
    struct store_mirror m = { .entity = DEALS, .table = STR("crm_deals") };
    struct err err = { 0 };

    freeze_one(&w, &l);
    accept_all(&w);
    CHECK_OK(store_load_mirror(w.db, &w.who, &m, &err), err);
    CHECK(m.lifted && m.probing && m.run > 0);
    CHECK_EQ(m.shape, 1);
    CHECK(m.schema.n > 0 && m.schema.n < l.entity.merged.n);
    store_mirror_fini(&m);
    learnt_fini(&l);
    db_close(&w.db);
}

/* A probe for another reason comes between the acceptance and the look at it. */
TEST(a_probe_does_not_hide_an_acceptance)
{
    struct world w = world_new("between");
    const struct field two[] = { FIELD_ID, FIELD_KIND, FIELD_TITLE };
    struct learnt l = { 0 };

    freeze_one(&w, &l);
    world_range(&w, 7, 1, 50);
    accept_all(&w);
    learn(&w, &l, two, 3, 0, "", 300);
    CHECK_EQ(l.entity.again, 7);
    CHECK_EQ(l.entity.shape, 1);
    CHECK_GET(&w, "SELECT count(*) FROM potok_run WHERE state = 'probing'", 1);
    learn(&w, &l, two, 3, 7, "", 400); /* and the next one opens it */
    CHECK_EQ(l.entity.again, 0);
    CHECK(l.entity.range_count > 0);
    learnt_fini(&l);
    db_close(&w.db);
}

/* ---- fields that changed ---- */

/* Rule 3 for fields: a change that was told when the probe had its number is perhaps not in its answer. */
TEST(a_wish_for_a_probe_is_served_by_a_later_number_alone)
{
    static const struct {
        const char *what;
        int64_t told, d;
        bool left;
    } cases[] = {
        { "before the dispatch", 6, 7, false },
        { "since the dispatch", 7, 7, true },
        { "long since", 9, 7, true },
        { "of a probe that is not known any more", 1, 0, true },
    };
    const struct field fields[] = { FIELD_ID };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[32], sql[300];
        struct learnt l = { 0 };

        snprintf(name, sizeof(name), "served%zu", i);
        struct world w = world_new(name);
        snprintf(sql, sizeof(sql),
            "INSERT INTO potok_cursor (portal, entity, name, value, at_ms) VALUES "
            "('main', 'deals', 'fields', %lld, 1), ('main', 'leads', 'fields', 1, 1)",
            (long long)cases[i].told);
        world_run(&w, sql);
        snprintf(sql, sizeof(sql),
            "INSERT INTO potok_job (id, run, portal, entity, kind, state, d) VALUES "
            "(1, 0, 'main', '', 'probe', 'open', %lld)",
            (long long)cases[i].d);
        if (cases[i].d > 0)
            world_run(&w, sql);
        learn(&w, &l, fields, 1, 0, "", 100);
        if (l.entity.wished != cases[i].left ||
            world_get(&w, "SELECT count(*) FROM potok_cursor WHERE entity = 'deals'") != cases[i].left)
            fail_msg("%s", cases[i].what);
        CHECK_GET(&w, "SELECT count(*) FROM potok_cursor WHERE entity = 'leads'", 1);
        learnt_fini(&l);
        db_close(&w.db);
    }
}

TEST_MAIN(CASE(a_probing_run_becomes_open_with_ranges_over_all_ids),
    CASE(a_run_that_is_not_probing_gets_no_ranges), CASE(fields_keep_their_history),
    CASE(a_field_of_another_type_is_told_and_not_added_twice),
    CASE(a_field_that_only_records_show_becomes_text_and_stays), CASE(what_is_learnt_twice_is_the_same_bytes),
    CASE(each_change_is_one_line_of_history), CASE(what_was_never_learnt_did_not_change),
    CASE(a_policy_holds_new_fields_and_leaves_known_ones_alone),
    CASE(a_field_that_comes_back_does_not_inherit_the_values_of_its_forerunner),
    CASE(a_currency_that_comes_back_is_emptied_too),
    CASE(a_mirror_without_a_table_or_a_column_has_nothing_to_empty),
    CASE(a_type_that_fits_its_column_again_needs_nobody),
    CASE(an_accepted_field_is_copied_by_a_new_run_over_everything), CASE(a_run_under_way_begins_again),
    CASE(what_was_accepted_while_nothing_ran_is_seen_at_the_start), CASE(a_probe_does_not_hide_an_acceptance),
    CASE(a_wish_for_a_probe_is_served_by_a_later_number_alone))
