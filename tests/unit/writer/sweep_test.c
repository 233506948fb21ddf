/* A sweep of ids, told to the real transaction: it accuses and witnesses like any range, and writes no row.
 */
#include "story.h"

static struct flight fly_sweep(struct story *s, uint64_t first, uint64_t last)
{
    return fly_as(s, tick(s), "sweep", first, last);
}

/* The ids alone: whatever hash comes along means nothing. */
static struct msg *list(const struct flight *f, const struct note *notes, size_t n)
{
    struct msg *m = read_flight(f, notes, n);

    m->rows.asked.n = 0;
    return m;
}

TEST(what_is_listed_stays_as_it_is_and_what_is_not_is_accused)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, "B" }, { 3, "C" }));
    struct flight f = fly_sweep(s, 1, END);
    char expected[64], before[128];

    tell(s, "DELETE FROM potok_cursor");
    snprintf(before, sizeof(before), "%s",
        test_rows(s->other, "SELECT id, title, _hi FROM crm_deals ORDER BY id"));
    CHECK_STR(apply_msg(s->one, list(&f, NOTES({ 1, "x" }, { 3, "x" }))), "ok");
    CHECK_STR(test_rows(s->other, "SELECT id, title, _hi FROM crm_deals ORDER BY id"), before);
    snprintf(expected, sizeof(expected), "2 %" PRIu64 " 1;", f.d);
    CHECK_STR(test_rows(s->other, "SELECT id, k, ask FROM potok_mark"), expected);
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_witness"), 1);
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_cursor WHERE name = 'swept'"), 1);
}

/* Created and committed after the sweep's page was read: the reading by id decides, and finds it. */
TEST(sweep_deletes__the_sweep_only_accuses)
{
    struct story *s = fresh(NOTHING);
    struct flight f = fly_sweep(s, 1, END), later = fly_get(s);

    CHECK_STR(commit(s->two, later, NOTES({ 7, "A" })), "ok");
    CHECK_STR(apply_msg(s->one, list(&f, NOTHING)), "ok");
    CHECK_STR(deal(s, 7), "A");
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_mark WHERE id = 7 AND ask = 1"), 1);
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 7, "A" })), "ok");
    CHECK_STR(marks(s), "");
    CHECK_STR(deal(s, 7), "A");
}

TEST(incremental_sweep__an_id_without_a_live_row_is_to_be_read)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, NULL }));
    struct flight f = fly_sweep(s, 1, END);
    char expected[64];

    CHECK_STR(apply_msg(s->one, list(&f, NOTES({ 1, "x" }, { 2, "x" }, { 9, "x" }))), "late 2 9");
    snprintf(expected, sizeof(expected), "2 %" PRIu64 " 0;9 %" PRIu64 " 0;", f.d, f.d);
    CHECK_STR(test_rows(s->other, "SELECT id, k, ask FROM potok_mark ORDER BY id"), expected);
    CHECK_STR(deal(s, 2), "-");
    CHECK_STR(deal(s, 9), "-");
}

/* It read no values: whoever wants them read still does. */
TEST(no_mark_is_cleared_and_no_reject)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    char before[64];

    mark(s, 1);
    snprintf(before, sizeof(before), "%s", marks(s));
    tell(s, "INSERT INTO potok_reject (portal, entity, id, field, value, reason, at_ms) "
            "VALUES ('main', 'deals', 1, 'X', 'v', 'r', 1)");
    struct flight f = fly_sweep(s, 1, END);
    CHECK_STR(apply_msg(s->one, list(&f, NOTES({ 1, "x" }))), "ok");
    CHECK_STR(marks(s), before);
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_reject"), 1);
}

/* The model's search sweep-no-witness. */
TEST(sweep_no_witness__an_older_reading_does_not_bring_back_what_was_not_listed)
{
    struct story *s = fresh(NOTHING);
    struct flight old = fly_get(s), f = fly_sweep(s, 1, END);

    CHECK_STR(apply_msg(s->one, list(&f, NOTHING)), "ok");
    CHECK_STR(commit(s->two, old, NOTES({ 7, "B" })), "late 7");
    CHECK_STR(deal(s, 7), "-");
}

TEST_MAIN(CASE(what_is_listed_stays_as_it_is_and_what_is_not_is_accused),
    CASE(sweep_deletes__the_sweep_only_accuses),
    CASE(incremental_sweep__an_id_without_a_live_row_is_to_be_read), CASE(no_mark_is_cleared_and_no_reject),
    CASE(sweep_no_witness__an_older_reading_does_not_bring_back_what_was_not_listed))
