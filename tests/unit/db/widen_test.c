/* Columns of another kind: every value stays, and what stands over them. */
#include "unit/db/fixture.h"

#include "base/mem.h"
#include "db/widen.h"

#include <stdlib.h>

static void make(struct db *db, const char *table, const char *name, enum col_kind kind)
{
    struct db_column columns[] = { { STR("first"), COL_TEXT }, { str_of(name), kind },
        { STR("last"), COL_TEXT } };
    struct err err = { 0 };

    CHECK_OK(db_ensure_table(db, str_of(table), columns, ARRAY_SIZE(columns), NULL, &err), err);
}

/* One row for each value; hashes as if they had been read. */
static void put(
    struct db *db, const char *table, const char *column, enum col_kind kind, const char *const *values)
{
    struct err err = { 0 };
    char sql[200];

    CHECK_OK(db_begin(db, &err), err);
    for (int i = 0; values[i] != NULL; i++) {
        struct db_val v = dbv_c(values[i]);
        if (kind == COL_INT || kind == COL_BOOL)
            CHECK(str_i64(str_of(values[i]), &v.i) && (v.type = DB_INT));
        if (kind == COL_DECIMAL)
            v.type = DB_DECIMAL;
        snprintf(
            sql, sizeof(sql), "INSERT INTO %s (id, _hi, _hash, %s) VALUES ($1, 1, $2, $3)", table, column);
        CHECK_OK(
            db_run(db, sql, DB_ARGS(dbv_i(i + 1), dbv_b(STR("0123456789abcdef")), v), NULL, NULL, NULL, &err),
            err);
    }
    snprintf(sql, sizeof(sql), "INSERT INTO %s (id, _hi) VALUES (1000, 1)", table);
    CHECK_OK(db_run(db, sql, DB_NOARGS, NULL, NULL, NULL, &err), err);
    CHECK_OK(db_commit(db, &err), err);
}

TEST(every_value_stays)
{
    static const struct {
        enum col_kind from, to;
        const char *values[5];
        const char *expected;
    } cases[] = {
        { COL_INT, COL_DECIMAL, { "0", "-42", "9223372036854775807" }, "0;-42;9223372036854775807;-;" },
        { COL_INT, COL_TEXT, { "0", "-42", "9223372036854775807" }, "0;-42;9223372036854775807;-;" },
        { COL_INT, COL_JSON, { "0", "-42" }, "0;-42;-;" },
        { COL_DECIMAL, COL_TEXT, { "0.1", "-1000000", "12345678901234567.89", "0.000001" },
            "0.1;-1000000;12345678901234567.89;0.000001;-;" },
        { COL_DECIMAL, COL_TEXT, { "100000000000000000000", "1.5" }, "100000000000000000000;1.5;-;" },
        { COL_DECIMAL, COL_JSON, { "0.1", "100000000000000000000" }, "0.1;100000000000000000000;-;" },
        { COL_BOOL, COL_TEXT, { "0", "1" }, "false;true;-;" },
        { COL_BOOL, COL_JSON, { "0", "1" }, "false;true;-;" },
        { COL_DATE, COL_TEXT, { "2024-08-30", "0001-01-01", "9999-12-31" },
            "2024-08-30;0001-01-01;9999-12-31;-;" },
        { COL_DATE, COL_JSON, { "2024-08-30" }, "\"2024-08-30\";-;" },
        { COL_TIME, COL_TEXT,
            { "2024-08-30T12:29:00Z", "2024-08-30T00:00:00.250Z", "1969-12-31T23:59:59.999Z" },
            "2024-08-30T12:29:00Z;2024-08-30T00:00:00.250Z;1969-12-31T23:59:59.999Z;-;" },
        { COL_TIME, COL_JSON, { "2024-08-30T12:29:00Z" }, "\"2024-08-30T12:29:00Z\";-;" },
        { COL_JSON, COL_TEXT, { "[1, \"a\",1.50]", "{}" }, "[1, \"a\",1.50];{};-;" },
        { COL_TEXT, COL_JSON, { "0042268", "a \"b\"", "" }, "\"0042268\";\"a \\\"b\\\"\";\"\";-;" },
    };
    struct db *db = test_ready("values.db");
    struct err err = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char table[16], sql[160];
        snprintf(table, sizeof(table), "t%zu", i);
        make(db, table, "a", cases[i].from);
        put(db, table, "a", cases[i].from, cases[i].values);
        CHECK_OK(db_widen(db, str_of(table), STR("a"), cases[i].to, &err), err);
        snprintf(sql, sizeof(sql), "SELECT a FROM %s ORDER BY id", table);
        CHECK_STR(test_rows(db, sql), cases[i].expected);
        snprintf(sql, sizeof(sql), "SELECT kind FROM potok_column WHERE tbl = '%s' AND col = 'a'", table);
        CHECK_STR(test_rows(db, sql), cases[i].to == COL_TEXT   ? "text;"
                                      : cases[i].to == COL_JSON ? "json;"
                                                                : "decimal;");
        snprintf(sql, sizeof(sql), "SELECT count(_hash) = count(a) FROM %s", table);
        CHECK_EQ(test_i64(db, sql), 1);
        struct db_column a = { STR("a"), cases[i].from };
        enum col_kind kind;
        CHECK_OK(db_ensure_table(db, str_of(table), &a, 1, NULL, &err), err);
        db_column_kinds(db, str_of(table), &a, 1, &kind);
        CHECK_EQ(kind, cases[i].to);
    }
    db_close(&db);
}

TEST(a_widened_column_takes_what_its_kind_takes)
{
    struct db *db = test_ready("takes.db");
    struct err err = { 0 };

    make(db, "t", "a", COL_INT);
    put(db, "t", "a", COL_INT, (const char *const[]){ "7", NULL });
    CHECK_OK(db_widen(db, STR("t"), STR("a"), COL_TEXT, &err), err);
    test_write(db, "UPDATE t SET a = '0042268' WHERE id = 1");
    CHECK_STR(test_rows(db, "SELECT a FROM t WHERE id = 1"), "0042268;");
    CHECK_OK(db_widen(db, STR("t"), STR("a"), COL_JSON, &err), err);
    CHECK_STR(test_rows(db, "SELECT a FROM t WHERE id = 1"), "\"0042268\";");
    db_close(&db);
}

TEST(writers_are_told_to_look_again)
{
    struct db *db = test_ready("told.db"), *writer = test_ready("told.db");
    struct err err = { 0 };

    make(db, "t", "a", COL_INT);
    test_write(
        db, "INSERT INTO potok_entity (portal, entity, tbl, full_ms) VALUES ('main', 'deals', 't', 5)");
    make(writer, "t", "a", COL_INT);
    CHECK(test_is_current(writer, 0));
    CHECK_OK(db_widen(db, STR("t"), STR("a"), COL_TEXT, &err), err);
    CHECK_STR(test_rows(db, "SELECT shape, full_ms FROM potok_entity"), "1 5;");
    CHECK(!test_is_current(writer, 1));
    db_close(&db);
    db_close(&writer);
}

TEST(what_cannot_be_is_told_and_left)
{
    static const struct {
        const char *table, *column;
        enum col_kind to;
        const char *part;
    } cases[] = {
        { "nothing", "a", COL_TEXT, "no table nothing" },
        { "t", "b", COL_TEXT, "no column b" },
        { "t", "id", COL_TEXT, "no field's" },
        { "t", "_hi", COL_TEXT, "no field's" },
        { "t", "a", COL_BOOL, "a of table t is int" },
        { "t", "first", COL_INT, "first of table t is text" },
    };
    struct db *db = test_ready("cannot.db");
    struct err err = { 0 };

    make(db, "t", "a", COL_INT);
    put(db, "t", "a", COL_INT, (const char *const[]){ "7", NULL });
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_EQ(db_widen(db, str_of(cases[i].table), str_of(cases[i].column), cases[i].to, &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, cases[i].part);
    }
    CHECK_OK(db_widen(db, STR("t"), STR("a"), COL_INT, &err), err); /* it is one already */
    CHECK_STR(test_rows(db, "SELECT a FROM t WHERE id = 1"), "7;");
    db_close(&db);
}

/* ---- SQLite ---- */

TEST(what_stands_over_a_column_of_sqlite_comes_back)
{
    static const char MASTER[] =
        "SELECT type, name, sql FROM sqlite_master WHERE type <> 'table' AND name NOT LIKE "
        "'potok%' AND sql IS NOT NULL ORDER BY type, name";
    struct db *db;
    struct err err = { 0 };

    ONLY_SQLITE();
    db = test_ready("over.db");
    make(db, "t", "amount", COL_INT);
    put(db, "t", "amount", COL_INT, (const char *const[]){ "7", "0", NULL });
    test_write(db, "CREATE TABLE log (was TEXT)");
    test_write(db, "CREATE INDEX t_amount ON t (Amount) WHERE \"amount\" > 3");
    test_write(db, "CREATE INDEX t_first ON t (first)");
    test_write(db, "CREATE VIEW mine AS SELECT id, amount * 2 AS twice FROM t");
    test_write(db, "CREATE VIEW yours AS SELECT twice, amount FROM mine JOIN t USING (id)");
    test_write(db, "CREATE VIEW broken AS SELECT * FROM gone_long_ago");
    test_write(db,
        "CREATE TRIGGER watch AFTER UPDATE OF amount ON t BEGIN INSERT INTO log VALUES (old.amount); END");
    test_write(
        db, "CREATE TRIGGER of_view INSTEAD OF INSERT ON mine BEGIN INSERT INTO log VALUES (new.twice); END");
    char *before = xstrdup(test_rows(db, MASTER));
    CHECK_OK(db_widen(db, STR("t"), STR("amount"), COL_TEXT, &err), err);
    CHECK_STR(test_rows(db, MASTER), before);
    CHECK_STR(test_rows(db, "SELECT * FROM yours ORDER BY amount"), "- -;0 0;14 7;");
    CHECK_EQ(test_i64(db, "SELECT count(*) FROM log"), 0); /* nobody's trigger was run */
    test_write(db, "UPDATE t SET amount = '008' WHERE id = 1");
    CHECK_STR(test_rows(db, "SELECT was FROM log"), "7;");
    CHECK_STR(test_rows(db, "SELECT name, type FROM pragma_table_info('t') WHERE cid > 5"),
        "first TEXT;last TEXT;amount TEXT;");
    CHECK_STR(test_rows(db, "PRAGMA integrity_check"), "ok;");
    free(before);
    db_close(&db);
}

TEST(a_rule_of_the_column_of_sqlite_is_not_lost)
{
    static const char *const tables[] = { "amount INTEGER NOT NULL", "amount INTEGER DEFAULT 7",
        "amount INTEGER UNIQUE", "amount INTEGER CHECK (amount > 0)" };
    struct db *db;
    struct err err = { 0 };
    char sql[300], table[16];

    ONLY_SQLITE();
    db = test_ready("rules.db");
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        snprintf(table, sizeof(table), "t%zu", i);
        snprintf(sql, sizeof(sql),
            "CREATE TABLE %s (id INTEGER PRIMARY KEY, _hi BIGINT, _hash BLOB, _fetched_at "
            "DATETIME, _written_at DATETIME, _deleted_at DATETIME, %s)",
            table, tables[i]);
        test_write(db, sql);
        snprintf(sql, sizeof(sql), "CREATE VIEW v%zu AS SELECT amount FROM %s", i, table);
        test_write(db, sql);
        CHECK_EQ(db_widen(db, str_of(table), STR("amount"), COL_TEXT, &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, "column amount of table t");
        CHECK_HAS(err.text, "stays int");
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM v%zu", i); /* all is as it was */
        CHECK_EQ(test_i64(db, sql), 0);
    }
    db_close(&db);
}

/* ---- PostgreSQL ---- */

#define ONLY_POSTGRES() \
    do { \
        if (!check_is_postgres()) \
            skip(); \
    } while (0)

/* All that is known of the views of the schema, as the server says it. */
static const char *all_views(struct db *db)
{
    return test_rows(db, "SELECT c.relname, c.relkind::text, pg_get_viewdef(c.oid), coalesce(c.relacl, "
                         "acldefault('r', c.relowner))::text, "
                         "array_to_string(c.reloptions, ','), "
                         "pg_get_userbyid(c.relowner)::text, obj_description(c.oid, 'pg_class'), (SELECT "
                         "string_agg(pg_get_indexdef("
                         "indexrelid) || indisclustered::text, '|' ORDER BY indexrelid::regclass::text) FROM "
                         "pg_index WHERE indrelid = c.oid), "
                         "(SELECT "
                         "string_agg(pg_get_ruledef(oid), '|') FROM pg_rewrite WHERE ev_class = c.oid AND "
                         "rulename <> '_RETURN'), (SELECT "
                         "string_agg(pg_get_triggerdef(oid), '|') FROM pg_trigger WHERE tgrelid = c.oid), "
                         "(SELECT string_agg(attname || "
                         "coalesce(attacl::text, '') || coalesce(col_description(c.oid, attnum), ''), '|' "
                         "ORDER BY attnum) FROM pg_attribute "
                         "WHERE attrelid = c.oid AND attnum > 0) FROM pg_class c WHERE c.relkind IN ('v', "
                         "'m') AND c.relnamespace = "
                         "current_schema()::regnamespace AND c.relname NOT LIKE 'potok%' ORDER BY c.relname");
}

TEST(what_stands_over_a_column_of_postgresql_comes_back)
{
    static const char *const makes[] = {
        "CREATE VIEW one WITH (security_barrier=true) AS SELECT id, amount AS price, first FROM t WHERE id > "
        "0",
        "CREATE VIEW two AS SELECT o.price, t.last FROM one o JOIN t USING (id)",
        "CREATE MATERIALIZED VIEW sums WITH (fillfactor=70) AS SELECT first, count(price) AS n, max(price) "
        "AS most FROM one "
        "GROUP BY first",
        "CREATE UNIQUE INDEX sums_first ON sums (first)",
        "ALTER MATERIALIZED VIEW sums CLUSTER ON sums_first",
        "CREATE MATERIALIZED VIEW empty AS SELECT * FROM two WITH NO DATA",
        "CREATE VIEW \"Of \"\"all\" AS SELECT s.most, two.price FROM sums s, two",
        "CREATE VIEW untouched AS SELECT id, first FROM t",
        "COMMENT ON VIEW one IS 'it''s mine'",
        "COMMENT ON COLUMN one.price IS 'in roubles'",
        "CREATE RULE no_more AS ON DELETE TO two DO INSTEAD NOTHING",
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER caught INSTEAD OF INSERT ON one FOR EACH ROW EXECUTE FUNCTION nothing()",
        "ALTER VIEW one ALTER COLUMN price SET DEFAULT 7",
        "GRANT SELECT ON one TO w_reader WITH GRANT OPTION",
        "GRANT SELECT (price), UPDATE (price) ON two TO w_reader",
        "GRANT SELECT ON sums TO PUBLIC",
        "GRANT ALL ON t TO w_other",
        "ALTER VIEW untouched OWNER TO w_other",
        "ALTER VIEW two OWNER TO w_other",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO w_reader", /* after all of them */
        "CREATE INDEX t_amount ON t (amount) WHERE amount IS NOT NULL",
        "CREATE STATISTICS t_stat ON amount, first FROM t",
    };
    struct db *db;
    struct err err = { 0 };

    ONLY_POSTGRES();
    check_psql("over", "CREATE ROLE w_reader; CREATE ROLE w_other; GRANT ALL ON SCHEMA t_over TO w_other");
    db = test_ready("over");
    make(db, "t", "amount", COL_INT);
    put(db, "t", "amount", COL_INT, (const char *const[]){ "7", "0", NULL });
    for (size_t i = 0; i < ARRAY_SIZE(makes); i++)
        test_write(db, makes[i]);
    char *before = xstrdup(all_views(db));
    CHECK_OK(db_widen(db, STR("t"), STR("amount"), COL_DECIMAL, &err), err);
    CHECK_STR(all_views(db), before);
    CHECK_EQ(test_i64(db, "SELECT sum(n)::bigint FROM sums"), 2);
    CHECK_EQ(test_i64(db, "SELECT relispopulated::int FROM pg_class WHERE relname = 'empty'"), 0);
    CHECK_STR(
        test_rows(db, "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'one'::regclass"),
        "7;");
    CHECK_OK(db_widen(db, STR("t"), STR("amount"), COL_TEXT, &err), err); /* and once more */
    CHECK_HAS(test_rows(db, "SELECT indexdef FROM pg_indexes WHERE indexname = 't_amount'"), "(amount)");
    test_write(db, "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM w_reader");
    free(before);
    db_close(&db);
}

TEST(what_cannot_come_back_is_named_and_nothing_is_changed)
{
    static const struct {
        const char *make, *drop, *named;
    } cases[] = {
        { "CREATE VIEW v AS SELECT amount + 1 AS next FROM t", "DROP VIEW v", "v: operator does not exist" },
        { "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT max(amount) FROM t; END",
            "DROP FUNCTION f", "function f() depends on column" },
        { "CREATE VIEW v AS SELECT amount FROM t; CREATE FUNCTION f(v) RETURNS int LANGUAGE sql AS 'SELECT "
          "1'",
            "DROP FUNCTION f; DROP VIEW v", "function f(v) depends on" },
        { "CREATE RULE r AS ON UPDATE TO t WHERE new.amount > 3 DO INSTEAD NOTHING", "DROP RULE r ON t",
            "rule r on table t depends on column" },
        { "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER "
          "g AFTER UPDATE OF "
          "amount ON t FOR EACH ROW EXECUTE FUNCTION g()",
            "DROP FUNCTION g CASCADE", "trigger g on table t depends on column" },
        { "ALTER TABLE t ADD CHECK (amount < 100)", "ALTER TABLE t DROP CONSTRAINT t_amount_check",
            "operator does not exist" },
    };
    struct db *db;
    struct err err = { 0 };

    ONLY_POSTGRES();
    db = test_ready("named");
    make(db, "t", "amount", COL_INT);
    put(db, "t", "amount", COL_INT, (const char *const[]){ "7", NULL });
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        check_psql("named", cases[i].make);
        char *before = xstrdup(all_views(db));
        CHECK_EQ(db_widen(db, STR("t"), STR("amount"), COL_TEXT, &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, "column amount of table t stays int");
        CHECK_HAS(err.text, cases[i].named);
        CHECK_STR(all_views(db), before);
        CHECK_STR(test_rows(db, "SELECT kind FROM potok_column WHERE col = 'amount'"), "int;");
        check_psql("named", cases[i].drop);
        free(before);
    }
    CHECK_OK(db_widen(db, STR("t"), STR("amount"), COL_TEXT, &err), err);
    db_close(&db);
}

TEST(a_table_in_use_is_waited_for_but_not_long)
{
    struct db *db, *holder;
    struct err err = { 0 };

    ONLY_POSTGRES();
    db = test_ready("busy");
    holder = test_ready("busy");
    test_write(holder, "SET idle_in_transaction_session_timeout = 0"); /* somebody else's session */
    make(db, "t", "amount", COL_INT);
    CHECK_OK(db_begin(holder, &err), err);
    test_rows(holder, "SELECT amount FROM t");
    CHECK_EQ(db_widen(db, STR("t"), STR("amount"), COL_TEXT, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_HAS(err.text, "pg_stat_activity");
    db_rollback(holder);
    CHECK_OK(db_widen(db, STR("t"), STR("amount"), COL_TEXT, &err), err);
    db_close(&db);
    db_close(&holder);
}

TEST_MAIN(CASE(every_value_stays), CASE(a_widened_column_takes_what_its_kind_takes),
    CASE(writers_are_told_to_look_again), CASE(what_cannot_be_is_told_and_left),
    CASE(what_stands_over_a_column_of_sqlite_comes_back), CASE(a_rule_of_the_column_of_sqlite_is_not_lost),
    CASE(what_stands_over_a_column_of_postgresql_comes_back),
    CASE(what_cannot_come_back_is_named_and_nothing_is_changed),
    CASE(a_table_in_use_is_waited_for_but_not_long))
