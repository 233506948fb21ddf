#include "services/potok/status/reading.h"

#include "base/clock.h"
#include "services/potok/home.h"
#include "support/check.h"
#include "support/mute_server.h"

#include <stdio.h>

static int on_row(void *ctx, const struct db_val *row, int columns)
{
    ++*(int *)ctx;
    return 0;
}

static int read_one(struct reading *r, int *rows)
{
    return reading_run(r, "SELECT 1", DB_NOARGS, on_row, rows);
}

TEST(a_database_that_is_not_there_yet_has_no_rows_and_no_error)
{
    struct home home = { .database_url = "sqlite:////nowhere/x.db", .database_file = "/nowhere/x.db" };
    struct reading r;
    int rows = 0;

    reading_init(&r, &home);
    CHECK_EQ(read_one(&r, &rows), 0);
    CHECK_EQ(rows, 0);
    CHECK(r.none);
    CHECK_EQ(r.err.kind, ERR_NONE);
    reading_fini(&r);
}

TEST(one_that_says_nothing_is_waited_for_once)
{
    for (int greets = 0; greets < 2; greets++) {
        struct mute_server server;
        int rows = 0;
        char url[80];
        struct home home = { .database_url = url };
        struct reading r;

        mute_start(&server, greets);
        snprintf(url, sizeof(url), "postgresql://127.0.0.1:%d/x", server.port);
        uint64_t began_ms = clock_mono_ms();
        reading_init(&r, &home);
        for (int i = 0; i < 4; i++)
            CHECK_EQ(read_one(&r, &rows), -1);
        CHECK(clock_mono_ms() - began_ms < READING_PATIENCE_MS + 1500);
        CHECK_HAS(r.err.text, "no answer within 3 s");
        CHECK_EQ(rows, 0);
        reading_fini(&r);
        mute_stop(&server);
    }
}

TEST_MAIN(CASE(a_database_that_is_not_there_yet_has_no_rows_and_no_error),
    CASE(one_that_says_nothing_is_waited_for_once))
