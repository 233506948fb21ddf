/* The system tables are made once, however many make them. */
#include "unit/db/fixture.h"

#include <sys/wait.h>
#include <unistd.h>

TEST(migrating_twice_is_migrating_once)
{
    struct db *db = test_open("twice.db");
    struct err err = { 0 };

    CHECK_OK(db_migrate(db, &err), err);
    char tables[2000];
    snprintf(tables, sizeof(tables), "%s", test_rows(db, TEST_TABLES));
    CHECK_OK(db_migrate(db, &err), err);
    CHECK_STR(test_rows(db, TEST_TABLES), tables);
    CHECK_STR(test_rows(db,
                  check_is_postgres()
                      ? "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname LIKE 'potok_%' "
                        "AND relnamespace = current_schema()::regnamespace ORDER BY 1"
                      : "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'potok_%' "
                        "ORDER BY name"),
        "potok_alarm;potok_column;potok_cursor;potok_entity;potok_field;potok_field_change;potok_job;potok_"
        "lease;potok_"
        "mark;"
        "potok_migration;potok_offer;potok_reject;potok_run;potok_token;potok_witness;");
    CHECK_EQ(test_i64(db, "SELECT count(*) FROM potok_migration"),
        test_i64(db, "SELECT max(version) FROM potok_migration"));
    db_close(&db);
}

TEST(processes_migrate_at_once)
{
    pid_t children[4];
    char url[256];

    snprintf(url, sizeof(url), "%s", test_url("at_once.db"));
    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct db *db = NULL;
            struct err err = { 0 };
            int failed = db_open(&db, url, &err) < 0 || db_migrate(db, &err) < 0;
            if (failed)
                fprintf(stderr, "%s\n", err.text);
            _exit(failed);
        }
    }
    for (int i = 0; i < 4; i++) {
        int status = -1;
        CHECK_EQ(waitpid(children[i], &status, 0), children[i]);
        CHECK_EQ(status, 0);
    }
    struct db *db = test_open("at_once.db");
    CHECK(test_i64(db, "SELECT count(*) FROM potok_migration") >= 1);
    db_close(&db);
}

TEST(tables_of_a_newer_program_are_refused)
{
    struct db *db = test_open("newer.db");
    struct err err = { 0 };

    CHECK_OK(db_migrate(db, &err), err);
    test_write(db, "INSERT INTO potok_migration VALUES (1000, 'from the future', 0)");
    CHECK_EQ(db_migrate(db, &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "newer");
    CHECK_OK(db_begin(db, &err), err); /* nothing was left open */
    db_close(&db);
}

TEST_MAIN(CASE(migrating_twice_is_migrating_once), CASE(processes_migrate_at_once),
    CASE(tables_of_a_newer_program_are_refused))
