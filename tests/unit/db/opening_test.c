/* A server that takes connections and never says a word, or none after it took one in; locks that nobody
 * gives back. */
#include "db/db.h"

#include "base/clock.h"
#include "db/db_pool.h"
#include "support/check.h"
#include "support/mute_server.h"

#include <sqlite3.h>
#include <stdio.h>

TEST(a_server_that_says_nothing_is_waited_for_as_long_as_there_is_time)
{
    atomic_bool stop = true;
    const struct {
        bool greets;
        const char *more;
        struct db_opening how;
        uint64_t least_ms, most_ms;
        const char *said;
    } cases[] = {
        { false, "", { .reading = true, .patience_ms = 1000 }, 1000, 1900, "no answer within 1 s" },
        { false, "", { .patience_ms = 1000 }, 1000, 1900, "no answer within 1 s" },
        { false, "?connect_timeout=1", { .reading = true }, 2000, 2900, "no answer within 2 s" },
        { false, "?connect_timeout=1", { .patience_ms = 30000 }, 2000, 2900, "no answer within 2 s" },
        { false, "", { .stop = &stop }, 0, 1000, "stopping" },
        { true, "", { .reading = true, .patience_ms = 1000 }, 900, 1900, "no answer within 1 s" },
        { true, "", { .patience_ms = 1000 }, 900, 1900, "no answer within 1 s" },
    };
    char url[160];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t began_ms = clock_mono_ms();
        struct mute_server server;
        struct db *db = NULL;
        struct err err = { 0 };

        mute_start(&server, cases[i].greets);
        snprintf(url, sizeof(url), "postgresql://me:secret@127.0.0.1:%d/x%s", server.port, cases[i].more);
        CHECK_EQ(db_open_as(&db, url, &cases[i].how, &err), -1);
        uint64_t took_ms = clock_mono_ms() - began_ms;
        CHECK(took_ms >= cases[i].least_ms);
        CHECK(took_ms < cases[i].most_ms);
        CHECK_EQ(err.kind, ERR_TEMP);
        CHECK_HAS(err.text, cases[i].said);
        CHECK(db == NULL);
        mute_stop(&server);
    }
}

/* Host by host, as libpq: the first of them never answers, the last takes us in. */
TEST(of_several_servers_each_has_its_time)
{
    static const struct {
        const char *more;
        int patience_ms;
        uint64_t least_ms, most_ms;
    } cases[] = {
        { "?connect_timeout=1", 6000, 4000 + 1900, 6900 }, /* of the rest nothing is left over for answers */
        { "", 1500, 1400, 2400 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct db_opening how = { .reading = true, .patience_ms = cases[i].patience_ms };
        struct mute_server servers[3];
        char url[200], last[40];
        struct db *db = NULL;
        struct err err = { 0 };

        for (int k = 0; k < 3; k++)
            mute_start(&servers[k], k == 2);
        snprintf(url, sizeof(url), "postgresql://me@127.0.0.1:%d,127.0.0.1:%d,localhost:%d/x%s",
            servers[0].port, servers[1].port, servers[2].port, cases[i].more);
        snprintf(last, sizeof(last), "localhost:%d/x: opening", servers[2].port);
        uint64_t began_ms = clock_mono_ms();
        CHECK_EQ(db_open_as(&db, url, &how, &err), -1);
        uint64_t took_ms = clock_mono_ms() - began_ms;
        CHECK(took_ms >= cases[i].least_ms);
        CHECK(took_ms < cases[i].most_ms);
        CHECK_HAS(err.text, last);
        for (int k = 0; k < 3; k++)
            mute_stop(&servers[k]);
    }
}

static int work(void *ctx, struct db *db, struct err *err)
{
    return 0;
}

static void done(void *ctx, int status, const struct err *err)
{
    struct err *ret = ctx;

    CHECK_EQ(status, -1);
    *ret = *err;
}

TEST(a_pool_that_stops_does_not_wait_for_it)
{
    for (int greets = 0; greets < 2; greets++) {
        struct mute_server server;
        struct err err = { 0 };
        char url[160];
        uv_loop_t loop;

        mute_start(&server, greets);
        snprintf(url, sizeof(url), "postgresql://me:secret@127.0.0.1:%d/x", server.port);
        uv_loop_init(&loop);
        struct db_pool *pool = db_pool_new(&loop, url, 2);
        db_pool_do(pool, DB_URGENT, work, done, &err);
        usleep(100000); /* its threads are at it */
        uint64_t began_ms = clock_mono_ms();
        db_pool_free(&pool);
        CHECK(clock_mono_ms() - began_ms < 2000);
        CHECK_EQ(err.kind, ERR_TEMP);
        uv_run(&loop, UV_RUN_DEFAULT);
        uv_loop_close(&loop);
        mute_stop(&server);
    }
}

static void on_free(void *ctx, int status, const struct err *err)
{
    *(int *)ctx += status == 0 ? 1 : -1;
}

static int lock_wanted(void *ctx, struct db *db, struct err *err)
{
    return db_begin(db, err);
}

TEST(a_pool_that_stops_does_not_wait_for_a_lock_of_somebody_else)
{
    char url[160], path[128];
    int outcome = 0;
    sqlite3 *other = NULL;
    uv_loop_t loop;

    snprintf(path, sizeof(path), "%s/locked.db", check_folder());
    snprintf(url, sizeof(url), "sqlite:///%s", path);
    CHECK_EQ(sqlite3_open(path, &other), SQLITE_OK);
    CHECK_EQ(
        sqlite3_exec(other, "PRAGMA journal_mode = WAL; CREATE TABLE t (a)", NULL, NULL, NULL), SQLITE_OK);
    CHECK_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    uv_loop_init(&loop);
    struct db_pool *pool = db_pool_new(&loop, url, 1);
    db_pool_do(pool, DB_URGENT, lock_wanted, on_free, &outcome);
    usleep(200000); /* it stands before the lock */
    uint64_t began_ms = clock_mono_ms();
    db_pool_free(&pool);
    CHECK(clock_mono_ms() - began_ms < 2000);
    CHECK_EQ(outcome, -1);
    sqlite3_close(other);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

static int turn_wanted(void *ctx, struct db *db, struct err *err)
{
    int result = db_begin(db, err);

    *(bool *)ctx = result == 0;
    return result;
}

static void on_turn(void *ctx, int status, const struct err *err)
{
    *(bool *)ctx |= status == 0;
}

/* The first waits for the turn, the second behind it. */
TEST(a_pool_that_stops_does_not_wait_for_a_turn_that_nobody_gives)
{
    bool had[2] = { false, false };
    struct err err = { 0 };
    struct db *db = NULL;
    char url[160];
    uv_loop_t loop;

    snprintf(url, sizeof(url), "sqlite:///%s/turn.db", check_folder());
    CHECK_OK(db_open(&db, url, &err), err);
    uv_loop_init(&loop);
    struct db_pool *pool = db_pool_new(&loop, url, 2);
    usleep(200000); /* open: that takes a turn as well */
    CHECK_OK(db_begin(db, &err), err);
    for (int i = 0; i < 2; i++)
        db_pool_do(pool, DB_URGENT, turn_wanted, on_turn, &had[i]);
    usleep(200000);
    uint64_t began_ms = clock_mono_ms();
    db_pool_free(&pool);
    uint64_t took_ms = clock_mono_ms() - began_ms;
    CHECK(took_ms >= DB_POOL_GRACE_MS - 100); /* a line that moves on is stood in to its end */
    CHECK(took_ms < 2000);
    CHECK(!had[0] && !had[1]);
    db_rollback(db);
    CHECK_OK(db_begin(db, &err), err); /* nobody left anything locked */
    db_close(&db);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

TEST(who_has_little_time_does_not_wait_for_the_turn_for_ever)
{
    struct db_opening how = { .patience_ms = 300 };
    struct db *holder = NULL, *db = NULL;
    struct err err = { 0 };
    char url[160];

    snprintf(url, sizeof(url), "sqlite:///%s/patience.db", check_folder());
    CHECK_OK(db_open(&holder, url, &err), err);
    CHECK_OK(db_open_as(&db, url, &how, &err), err);
    CHECK_OK(db_begin(holder, &err), err);
    uint64_t began_ms = clock_mono_ms();
    CHECK_EQ(db_begin(db, &err), -1);
    CHECK(clock_mono_ms() - began_ms < 1500);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_HAS(err.text, "cannot take the turn");
    CHECK_OK(db_commit(holder, &err), err);
    CHECK_OK(db_begin(db, &err), err);
    db_close(&db);
    db_close(&holder);
}

TEST_MAIN(CASE(a_server_that_says_nothing_is_waited_for_as_long_as_there_is_time),
    CASE(of_several_servers_each_has_its_time), CASE(a_pool_that_stops_does_not_wait_for_it),
    CASE(a_pool_that_stops_does_not_wait_for_a_lock_of_somebody_else),
    CASE(a_pool_that_stops_does_not_wait_for_a_turn_that_nobody_gives),
    CASE(who_has_little_time_does_not_wait_for_the_turn_for_ever))
