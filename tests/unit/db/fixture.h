/* fixture.h - databases of the test's own, and rows read back as text. */
#pragma once

#include "support/check.h"
#include "support/database.h"

#include "base/buf.h"
#include "db/db.h"

#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

/* "sqlite:////tmp/…/<name>", or of PostgreSQL; valid until the next call. */
static inline const char *test_url(const char *name)
{
    return check_database(name);
}

static inline const char *test_path(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", check_folder(), name);
    return path;
}

/* Names of what lies in the database. */
#define TEST_TABLES \
    (check_is_postgres() ? "SELECT relname::text AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace" \
                         : "SELECT name FROM sqlite_master")

static inline struct db *test_open(const char *name)
{
    struct db *db = NULL;
    struct err err = { 0 };

    CHECK_OK(db_open(&db, test_url(name), &err), err);
    return db;
}

/* With the system tables. */
static inline struct db *test_ready(const char *name)
{
    struct db *db = test_open(name);
    struct err err = { 0 };

    CHECK_OK(db_migrate(db, &err), err);
    return db;
}

/* Does `db` know table t, at this shape, as it is now? */
static inline bool test_is_current(struct db *db, int64_t shape)
{
    char sql[320];
    struct err err = { 0 };
    int64_t version = -1;

    snprintf(sql, sizeof(sql), "SELECT %s", db_version_sql(db));
    CHECK_OK(db_get_i64(db, sql, DB_ARGS(dbv_c("t")), 0, &version, &err), err);
    return db_table_is(db, STR("t"), shape, version);
}

static inline void test_write(struct db *db, const char *sql)
{
    struct err err = { 0 };

    CHECK_OK(db_begin(db, &err), err);
    CHECK_OK(db_run(db, sql, DB_NOARGS, NULL, NULL, NULL, &err), err);
    CHECK_OK(db_commit(db, &err), err);
}

static inline int test_add_row(void *ctx, const struct db_val *row, int columns)
{
    struct buf *out = ctx;

    for (int i = 0; i < columns; i++) {
        if (i > 0)
            buf_char(out, ' ');
        if (row[i].type == DB_NULL)
            buf_str(out, "-");
        else if (row[i].type == DB_INT)
            buf_fmt(out, "%lld", (long long)row[i].i);
        else
            buf_add(out, row[i].s.p, row[i].s.n);
    }
    buf_char(out, ';');
    return 0;
}

/* "1 A;2 -;" - valid until the next call. */
static inline const char *test_rows(struct db *db, const char *sql)
{
    static char text[65536];
    struct err err = { 0 };
    struct buf out;

    buf_init(&out, sizeof(text) - 1);
    CHECK_OK(db_run(db, sql, DB_NOARGS, test_add_row, &out, NULL, &err), err);
    CHECK(!out.failed);
    snprintf(text, sizeof(text), "%s", buf_cstr(&out));
    buf_fini(&out);
    return text;
}

static inline int64_t test_i64(struct db *db, const char *sql)
{
    struct err err = { 0 };
    int64_t value = 0;

    CHECK_OK(db_get_i64(db, sql, DB_NOARGS, -1, &value, &err), err);
    return value;
}

/* A waiter of the turn shows in /proc/locks as "-> OFDLCK ... <device>:<inode> 1 1". */
static inline bool test_somebody_waits(unsigned long inode)
{
    char line[256], at[64];
    bool found = false;
    FILE *f = fopen("/proc/locks", "r");

    snprintf(at, sizeof(at), ":%lu 1 1", inode);
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        found = found || (strstr(line, "->") != NULL && strstr(line, at) != NULL);
    if (f != NULL)
        fclose(f);
    return found;
}

/* Until somebody waits for the turn of the database. */
static inline void test_wait_for_a_waiter(const char *name)
{
    char turn[64];
    struct stat st;

    if (check_is_postgres()) {
        struct db *db = test_open(name);
        for (int ms = 0; test_i64(db, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == 0; ms++) {
            CHECK(ms < 10000);
            poll(NULL, 0, 1);
        }
        db_close(&db);
        return;
    }

    snprintf(turn, sizeof(turn), "%s.turn", name);
    CHECK_EQ(stat(test_path(turn), &st), 0);
    for (int ms = 0; !test_somebody_waits(st.st_ino); ms++) {
        CHECK(ms < 10000);
        poll(NULL, 0, 1);
    }
}
