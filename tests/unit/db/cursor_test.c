#include "db/cursor.h"

#include "fixture.h"

#include "base/mem.h"

#define MIN 60000
#define T   1795228000000

TEST(the_cursor_goes_to_the_runs_start_less_the_overlap)
{
    static const struct {
        const char *what;
        int64_t started, before, before_at, now, expected;
    } cases[] = {
        { "the first one", T, 0, 0, T, T - 10 * MIN },
        { "a minute later", T + MIN, T - 10 * MIN, T, T + MIN, T - 9 * MIN },
        { "a portal whose clock is years off", 5000 * MIN, 4989 * MIN, T, T + MIN, 4990 * MIN },
        { "its clock went forward", T + 999 * MIN, T - 10 * MIN, T, T + MIN, T + 989 * MIN },
        { "it stepped back: the minute that went by is asked for again", T - 30 * MIN, T - 10 * MIN, T,
            T + MIN, T - 41 * MIN },
        { "it stepped back an hour of the two that went by", T + 60 * MIN, T - 10 * MIN, T, T + 120 * MIN,
            T - 70 * MIN },
        { "ours stepped back: only the overlap", T + MIN, T - 10 * MIN, T, T - 500 * MIN, T - 9 * MIN },
        { "ours went forward: too much is asked for", T + MIN, T - 10 * MIN, T, T + 100 * MIN,
            T - 109 * MIN },
        { "never before the beginning", 5 * MIN, 0, 0, T, 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (cursor_next(cases[i].started, cases[i].before, cases[i].before_at, cases[i].now) !=
            cases[i].expected)
            fail_msg("%s: %lld", cases[i].what,
                (long long)cursor_next(cases[i].started, cases[i].before, cases[i].before_at, cases[i].now));
}

static const struct cursor_of full = { { "main", 4 }, { "deals", 5 }, CURSOR_FULL };
static const struct cursor_of changed = { { "main", 4 }, { "deals", 5 }, CURSOR_CHANGED };

enum step { BEGIN, STARTED, END };

static void take(struct db *db, enum step step, const struct cursor_of *of, int64_t ms)
{
    struct err err = { 0 };

    CHECK_OK(db_begin(db, &err), err);
    if (step == BEGIN)
        CHECK_OK(db_cursor_begin(db, of, ms, &err), err);
    else if (step == STARTED)
        CHECK_OK(db_cursor_started(db, of, ms, &err), err);
    else
        CHECK_OK(db_cursor_end(db, of, ms, &err), err);
    CHECK_OK(db_commit(db, &err), err);
}

static int64_t since(struct db *db)
{
    struct err err = { 0 };
    int64_t ms;

    CHECK_OK(db_cursor_since(db, STR("main"), STR("deals"), &ms, &err), err);
    return ms;
}

static struct db *fresh(void)
{
    static struct db *db;
    struct err err = { 0 };

    if (db == NULL) {
        db = test_open("cursor.db");
        CHECK_OK(db_migrate(db, &err), err);
    }
    test_write(db, "DELETE FROM potok_cursor");
    return db;
}

TEST(the_earliest_start_of_a_run_counts)
{
    struct db *db = fresh();

    CHECK_EQ(since(db), 0);
    take(db, BEGIN, &full, T);
    take(db, STARTED, &full, T + 3 * MIN);
    take(db, STARTED, &full, T + MIN);
    take(db, STARTED, &full, T + 2 * MIN);
    CHECK_EQ(since(db), 0);
    take(db, END, &full, T + 4 * MIN);
    CHECK_EQ(since(db), T - 9 * MIN);
    CHECK_STR(test_rows(db, "SELECT name FROM potok_cursor"), "changed;");
}

TEST(a_run_that_was_not_begun_moves_nothing)
{
    struct db *db = fresh();

    take(db, STARTED, &full, T); /* of a run begun by an older Potok: its first readings are not known */
    take(db, END, &full, T);
    CHECK_EQ(since(db), 0);
}

TEST(a_start_that_is_not_told_keeps_the_cursor)
{
    struct db *db = fresh();

    take(db, BEGIN, &full, T);
    take(db, STARTED, &full, T);
    take(db, END, &full, T);
    take(db, BEGIN, &changed, T + MIN);
    take(db, STARTED, &changed, 0);
    take(db, STARTED, &changed, T + MIN);
    take(db, END, &changed, T + MIN);
    CHECK_EQ(since(db), T - 10 * MIN);
    take(db, BEGIN, &changed, T + MIN);
    take(db, END, &changed, T + MIN);
    CHECK_EQ(since(db), T - 10 * MIN);
}

TEST(a_run_begun_anew_forgets_what_the_former_one_read)
{
    struct db *db = fresh();

    take(db, BEGIN, &full, T);
    take(db, STARTED, &full, T);
    take(db, BEGIN, &full, T + MIN);
    take(db, STARTED, &full, T + 2 * MIN);
    take(db, END, &full, T + 2 * MIN);
    CHECK_EQ(since(db), T - 8 * MIN);
}

TEST_MAIN(CASE(the_cursor_goes_to_the_runs_start_less_the_overlap), CASE(the_earliest_start_of_a_run_counts),
    CASE(a_run_that_was_not_begun_moves_nothing), CASE(a_start_that_is_not_told_keeps_the_cursor),
    CASE(a_run_begun_anew_forgets_what_the_former_one_read))
