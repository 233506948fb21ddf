/* The second look: reads may lag behind the event that asks for them (the model's lag-webhooks-only and
 * look-…). */
#include "story.h"

#define TWO_SECONDS "SELECT count(*) FROM potok_mark WHERE not_before_ms - set_ms = 2000"

/* As an event does: k = tick as it stands, again. */
static void event(struct story *s, uint64_t id, int ask)
{
    mark(s, id);
    tell(s, "UPDATE potok_mark SET again = 1, ask = %d, not_before_ms = 0 WHERE id = %" PRIu64, ask, id);
}

static const char *looks(struct story *s)
{
    return test_rows(s->other, "SELECT id, k, again FROM potok_mark ORDER BY id");
}

TEST(lag_webhooks_only__a_reading_that_changed_nothing_is_made_once_more)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    event(s, 1, 0); /* of a change to B that reads do not show yet */
    CHECK_STR(commit(s->one, fly_ids(s), NOTES({ 1, "A" })), "ok");
    CHECK_STR(looks(s), "1 3 0;"); /* set anew, at the c of that reading */
    CHECK_EQ(test_i64(s->other, TWO_SECONDS), 1);
    CHECK_STR(commit(s->one, fly_ids(s), NOTES({ 1, "B" })), "ok");
    CHECK_STR(deal(s, 1), "B");
    CHECK_STR(looks(s), "");
}

TEST(the_second_look_is_the_last)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    event(s, 1, 0);
    CHECK_STR(commit(s->one, fly_ids(s), NOTES({ 1, "A" })), "ok");
    CHECK_STR(commit(s->one, fly_ids(s), NOTES({ 1, "A" })), "ok");
    CHECK_STR(looks(s), "");
}

TEST(what_changed_is_believed_at_once)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, "A" }, { 3, "A" }));

    event(s, 1, 0);
    event(s, 2, 1);
    event(s, 3, 0);
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, "B" }, { 2, NULL }, { 3, "A" })), "ok");
    CHECK_STR(looks(s), "3 3 0;");
    CHECK_STR(deal(s, 2), "-");
}

/* Rule 3: a mark is cleared only by a later dispatch; the second look's mark was set when the first reading
 * was committed. */
TEST(an_attempt_that_was_under_way_is_no_second_look)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    event(s, 1, 0);
    struct flight first = fly_ids(s), other = fly_ids(s);
    CHECK_STR(commit(s->one, first, NOTES({ 1, "A" })), "ok");
    CHECK_STR(looks(s), "1 4 0;");
    CHECK_STR(commit(s->two, other, NOTES({ 1, "A" })), "ok");
    CHECK_STR(looks(s), "1 4 0;");
    CHECK_STR(commit(s->one, fly_ids(s), NOTES({ 1, "A" })), "ok");
    CHECK_STR(looks(s), "");
}

TEST(an_event_during_the_reading_keeps_its_own_second_look)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    event(s, 1, 0);
    struct flight first = fly_ids(s);
    event(s, 1, 0);
    CHECK_STR(commit(s->one, first, NOTES({ 1, "A" })), "ok");
    CHECK_STR(looks(s), "1 3 1;"); /* k = d: not cleared, not yet looked at */
    CHECK_STR(commit(s->one, fly_ids(s), NOTES({ 1, "A" })), "ok");
    CHECK_STR(looks(s), "1 4 0;");
}

/* ONCRMDEALADD whose record reads do not show yet: the ghost is written, the mark stays. */
TEST(an_add_that_is_not_found_is_looked_for_once_more)
{
    struct story *s = fresh(NOTHING);

    event(s, 7, 1);
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 7, NULL })), "ok");
    CHECK_STR(looks(s), "7 3 0;");
    CHECK_EQ(
        test_i64(s->other, "SELECT count(*) FROM crm_deals WHERE id = 7 AND _deleted_at IS NOT NULL"), 1);
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 7, "A" })), "ok");
    CHECK_STR(deal(s, 7), "A");
    CHECK_STR(looks(s), "");
}

/* Changed and deleted within the portal's lag: the reading shows the first of the two. */
TEST(look_gone__an_event_said_deleted_and_the_record_is_there)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    event(s, 1, 1);
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, "B" })), "ok");
    CHECK_STR(deal(s, 1), "B");
    CHECK_STR(looks(s), "1 3 0;");
    CHECK_EQ(test_i64(s->other, TWO_SECONDS), 1);
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, NULL })), "ok");
    CHECK_STR(deal(s, 1), "-");
    CHECK_STR(looks(s), "");
}

/* The event "changed" came behind "deleted", and before the second look: what "deleted" said is not
 * forgotten. */
TEST(look_gone_forgets__a_change_during_the_wait_takes_nothing_from_the_deletion)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    event(s, 1, 1);
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, "A" })), "ok");
    CHECK_STR(looks(s), "1 3 0;");
    tell(s, "UPDATE potok_mark SET again = 1, not_before_ms = 0 WHERE id = 1"); /* ask only rises */
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, "B" })), "ok");
    CHECK_STR(looks(s), "1 4 0;");
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, NULL })), "ok");
    CHECK_STR(deal(s, 1), "-");
    CHECK_STR(looks(s), "");
}

TEST(a_range_that_saw_no_change_leaves_the_second_look_too)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, "A" }));

    event(s, 1, 0);
    mark(s, 2);
    CHECK_STR(commit(s->one, fly_range(s, 1, END), NOTES({ 1, "A" }, { 2, "A" })), "ok");
    CHECK_STR(looks(s), "1 3 0;"); /* the mark of a list needs no second look */
}

/* P4, and rest: whatever comes, after one event there are at most two readings that clear. */
TEST(a_late_reading_neither_clears_nor_looks_again)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight old = fly_get(s);

    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, "B" })), "ok");
    tell(s, "INSERT INTO potok_mark (portal, entity, id, k, again) VALUES ('main', 'deals', 1, 1, 1)");
    CHECK_STR(commit(s->two, old, NOTES({ 1, "A" })), "late 1");
    CHECK_STR(looks(s), "1 1 1;");
}

TEST_MAIN(CASE(lag_webhooks_only__a_reading_that_changed_nothing_is_made_once_more),
    CASE(the_second_look_is_the_last), CASE(what_changed_is_believed_at_once),
    CASE(an_attempt_that_was_under_way_is_no_second_look),
    CASE(an_event_during_the_reading_keeps_its_own_second_look),
    CASE(an_add_that_is_not_found_is_looked_for_once_more),
    CASE(look_gone__an_event_said_deleted_and_the_record_is_there),
    CASE(look_gone_forgets__a_change_during_the_wait_takes_nothing_from_the_deletion),
    CASE(a_range_that_saw_no_change_leaves_the_second_look_too),
    CASE(a_late_reading_neither_clears_nor_looks_again))
