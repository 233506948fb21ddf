/* Mirror tables and the upsert into them. */
#include "unit/db/fixture.h"

#include "base/mem.h"

#include <stdlib.h>

static struct db_column column(const char *name, enum col_kind kind)
{
    return (struct db_column){ str_of(name), kind };
}

static const char *columns_of(struct db *db, const char *table)
{
    char sql[256];

    snprintf(sql, sizeof(sql),
        check_is_postgres()
            ? "SELECT column_name::text, data_type::text FROM information_schema.columns WHERE "
              "table_schema = current_schema() AND table_name = '%s' ORDER BY ordinal_position"
            : "SELECT name, type FROM pragma_table_info('%s')",
        table);
    return test_rows(db, sql);
}

TEST(a_table_is_made_and_gets_what_it_lacks)
{
    struct db *db = test_ready("ensure.db"), *other = test_ready("ensure.db");
    struct db_column columns[] = { column("title", COL_TEXT), column("opportunity", COL_DECIMAL),
        column("closed", COL_BOOL), column("order", COL_INT), column("we\"ird", COL_JSON) };
    struct err err = { 0 };
    int added = -1;

    CHECK_OK(db_ensure_table(db, STR("crm_deals"), columns, 2, &added, &err), err);
    CHECK_EQ(added, 2);
    CHECK_OK(db_ensure_table(other, STR("crm_deals"), columns, 5, &added, &err), err);
    CHECK_EQ(added, 3);
    CHECK_OK(db_ensure_table(db, STR("crm_deals"), columns, 5, &added, &err), err);
    CHECK_EQ(added, 0);
    CHECK_STR(columns_of(db, "crm_deals"),
        check_is_postgres() ? "id bigint;_hi bigint;_hash bytea;_fetched_at timestamp with time "
                              "zone;_written_at timestamp with time zone;"
                              "_deleted_at timestamp with time zone;title text;opportunity numeric;closed "
                              "boolean;order bigint;we\"ird json;"
                            : "id INTEGER;_hi BIGINT;_hash BLOB;_fetched_at DATETIME;_written_at "
                              "DATETIME;_deleted_at DATETIME;"
                              "title TEXT;opportunity ;closed BOOLEAN;order INTEGER;we\"ird JSON TEXT;");
    db_close(&db);
    db_close(&other);
}

TEST(empty_ghosts_are_found_without_reading_the_table)
{
    ONLY_SQLITE();
    struct db *db = test_ready("ghosts.db");
    struct db_column c = column("a", COL_TEXT);
    struct err err = { 0 };

    CHECK_OK(db_ensure_table(db, STR("t"), &c, 1, NULL, &err), err);
    CHECK_HAS(test_rows(db, "EXPLAIN QUERY PLAN SELECT id FROM t WHERE _written_at IS NULL "
                            "AND _deleted_at IS NOT NULL AND _hi <= 5"),
        "t__ghosts");
    db_close(&db);
}

TEST(nothing_is_asked_when_nothing_is_new)
{
    struct db *db = test_ready("cached.db"), *other = test_ready("cached.db");
    struct db_column columns[] = { column("title", COL_TEXT) };
    struct err err = { 0 };
    int added = -1;

    CHECK_OK(db_ensure_table(db, STR("t"), columns, 1, &added, &err), err);
    CHECK_OK(db_begin(other, &err), err); /* holds the turn: asking would wait for ever */
    CHECK_OK(db_ensure_table(db, STR("t"), columns, 1, &added, &err), err);
    CHECK_EQ(added, 0);
    db_close(&other);
    db_close(&db);
}

TEST(a_column_keeps_its_type)
{
    struct db *db = test_ready("kept.db");
    struct db_column number = column("a", COL_INT), text = column("a", COL_TEXT);
    struct err err = { 0 };

    CHECK_OK(db_ensure_table(db, STR("t"), &number, 1, NULL, &err), err);
    CHECK_OK(db_ensure_table(db, STR("t"), &text, 1, NULL, &err), err);
    CHECK_HAS(columns_of(db, "t"), check_is_postgres() ? "a bigint;" : "a INTEGER;");
    db_close(&db);
}

TEST(names_of_our_own_are_refused)
{
    static const struct {
        const char *table, *name;
        enum err_kind kind;
    } cases[] = {
        { "t", "id", ERR_PERM },
        { "t", "ID", ERR_PERM },
        { "t", "_hi", ERR_PERM },
        { "t", "", ERR_PERM },
        { "", "a", ERR_PERM },
        { "potok_job", "a", ERR_PERM },
        { "sqlite_master", "a", ERR_PERM },
        { "mine", "a", ERR_CONF },
    };
    struct db *db = test_ready("names.db");

    test_write(db, "CREATE TABLE mine (a TEXT, b TEXT)");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct db_column c = column(cases[i].name, COL_TEXT);
        struct err err = { 0 };
        CHECK_EQ(db_ensure_table(db, str_of(cases[i].table), &c, 1, NULL, &err), -1);
        CHECK_EQ(err.kind, cases[i].kind);
    }
    CHECK_STR(columns_of(db, "mine"), check_is_postgres() ? "a text;b text;" : "a TEXT;b TEXT;");
    db_close(&db);
}

TEST(two_thousand_columns_are_the_limit)
{
    ONLY_SQLITE();
    struct db *db = test_ready("wide.db");
    struct db_column *columns = xcalloc(2000, sizeof(*columns));
    struct err err = { 0 };
    char(*names)[16] = xcalloc(2000, sizeof(*names));

    for (int i = 0; i < 2000; i++) {
        snprintf(names[i], sizeof(names[i]), "uf_%d", i);
        columns[i] = column(names[i], COL_TEXT);
    }
    CHECK_EQ(db_ensure_table(db, STR("t"), columns, 1995, NULL, &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "2001 columns");
    CHECK_STR(columns_of(db, "t"), "");
    CHECK_OK(db_ensure_table(db, STR("t"), columns, 10, NULL, &err), err);
    CHECK_EQ(db_ensure_table(db, STR("t"), columns, 2000, NULL, &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    free(columns);
    free(names);
    db_close(&db);
}

TEST(a_table_dropped_behind_our_back_is_made_again)
{
    struct db *db = test_ready("dropped.db"), *other = test_ready("dropped.db");
    struct db_column c = column("a", COL_TEXT);
    struct err err = { 0 };
    int added = 0;

    CHECK_OK(db_ensure_table(db, STR("t"), &c, 1, NULL, &err), err);
    test_write(other, "DROP TABLE t");
    CHECK_EQ(db_run(db, "SELECT a FROM t", DB_NOARGS, NULL, NULL, NULL, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_OK(db_ensure_table(db, STR("t"), &c, 1, &added, &err), err);
    CHECK_EQ(added, 1);
    db_close(&db);
    db_close(&other);
}

static const char *lines_of(struct db *db)
{
    return test_rows(db, "SELECT tbl, col, kind FROM potok_column ORDER BY col");
}

static enum col_kind kind_in(struct db *db, const char *name)
{
    struct db_column c = column(name, COL_TEXT);
    enum col_kind kind;

    db_column_kinds(db, STR("t"), &c, 1, &kind);
    return kind;
}

TEST(what_potok_makes_is_listed)
{
    struct db *db = test_ready("listed.db");
    struct db_column columns[] = { column("a", COL_TEXT), column("b", COL_INT), column("c", COL_DECIMAL) };
    struct err err = { 0 };

    CHECK_OK(db_ensure_table(db, STR("t"), columns, 2, NULL, &err), err);
    CHECK_STR(lines_of(db), "t a text;t b int;");
    CHECK_OK(db_ensure_table(db, STR("t"), columns, 3, NULL, &err), err);
    CHECK_STR(lines_of(db), "t a text;t b int;t c decimal;");
    CHECK_EQ(kind_in(db, "c"), COL_DECIMAL);
    db_close(&db);
}

TEST(what_an_older_potok_made_is_known_by_its_type)
{
    static const char *const names[COL_KINDS] = { "a_text", "a_int", "a_decimal", "a_bool", "a_date",
        "a_time", "a_json" };
    struct db *db = test_ready("older.db");
    struct db_column columns[COL_KINDS + 1];
    struct err err = { 0 };
    int added = -1;

    for (int i = 0; i < COL_KINDS; i++)
        columns[i] = column(names[i], (enum col_kind)i);
    columns[COL_KINDS] = column("new", COL_BOOL);
    CHECK_OK(db_ensure_table(db, STR("t"), columns, COL_KINDS, NULL, &err), err);
    test_write(db, "DELETE FROM potok_column");
    db_close(&db);
    db = test_ready("older.db");
    for (int i = 0; i < COL_KINDS; i++)
        columns[i].kind = COL_DATE; /* whatever is wanted now */
    CHECK_OK(db_ensure_table(db, STR("t"), columns, COL_KINDS, &added, &err), err);
    CHECK_EQ(added, 0);
    for (int i = 0; i < COL_KINDS; i++)
        CHECK_EQ(kind_in(db, names[i]), i);
    CHECK_STR(lines_of(db), ""); /* nothing was to be made: a user without the right can go on */
    CHECK_OK(db_ensure_table(db, STR("t"), columns, COL_KINDS + 1, &added, &err), err);
    CHECK_EQ(added, 1);
    CHECK_STR(lines_of(db),
        "t a_bool bool;t a_date date;t a_decimal decimal;t a_int int;t a_json json;t a_text "
        "text;t a_time time;t new bool;");
    db_close(&db);
}

/* An entity with a run under way, and two rows in its table. */
static void fill(struct db *db)
{
    test_write(
        db, "INSERT INTO potok_entity (portal, entity, tbl, full_ms) VALUES ('main', 'deals', 't', 5)");
    test_write(db,
        "INSERT INTO potok_run (id, portal, entity, state) VALUES (1, 'main', 'deals', 'done'), (2, "
        "'main', 'deals', 'open')");
    test_write(db, check_is_postgres() ? "INSERT INTO t (id, _hi, _hash) VALUES (1, 1, '\\x01'), (2, 1, NULL)"
                                       : "INSERT INTO t (id, _hi, _hash) VALUES (1, 1, x'01'), (2, 1, NULL)");
}

#define STATE_OF_ENTITY "SELECT full_ms, shape FROM potok_entity"
#define HASHES          "SELECT count(*), count(_hash) FROM t"
#define NOTES_OF_RUNS   "SELECT id, state FROM potok_run WHERE error IS NOT NULL"

TEST(a_column_dropped_by_somebody_is_made_again_and_every_row_is_due)
{
    struct db *db = test_ready("gone.db"), *other = test_ready("gone.db");
    struct db_column columns[] = { column("a", COL_TEXT), column("b", COL_INT) };
    struct err err = { 0 };
    int added = 0;

    CHECK_OK(db_ensure_table(db, STR("t"), columns, 2, NULL, &err), err);
    fill(db);
    test_write(other, "ALTER TABLE t DROP COLUMN a");
    CHECK_OK(db_ensure_table(other, STR("t"), columns + 1, 1, &added, &err), err); /* nobody asks for it */
    CHECK_EQ(added, 0);
    CHECK_STR(test_rows(db, STATE_OF_ENTITY), "5 0;");
    CHECK_EQ(db_run(db, "SELECT a FROM t", DB_NOARGS, NULL, NULL, NULL, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_EQ(db_tables_forgotten(db), 1);
    CHECK_OK(db_ensure_table(db, STR("t"), columns, 2, &added, &err), err);
    CHECK_EQ(added, 1);
    CHECK_STR(test_rows(db, HASHES), "2 0;");
    CHECK_STR(test_rows(db, STATE_OF_ENTITY), "- 1;");
    CHECK_STR(test_rows(db, NOTES_OF_RUNS), "2 open;");
    CHECK(test_is_current(db, 1));
    CHECK(!test_is_current(other, 1)); /* it has to look again */
    CHECK(!test_is_current(other, 1));
    CHECK_OK(db_ensure_table(other, STR("t"), columns, 2, &added, &err), err);
    CHECK_EQ(added, 0);
    CHECK(test_is_current(other, 1));
    db_close(&db);
    db_close(&other);
}

TEST(a_column_renamed_by_somebody_is_theirs_and_another_is_made)
{
    struct db *db = test_ready("renamed.db");
    struct db_column c = column("a", COL_TEXT);
    struct err err = { 0 };
    int added = 0;

    CHECK_OK(db_ensure_table(db, STR("t"), &c, 1, NULL, &err), err);
    fill(db);
    test_write(db, "ALTER TABLE t RENAME COLUMN a TO mine");
    db_close(&db);
    db = test_ready("renamed.db");
    CHECK_OK(db_ensure_table(db, STR("t"), &c, 1, &added, &err), err);
    CHECK_EQ(added, 1);
    CHECK_HAS(columns_of(db, "t"), check_is_postgres() ? "mine text;a text;" : "mine TEXT;a TEXT;");
    CHECK_STR(test_rows(db, HASHES), "2 0;");
    db_close(&db);
}

TEST(a_new_field_leaves_the_hashes)
{
    struct db *db = test_ready("hashes.db");
    struct db_column columns[] = { column("a", COL_TEXT), column("b", COL_INT) };
    struct err err = { 0 };

    CHECK_OK(db_ensure_table(db, STR("t"), columns, 1, NULL, &err), err);
    fill(db);
    CHECK_OK(db_ensure_table(db, STR("t"), columns, 2, NULL, &err), err);
    CHECK_STR(test_rows(db, HASHES), "2 1;");
    CHECK_STR(test_rows(db, STATE_OF_ENTITY), "5 0;");
    db_close(&db);
}

TEST(a_table_dropped_by_somebody_wants_a_full_sync)
{
    struct db *db = test_ready("table_gone.db");
    struct db_column columns[] = { column("a", COL_TEXT), column("b", COL_INT) };
    struct err err = { 0 };

    CHECK_OK(db_ensure_table(db, STR("t"), columns, 2, NULL, &err), err);
    fill(db);
    test_write(db, "DROP TABLE t");
    db_close(&db);
    db = test_ready("table_gone.db");
    CHECK_OK(db_ensure_table(db, STR("t"), columns, 1, NULL, &err), err);
    CHECK_STR(test_rows(db, STATE_OF_ENTITY), "- 1;");
    CHECK_STR(test_rows(db, NOTES_OF_RUNS), "2 open;");
    CHECK_STR(lines_of(db), "t a text;");
    db_close(&db);
}

/* To another type: SQLite has no word for it. */
static void alter(struct db *db, const char *type, const char *sqlite_type)
{
    char sql[160];

    if (check_is_postgres()) {
        snprintf(sql, sizeof(sql), "ALTER TABLE t ALTER COLUMN a TYPE %s USING a::text::%s", type, type);
        test_write(db, sql);
        return;
    }
    test_write(db, "ALTER TABLE t DROP COLUMN a");
    snprintf(sql, sizeof(sql), "ALTER TABLE t ADD COLUMN a %s", sqlite_type);
    test_write(db, sql);
}

TEST(a_column_of_another_type_of_ours_is_taken_as_it_is)
{
    struct db *db = test_ready("altered.db");
    struct db_column c = column("a", COL_TEXT);
    struct err err = { 0 };
    int added = -1;

    CHECK_OK(db_ensure_table(db, STR("t"), &c, 1, NULL, &err), err);
    fill(db);
    alter(db, "bigint", "INTEGER");
    db_close(&db);
    db = test_ready("altered.db");
    CHECK_OK(db_ensure_table(db, STR("t"), &c, 1, &added, &err), err);
    CHECK_EQ(added, 0);
    CHECK_EQ(kind_in(db, "a"), COL_INT);
    CHECK_STR(lines_of(db), "t a int;");
    CHECK_STR(test_rows(db, HASHES), "2 0;"); /* what is in it may be of another spelling */
    CHECK_STR(test_rows(db, NOTES_OF_RUNS), "2 open;");
    alter(db, "character varying", "varchar(20)");
    db_close(&db);
    db = test_ready("altered.db");
    CHECK_OK(db_ensure_table(db, STR("t"), &c, 1, &added, &err), err);
    CHECK_EQ(kind_in(db, "a"), COL_TEXT);
    CHECK_STR(lines_of(db), "t a text;");
    db_close(&db);
}

TEST(a_type_that_is_none_of_ours_ends_with_the_sql_that_mends_it)
{
    static const struct {
        const char *type, *sqlite_type;
    } cases[] = { { "integer", "REAL" }, { "varchar(20)", "NUMERIC" }, { "numeric(10,2)", "DECIMAL(10,2)" },
        { "real", "JSON" }, { "timestamp", "BLOB" }, { "jsonb", "FLOAT" } };
    struct db *db = test_ready("strange.db");
    struct db_column columns[] = { column("a", COL_TEXT), column("b", COL_INT) };
    struct err err = { 0 };

    CHECK_OK(db_ensure_table(db, STR("t"), columns, 2, NULL, &err), err);
    fill(db);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        alter(db, cases[i].type, cases[i].sqlite_type);
        db_close(&db);
        db = test_ready("strange.db");
        CHECK_EQ(db_ensure_table(db, STR("t"), columns, 2, NULL, &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, "column a of table t is of type ");
        CHECK_HAS(err.text, check_is_postgres()
                                ? "ALTER TABLE \"t\" ALTER COLUMN \"a\" TYPE TEXT USING \"a\"::TEXT"
                                : "ALTER TABLE \"t\" DROP COLUMN \"a\"");
        CHECK_OK(
            db_ensure_table(db, STR("t"), columns + 1, 1, NULL, &err), err); /* others are as they were */
    }
    test_write(db, check_is_postgres() ? "ALTER TABLE \"t\" ALTER COLUMN \"a\" TYPE TEXT USING \"a\"::TEXT"
                                       : "ALTER TABLE \"t\" DROP COLUMN \"a\"");
    db_close(&db);
    db = test_ready("strange.db");
    CHECK_OK(db_ensure_table(db, STR("t"), columns, 2, NULL, &err), err);
    CHECK_EQ(kind_in(db, "a"), COL_TEXT);
    db_close(&db);
}

struct rows {
    int at, count;
    const struct one {
        int64_t id;
        const char *title;
    } * list;
};

static int next(void *ctx, int64_t *ret_id, struct str *ret_hash, struct db_val *values)
{
    struct rows *r = ctx;

    if (r->at == r->count)
        return 0;
    *ret_id = r->list[r->at].id;
    *ret_hash = STR("0123456789abcdef");
    values[0] = r->list[r->at].title != NULL ? dbv_c(r->list[r->at].title) : DBV_NULL;
    r->at++;
    return 1;
}

static int64_t upsert(struct db *db, const struct one *list, int count, uint64_t d, uint64_t c)
{
    struct rows rows = { 0, count, list };
    struct db_column title = column("title", COL_TEXT);
    struct db_upsert u = { .table = STR("t"),
        .columns = &title,
        .count = 1,
        .stamp = { d, c, 1700000000000, 1700000001000 },
        .next = next,
        .ctx = &rows };
    struct err err = { 0 };
    int64_t changes = -1;

    CHECK_OK(db_ensure_table(db, u.table, &title, 1, NULL, &err), err);
    CHECK_EQ(db_upsert(db, &u, &changes, &err), -1); /* outside a transaction */
    CHECK_EQ(err.kind, ERR_BUG);
    CHECK_OK(db_begin(db, &err), err);
    CHECK_OK(db_upsert(db, &u, &changes, &err), err);
    CHECK_OK(db_commit(db, &err), err);
    return changes;
}

TEST(the_upsert_replaces_only_rows_of_an_older_tick)
{
    struct db *db = test_ready("upsert.db");

    CHECK_EQ(upsert(db, (const struct one[]){ { 1, "A" }, { 2, NULL } }, 2, 2, 5), 2);
    CHECK_STR(test_rows(db, "SELECT id, title, _hi, _fetched_at, _deleted_at FROM t WHERE id = 1"),
        check_is_postgres() ? "1 A 5 2023-11-14T22:13:20Z -;" : "1 A 5 2023-11-14T22:13:20.000Z -;");
    CHECK_STR(test_rows(db, "SELECT id, title, _hi, _written_at, _deleted_at FROM t WHERE id = 2"),
        check_is_postgres() ? "2 - 5 2023-11-14T22:13:21Z -;" : "2 - 5 2023-11-14T22:13:21.000Z -;");
    CHECK_EQ(upsert(db, (const struct one[]){ { 1, "B" }, { 3, "C" } }, 2, 5, 6), 1); /* 5 is not above 5 */
    CHECK_EQ(upsert(db, (const struct one[]){ { 2, "D" } }, 1, 6, 7), 1);
    CHECK_STR(test_rows(db, "SELECT id, title, _hi FROM t ORDER BY id"), "1 A 5;2 D 7;3 C 6;");
    db_close(&db);
}

/* Row i has its columns NULL in turn, and values that each engine keeps as they are. */
struct many {
    int at, count;
    char texts[5][40];
};

static int next_of_many(void *ctx, int64_t *ret_id, struct str *ret_hash, struct db_val *values)
{
    struct many *m = ctx;
    int i = ++m->at;

    if (i > m->count)
        return 0;
    *ret_id = i;
    *ret_hash = STR("0123456789abcdef");
    snprintf(m->texts[0], 40, "text %d, \xd1\x8f\t\\N", i);
    snprintf(m->texts[1], 40, "-%d.0%d", i, i * 2 + 1);
    snprintf(m->texts[2], 40, "2024-02-%02d", i % 29 + 1);
    snprintf(m->texts[3], 40, "2024-02-29T12:%02d:00Z", i % 60);
    snprintf(m->texts[4], 40, "{\"a\":[%d,1.50,\"\\u0000\"]}", i);
    values[COL_TEXT] = dbv_c(m->texts[0]);
    values[COL_INT] = dbv_i(INT64_MIN + i);
    values[COL_DECIMAL] = (struct db_val){ DB_DECIMAL, 0, str_of(m->texts[1]) };
    values[COL_BOOL] = dbv_i(i % 2);
    values[COL_DATE] = dbv_c(m->texts[2]);
    values[COL_TIME] = dbv_c(m->texts[3]);
    values[COL_JSON] = dbv_c(m->texts[4]);
    values[i % (COL_KINDS + 1) == COL_KINDS ? 0 : i % (COL_KINDS + 1)] = DBV_NULL;
    return 1;
}

static int check_row_of_many(void *ctx, const struct db_val *row, int columns)
{
    struct many *m = ctx;
    struct db_val values[COL_KINDS];
    struct str hash;
    int64_t id;

    CHECK_EQ(columns, COL_KINDS + 2);
    CHECK_EQ(next_of_many(m, &id, &hash, values), 1);
    CHECK_EQ(row[0].i, id);
    CHECK(str_eq(row[1].s, hash));
    for (int i = 0; i < COL_KINDS; i++) {
        CHECK_EQ(row[i + 2].type == DB_NULL, values[i].type == DB_NULL);
        CHECK(row[i + 2].i == values[i].i);
        if (values[i].type != DB_NULL && values[i].type != DB_INT && !str_eq(row[i + 2].s, values[i].s)) {
            print_error(
                "\"" STR_FMT "\" is not \"" STR_FMT "\"\n", STR_ARG(row[i + 2].s), STR_ARG(values[i].s));
            fail();
        }
    }
    return 0;
}

TEST(few_rows_and_many_are_written_alike)
{
    static const int counts[] = { 1, 9, 10, 49, 50, 61, 199, 200, 201, 2500 };
    static const char *const names[COL_KINDS] = { "a_text", "a_int", "a_decimal", "a_bool", "a_date",
        "a_time", "a_json" };
    struct db *db = test_ready("alike.db");
    struct db_column columns[COL_KINDS];
    struct err err = { 0 };

    for (int i = 0; i < COL_KINDS; i++)
        columns[i] = (struct db_column){ str_of(names[i]), (enum col_kind)i };
    CHECK_OK(db_ensure_table(db, STR("t"), columns, COL_KINDS, NULL, &err), err);
    for (size_t i = 0; i < 2 * ARRAY_SIZE(counts); i++) { /* each into nothing, then over itself */
        struct many m = { .count = counts[i / 2] }, again = m;
        struct db_upsert u = { .table = STR("t"),
            .columns = columns,
            .count = COL_KINDS,
            .stamp = { i + 1, i + 1, 0, 0 },
            .next = next_of_many,
            .ctx = &m };
        int64_t changes = 0;
        CHECK_OK(db_begin(db, &err), err);
        if (i % 2 == 0)
            CHECK_OK(db_run(db, "DELETE FROM t", DB_NOARGS, NULL, NULL, NULL, &err), err);
        CHECK_OK(db_upsert(db, &u, &changes, &err), err);
        CHECK_EQ(changes, counts[i / 2]);
        m.at = 0;
        u.stamp.d++; /* a second time in one transaction */
        CHECK_OK(db_upsert(db, &u, &changes, &err), err);
        CHECK_EQ(changes, counts[i / 2]);
        CHECK_OK(db_commit(db, &err), err);
        CHECK_OK(db_run(db,
                     "SELECT id, _hash, a_text, a_int, a_decimal, a_bool, a_date, a_time, a_json FROM t "
                     "ORDER BY id",
                     DB_NOARGS, check_row_of_many, &again, NULL, &err),
            err);
        CHECK_EQ(again.at, counts[i / 2]);
    }
    db_close(&db);
}

TEST_MAIN(CASE(few_rows_and_many_are_written_alike), CASE(a_table_is_made_and_gets_what_it_lacks),
    CASE(empty_ghosts_are_found_without_reading_the_table), CASE(nothing_is_asked_when_nothing_is_new),
    CASE(a_column_keeps_its_type), CASE(names_of_our_own_are_refused),
    CASE(two_thousand_columns_are_the_limit), CASE(a_table_dropped_behind_our_back_is_made_again),
    CASE(what_potok_makes_is_listed), CASE(what_an_older_potok_made_is_known_by_its_type),
    CASE(a_column_dropped_by_somebody_is_made_again_and_every_row_is_due),
    CASE(a_column_renamed_by_somebody_is_theirs_and_another_is_made), CASE(a_new_field_leaves_the_hashes),
    CASE(a_table_dropped_by_somebody_wants_a_full_sync),
    CASE(a_column_of_another_type_of_ours_is_taken_as_it_is),
    CASE(a_type_that_is_none_of_ours_ends_with_the_sql_that_mends_it),
    CASE(the_upsert_replaces_only_rows_of_an_older_tick))
