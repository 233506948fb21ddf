/* The stories of the model's SQL check, told to the real transaction on real SQLite. */
#include "story.h"

#include <pthread.h>

TEST(a_scan_of_unchanged_rows_writes_none)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    char before[128];

    snprintf(before, sizeof(before), "%s", test_rows(s->other, "SELECT _hi, _written_at FROM crm_deals"));
    CHECK_STR(commit(s->one, fly_range(s, 1, END), NOTES({ 1, "A" })), "ok");
    CHECK_STR(test_rows(s->other, "SELECT _hi, _written_at FROM crm_deals"), before);
}

TEST(aba_the_older_reading_comes_after_the_witness)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight old = fly_get(s);

    commit(s->one, fly_range(s, 1, END), NOTES({ 1, "A" }));
    CHECK_STR(commit(s->two, old, NOTES({ 1, "B" })), "late 1");
    CHECK_STR(deal(s, 1), "A");
}

TEST(an_older_reading_does_not_bring_back_what_the_range_did_not_show)
{
    struct story *s = fresh(NOTHING);
    struct flight old = fly_get(s);

    commit(s->one, fly_range(s, 1, END), NOTHING);
    CHECK_STR(commit(s->two, old, NOTES({ 7, "B" })), "late 7");
    CHECK_STR(deal(s, 7), "-");
}

TEST(unchanged_by_id_moves_hi)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight old = fly_get(s);

    commit(s->one, fly_get(s), NOTES({ 1, "A" }));
    CHECK_STR(commit(s->two, old, NOTES({ 1, "B" })), "late 1");
    CHECK_STR(deal(s, 1), "A");
}

TEST(a_row_left_out_gets_a_mark_and_stays)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, "A" }));
    struct flight scan = fly_range(s, 1, END);
    char expected[64];

    CHECK_STR(commit(s->one, scan, NOTES({ 2, "A" })), "ok");
    snprintf(expected, sizeof(expected), "1 %" PRIu64 ";", scan.d);
    CHECK_STR(marks(s), expected);
    CHECK_STR(test_rows(s->other, "SELECT ask FROM potok_mark"), "1;");
    CHECK_STR(deal(s, 1), "A");
}

TEST(the_reading_by_id_makes_the_ghost_and_clears_the_mark)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, "A" }));

    commit(s->one, fly_range(s, 1, END), NOTES({ 2, "A" }));
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, NULL })), "ok");
    CHECK_STR(marks(s), "");
    CHECK_STR(deal(s, 1), "-");
    CHECK_STR(test_rows(s->other, "SELECT title, _hash, _deleted_at FROM crm_deals WHERE id = 1"),
        check_is_postgres() ? "A - 2023-11-14T22:13:20Z;" : "A - 2023-11-14T22:13:20.000Z;");
}

TEST(a_late_reading_in_a_list_of_a_ghost_leaves_a_mark)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, "A" }));
    struct flight scan = fly_range(s, 1, END);

    commit(s->one, fly_get(s), NOTES({ 1, NULL }));
    CHECK_STR(commit(s->one, scan, NOTES({ 1, "A" }, { 2, "A" })), "late 1");
    CHECK_STR(marks(s), "1 4;");
    CHECK_STR(deal(s, 1), "-");
}

TEST(unchanged_clears_older_marks_only)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, "A" }));

    mark(s, 1);
    struct flight scan = fly_range(s, 1, END);
    mark(s, 2);
    commit(s->one, scan, NOTES({ 1, "A" }, { 2, "A" }));
    CHECK_STR(marks(s), "2 3;");
}

TEST(the_floor_refuses_whole_marks_stay)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    mark(s, 1);
    struct flight old = fly_get(s);
    raise_floor(s, old.d);
    CHECK_STR(commit(s->two, old, NOTES({ 1, "B" })), "refused");
    CHECK_STR(deal(s, 1), "A");
    CHECK_STR(marks(s), "1 2;");
}

TEST(a_witness_dies_at_the_floor_a_later_reading_writes)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    commit(s->one, fly_range(s, 1, END), NOTES({ 1, "A" }));
    raise_floor(s, 3);
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_witness"), 0);
    CHECK_STR(commit(s->two, fly_get(s), NOTES({ 1, "B" })), "ok");
    CHECK_STR(deal(s, 1), "B");
}

/* A range of which 2..9 is left. */
static struct msg *read_part(const struct flight *f)
{
    struct msg *m = read_flight(f, NOTES({ 1, "A" }));

    m->rows.last = 1;
    m->rows.next_first = 2;
    m->rows.next_last = 9;
    return m;
}

static const char *jobs(struct story *s)
{
    return test_rows(s->other, "SELECT first, last FROM potok_job WHERE state = 'open' ORDER BY id");
}

TEST(a_crash_leaves_the_range_open_no_witness_no_continuation)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 9, "A" }));
    struct flight part = fly_range(s, 1, 9);
    struct msg *m = read_part(&part);
    struct err err = { 0 };
    struct apply a;

    CHECK_OK(apply_begin(&a, s->one, m, &err), err);
    CHECK_OK(leave_witness(&a, &err), err);
    CHECK_OK(finish_job(&a, &err), err);
    apply_abandon(&a);
    CHECK_STR(jobs(s), "1 9;");
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_witness"), 0);
    msg_free(&m);
}

TEST(range_done_and_continuation_together)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 9, "A" }));
    struct flight part = fly_range(s, 1, 9);

    CHECK_STR(apply_msg(s->one, read_part(&part)), "ok");
    CHECK_STR(jobs(s), "2 9;");
    CHECK_STR(test_rows(s->other, "SELECT first, last, c FROM potok_witness"), "1 1 3;");
    CHECK_STR(marks(s), "");
}

TEST(its_double_is_refused)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 9, "A" }));
    struct flight part = fly_range(s, 1, 9);
    struct msg *twin = read_part(&part);

    apply_msg(s->one, read_part(&part));
    CHECK_STR(apply_msg(s->two, twin), "refused");
    CHECK_STR(jobs(s), "2 9;");
    CHECK_STR(marks(s), "");
}

struct second { /* a writer who comes while the first is at work */
    struct story *story;
    struct msg *msg;
    struct apply apply;
};

static void *begin_second(void *ctx)
{
    struct second *w = ctx;
    struct err err = { 0 };

    CHECK_OK(apply_begin(&w->apply, w->story->two, w->msg, &err), err);
    return NULL;
}

/* Both begin, the second has to wait; what became of it is returned. */
static const char *meet(struct story *s, struct msg *first, struct msg *second)
{
    struct second w = { .story = s, .msg = second };
    struct err err = { 0 };
    struct apply a;
    pthread_t thread;
    const char *outcome;

    CHECK_OK(apply_begin(&a, s->one, first, &err), err);
    CHECK_EQ(pthread_create(&thread, NULL, begin_second, &w), 0);
    test_wait_for_a_waiter(s->name);
    CHECK_STR(end_apply(&a), "ok");
    pthread_join(thread, NULL);
    outcome = end_apply(&w.apply);
    msg_free(&first);
    msg_free(&second);
    return outcome;
}

TEST(writers_take_turns_scan_first)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight old = fly_get(s), scan = fly_range(s, 1, END);

    CHECK_STR(meet(s, read_flight(&scan, NOTES({ 1, "A" })), read_flight(&old, NOTES({ 1, "B" }))), "late 1");
    CHECK_STR(deal(s, 1), "A");
}

TEST(writers_take_turns_older_first_the_scan_leaves_a_mark)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight old = fly_get(s), scan = fly_range(s, 1, END);

    CHECK_STR(meet(s, read_flight(&old, NOTES({ 1, "B" })), read_flight(&scan, NOTES({ 1, "A" }))), "late 1");
    CHECK_STR(marks(s), "1 4;");
}

static void *raise_to_four(void *story)
{
    raise_floor(story, 4);
    return NULL;
}

TEST(the_floor_waits_for_the_writer)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight scan = fly_range(s, 1, END);
    struct msg *m = read_flight(&scan, NOTES({ 1, "A" }));
    struct err err = { 0 };
    struct apply a;
    pthread_t thread;

    CHECK_OK(apply_begin(&a, s->one, m, &err), err);
    CHECK_EQ(pthread_create(&thread, NULL, raise_to_four, s), 0);
    test_wait_for_a_waiter(s->name);
    CHECK_STR(end_apply(&a), "ok");
    pthread_join(thread, NULL);
    CHECK_EQ(test_i64(s->other, "SELECT floor FROM potok_entity"), 4);
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_witness"), 0);
    msg_free(&m);
}

TEST(a_mark_younger_than_c_does_not_fall_back_to_c)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, "A" }));
    struct flight scan = fly_range(s, 1, END);

    commit(s->two, fly_get(s), NOTES({ 2, "B" }));
    tell(s, "INSERT INTO potok_mark (portal, entity, id, k) VALUES ('main', 'deals', 1, 100), ('main', "
            "'deals', 2, 100)");
    CHECK_STR(commit(s->one, scan, NOTES({ 2, "A" })), "late 2"); /* accuses 1, doubts 2 */
    CHECK_STR(marks(s), "1 100;2 100;");
}

TEST_MAIN(CASE(a_scan_of_unchanged_rows_writes_none), CASE(aba_the_older_reading_comes_after_the_witness),
    CASE(an_older_reading_does_not_bring_back_what_the_range_did_not_show), CASE(unchanged_by_id_moves_hi),
    CASE(a_row_left_out_gets_a_mark_and_stays), CASE(the_reading_by_id_makes_the_ghost_and_clears_the_mark),
    CASE(a_late_reading_in_a_list_of_a_ghost_leaves_a_mark), CASE(unchanged_clears_older_marks_only),
    CASE(the_floor_refuses_whole_marks_stay), CASE(a_witness_dies_at_the_floor_a_later_reading_writes),
    CASE(a_crash_leaves_the_range_open_no_witness_no_continuation),
    CASE(range_done_and_continuation_together), CASE(its_double_is_refused),
    CASE(writers_take_turns_scan_first), CASE(writers_take_turns_older_first_the_scan_leaves_a_mark),
    CASE(the_floor_waits_for_the_writer), CASE(a_mark_younger_than_c_does_not_fall_back_to_c))
