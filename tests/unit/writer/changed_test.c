/* What changed, told to the real transaction: a reading of ids (rule 5 of the model) that goes through a
 * range, and its watermark (rule 8). */
#include "story.h"

#define T       1795228000000
#define OVERLAP 600000

static struct story *with_cursor(const struct note *notes, size_t n)
{
    struct story *s = fresh(notes, n);

    tell(s, "DELETE FROM potok_cursor");
    tell(s, "INSERT INTO potok_cursor (portal, entity, name, value, at_ms) VALUES "
            "('main', 'deals', 'changing', 9223372036854775807, 1)");
    return s;
}

static struct flight fly_changed(struct story *s, uint64_t first, uint64_t last)
{
    return fly_as(s, tick(s), "changed", first, last);
}

/* The list was read from `started` on and went as far as `last`; 0 = to its end. */
static struct msg *list(
    const struct flight *f, int64_t started, uint64_t last, const struct note *notes, size_t n)
{
    struct msg *m = read_flight(f, notes, n);

    m->rows.asked.n = 0;
    m->rows.started_ms = started;
    if (last > 0) {
        m->rows.next_first = last + 1;
        m->rows.next_last = f->last;
        m->rows.last = last;
    }
    return m;
}

static int64_t since(struct story *s)
{
    return test_i64(s->other, "SELECT value FROM potok_cursor WHERE name = 'changed'");
}

TEST(what_is_not_listed_is_not_accused_and_no_witness_is_left)
{
    struct story *s = with_cursor(NOTES({ 1, "A" }, { 2, "A" }, { 3, "A" }));

    struct flight f = fly_changed(s, 1, END);

    CHECK_STR(apply_msg(s->one, list(&f, T, 0, NOTES({ 2, "B" }, { 7, "C" }))), "ok");
    CHECK_STR(deal(s, 1), "A");
    CHECK_STR(deal(s, 2), "B");
    CHECK_STR(deal(s, 7), "C");
    CHECK_STR(marks(s), "");
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_witness"), 0);
}

/* A; d reads B; A again; the look reads A, equal, and writes nothing; d comes. */
TEST(skip_same_aba__unchanged_moves_hi)
{
    struct story *s = with_cursor(NOTES({ 1, "A" }));
    struct flight old = fly_get(s), f = fly_changed(s, 1, END);

    CHECK_STR(apply_msg(s->one, list(&f, T, 0, NOTES({ 1, "A" }))), "ok");
    CHECK_STR(commit(s->two, old, NOTES({ 1, "B" })), "late 1");
    CHECK_STR(deal(s, 1), "A");
}

/* No mark asked for it: without one nobody would read again. */
TEST(what_comes_late_gets_a_mark)
{
    struct story *s = with_cursor(NOTES({ 1, "A" }));
    struct flight f = fly_changed(s, 1, END), newer = fly_get(s);
    char expected[64];

    CHECK_STR(commit(s->two, newer, NOTES({ 1, "C" })), "ok");
    snprintf(expected, sizeof(expected), "1 %" PRIu64 ";", newer.d);
    CHECK_STR(apply_msg(s->one, list(&f, T, 0, NOTES({ 1, "B" }))), "late 1");
    CHECK_STR(deal(s, 1), "C");
    CHECK_STR(marks(s), expected);
}

TEST(older_marks_of_what_is_listed_go)
{
    struct story *s = with_cursor(NOTES({ 1, "A" }, { 2, "A" }, { 3, "A" }));
    char expected[64];

    mark(s, 1);
    mark(s, 2);
    mark(s, 3);
    uint64_t before = (uint64_t)test_i64(s->other, "SELECT tick FROM potok_lease");
    struct flight f = fly_changed(s, 1, END);
    mark(s, 2); /* during the reading */
    CHECK_STR(apply_msg(s->one, list(&f, T, 0, NOTES({ 1, "A" }, { 2, "B" }))), "ok");
    snprintf(expected, sizeof(expected), "2 %" PRIu64 ";3 %" PRIu64 ";", f.d, before);
    CHECK_STR(marks(s), expected);
}

/* The greatest change time seen is no watermark: what changed while the list was read would be behind it. */
TEST(watermark_max__the_start_of_the_first_command_counts)
{
    struct story *s = with_cursor(NOTHING);
    struct flight f = fly_changed(s, 1, END);

    CHECK_STR(apply_msg(s->one, list(&f, T, 50, NOTES({ 50, "A" }))), "ok");
    CHECK_EQ(since(s), -1);
    CHECK_STR(
        test_rows(s->other, "SELECT kind, run, first FROM potok_job WHERE state = 'open'"), "changed - 51;");
    tell(s, "UPDATE potok_job SET d = (SELECT tick FROM potok_lease) WHERE state = 'open'");
    struct flight rest = { f.d, (uint64_t)test_i64(s->other, "SELECT id FROM potok_job WHERE state = 'open'"),
        "changed", 51, END };
    CHECK_STR(apply_msg(s->one, list(&rest, T + 5000, 0, NOTES({ 90, "A" }))), "ok");
    CHECK_EQ(since(s), T - OVERLAP); /* no-overlap */
}

TEST(the_cursor_waits_for_the_last_job_of_the_chain)
{
    struct story *s = with_cursor(NOTHING);
    struct flight low = fly_changed(s, 1, 100), high = fly_changed(s, 101, END);

    CHECK_STR(apply_msg(s->one, list(&high, T + 1000, 0, NOTHING)), "ok");
    CHECK_EQ(since(s), -1);
    CHECK_STR(apply_msg(s->one, list(&low, T + 2000, 0, NOTHING)), "ok");
    CHECK_EQ(since(s), T + 1000 - OVERLAP);
}

TEST(a_crash_leaves_the_job_open_and_the_cursor_where_it_was)
{
    struct story *s = with_cursor(NOTHING);
    struct flight f = fly_changed(s, 1, END);
    struct msg *m = list(&f, T, 0, NOTES({ 1, "A" }));
    struct err err = { 0 };
    struct apply a;

    CHECK_OK(apply_begin(&a, s->one, m, &err), err);
    CHECK_OK(finish_job(&a, &err), err);
    apply_abandon(&a);
    CHECK_EQ(since(s), -1);
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_job WHERE state = 'open'"), 1);
    CHECK_STR(apply_msg(s->one, m), "ok");
    CHECK_EQ(since(s), T - OVERLAP);
}

TEST(a_full_sync_sets_the_cursor_too)
{
    struct story *s = fresh(NOTHING);

    tell(s, "DELETE FROM potok_cursor");
    tell(s, "INSERT INTO potok_cursor (portal, entity, name, value, at_ms) VALUES "
            "('main', 'deals', 'syncing', 9223372036854775807, 1)");
    tell(s, "INSERT INTO potok_run (id, portal, entity, state) VALUES (7, 'main', 'deals', 'open')");
    s->run = 7;
    struct flight one = fly_range(s, 1, 9), two = fly_range(s, 10, END);
    CHECK_STR(apply_msg(s->one, list(&two, T + 3000, 0, NOTES({ 10, "A" }))), "ok");
    CHECK_EQ(since(s), -1);
    CHECK_STR(apply_msg(s->one, list(&one, T, 0, NOTES({ 1, "A" }))), "ok");
    CHECK_EQ(since(s), T - OVERLAP);
}

TEST(lists_that_do_not_belong_to_it_are_refused)
{
    struct story *s = with_cursor(NOTHING);
    struct flight f = fly_changed(s, 1, 100);
    struct err err = { 0 };
    struct apply a;

    for (int i = 0; i < 3; i++) {
        struct msg *m = list(&f, T, 0, NOTES({ 7, "A" }));

        if (i == 0)
            m->rows.absent.p[m->rows.absent.n++] = 8;
        else if (i == 1)
            m->rows.unlisted = m->rows.asked, m->rows.unlisted.n = 1;
        else
            m->rows.last = 5;
        CHECK_EQ(apply_begin(&a, s->one, m, &err), -1);
        CHECK_EQ(err.kind, ERR_PERM);
        msg_free(&m);
    }
}

TEST_MAIN(CASE(what_is_not_listed_is_not_accused_and_no_witness_is_left),
    CASE(skip_same_aba__unchanged_moves_hi), CASE(what_comes_late_gets_a_mark),
    CASE(older_marks_of_what_is_listed_go), CASE(watermark_max__the_start_of_the_first_command_counts),
    CASE(the_cursor_waits_for_the_last_job_of_the_chain),
    CASE(a_crash_leaves_the_job_open_and_the_cursor_where_it_was), CASE(a_full_sync_sets_the_cursor_too),
    CASE(lists_that_do_not_belong_to_it_are_refused))
