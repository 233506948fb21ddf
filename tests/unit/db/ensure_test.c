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
    struct db *db = test_open("ensure.db"), *other = test_open("ensure.db");
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
    struct db *db = test_open("ghosts.db");
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
    struct db *db = test_open("cached.db"), *other = test_open("cached.db");
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
    struct db *db = test_open("kept.db");
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
    struct db *db = test_open("names.db");

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
    struct db *db = test_open("wide.db");
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
    struct db *db = test_open("dropped.db"), *other = test_open("dropped.db");
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
    struct db_upsert u = { STR("t"), &title, 1, { d, c, 1700000000000, 1700000001000 }, next, &rows };
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
    struct db *db = test_open("upsert.db");

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
    struct db *db = test_open("alike.db");
    struct db_column columns[COL_KINDS];
    struct err err = { 0 };

    for (int i = 0; i < COL_KINDS; i++)
        columns[i] = (struct db_column){ str_of(names[i]), (enum col_kind)i };
    CHECK_OK(db_ensure_table(db, STR("t"), columns, COL_KINDS, NULL, &err), err);
    for (size_t i = 0; i < 2 * ARRAY_SIZE(counts); i++) { /* each into nothing, then over itself */
        struct many m = { .count = counts[i / 2] }, again = m;
        struct db_upsert u = { STR("t"), columns, COL_KINDS, { i + 1, i + 1, 0, 0 }, next_of_many, &m };
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
    CASE(the_upsert_replaces_only_rows_of_an_older_tick))
