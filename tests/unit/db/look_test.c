#include "db/look.h"

#include "base/mem.h"
#include "support/check.h"
#include "support/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char *copy_of(const char *url)
{
    return xstrdup(url);
}

static struct db_look looked(const char *url, bool deep)
{
    struct db_look look;
    struct err err = { 0 };

    CHECK_OK(db_look(&look, url, deep, &err), err);
    return look;
}

static void run(struct db *db, const char *sql)
{
    struct err err = { 0 };

    CHECK_OK(db_begin(db, &err), err);
    CHECK_OK(db_run(db, sql, DB_NOARGS, NULL, NULL, NULL, &err), err);
    CHECK_OK(db_commit(db, &err), err);
}

TEST(a_database_is_described_without_a_change)
{
    char *url = copy_of(check_database("look"));
    struct db *db = NULL;
    struct err err = { 0 };

    CHECK_OK(db_open(&db, url, &err), err);
    struct db_look look = looked(url, true);
    CHECK(look.there);
    CHECK_EQ(look.tables, 0);
    CHECK(look.tables_known >= 2);
    CHECK(look.version[0] >= '1' && look.version[0] <= '9');
    CHECK_EQ(look.lease_count, 0);

    CHECK_OK(db_migrate(db, &err), err);
    run(db, "INSERT INTO potok_lease (portal, tick, epoch, bucket, bucket_ms, identity)"
            " VALUES ('main', 1, 1, 0, 0, 'a.bitrix24.ru')");
    run(db, "INSERT INTO potok_lease (portal, tick, epoch, bucket, bucket_ms) VALUES ('old', 1, 1, 0, 0)");
    look = looked(url, true);
    CHECK_EQ(look.tables, look.tables_known);
    CHECK(look.bytes > 0);
    CHECK_STR(look.damage, "");
    CHECK_STR(look.denied, "");
    CHECK_EQ(look.lease_count, 2);
    CHECK_STR(look.leases[0].portal, "main");
    CHECK_STR(look.leases[0].identity, "a.bitrix24.ru");
    CHECK_STR(look.leases[1].identity, "");
    CHECK_STR(look.engine, db_engine(db));
    if (check_is_postgres()) {
        CHECK(look.may_create && look.may_temporary && !look.standby && !look.read_only);
        CHECK_STR(look.schema, "t_look");
    } else {
        CHECK(look.wal);
    }
    db_close(&db);
    free(url);
}

TEST(a_newer_database_is_looked_at_too)
{
    char *url = copy_of(check_database("newer"));
    struct db *db = NULL;
    struct err err = { 0 };

    CHECK_OK(db_open(&db, url, &err), err);
    CHECK_OK(db_migrate(db, &err), err);
    run(db, "INSERT INTO potok_migration (version, name, applied_ms) VALUES (999, 'of tomorrow', 1)");
    struct db_look look = looked(url, false);
    CHECK_EQ(look.tables, 999);
    db_close(&db);
    free(url);
}

TEST(a_file_that_is_not_there_stays_so)
{
    char url[400];

    ONLY_SQLITE();
    snprintf(url, sizeof(url), "sqlite:///%s/none/x.db", check_folder());
    CHECK(!looked(url, true).there);
    snprintf(url, sizeof(url), "%s/none", check_folder());
    CHECK_EQ(access(url, F_OK), -1);
}

TEST(a_damaged_or_foreign_file_is_told)
{
    char path[400], url[420];
    struct db_look look;
    struct err err = { 0 };

    ONLY_SQLITE();
    snprintf(path, sizeof(path), "%s/letter.db", check_folder());
    snprintf(url, sizeof(url), "sqlite:///%s", path);
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 100; i++)
        fprintf(f, "dear grandmother, this is no database\n");
    fclose(f);
    CHECK_EQ(db_look(&look, url, false, &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "not an SQLite database");
}

TEST(missing_rights_are_told_with_the_grant)
{
    struct db_look look;

    if (!check_is_postgres())
        skip();
    check_database("meagre");
    check_psql("meagre",
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'looker') THEN"
        " CREATE ROLE looker LOGIN; END IF; END $$;"
        "CREATE TABLE potok_migration (version INTEGER PRIMARY KEY, name TEXT, applied_ms BIGINT);"
        "GRANT USAGE ON SCHEMA t_meagre TO looker; GRANT SELECT ON potok_migration TO looker");
    char *url = copy_of(check_server("looker", "postgres", "?options=-csearch_path%3Dt_meagre"));
    look = looked(url, false);
    CHECK(!look.may_create);
    CHECK_STR(look.user, "looker");
    CHECK_STR(look.schema, "t_meagre");
    CHECK_HAS(look.denied, "GRANT");
    free(url);
}

TEST_MAIN(CASE(a_database_is_described_without_a_change), CASE(a_newer_database_is_looked_at_too),
    CASE(a_file_that_is_not_there_stays_so), CASE(a_damaged_or_foreign_file_is_told),
    CASE(missing_rights_are_told_with_the_grant))
