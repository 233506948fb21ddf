/* Statements, transactions, and what is said when the file is not what it should be. */
#include "unit/db/fixture.h"

#include "base/mem.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(arguments_go_by_number)
{
    struct db *db = test_open("arguments.db");
    struct err err = { 0 };
    struct buf out;

    buf_init(&out, 100);
    CHECK_OK(db_run(db, "SELECT $2, $1, $2", DB_ARGS(dbv_i(1), dbv_c("two")), test_add_row, &out, NULL, &err),
        err);
    CHECK_STR(buf_cstr(&out), "two 1 two;");
    CHECK_EQ(db_run(db, "SELECT $3", DB_ARGS(dbv_i(1)), NULL, NULL, NULL, &err), -1);
    CHECK_EQ(err.kind, ERR_BUG);
    CHECK_HAS(err.text, "$3");
    buf_fini(&out);
    db_close(&db);
}

static int stop_at_two(void *ctx, const struct db_val *row, int columns)
{
    (void)columns;
    *(int64_t *)ctx = row[0].i;
    return row[0].i == 2;
}

TEST(a_callback_stops_the_rows)
{
    struct db *db = test_open("stop.db");
    struct err err = { 0 };
    int64_t last = 0;

    CHECK_OK(db_run(db, "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3", DB_NOARGS, stop_at_two, &last, NULL,
                 &err),
        err);
    CHECK_EQ(last, 2);
    CHECK_OK(db_get_i64(db, "SELECT 7 WHERE 1 = 0", DB_NOARGS, 9, &last, &err), err);
    CHECK_EQ(last, 9);
    CHECK_OK(db_get_i64(db, "SELECT NULL", DB_NOARGS, 8, &last, &err), err);
    CHECK_EQ(last, 8);
    db_close(&db);
}

struct inner {
    struct db *db;
    int sum;
};

static int run_the_same(void *ctx, const struct db_val *row, int columns)
{
    struct inner *in = ctx;
    struct err err = { 0 };
    int64_t one;

    (void)columns;
    CHECK_OK(db_get_i64(in->db, "SELECT 1 UNION ALL SELECT 2", DB_NOARGS, 0, &one, &err), err);
    in->sum += (int)(one * 10 + row[0].i);
    return 0;
}

TEST(a_callback_may_run_the_same_statement)
{
    struct db *db = test_open("nested.db");
    struct inner in = { db, 0 };
    struct err err = { 0 };

    CHECK_OK(db_run(db, "SELECT 1 UNION ALL SELECT 2", DB_NOARGS, run_the_same, &in, NULL, &err), err);
    CHECK_EQ(in.sum, 23);
    db_close(&db);
}

TEST(more_statements_than_are_kept_work)
{
    struct db *db = test_open("many.db");

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 200; i++) {
            char sql[32];
            snprintf(sql, sizeof(sql), "SELECT %d", i);
            CHECK_EQ(test_i64(db, sql), i);
        }
    db_close(&db);
}

TEST(changes_are_counted)
{
    struct db *db = test_open("changes.db");
    struct err err = { 0 };
    int64_t n = 77;

    test_write(db, "CREATE TABLE t (a INTEGER)");
    CHECK_OK(db_begin(db, &err), err);
    CHECK_OK(db_run(db, "INSERT INTO t VALUES (1), (2), (3)", DB_NOARGS, NULL, NULL, &n, &err), err);
    CHECK_EQ(n, 3);
    CHECK_OK(db_run(db, "UPDATE t SET a = 0 WHERE a > 5", DB_NOARGS, NULL, NULL, &n, &err), err);
    CHECK_EQ(n, 0);
    CHECK_OK(db_run(db, "SELECT * FROM t", DB_NOARGS, NULL, NULL, &n, &err), err);
    CHECK_EQ(n, 0);
    CHECK_OK(db_get_i64(db, "INSERT INTO t VALUES (9) RETURNING a", DB_NOARGS, 0, &n, &err), err);
    CHECK_EQ(n, 9);
    CHECK_OK(db_commit(db, &err), err);
    CHECK_EQ(test_i64(db, "SELECT count(*) FROM t"), 4);
    db_close(&db);
}

TEST(what_writes_is_inside_a_transaction)
{
    struct db *db = test_open("outside.db");
    struct err err = { 0 };

    CHECK_EQ(db_run(db, "CREATE TABLE t (a INTEGER)", DB_NOARGS, NULL, NULL, NULL, &err), -1);
    CHECK_EQ(err.kind, ERR_BUG);
    CHECK_OK(db_begin(db, &err), err);
    CHECK_EQ(db_begin(db, &err), -1);
    CHECK_EQ(err.kind, ERR_BUG);
    CHECK_OK(db_run(db, "CREATE TABLE t (a INTEGER)", DB_NOARGS, NULL, NULL, NULL, &err), err);
    db_rollback(db);
    db_rollback(db);
    CHECK_STR(test_rows(db, TEST_TABLES), "");
    CHECK_EQ(db_commit(db, &err), -1);
    db_close(&db);
}

TEST(ids_are_a_set)
{
    struct db *db = test_open("ids.db");
    struct err err = { 0 };
    uint64_t ids[] = { 5, 3, 5, (uint64_t)1 << 61 };

    CHECK_OK(db_put_ids(db, ids, ARRAY_SIZE(ids), &err), err);
    CHECK_STR(test_rows(db, "SELECT id FROM potok_ids"), "3;5;2305843009213693952;");
    CHECK_OK(db_put_ids(db, NULL, 0, &err), err);
    CHECK_STR(test_rows(db, "SELECT id FROM potok_ids"), "");
    db_close(&db);
}

TEST(errors_say_what_to_do_next)
{
    static const struct {
        const char *sql;
        enum err_kind kind;
        const char *part, *part_postgres;
    } cases[] = {
        { "SELEKT", ERR_PERM, "syntax", "syntax" },
        { "SELECT * FROM nowhere", ERR_TEMP, "no such table", "somebody removed the table" },
        { "INSERT INTO t VALUES (2, 1)", ERR_CONF, "somebody added", "somebody added" },
        { "", ERR_BUG, "empty", "empty" },
    };
    struct db *db = test_open("errors.db");
    struct err err = { 0 };

    test_write(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER UNIQUE)");
    test_write(db, "INSERT INTO t VALUES (1, 1)");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_OK(db_begin(db, &err), err);
        CHECK_EQ(db_run(db, cases[i].sql, DB_NOARGS, NULL, NULL, NULL, &err), -1);
        CHECK_EQ(err.kind, cases[i].kind);
        CHECK_HAS(err.text, check_is_postgres() ? cases[i].part_postgres : cases[i].part);
        db_rollback(db);
    }
    db_close(&db);
}

TEST(addresses_that_are_none_are_refused_with_a_hint)
{
    static const struct {
        const char *url, *part;
    } cases[] = {
        { "var/potok.db", "sqlite:///var/potok.db" },
        { "mysql://user:secret@host/db", "mysql" },
        { "sqlite://host/potok.db", "three slashes" },
        { "sqlite://user:secret@host/potok.db", "three slashes" },
        { "sqlite:var", "sqlite:///var/potok.db" },
        { "sqlitex:///a", "sqlitex" },
        { "sqlite:///:memory:", "file" },
        { "sqlite:///", "file" },
        { "sqlite:////tmp/", "name of a file" },
        { "sqlite:///a.db?mode=ro", "parameters" },
    };
    struct db *db = NULL;
    char *file = NULL;
    struct err err = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_EQ(db_open(&db, cases[i].url, &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, cases[i].part);
        CHECK(strstr(err.text, "secret") == NULL);
        CHECK(db == NULL);
        CHECK_EQ(db_file(cases[i].url, &file, &err), -1);
        CHECK(file == NULL);
    }
}

TEST(the_file_of_an_address_is_told_without_opening_it)
{
    static const struct {
        const char *url, *file;
    } cases[] = {
        { "sqlite:///var/potok.db", "var/potok.db" },
        { "sqlite:////srv/potok.db", "/srv/potok.db" },
        { "sqlite+aiosqlite:///var/potok.db", "var/potok.db" },
    };
    struct err err = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *file = NULL;

        CHECK_OK(db_file(cases[i].url, &file, &err), err);
        CHECK_STR(file, cases[i].file);
        free(file);
    }
}

TEST(three_slashes_are_relative_and_a_driver_suffix_is_ignored)
{
    struct db *db = NULL;
    struct err err = { 0 };
    char before[4096];

    CHECK(getcwd(before, sizeof(before)) != NULL);
    CHECK_EQ(chdir(check_folder()), 0);
    CHECK_OK(db_open(&db, "sqlite+pysqlite:///new/folder/relative.db", &err), err);
    CHECK_STR(db_engine(db), "sqlite");
    db_close(&db);
    CHECK_EQ(access("new/folder/relative.db", F_OK), 0);
    setenv("POTOK_HOME", test_path("home"), 1);
    CHECK_OK(db_open(&db, "", &err), err);
    db_close(&db);
    CHECK_EQ(access("home/potok.db", F_OK), 0);
    CHECK_EQ(chdir(before), 0);
}

TEST(a_file_that_is_no_database_is_told)
{
    ONLY_SQLITE();
    struct db *db = NULL;
    struct err err = { 0 };
    FILE *f = fopen(test_path("letter.txt"), "w");

    for (int i = 0; i < 200; i++)
        fputs("Dear database, this is a letter.\n", f);
    fclose(f);
    CHECK_EQ(db_open(&db, test_url("letter.txt"), &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "not an SQLite database");
    CHECK(access(test_path("letter.txt.turn"), F_OK) != 0);
    CHECK_EQ(db_open(&db, test_url("letter.txt/potok.db"), &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
}

/* As a user without rights (the tests may run as root, whom no right stops): exit code 0 when the opening
 * failed as it should. */
static int open_as_nobody(const char *name, const char *part)
{
    struct db *db = NULL;
    struct err err = { 0 };
    char url[256];
    int status;

    snprintf(url, sizeof(url), "%s", test_url(name));
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
            _exit(3);
        if (db_open(&db, url, &err) == 0)
            _exit(1);
        if (err.kind != ERR_CONF || strstr(err.text, part) == NULL)
            fprintf(stderr, "%s: %s\n", err_kind_name(err.kind), err.text);
        _exit(err.kind == ERR_CONF && strstr(err.text, part) != NULL ? 0 : 2);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

TEST(files_and_folders_without_rights_are_told)
{
    ONLY_SQLITE();
    struct db *db;

    CHECK_EQ(chmod(check_folder(), 0777), 0);
    db = test_open("read_only.db");
    test_write(db, "CREATE TABLE t (a INTEGER)");
    db_close(&db);
    CHECK_EQ(chmod(test_path("read_only.db"), 0444), 0);
    CHECK_EQ(open_as_nobody("read_only.db", "make the file and its folder writable"), 0);
    CHECK_EQ(mkdir(test_path("closed"), 0755), 0);
    CHECK_EQ(chmod(test_path("closed"), 0555), 0);
    CHECK_EQ(open_as_nobody("closed/potok.db", "rights of the folder"), 0);
    CHECK_EQ(open_as_nobody("closed/below/potok.db", "cannot make the folder"), 0);
    CHECK_EQ(chmod(test_path("read_only.db"), 0666), 0);
    CHECK_EQ(chmod(test_path("read_only.db.turn"), 0444), 0);
    CHECK_EQ(chmod(check_folder(), 0555), 0);
    CHECK_EQ(open_as_nobody("read_only.db", "writable"), 0);
    CHECK_EQ(chmod(check_folder(), 0700), 0);
}

TEST(a_full_disk_is_told_and_passes)
{
    ONLY_SQLITE();
    struct db *db = test_open("full.db");
    struct err err = { 0 };

    test_write(db, "CREATE TABLE t (a INTEGER)");
    CHECK_EQ(test_i64(db, "PRAGMA max_page_count = 10"), 10); /* SQLite says the same as for a full disk */
    CHECK_OK(db_begin(db, &err), err);
    CHECK_EQ(db_run(db, "INSERT INTO t VALUES (zeroblob(1000000))", DB_NOARGS, NULL, NULL, NULL, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_HAS(err.text, "disk is full");
    db_rollback(db);
    CHECK(!db_is_lost(db));
    CHECK_EQ(test_i64(db, "PRAGMA max_page_count = 100000"), 100000);
    test_write(db, "INSERT INTO t VALUES (zeroblob(1000000))");
    CHECK_EQ(test_i64(db, "SELECT count(*) FROM t"), 1);
    db_close(&db);
}

TEST(another_program_that_holds_the_file_is_told)
{
    ONLY_SQLITE();
    struct db *db = test_open("locked.db");
    struct err err = { 0 };
    sqlite3 *shell;

    test_write(db, "CREATE TABLE t (a INTEGER)");
    CHECK_EQ(sqlite3_open(test_path("locked.db"), &shell), SQLITE_OK);
    CHECK_EQ(sqlite3_exec(shell, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    CHECK_EQ(test_i64(db, "PRAGMA busy_timeout = 10"), 10);
    CHECK_EQ(db_begin(db, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_HAS(err.text, "another program holds the database locked");
    CHECK_EQ(sqlite3_close(shell), SQLITE_OK);
    test_write(db, "INSERT INTO t VALUES (1)"); /* the turn was given back */
    db_close(&db);
}

TEST(a_file_taken_away_is_noticed_before_writing)
{
    ONLY_SQLITE();
    struct db *db = test_open("moved.db");
    struct err err = { 0 };

    test_write(db, "CREATE TABLE t (a INTEGER)");
    CHECK_EQ(
        rename(test_path("moved.db"), strcat(strcpy((char[300]){ 0 }, test_path("moved.db")), ".away")), 0);
    CHECK_EQ(db_begin(db, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_HAS(err.text, "moved or removed");
    CHECK(strstr(err.text, "not an error") == NULL);
    CHECK(db_is_lost(db));
    db_close(&db);
}

TEST(names_are_quoted)
{
    struct db *db = test_open("quoted.db");
    char quoted[32];

    db_quote(db, STR("plain"), quoted);
    CHECK_STR(quoted, "\"plain\"");
    db_quote(db, STR("we\"ird"), quoted);
    CHECK_STR(quoted, "\"we\"\"ird\"");
    db_close(&db);
}

TEST_MAIN(CASE(arguments_go_by_number), CASE(a_callback_stops_the_rows),
    CASE(a_callback_may_run_the_same_statement), CASE(more_statements_than_are_kept_work),
    CASE(changes_are_counted), CASE(what_writes_is_inside_a_transaction), CASE(ids_are_a_set),
    CASE(errors_say_what_to_do_next), CASE(addresses_that_are_none_are_refused_with_a_hint),
    CASE(the_file_of_an_address_is_told_without_opening_it),
    CASE(three_slashes_are_relative_and_a_driver_suffix_is_ignored), CASE(a_file_that_is_no_database_is_told),
    CASE(files_and_folders_without_rights_are_told), CASE(a_full_disk_is_told_and_passes),
    CASE(another_program_that_holds_the_file_is_told), CASE(a_file_taken_away_is_noticed_before_writing),
    CASE(names_are_quoted))
