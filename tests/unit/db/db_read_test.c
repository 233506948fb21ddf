/* Connections for reading alone: what they see, what they refuse, and that they leave nothing behind. */
#include "unit/db/fixture.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct db *reader(const char *name)
{
    struct db *db = NULL;
    struct err err = { 0 };

    CHECK_OK(db_open_read(&db, test_url(name), &err), err);
    return db;
}

static void refused(const char *name, const char *why)
{
    struct db *db = NULL;
    struct err err = { 0 };

    CHECK_EQ(db_open_read(&db, test_url(name), &err), -1);
    CHECK(db == NULL);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, why);
}

static struct db *filled(const char *name)
{
    struct db *db = test_open(name);
    struct err err = { 0 };

    CHECK_OK(db_migrate(db, &err), err);
    test_write(
        db, "INSERT INTO potok_lease (portal, tick, epoch, bucket, bucket_ms) VALUES ('main', 7, 1, 0, 0)");
    return db;
}

TEST(a_reader_sees_what_is_committed_and_writes_nothing)
{
    struct db *db = filled("seen.db"), *read = reader("seen.db");
    struct err err = { 0 };
    int64_t tick;

    CHECK_OK(db_begin(db, &err), err);
    CHECK_OK(db_run(db, "UPDATE potok_lease SET tick = 8", DB_NOARGS, NULL, NULL, NULL, &err), err);
    CHECK_OK(db_get_i64(read, "SELECT tick FROM potok_lease", DB_NOARGS, 0, &tick, &err), err);
    CHECK_EQ(tick, 7);
    CHECK_OK(db_commit(db, &err), err);
    CHECK_OK(db_get_i64(read, "SELECT tick FROM potok_lease", DB_NOARGS, 0, &tick, &err), err);
    CHECK_EQ(tick, 8);
    CHECK_EQ(db_begin(read, &err), -1);
    CHECK_EQ(err.kind, ERR_BUG);
    CHECK_EQ(db_run(read, "UPDATE potok_lease SET tick = 9", DB_NOARGS, NULL, NULL, NULL, &err), -1);
    db_close(&read);
    db_close(&db);
}

TEST(without_tables_of_ours_it_says_who_makes_them)
{
    struct db *db;

    if (!check_is_postgres()) {
        refused("nothing.db", "there is no database yet");
        CHECK_EQ(access(test_path("nothing.db"), F_OK), -1);
    }
    db = test_open("empty.db");
    if (!check_is_postgres())
        test_write(db, "CREATE TABLE other (x INTEGER)");
    refused("empty.db", "`potok up` makes them");
    db_close(&db);
}

TEST(tables_of_another_version_are_told)
{
    struct db *db = filled("version.db");

    test_write(db, "UPDATE potok_migration SET version = 1000 WHERE version = 1");
    refused("version.db", "newer Potok");
    test_write(db, "DELETE FROM potok_migration");
    test_write(db, "INSERT INTO potok_migration (version) VALUES (1)");
    refused("version.db", "`potok up` brings it up to date");
    db_close(&db);
}

static int64_t tick_as_nobody(const char *name)
{
    struct db *db = NULL;
    struct err err = { 0 };
    int64_t tick = 0;

    if (setuid(65534) < 0 || db_open_read(&db, test_url(name), &err) < 0 ||
        db_get_i64(db, "SELECT tick FROM potok_lease", DB_NOARGS, 0, &tick, &err) < 0)
        fprintf(stderr, "%s\n", err.text);
    db_close(&db);
    return tick;
}

static int64_t told_by_nobody(const char *name)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit((int)tick_as_nobody(name));
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Somebody else's file in somebody else's folder, at rest and while its owner writes. */
TEST(a_file_that_may_only_be_read_is_read)
{
    struct db *db;

    ONLY_SQLITE();
    if (geteuid() != 0)
        skip();
    chmod(check_folder(), 0755);
    db = filled("still.db");
    db_close(&db);
    chmod(test_path("still.db"), 0644);
    CHECK_EQ(told_by_nobody("still.db"), 7);
    CHECK_EQ(access(test_path("still.db-wal"), F_OK), -1);
    db = test_open("still.db");
    test_write(db, "UPDATE potok_lease SET tick = 9");
    chmod(test_path("still.db-wal"), 0644);
    chmod(test_path("still.db-shm"), 0644);
    CHECK_EQ(told_by_nobody("still.db"), 9);
    chmod(test_path("still.db-wal"), 0600);
    CHECK_EQ(told_by_nobody("still.db"), 0); /* refused, not read past what is in the journal */
    db_close(&db);
    chmod(check_folder(), 0700);
}

TEST_MAIN(CASE(a_reader_sees_what_is_committed_and_writes_nothing),
    CASE(without_tables_of_ours_it_says_who_makes_them), CASE(tables_of_another_version_are_told),
    CASE(a_file_that_may_only_be_read_is_read))
