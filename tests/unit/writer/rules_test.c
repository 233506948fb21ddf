/* Each search of the model that breaks when a rule of the writer's is left out: its shortest story, with the
 * rule. Test names are the searches' names. */
#include "story.h"

/* A; d=3 reads B; A again; the scan reads A, equal, writes nothing; d=3 comes. */
TEST(same_nothing)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight old = fly_get(s);

    CHECK_STR(commit(s->one, fly_range(s, 1, END), NOTES({ 1, "A" })), "ok");
    CHECK_STR(commit(s->two, old, NOTES({ 1, "B" })), "late 1");
    CHECK_STR(deal(s, 1), "A");
}

TEST(same_by_id_nothing)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight old = fly_get(s);

    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, "A" })), "ok");
    CHECK_STR(commit(s->two, old, NOTES({ 1, "B" })), "late 1");
    CHECK_STR(deal(s, 1), "A");
}

TEST(same_incremental_nothing)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight old = fly_get(s);

    CHECK_STR(commit(s->one, fly_ids(s), NOTES({ 1, "A" })), "ok");
    CHECK_STR(commit(s->two, old, NOTES({ 1, "B" })), "late 1");
    CHECK_STR(deal(s, 1), "A");
}

/* The scan is sent, then d reads B, A again, the scan reads A and commits; d comes, greater than the scan's.
 */
TEST(bound_d)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight scan = fly_range(s, 1, END), old = fly_get(s);

    CHECK_STR(commit(s->one, scan, NOTES({ 1, "A" })), "ok");
    CHECK_STR(commit(s->two, old, NOTES({ 1, "B" })), "late 1");
    CHECK_STR(deal(s, 1), "A");
}

/* Read by id; deleted, webhook lost; the scan sees nothing; the reading by id comes. */
TEST(no_fence)
{
    struct story *s = fresh(NOTHING);
    struct flight old = fly_get(s);

    CHECK_STR(commit(s->one, fly_range(s, 1, END), NOTHING), "ok");
    CHECK_STR(commit(s->two, old, NOTES({ 1, "A" })), "late 1");
    CHECK_STR(deal(s, 1), "-");
}

TEST(cover_same)
{
    struct story *s = fresh(NOTES({ 2, "A" }));
    struct flight old = fly_get(s);

    CHECK_STR(commit(s->one, fly_range(s, 1, END), NOTES({ 2, "A" })), "ok");
    CHECK_STR(commit(s->two, old, NOTES({ 1, "A" })), "late 1");
    CHECK_STR(deal(s, 1), "-");
}

/* The row is there, the scan did not show it: covered as well. */
TEST(cover_shown)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, "A" }));
    struct flight old = fly_get(s);

    CHECK_STR(commit(s->one, fly_range(s, 1, END), NOTES({ 2, "B" })), "ok");
    CHECK_STR(commit(s->two, old, NOTES({ 1, "B" })), "late 1");
    CHECK_STR(deal(s, 1), "A");
    CHECK_STR(marks(s), "1 4;"); /* and asked for */
}

/* An id far above everything stored: the last range is open above. */
TEST(cover_rows)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight old = fly_get(s);

    CHECK_STR(commit(s->one, fly_range(s, 1, END), NOTES({ 1, "A" })), "ok");
    CHECK_STR(commit(s->two, old, NOTES({ 4000000000, "A" })), "late 4000000000");
    CHECK_STR(deal(s, 4000000000), "-");
}

TEST(inserts_free)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight old = fly_range(s, 1, END);

    CHECK_STR(commit(s->one, fly_range(s, 1, END), NOTES({ 1, "A" })), "ok");
    CHECK_STR(commit(s->two, old, NOTES({ 1, "A" }, { 2, "A" })), "late 2");
    CHECK_STR(deal(s, 2), "-");
    CHECK_STR(marks(s), "2 4;");
}

TEST(ranges_side_by_side_witness_their_own_ids)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 5, "A" }));
    struct flight old = fly_get(s);

    CHECK_STR(commit(s->one, fly_range(s, 1, 4), NOTES({ 1, "A" })), "ok");
    CHECK_STR(commit(s->two, old, NOTES({ 1, "B" }, { 5, "B" })), "late 1");
    CHECK_STR(deal(s, 1), "A");
    CHECK_STR(deal(s, 5), "B");
}

/* v2 read by id; v3, webhook lost; the scan begins; by id commits; the scan's v3 overlaps. */
TEST(no_doubt)
{
    struct story *s = fresh(NOTES({ 1, "1" }));
    struct flight by_id = fly_get(s), scan = fly_range(s, 1, END);

    CHECK_STR(commit(s->one, by_id, NOTES({ 1, "2" })), "ok");
    CHECK_STR(commit(s->two, scan, NOTES({ 1, "3" })), "late 1");
    CHECK_STR(marks(s), "1 4;");
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, "3" })), "ok");
    CHECK_STR(marks(s), "");
    CHECK_STR(deal(s, 1), "3");
}

/* The mark of a refused list is as young as its commit: a reading sent before may not clear it. */
TEST(doubt_older)
{
    struct story *s = fresh(NOTES({ 1, "1" }));
    struct flight by_id = fly_get(s), scan = fly_range(s, 1, END), zombie = fly_get(s);

    CHECK_STR(commit(s->one, by_id, NOTES({ 1, "2" })), "ok");
    CHECK_STR(commit(s->two, scan, NOTES({ 1, "3" })), "late 1");
    CHECK_STR(marks(s), "1 5;");
    CHECK_STR(commit(s->two, zombie, NOTES({ 1, "2" })), "ok");
    CHECK_STR(marks(s), "1 5;");
}

/* The scan's page holds it, it is deleted, by id finds nothing, the page commits. */
TEST(design_absent)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight scan = fly_range(s, 1, END);

    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, NULL })), "ok");
    CHECK_STR(commit(s->two, scan, NOTES({ 1, "A" })), "late 1");
    CHECK_STR(deal(s, 1), "-");
}

TEST(no_ghost_unknown)
{
    struct story *s = fresh(NOTHING);
    struct flight scan = fly_range(s, 1, END);

    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, NULL })), "ok");
    CHECK_STR(test_rows(s->other, "SELECT id, title, _hash, _written_at, _hi FROM crm_deals"), "1 - - - 4;");
    CHECK_STR(commit(s->two, scan, NOTES({ 1, "A" })), "late 1");
    CHECK_STR(deal(s, 1), "-");
}

/* The floor that lets a ghost go has refused whom it held back. */
TEST(purge_blind)
{
    struct story *s = fresh(NOTHING);
    struct flight scan = fly_range(s, 1, END);

    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, NULL })), "ok");
    raise_floor(s, 3);
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM crm_deals"), 1); /* _hi = 4 stays */
    raise_floor(s, 4);
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM crm_deals"), 0);
    CHECK_STR(commit(s->two, scan, NOTES({ 1, "A" })), "refused");
    CHECK_STR(deal(s, 1), "-");
}

/* The floor is at the witness's d, its c is above: it holds on. */
TEST(witness_dies_at_d)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight scan = fly_range(s, 1, END), old = fly_get(s);

    CHECK_STR(commit(s->one, scan, NOTES({ 1, "A" })), "ok");
    raise_floor(s, scan.d);
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_witness"), 1);
    CHECK_STR(commit(s->two, old, NOTES({ 1, "B" })), "late 1");
    CHECK_STR(deal(s, 1), "A");
}

/* The attempt that was given up read the change; it is refused, and the mark has to stay. */
TEST(floor_clears)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    mark(s, 1);
    struct flight given_up = fly_get(s);
    raise_floor(s, given_up.d);
    CHECK_STR(commit(s->one, given_up, NOTES({ 1, "B" })), "refused");
    CHECK_STR(marks(s), "1 2;");
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_job WHERE state = 'open'"), 1);
}

/* Changed while it was being read: the mark set meanwhile is not cleared. */
TEST(clear_always)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    mark(s, 1);
    struct flight reading = fly_get(s);
    mark(s, 1);
    CHECK_STR(commit(s->one, reading, NOTES({ 1, "B" })), "ok");
    CHECK_STR(marks(s), "1 3;");
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, "B" })), "ok");
    CHECK_STR(marks(s), "");
}

TEST(clear_refused)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    mark(s, 1);
    struct flight first = fly_get(s), second = fly_get(s);
    CHECK_STR(commit(s->one, first, NOTES({ 1, "B" })), "ok");
    mark(s, 1);
    CHECK_STR(commit(s->two, second, NOTES({ 1, "C" })), "late 1");
    CHECK_STR(marks(s), "1 4;");
}

/* A mark served and gone, a new one set: the zombie of the first may not clear it. */
TEST(seq_starts_again)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    mark(s, 1);
    struct flight zombie = fly_get(s), first = fly_get(s);
    CHECK_STR(commit(s->one, first, NOTES({ 1, "B" })), "ok");
    CHECK_STR(marks(s), "");
    mark(s, 1);
    CHECK_STR(commit(s->two, zombie, NOTES({ 1, "B" })), "ok"); /* the same */
    CHECK_STR(marks(s), "1 4;");
}

/* d=3 reads after d=4 did, and commits the newer version; then d=4 comes with the older. */
TEST(dispatch_goes_back)
{
    struct story *s = fresh(NOTES({ 1, "1" }));
    struct flight d3 = fly_get(s), d4 = fly_get(s);

    CHECK_STR(commit(s->one, d3, NOTES({ 1, "3" })), "ok");
    CHECK_STR(commit(s->two, d4, NOTES({ 1, "2" })), "late 1");
    CHECK_STR(deal(s, 1), "3");
}

/* The portal's clock stepped back, or a slower front-end answered: its time has no say. */
TEST(design_clock_back)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight later = fly_get(s);
    struct msg *m = read_flight(&later, NOTES({ 1, "B" }));

    m->rows.fetched_ms = 1600000000000;
    CHECK_STR(apply_msg(s->one, m), "ok");
    CHECK_STR(deal(s, 1), "B");
}

/* A deposed scheduler's reading. */
TEST(local_numbers)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight deposed = fly_get(s);

    mark(s, 1);
    tell(s, "UPDATE potok_lease SET epoch = 2");
    CHECK_STR(commit(s->one, deposed, NOTES({ 1, "B" })), "refused");
    CHECK_STR(deal(s, 1), "A");
    CHECK_STR(marks(s), "1 3;");
}

TEST(ranges_in_memory)
{
    struct story *s = fresh(NOTHING);
    struct flight part = fly_range(s, 1, END);
    struct msg *m = read_flight(&part, NOTES({ 1, "A" }));

    m->rows.last = 100;
    m->rows.next_first = 101;
    m->rows.next_last = END;
    CHECK_STR(apply_msg(s->one, m), "ok");
    CHECK_STR(test_rows(s->other, "SELECT kind, first, last, d, tries FROM potok_job WHERE state = 'open'"),
        "range 101 4611686018427387904 0 0;");
}

/* Lists only accuse: created and committed after the page was read, it must not be taken for deleted. */
TEST(sweep_deletes)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight page = fly_range(s, 1, END);

    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 2, "A" })), "ok");
    CHECK_STR(commit(s->two, page, NOTES({ 1, "A" })), "ok");
    CHECK_STR(deal(s, 2), "A");
    CHECK_STR(marks(s), "2 4;");
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 2, "A" })), "ok");
    CHECK_STR(marks(s), "");
}

/* Nor does a filtered list of ids delete: it asks for the portal's own word. */
TEST(absence_from_a_filtered_list_is_confirmed)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, "A" }));

    mark(s, 1);
    mark(s, 2);
    struct flight list = fly_ids(s);
    struct msg *m = read_flight(&list, NOTES({ 1, "A" }, { 2, "A" }));
    struct buf short_payload;
    buf_init(&short_payload, 1000);
    buf_add(&short_payload, m->payload.p, m->payload.n / 2); /* the rows are equally long */
    free(m->payload.p);
    m->payload = (struct frame){ 0 };
    msg_take_payload(m, &short_payload);
    m->rows.count = 1;
    m->rows.unlisted = ids_for(m, 1);
    m->rows.unlisted.p[m->rows.unlisted.n++] = 2;
    CHECK_STR(apply_msg(s->one, m), "ok");
    CHECK_STR(deal(s, 2), "A");
    CHECK_STR(test_rows(s->other, "SELECT id, k, ask FROM potok_mark"), "2 2 1;");
}

TEST_MAIN(CASE(same_nothing), CASE(same_by_id_nothing), CASE(same_incremental_nothing), CASE(bound_d),
    CASE(no_fence), CASE(cover_same), CASE(cover_shown), CASE(cover_rows), CASE(inserts_free),
    CASE(ranges_side_by_side_witness_their_own_ids), CASE(no_doubt), CASE(doubt_older), CASE(design_absent),
    CASE(no_ghost_unknown), CASE(purge_blind), CASE(witness_dies_at_d), CASE(floor_clears),
    CASE(clear_always), CASE(clear_refused), CASE(seq_starts_again), CASE(dispatch_goes_back),
    CASE(design_clock_back), CASE(local_numbers), CASE(ranges_in_memory), CASE(sweep_deletes),
    CASE(absence_from_a_filtered_list_is_confirmed))
