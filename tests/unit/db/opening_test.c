/* A server that takes connections and never says a word. */
#include "db/db.h"

#include "base/clock.h"
#include "db/db_pool.h"
#include "support/check.h"

#include <arpa/inet.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Its socket, and the address of a database there; `more`: parameters. */
static int silent_server(const char *more, char *ret_url, size_t size)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK_EQ(bind(fd, (struct sockaddr *)&address, n), 0);
    CHECK_EQ(listen(fd, 16), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    snprintf(ret_url, size, "postgresql://me:secret@127.0.0.1:%d/x%s", ntohs(address.sin_port), more);
    return fd;
}

TEST(a_server_that_says_nothing_is_waited_for_as_long_as_there_is_time)
{
    atomic_bool stop = true;
    const struct {
        const char *more;
        struct db_opening how;
        uint64_t least_ms, most_ms;
        const char *said;
    } cases[] = {
        { "", { .reading = true, .patience_ms = 1000 }, 1000, 3000, "no answer within 1 s" },
        { "", { .patience_ms = 1000 }, 1000, 3000, "no answer within 1 s" },
        { "?connect_timeout=1", { .reading = true }, 1000, 3000, "no answer within 1 s" },
        { "?connect_timeout=1", { .patience_ms = 30000 }, 1000, 3000, "no answer within 1 s" },
        { "", { .stop = &stop }, 0, 1000, "stopping" },
    };
    char url[160];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = silent_server(cases[i].more, url, sizeof(url));
        uint64_t began_ms = clock_mono_ms();
        struct db *db = NULL;
        struct err err = { 0 };

        CHECK_EQ(db_open_as(&db, url, &cases[i].how, &err), -1);
        uint64_t took_ms = clock_mono_ms() - began_ms;
        CHECK(took_ms >= cases[i].least_ms);
        CHECK(took_ms < cases[i].most_ms);
        CHECK_EQ(err.kind, ERR_TEMP);
        CHECK_HAS(err.text, cases[i].said);
        CHECK(db == NULL);
        close(fd);
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
    char url[160];
    int fd = silent_server("", url, sizeof(url));
    struct err err = { 0 };
    uv_loop_t loop;

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
    close(fd);
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

TEST_MAIN(CASE(a_server_that_says_nothing_is_waited_for_as_long_as_there_is_time),
    CASE(a_pool_that_stops_does_not_wait_for_it),
    CASE(a_pool_that_stops_does_not_wait_for_a_lock_of_somebody_else))
