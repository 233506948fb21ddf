#include "services/gateway/spool.h"

#include "base/mem.h"
#include "support/check.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], path[100];

static struct spool *open_spool(void)
{
    struct spool *s;
    struct err err;
    int64_t saved;

    CHECK_OK(spool_open(&s, path, 1000, &saved, &err), err);
    CHECK(saved == -1);
    return s;
}

static struct spool *fresh(void)
{
    strcpy(folder, "/tmp/potok-spool-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/gateway.1.db", folder);
    return open_spool();
}

static void clean(struct spool **s)
{
    char command[120];

    spool_close(s);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    CHECK_EQ(system(command), 0);
}

static uint64_t add(struct spool *s, uint64_t id, bool *ret_new)
{
    struct spool_row row = { .id = id,
        .at_ms = 5,
        .kind = CHANGE_KIND_SET,
        .portal = "main",
        .entity = "deals",
        .event = "ONCRMDEALUPDATE" };
    struct err err;
    bool is_new;

    CHECK_OK(spool_begin(s, &err), err);
    CHECK_OK(spool_add(s, &row, ret_new != NULL ? ret_new : &is_new, &err), err);
    CHECK_OK(spool_commit(s, &err), err);
    return row.seq;
}

static int take(struct spool *s, uint64_t after, struct spool_row *rows, int *ret_damaged)
{
    int count, damaged;
    struct err err;

    CHECK_OK(spool_begin(s, &err), err);
    CHECK_OK(spool_take(s, after, rows, 10, &count, ret_damaged != NULL ? ret_damaged : &damaged, &err), err);
    CHECK_OK(spool_commit(s, &err), err);
    return count;
}

static void forget(struct spool *s, uint64_t last)
{
    struct err err;

    CHECK_OK(spool_begin(s, &err), err);
    CHECK_OK(spool_forget(s, last, &err), err);
    CHECK_OK(spool_commit(s, &err), err);
}

TEST(what_is_kept_is_there_after_a_new_start)
{
    struct spool *s = fresh();
    struct spool_row rows[10];
    uint64_t id = spool_id(s);

    add(s, 42, NULL);
    add(s, 43, NULL);
    spool_close(&s);
    s = open_spool();
    CHECK(spool_id(s) == id);
    CHECK_EQ(take(s, 0, rows, NULL), 2);
    CHECK(rows[0].id == 42 && rows[1].id == 43 && rows[0].at_ms == 5);
    CHECK_STR(rows[1].event, "ONCRMDEALUPDATE");
    forget(s, rows[0].seq);
    CHECK_EQ(take(s, 0, rows, NULL), 1);
    clean(&s);
}

TEST(numbers_never_come_twice)
{
    struct spool *s = fresh();
    uint64_t first = add(s, 1, NULL);

    forget(s, first);
    spool_close(&s);
    s = open_spool();
    CHECK(add(s, 1, NULL) > first);
    clean(&s);
}

TEST(a_duplicate_is_what_waits_unseen)
{
    struct spool *s = fresh();
    struct spool_row rows[10];
    bool is_new;
    uint64_t first = add(s, 42, &is_new);

    CHECK(is_new);
    CHECK(add(s, 42, &is_new) == first);
    CHECK(!is_new);
    CHECK_EQ(take(s, 0, rows, NULL), 1);
    CHECK(add(s, 42, &is_new) > first); /* it may be read already: another change */
    CHECK(is_new);
    clean(&s);
}

TEST(after_a_new_start_nothing_is_a_duplicate)
{
    struct spool *s = fresh();
    bool is_new;

    add(s, 42, NULL);
    spool_close(&s);
    s = open_spool();
    add(s, 42, &is_new);
    CHECK(is_new);
    clean(&s);
}

TEST(what_was_rolled_back_is_no_duplicate)
{
    struct spool *s = fresh();
    struct spool_row row = { .id = 42, .portal = "main", .entity = "deals" };
    struct err err;
    bool is_new;

    CHECK_OK(spool_begin(s, &err), err);
    CHECK_OK(spool_add(s, &row, &is_new, &err), err);
    spool_rollback(s);
    add(s, 42, &is_new);
    CHECK(is_new);
    clean(&s);
}

static void sql(const char *text)
{
    sqlite3 *db;

    CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_EQ(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

TEST(a_damaged_row_is_set_aside_and_the_rest_goes_on)
{
    struct spool *s = fresh();
    struct spool_row rows[10];
    struct spool_stats stats;
    struct err err;
    int damaged;

    for (uint64_t id = 1; id <= 5; id++)
        add(s, id, NULL);
    sql("UPDATE event SET id = 99 WHERE seq = 3");
    CHECK_EQ(take(s, 0, rows, &damaged), 4);
    CHECK_EQ(damaged, 1);
    CHECK(rows[2].id == 4);
    CHECK_OK(spool_stats(s, &stats, &err), err);
    CHECK_EQ(stats.damaged, 1);
    CHECK_EQ(stats.waiting, 4);
    clean(&s);
}

/* Bytes in the middle of the file, where only rows are. */
static void spoil(long from, size_t n)
{
    char junk[8192];
    int fd = open(path, O_WRONLY);

    memset(junk, 0xa5, sizeof(junk));
    CHECK(fd >= 0 && pwrite(fd, junk, n, from) == (ssize_t)n);
    close(fd);
}

TEST(a_damaged_file_is_put_aside_and_what_can_be_read_is_saved)
{
    struct spool *s = fresh();
    struct spool_row *rows = xcalloc(10, sizeof(*rows));
    struct err err;
    int64_t saved;
    uint64_t id;

    for (uint64_t i = 1; i <= 2000; i++)
        add(s, i, NULL);
    id = spool_id(s);
    spool_close(&s); /* the log is in the file now */
    spoil(10 * 4096L, 4096);
    s = open_spool();
    CHECK_EQ(spool_check(s, &err), -1);
    CHECK_OK(spool_repair(&s, 7000, &saved, &err), err);
    CHECK(saved > 1000 && saved < 2000);
    CHECK(spool_id(s) != id); /* an EVENT_ACK for the old numbers means nothing here */
    CHECK_OK(spool_check(s, &err), err);
    CHECK_EQ(take(s, 0, rows, NULL), 10);
    free(rows);
    clean(&s);
}

/* Killed when the damaged file was out of the way and the saved one not yet in its place. */
TEST(a_saving_that_was_interrupted_is_finished_by_the_next_start)
{
    struct spool *s = fresh();
    struct spool_row rows[10];
    char saving[120], log[120];
    struct err err;
    int64_t saved;
    FILE *f;

    add(s, 42, NULL);
    spool_close(&s);
    snprintf(saving, sizeof(saving), "%s.saving", path);
    CHECK_EQ(rename(path, saving), 0);
    snprintf(log, sizeof(log), "%s-wal", path);
    f = fopen(log, "w");
    CHECK(f != NULL && fputs("of the damaged file", f) >= 0 && fclose(f) == 0);
    CHECK_OK(spool_open(&s, path, 1000, &saved, &err), err);
    CHECK_EQ(saved, 1);
    CHECK_EQ(take(s, 0, rows, NULL), 1);
    CHECK(rows[0].id == 42);
    CHECK(access(saving, F_OK) < 0 && access(log, F_OK) == 0); /* its own log */
    clean(&s);
}

TEST(a_file_that_is_no_spool_is_put_aside)
{
    struct spool *s = fresh();
    struct err err;
    int64_t saved;

    spool_close(&s);
    spoil(0, 4096);
    CHECK_OK(spool_open(&s, path, 9000, &saved, &err), err);
    CHECK(saved == 0);
    add(s, 1, NULL);
    clean(&s);
}

TEST(odd_events_are_kept_to_a_bound)
{
    struct spool *s = fresh();
    struct spool_stats stats;
    struct err err;

    CHECK_OK(spool_begin(s, &err), err);
    for (int i = 0; i < SPOOL_ODD_MAX + 100; i++)
        CHECK_OK(spool_add_odd(s, 1, "ONTASKADD", "p.example", &err), err);
    CHECK_OK(spool_commit(s, &err), err);
    CHECK_OK(spool_stats(s, &stats, &err), err);
    CHECK_EQ(stats.odd, SPOOL_ODD_MAX);
    clean(&s);
}

TEST_MAIN(CASE(what_is_kept_is_there_after_a_new_start), CASE(numbers_never_come_twice),
    CASE(a_duplicate_is_what_waits_unseen), CASE(after_a_new_start_nothing_is_a_duplicate),
    CASE(what_was_rolled_back_is_no_duplicate), CASE(a_damaged_row_is_set_aside_and_the_rest_goes_on),
    CASE(a_damaged_file_is_put_aside_and_what_can_be_read_is_saved),
    CASE(a_saving_that_was_interrupted_is_finished_by_the_next_start),
    CASE(a_file_that_is_no_spool_is_put_aside), CASE(odd_events_are_kept_to_a_bound))
