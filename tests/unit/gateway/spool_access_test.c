/* What an application was given, in the spool: never a duplicate, handed on whole, forgotten with its row,
 * saved from a damaged file, and an older spool is read. */
#include "services/gateway/spool.h"

#include "base/mem.h"
#include "support/check.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *file(const char *name)
{
    static char path[200];

    snprintf(path, sizeof(path), "%s/%s.db", check_folder(), name);
    return path;
}

static struct spool *open_spool(const char *name)
{
    struct spool *s;
    struct err err;
    int64_t saved;

    CHECK_OK(spool_open(&s, file(name), 1000, &saved, &err), err);
    return s;
}

static uint64_t add(struct spool *s, enum change_kind kind, const char *sealed)
{
    struct spool_row row = { .at_ms = 5, .kind = kind, .portal = "main", .event = "X" };
    struct err err;
    bool is_new;

    if (kind == CHANGE_KIND_SET) {
        row.id = 7;
        strcpy(row.entity, "deals");
    }
    row.sealed = (char *)sealed;
    row.sealed_n = sealed ? strlen(sealed) : 0;
    CHECK_OK(spool_begin(s, &err), err);
    CHECK_OK(spool_add(s, &row, &is_new, &err), err);
    CHECK_OK(spool_commit(s, &err), err);
    CHECK(is_new || kind == CHANGE_KIND_SET);
    return row.seq;
}

static int take(struct spool *s, uint64_t after, struct spool_row *rows, int most)
{
    struct err err;
    int count, damaged;

    CHECK_OK(spool_take(s, after, rows, most, &count, &damaged, &err), err);
    CHECK_EQ(damaged, 0);
    return count;
}

static int64_t sealed_left(const char *name)
{
    sqlite3 *db;
    sqlite3_stmt *q;
    int64_t n;

    CHECK_EQ(sqlite3_open(file(name), &db), SQLITE_OK);
    CHECK_EQ(sqlite3_prepare_v2(db, "SELECT count(*) FROM access", -1, &q, NULL), SQLITE_OK);
    CHECK_EQ(sqlite3_step(q), SQLITE_ROW);
    n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

TEST(each_is_a_row_of_its_own_and_is_forgotten_with_it)
{
    struct spool *s = open_spool("own");
    struct spool_row rows[8] = { 0 };
    struct err err;

    add(s, CHANGE_KIND_ACCESS, "one");
    add(s, CHANGE_KIND_SET, NULL);
    uint64_t last = add(s, CHANGE_KIND_ACCESS, "two");

    CHECK_EQ(take(s, 0, rows, 8), 3);
    CHECK_VIEW(((struct str){ rows[0].sealed, rows[0].sealed_n }), "one");
    CHECK_EQ(rows[1].kind, CHANGE_KIND_SET);
    CHECK_VIEW(((struct str){ rows[2].sealed, rows[2].sealed_n }), "two");
    spool_rows_fini(rows, 3);
    CHECK_EQ(sealed_left("own"), 2);
    CHECK_OK(spool_begin(s, &err), err);
    CHECK_OK(spool_forget(s, last, &err), err);
    CHECK_OK(spool_commit(s, &err), err);
    CHECK_EQ(sealed_left("own"), 0);
    spool_close(&s);
}

TEST(few_of_them_go_at_a_time)
{
    struct spool *s = open_spool("few");
    struct spool_row *rows = xcalloc(100, sizeof(*rows));

    for (int i = 0; i < 20; i++)
        add(s, CHANGE_KIND_ACCESS, "x");
    CHECK_EQ(take(s, 0, rows, 100), 16);
    spool_rows_fini(rows, 16);
    CHECK_EQ(take(s, 16, rows, 100), 4);
    spool_rows_fini(rows, 4);
    free(rows);
    spool_close(&s);
}

TEST(they_are_saved_from_a_damaged_file)
{
    struct spool *s = open_spool("saved");
    struct spool_row rows[4] = { 0 };
    struct err err;
    int64_t saved;

    add(s, CHANGE_KIND_ACCESS, "kept");
    CHECK_OK(spool_repair(&s, 2000, &saved, &err), err);
    CHECK_EQ(saved, 1);
    CHECK_EQ(take(s, 0, rows, 4), 1);
    CHECK_VIEW(((struct str){ rows[0].sealed, rows[0].sealed_n }), "kept");
    spool_rows_fini(rows, 1);
    spool_close(&s);
}

TEST(what_is_known_of_portals_is_kept_once)
{
    struct spool *s = open_spool("known");
    struct buf hosts, sealed;
    struct err err;

    buf_init(&hosts, 100);
    buf_init(&sealed, 100);
    CHECK_OK(spool_known(s, &hosts, &sealed, &err), err);
    CHECK(hosts.n == 0 && sealed.n == 0);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(spool_begin(s, &err), err);
        CHECK_OK(spool_keep_known(
                     s, i == 0 ? STR("a=x") : STR("main=new.example"), (struct str){ "\0s", 2 }, &err),
            err);
        CHECK_OK(spool_commit(s, &err), err);
    }
    spool_close(&s);
    CHECK_OK(spool_open_read(&s, file("known"), &err), err);
    CHECK_OK(spool_known(s, &hosts, &sealed, &err), err);
    CHECK_VIEW(buf_view(&hosts), "main=new.example");
    CHECK(str_eq(buf_view(&sealed), (struct str){ "\0s", 2 }));
    buf_fini(&hosts);
    buf_fini(&sealed);
    spool_close(&s);
}

TEST(an_older_spool_gets_the_table_and_keeps_its_rows)
{
    struct spool *s = open_spool("older");
    struct spool_row rows[4] = { 0 };
    sqlite3 *db;

    add(s, CHANGE_KIND_SET, NULL);
    spool_close(&s);
    CHECK_EQ(sqlite3_open(file("older"), &db), SQLITE_OK);
    CHECK_EQ(sqlite3_exec(db, "DROP TABLE access", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    s = open_spool("older");
    add(s, CHANGE_KIND_ACCESS, "new");
    CHECK_EQ(take(s, 0, rows, 4), 2);
    CHECK_EQ(rows[0].kind, CHANGE_KIND_SET);
    CHECK_VIEW(((struct str){ rows[1].sealed, rows[1].sealed_n }), "new");
    spool_rows_fini(rows, 2);
    spool_close(&s);
}

TEST_MAIN(CASE(what_is_known_of_portals_is_kept_once),
    CASE(each_is_a_row_of_its_own_and_is_forgotten_with_it), CASE(few_of_them_go_at_a_time),
    CASE(they_are_saved_from_a_damaged_file), CASE(an_older_spool_gets_the_table_and_keeps_its_rows))
