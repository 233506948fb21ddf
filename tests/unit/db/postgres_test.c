/* What only PostgreSQL can tell: its codes, addresses and rights, transactions side by side, connections cut.
 */
#include "unit/db/fixture.h"

#include "base/mem.h"
#include "db/postgres.h"

#include <pthread.h>
#include <stdlib.h>

#define ONLY_POSTGRES() \
    do { \
        if (!check_is_postgres()) \
            skip(); \
    } while (0)

TEST(every_code_has_one_meaning)
{
    static const struct {
        const char *state;
        enum err_kind kind;
        bool lost;
        const char *part;
    } cases[] = {
        { "40001", ERR_TEMP, false, "" },
        { "40P01", ERR_TEMP, false, "" },
        { "55P03", ERR_TEMP, false, "pg_stat_activity" },
        { "57014", ERR_TEMP, false, "statement_timeout" },
        { "57P01", ERR_TEMP, true, "by itself" },
        { "57P03", ERR_TEMP, true, "by itself" },
        { "57P04", ERR_CONF, true, "dropped" },
        { "25006", ERR_TEMP, true, "read-only" },
        { "25P03", ERR_TEMP, true, "idle" },
        { "25P02", ERR_BUG, false, "" },
        { "53100", ERR_TEMP, false, "disk is full" },
        { "53300", ERR_TEMP, true, "max_connections" },
        { "53200", ERR_TEMP, false, "memory" },
        { "54000", ERR_LIMIT, false, "remove unused user fields" },
        { "42501", ERR_CONF, false, "GRANT" },
        { "42P01", ERR_TEMP, false, "made again" },
        { "42703", ERR_TEMP, false, "made again" },
        { "42804", ERR_TEMP, false, "looked at anew" },
        { "42601", ERR_PERM, false, "" },
        { "0A000", ERR_TEMP, false, "" },
        { "26000", ERR_TEMP, true, "pool_mode" },
        { "28P01", ERR_CONF, true, "password" },
        { "28000", ERR_CONF, true, "pg_hba" },
        { "3D000", ERR_CONF, true, "createdb" },
        { "08006", ERR_TEMP, true, "broke" },
        { "08P01", ERR_BUG, false, "" },
        { "22003", ERR_PERM, false, "" },
        { "22001", ERR_PERM, false, "" },
        { "22P02", ERR_PERM, false, "" },
        { "23505", ERR_CONF, false, "remove the constraint" },
        { "P0001", ERR_CONF, false, "trigger" },
        { "58030", ERR_TEMP, true, "disk failed" },
        { "XX001", ERR_CONF, true, "backup" },
        { "XX000", ERR_TEMP, false, "" },
        { "99999", ERR_PERM, false, "99999" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct pg pg = {
            .where = (char *)"postgresql://h:5432/d", .user = (char *)"u", .schema = (char *)"s"
        };
        struct err err = { 0 };
        CHECK_EQ(pg_fail_state(&pg, cases[i].state, "words", "doing", &err), -1);
        if (err.kind != cases[i].kind || pg.db.lost != cases[i].lost)
            print_error("%s: %s\n", cases[i].state, err.text);
        CHECK_EQ(err.kind, cases[i].kind);
        CHECK_EQ(pg.db.lost, cases[i].lost);
        CHECK_HAS(err.text, cases[i].part);
        CHECK_HAS(err.text, "postgresql://h:5432/d");
        CHECK_HAS(err.text, "words");
    }
}

TEST(what_belongs_to_another_role_has_the_words_that_give_it)
{
    static const struct {
        const char *text, *cure;
    } cases[] = {
        { "must be owner of view v3", "ALTER VIEW \"v3\" OWNER TO \"u\"" },
        { "must be owner of materialized view m", "ALTER MATERIALIZED VIEW \"m\" OWNER TO \"u\"" },
        { "must be owner of table crm_deals", "ALTER TABLE \"crm_deals\" OWNER TO \"u\"" },
        { "must be owner of type mood", "make \"u\" the owner" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct pg pg = { .where = (char *)"postgresql://h/d", .user = (char *)"u", .may_create = true };
        struct err err = { 0 };

        CHECK_EQ(pg_fail_state(&pg, "42501", cases[i].text, "doing", &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, cases[i].text);
        CHECK_HAS(err.text, cases[i].cure);
    }
}

/* No line of the table is hidden behind another, and none is left out above. */
TEST(the_table_has_no_line_twice)
{
    size_t count;
    const struct pg_cure *cures = pg_cures(&count);

    CHECK(count > 30);
    for (size_t i = 0; i < count; i++) {
        char code[6] = "00000";
        CHECK(strlen(cures[i].state) == 2 || strlen(cures[i].state) == 5);
        memcpy(code, cures[i].state, strlen(cures[i].state));
        if (strlen(cures[i].state) == 2)
            memcpy(code + 2, "ZZZ", 3);
        CHECK(pg_cure_of(code) == &cures[i]);
        for (size_t k = i + 1; k < count; k++)
            CHECK(strcmp(cures[i].state, cures[k].state) != 0);
    }
}

TEST(a_password_is_never_shown)
{
    static const char *const urls[] = { "postgresql://u:s3cret@127.0.0.1:1/d",
        "postgresql://u:a@s3cret@127.0.0.1:1/d", "postgresql://u:a/s3cret@127.0.0.1:1/d",
        "postgresql://u:s3cret@127.0.0.1:1/d?ssl=s3cret", "postgresql://u:%zs3cret@127.0.0.1:1/d",
        "postgresql://u:s3cret@127.0.0.1:99999/d", "postgresql://u:s3cret@[::1/d",
        "postgresql+asyncpg://u:s3cret@127.0.0.1:1/d", "postgres://u:s3cret@127.0.0.1:1/d",
        "postgresql://u:s3cret@127.0.0.1:1/d?connect_timeout=s3cret" };

    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        struct db *db = NULL;
        struct err err = { 0 };
        CHECK_EQ(db_open(&db, urls[i], &err), -1);
        CHECK(err.kind == ERR_TEMP || err.kind == ERR_CONF);
        CHECK(db == NULL);
        if (strstr(err.text, "s3cret") != NULL)
            print_error("%s\n", err.text);
        CHECK(strstr(err.text, "s3cret") == NULL);
    }
}

static void open_fails(const char *url, enum err_kind kind, const char *part)
{
    struct db *db = NULL;
    struct err err = { 0 };

    CHECK_EQ(db_open(&db, url, &err), -1);
    if (err.kind != kind)
        print_error("%s\n", err.text);
    CHECK_EQ(err.kind, kind);
    CHECK_HAS(err.text, part);
    CHECK(strstr(err.text, "s3cret") == NULL);
}

TEST(what_is_wrong_with_an_address_is_told)
{
    struct err err = { 0 };
    char *file = (char *)"untouched";

    ONLY_POSTGRES();
    CHECK_OK(db_file(check_server("postgres", "postgres", ""), &file, &err), err);
    CHECK(file == NULL);
    open_fails(check_server("postgres", "nowhere", ""), ERR_CONF, "createdb");
    open_fails(check_server("nobody_known", "postgres", ""), ERR_CONF, "nobody_known");
    open_fails("postgresql://postgres:s3cret@127.0.0.1:1/d", ERR_TEMP, "postgresql://127.0.0.1:1/d");
    open_fails(check_server("postgres", "postgres", "?options=-csearch_path%3Dnothing"), ERR_CONF,
        "GRANT USAGE, CREATE");
}

TEST(rights_that_miss_are_told_with_the_grant)
{
    struct db *db;
    struct err err = { 0 };

    ONLY_POSTGRES();
    check_psql("rights", "CREATE ROLE weak LOGIN; GRANT USAGE ON SCHEMA t_rights TO weak");
    db = NULL;
    CHECK_OK(db_open(&db, check_server("weak", "postgres", "?options=-csearch_path%3Dt_rights"), &err), err);
    CHECK_EQ(db_migrate(db, &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "GRANT USAGE, CREATE ON SCHEMA \"t_rights\" TO \"weak\"");
    db_close(&db);

    struct db *owner = test_open("rights");
    CHECK_OK(db_migrate(owner, &err), err);
    db_close(&owner);
    CHECK_OK(db_open(&db, check_server("weak", "postgres", "?options=-csearch_path%3Dt_rights"), &err), err);
    check_psql("rights", "GRANT SELECT ON ALL TABLES IN SCHEMA t_rights TO weak");
    CHECK_EQ(db_migrate(db, &err), -1);
    CHECK_HAS(
        err.text, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \"t_rights\" TO \"weak\"");
    check_psql("rights", "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA t_rights TO weak");
    CHECK_OK(db_migrate(db, &err), err);
    db_close(&db);
    check_psql("rights", "REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC");
    CHECK_EQ(db_open(&db, check_server("weak", "postgres", "?options=-csearch_path%3Dt_rights"), &err), -1);
    CHECK_HAS(err.text, "GRANT TEMPORARY ON DATABASE \"postgres\" TO \"weak\"");
    check_psql("rights", "GRANT TEMPORARY ON DATABASE postgres TO PUBLIC");
}

TEST(a_read_only_server_is_waited_for)
{
    struct db *db;
    struct err err = { 0 };

    ONLY_POSTGRES();
    db = test_open("read_only");
    test_write(db, "CREATE TABLE t (a BIGINT)");
    test_rows(db, "SELECT set_config('default_transaction_read_only', 'on', false)");
    CHECK_OK(db_begin(db, &err), err);
    CHECK_EQ(db_run(db, "INSERT INTO t VALUES (1)", DB_NOARGS, NULL, NULL, NULL, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_HAS(err.text, "read-only");
    CHECK(db_is_lost(db));
    db_close(&db);
}

static void kill_connections(void)
{
    check_psql(
        "cut", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'potok'");
}

TEST(a_connection_cut_in_mid_transaction_leaves_nothing)
{
    struct db *db;
    struct err err = { 0 };

    ONLY_POSTGRES();
    for (int at = 0; at < 3; at++) { /* before a statement, before the commit, before the beginning */
        db = test_open("cut");
        if (at == 0)
            test_write(db, "CREATE TABLE t (a BIGINT)");
        int result = 0;
        if (at == 2)
            kill_connections();
        result = db_begin(db, &err);
        if (at == 0)
            kill_connections();
        if (result == 0)
            result = db_run(db, "INSERT INTO t VALUES (1)", DB_NOARGS, NULL, NULL, NULL, &err);
        if (at == 1)
            kill_connections();
        if (result == 0)
            result = db_commit(db, &err);
        CHECK_EQ(result, -1);
        CHECK_EQ(err.kind, ERR_TEMP);
        CHECK(db_is_lost(db));
        db_close(&db);
    }
    db = test_open("cut");
    CHECK_EQ(test_i64(db, "SELECT count(*) FROM t"), 0);
    db_close(&db);
}

struct crossing {
    struct db *db;
    int result;
    struct err err;
};

static void *lock_the_other(void *ctx)
{
    struct crossing *x = ctx;

    x->result = db_run(x->db, "UPDATE t SET a = 3 WHERE id = 1", DB_NOARGS, NULL, NULL, NULL, &x->err);
    db_rollback(x->db);
    return NULL;
}

TEST(of_two_that_lock_each_other_one_is_told_to_try_again)
{
    struct crossing x = { .result = 0 };
    struct db *one;
    struct err err = { 0 };
    pthread_t thread;

    ONLY_POSTGRES();
    one = test_open("crossed");
    x.db = test_open("crossed");
    test_write(one, "CREATE TABLE t (id BIGINT PRIMARY KEY, a BIGINT)");
    test_write(one, "INSERT INTO t VALUES (1, 0), (2, 0)");
    CHECK_OK(db_begin(one, &err), err);
    CHECK_OK(db_begin(x.db, &err), err);
    CHECK_OK(db_run(one, "UPDATE t SET a = 1 WHERE id = 1", DB_NOARGS, NULL, NULL, NULL, &err), err);
    CHECK_OK(db_run(x.db, "UPDATE t SET a = 2 WHERE id = 2", DB_NOARGS, NULL, NULL, NULL, &err), err);
    CHECK_EQ(pthread_create(&thread, NULL, lock_the_other, &x), 0);
    test_wait_for_a_waiter("crossed");
    int result = db_run(one, "UPDATE t SET a = 4 WHERE id = 2", DB_NOARGS, NULL, NULL, NULL, &err);
    pthread_join(thread, NULL);
    CHECK_EQ(result + x.result, -1);
    CHECK_EQ(result < 0 ? err.kind : x.err.kind, ERR_TEMP);
    CHECK(!db_is_lost(one) && !db_is_lost(x.db));
    db_close(&one);
    db_close(&x.db);
}

TEST(a_commit_after_a_failed_statement_is_no_commit)
{
    struct db *db;
    struct err err = { 0 };

    ONLY_POSTGRES();
    db = test_open("failed");
    test_write(db, "CREATE TABLE t (a BIGINT)");
    CHECK_OK(db_begin(db, &err), err);
    CHECK_OK(db_run(db, "INSERT INTO t VALUES (1)", DB_NOARGS, NULL, NULL, NULL, &err), err);
    CHECK_EQ(db_run(db, "SELEKT", DB_NOARGS, NULL, NULL, NULL, &err), -1);
    CHECK_EQ(db_commit(db, &err), -1);
    CHECK_EQ(err.kind, ERR_BUG);
    CHECK_EQ(test_i64(db, "SELECT count(*) FROM t"), 0);
    db_close(&db);
}

TEST(tables_in_use_are_waited_for_but_not_long)
{
    struct db *db, *holder;
    struct db_column columns[] = { { STR("a"), COL_TEXT }, { STR("b"), COL_TEXT } };
    struct err err = { 0 };

    ONLY_POSTGRES();
    db = test_open("in_use");
    holder = test_open("in_use");
    test_write(holder, "SET idle_in_transaction_session_timeout = 0"); /* somebody else's session */
    CHECK_OK(db_migrate(db, &err), err);
    CHECK_OK(db_ensure_table(db, STR("m"), columns, 1, NULL, &err), err);
    CHECK_OK(db_begin(holder, &err), err);
    test_rows(holder, "SELECT a FROM m");
    CHECK_EQ(db_ensure_table(db, STR("m"), columns, 2, NULL, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_HAS(err.text, "pg_stat_activity");
    CHECK_OK(
        db_ensure_table(db, STR("m"), columns, 1, NULL, &err), err); /* nothing is missing: nobody is asked */
    db_rollback(holder);
    CHECK_OK(db_ensure_table(db, STR("m"), columns, 2, NULL, &err), err);
    db_close(&db);
    db_close(&holder);
}

TEST(sixteen_hundred_columns_and_sixty_three_bytes_are_the_limits)
{
    struct db *db;
    struct db_column *columns = xcalloc(1600, sizeof(*columns));
    char(*names)[16] = xcalloc(1600, sizeof(*names)), longest[65];
    struct err err = { 0 };

    if (check_is_postgres()) {
        db = test_open("wide");
        CHECK_OK(db_migrate(db, &err), err);
        for (int i = 0; i < 1600; i++) {
            snprintf(names[i], sizeof(names[i]), "uf_%d", i);
            columns[i] = (struct db_column){ str_of(names[i]), COL_TEXT };
        }
        CHECK_EQ(db_ensure_table(db, STR("m"), columns, 1595, NULL, &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, "1601 columns");
        CHECK_OK(db_ensure_table(db, STR("m"), columns, 1594, NULL, &err), err);
        memset(longest, 'x', 64);
        longest[64] = '\0';
        columns[0].name = str_of(longest);
        CHECK_EQ(db_ensure_table(db, STR("n"), columns, 1, NULL, &err), -1);
        CHECK_HAS(err.text, "63 bytes");
        columns[0].name.n = 63;
        CHECK_OK(db_ensure_table(db, STR("n"), columns, 1, NULL, &err), err);
        db_close(&db);
    }
    free(columns);
    free(names);
}

TEST(a_database_of_another_encoding_is_refused)
{
    ONLY_POSTGRES();
    check_psql("encoding", "CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    open_fails(check_server("postgres", "narrow", ""), ERR_CONF, "createdb -E UTF8");
}

TEST(a_statement_that_takes_too_long_is_told_and_tried_again)
{
    struct db *db = NULL;
    struct err err = { 0 };

    ONLY_POSTGRES();
    CHECK_OK(
        db_open(&db, check_server("postgres", "postgres", "?options=-cstatement_timeout%3D100"), &err), err);
    CHECK_OK(db_begin(db, &err), err);
    CHECK_EQ(db_run(db, "SELECT pg_sleep(60)", DB_NOARGS, NULL, NULL, NULL, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_HAS(err.text, "statement_timeout");
    CHECK(!db_is_lost(db));
    db_rollback(db);
    CHECK_EQ(test_i64(db, "SELECT 7"), 7);
    db_close(&db);
}

struct numbers {
    int64_t next, last;
};

static int next_number(void *ctx, int64_t *ret_id, struct str *ret_hash, struct db_val *values)
{
    struct numbers *n = ctx;

    if (n->next > n->last)
        return 0;
    *ret_hash = STR("0123456789abcdef");
    values[0] = dbv_i(10 * n->next);
    *ret_id = n->next++;
    return 1;
}

static int64_t write_numbers(struct db *db, int64_t first, int64_t last, struct err *err)
{
    static const struct db_column column = { STR("n"), COL_INT };
    struct numbers numbers = { first, last };
    struct db_upsert u = { .table = STR("m"),
        .columns = &column,
        .count = 1,
        .absent = true,
        .stamp = { 2, 3, 1700000000000, 1700000001000 },
        .next = next_number,
        .ctx = &numbers };
    int64_t changes = -1;

    *err = (struct err){ 0 };
    CHECK_OK(db_begin(db, err), *err);
    if (db_upsert(db, &u, &changes, err) < 0 || db_commit(db, err) < 0) {
        db_rollback(db);
        return -1;
    }
    return changes;
}

/* By COPY into the mirror itself, or, when its columns are not of the types that COPY's bytes are for, the
 * other way. */
TEST(rows_of_ids_that_have_none_are_copied_whatever_the_columns_became)
{
    static const char *const types[] = { "bigint", "integer", "numeric", "text", "double precision" };
    static const struct db_column column = { STR("n"), COL_INT };
    struct err err = { 0 };
    struct db *db;
    char sql[160];

    ONLY_POSTGRES();
    db = test_open("absent");
    CHECK_OK(db_migrate(db, &err), err);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        CHECK_OK(db_ensure_table(db, STR("m"), &column, 1, NULL, &err), err);
        snprintf(
            sql, sizeof(sql), "ALTER TABLE m ALTER COLUMN n TYPE %s USING n::text::%s", types[i], types[i]);
        check_psql("absent", sql);
        test_write(db, "DELETE FROM m");
        CHECK_EQ(write_numbers(db, 1, 5, &err), 5);     /* by VALUES */
        CHECK_EQ(write_numbers(db, 6, 300, &err), 295); /* by COPY */
        CHECK_EQ(
            test_i64(db,
                "SELECT count(*) FROM m WHERE n::text = (id * 10)::text AND _hi = 3 AND _deleted_at IS NULL"
                " AND _hash = '0123456789abcdef' AND _fetched_at = to_timestamp(1700000000)"
                " AND _written_at = to_timestamp(1700000001)"),
            300);
    }
    test_write(db, "ALTER TABLE m ALTER COLUMN n TYPE bigint USING n::bigint");
    CHECK_EQ(write_numbers(db, 300, 350, &err), -1); /* one of them has a row: nothing is written */
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_EQ(test_i64(db, "SELECT count(*) FROM m"), 300);
    db_close(&db);
}

TEST(who_reads_in_little_time_hears_of_a_lock_before_it_is_over)
{
    ONLY_POSTGRES();
    struct db_opening how = { .reading = true, .patience_ms = 1200 };
    struct db *holder = test_ready("behind.db"), *db = NULL;
    struct err err = { 0 };
    int64_t n = 0;

    CHECK_OK(db_open_as(&db, test_url("behind.db"), &how, &err), err);
    CHECK_OK(db_begin(holder, &err), err);
    CHECK_OK(
        db_run(holder, "LOCK TABLE potok_entity IN ACCESS EXCLUSIVE MODE", DB_NOARGS, NULL, NULL, NULL, &err),
        err);
    CHECK_EQ(db_get_i64(db, "SELECT count(*) FROM potok_entity", DB_NOARGS, 0, &n, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_HAS(err.text, "55P03");
    CHECK(!db_is_lost(db));
    db_rollback(holder);
    CHECK_OK(db_get_i64(db, "SELECT count(*) FROM potok_entity", DB_NOARGS, -1, &n, &err), err);
    CHECK_EQ(n, 0);
    db_close(&db);
    db_close(&holder);
}

/* ---- rows without room ---- */

#define WIDE 1200

struct wide {
    struct db_column columns[WIDE];
    struct db_val values[WIDE];
    bool out[WIDE];
    bool given;
};

static int next_wide(void *ctx, int64_t *ret_id, struct str *ret_hash, struct db_val *values)
{
    struct wide *w = ctx;

    if (w->given)
        return 0;
    w->given = true;
    *ret_id = 1;
    *ret_hash = STR("0123456789abcdef");
    memcpy(values, w->values, sizeof(w->values));
    return 1;
}

static enum err_kind write_wide(struct db *db, struct wide *w)
{
    struct db_upsert u = { .table = STR("wide"),
        .columns = w->columns,
        .count = WIDE,
        .stamp = { 2, 2, 0, 0 },
        .next = next_wide,
        .ctx = w };
    struct err err = { 0 };
    int result;

    w->given = false;
    CHECK_OK(db_begin(db, &err), err);
    result = db_upsert(db, &u, NULL, &err);
    db_rollback(db);
    return result < 0 ? err.kind : ERR_NONE;
}

/* A value of the column's kind, or none; texts of at most `longest` bytes. */
static struct db_val wide_value(enum col_kind kind, unsigned longest, unsigned filled, unsigned *seed)
{
    static const char digits[] = "0123456789012345678901234567890123456789012345678901234567890123456789";
    static const char words[] = "The quick brown fox jumps over the lazy dog, and the dog does not care.";
    const char *text = rand_r(seed) % 3 == 0 ? digits : words;
    size_t n = 1 + (unsigned)rand_r(seed) % longest;

    if ((unsigned)rand_r(seed) % 100 >= filled)
        return DBV_NULL;
    switch (kind) {
    case COL_INT:
        return dbv_i(rand_r(seed));
    case COL_BOOL:
        return dbv_i(rand_r(seed) % 2);
    case COL_DECIMAL:
        return (struct db_val){ DB_DECIMAL, 0, { digits + 1, n } };
    case COL_DATE:
        return dbv_c("2024-08-30");
    case COL_TIME:
        return dbv_c("2024-08-30T12:29:00Z");
    case COL_JSON:
        return dbv_c("[\"a list of some length\"]");
    default:
        return dbv_s((struct str){ text, n });
    }
}

static void fill_wide(struct wide *w, unsigned round)
{
    unsigned seed = round, longest = 1 + (unsigned)rand_r(&seed) % 68,
             filled = 30 + (unsigned)rand_r(&seed) % 71;

    for (int i = 0; i < WIDE; i++)
        w->values[i] = wide_value(w->columns[i].kind, longest, filled, &seed);
}

/* What is left out had no room, and what is left in has. */
TEST(a_row_without_room_loses_what_it_must)
{
    ONLY_POSTGRES();
    struct db *db = test_ready("wide.db");
    static struct wide w;
    static char names[WIDE][8];
    struct err err = { 0 };
    int narrow = 0, wide = 0;

    for (int i = 0; i < WIDE; i++) {
        snprintf(names[i], sizeof(names[i]), "c%04d", i);
        w.columns[i] = (struct db_column){ str_of(names[i]),
            i % 4 == 0 ? (enum col_kind)(i / 4 % COL_KINDS) : COL_TEXT };
    }
    CHECK_OK(db_ensure_table(db, STR("wide"), w.columns, WIDE, NULL, &err), err);
    for (unsigned round = 0; round < 60; round++) {
        fill_wide(&w, round);
        int out = db_leave_out(db, w.columns, w.values, WIDE, w.out);

        narrow += out == 0;
        wide += out > 0;
        if (out == 0)
            continue;
        CHECK_EQ(write_wide(db, &w), ERR_LIMIT);
        for (int i = 0; i < WIDE; i++)
            if (w.out[i])
                w.values[i] = DBV_NULL;
        CHECK_EQ(write_wide(db, &w), ERR_NONE);
    }
    CHECK(narrow > 5 && wide > 5);
    CHECK(db_row_is_sure(db, 290) && !db_row_is_sure(db, 291));
    db_close(&db);
}

TEST_MAIN(CASE(every_code_has_one_meaning), CASE(what_belongs_to_another_role_has_the_words_that_give_it),
    CASE(the_table_has_no_line_twice), CASE(a_password_is_never_shown),
    CASE(what_is_wrong_with_an_address_is_told), CASE(rights_that_miss_are_told_with_the_grant),
    CASE(a_read_only_server_is_waited_for), CASE(a_connection_cut_in_mid_transaction_leaves_nothing),
    CASE(of_two_that_lock_each_other_one_is_told_to_try_again),
    CASE(a_commit_after_a_failed_statement_is_no_commit), CASE(tables_in_use_are_waited_for_but_not_long),
    CASE(sixteen_hundred_columns_and_sixty_three_bytes_are_the_limits),
    CASE(a_database_of_another_encoding_is_refused),
    CASE(a_statement_that_takes_too_long_is_told_and_tried_again),
    CASE(who_reads_in_little_time_hears_of_a_lock_before_it_is_over),
    CASE(rows_of_ids_that_have_none_are_copied_whatever_the_columns_became),
    CASE(a_row_without_room_loses_what_it_must))
