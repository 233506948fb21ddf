/* What a transaction leaves besides rows: jobs, runs, rejects; and what refuses it. */
#include "story.h"

static void start_run(struct story *s)
{
    tell(s, "INSERT INTO potok_run (id, portal, entity, state) VALUES (7, 'main', 'deals', 'open')");
    s->run = 7;
}

static const char *run_row(struct story *s)
{
    return test_rows(
        s->other, "SELECT state, read, written, same, gone, rejected, finished_ms IS NULL FROM potok_run");
}

/* Rows written so far; PostgreSQL does not tell so fast. */
static int64_t total_changes(struct db *db)
{
    return check_is_postgres() ? 0 : test_i64(db, "SELECT total_changes()");
}

TEST(an_unchanged_range_writes_its_witness_its_job_and_the_run)
{
    struct note *notes = xcalloc(2500, sizeof(*notes));

    for (size_t i = 0; i < 2500; i++)
        notes[i] = (struct note){ 1 + 3 * i, "A" };
    struct story *s = fresh(notes, 2500);
    start_run(s);
    struct flight first = fly_range(s, 1, 10000), other = fly_range(s, 10001, END);
    int64_t before = total_changes(s->one);
    CHECK_STR(commit(s->one, first, notes, 2500), "ok");
    CHECK_EQ(total_changes(s->one) - before, check_is_postgres() ? 0 : 3);
    CHECK_STR(run_row(s), "open 2500 0 2500 0 0 1;");
    CHECK_STR(commit(s->one, other, NOTHING), "ok");
    free(notes);
}

TEST(the_last_job_closes_the_run)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    start_run(s);
    struct flight one = fly_range(s, 1, 9), two = fly_range(s, 10, END);
    CHECK_STR(commit(s->one, two, NOTES({ 10, "A" }, { 11, "A" })), "ok");
    CHECK_STR(run_row(s), "open 2 2 0 0 0 1;");
    CHECK_EQ(test_i64(s->other, "SELECT full_ms IS NULL FROM potok_entity"), 1);
    struct msg *m = read_flight(&one, NOTES({ 1, "A" }));
    m->rows.last = 1;
    m->rows.next_first = 2;
    m->rows.next_last = 9;
    CHECK_STR(apply_msg(s->two, m), "ok");
    CHECK_STR(run_row(s), "open 3 2 1 0 0 1;");
    CHECK_STR(test_rows(s->other, "SELECT run, first, last FROM potok_job WHERE state = 'open'"), "7 2 9;");
    tell(s, "UPDATE potok_job SET d = (SELECT tick FROM potok_lease) WHERE state = 'open'");
    struct flight rest = { (uint64_t)test_i64(s->other, "SELECT tick FROM potok_lease"),
        (uint64_t)test_i64(s->other, "SELECT id FROM potok_job WHERE state = 'open'"), "range", 2, 9 };
    CHECK_STR(commit(s->one, rest, NOTHING), "ok");
    CHECK_STR(run_row(s), "done 3 2 1 0 0 0;");
    CHECK_EQ(test_i64(s->other, "SELECT full_ms IS NULL FROM potok_entity"), 0);
}

TEST(a_job_set_aside_leaves_the_run_partial)
{
    struct story *s = fresh(NOTHING);

    start_run(s);
    struct flight one = fly_range(s, 1, 9);
    fly_range(s, 10, END);
    tell(s, "UPDATE potok_job SET state = 'aside' WHERE first = 10");
    CHECK_STR(commit(s->one, one, NOTHING), "ok");
    CHECK_STR(run_row(s), "partial 0 0 0 0 0 0;");
    CHECK_EQ(test_i64(s->other, "SELECT full_ms IS NULL FROM potok_entity"), 1);
}

TEST(a_job_keeps_what_it_read)
{
    struct story *s = fresh(NOTHING);
    struct flight f = fly_range(s, 1, END);

    CHECK_STR(commit(s->one, f, NOTES({ 1, "A" }, { 2, "B" })), "ok");
    CHECK_STR(test_rows(s->other, "SELECT state, records, done_ms > 0 FROM potok_job WHERE kind = 'range'"),
        "done 2 1;");
}

static void other_epoch(struct story *s)
{
    tell(s, "UPDATE potok_lease SET epoch = 2");
}
static void done_already(struct story *s)
{
    tell(s, "UPDATE potok_job SET state = 'done'");
}
static void set_aside(struct story *s)
{
    tell(s, "UPDATE potok_job SET state = 'aside'");
}
static void sent_again(struct story *s)
{
    tell(s, "UPDATE potok_job SET d = d + 1");
}
static void job_gone(struct story *s)
{
    tell(s, "DELETE FROM potok_job");
}
static void other_kind(struct story *s)
{
    tell(s, "UPDATE potok_job SET kind = 'ids'");
}
static void floor_up(struct story *s)
{
    raise_floor(s, 3);
}
static void counter_back(struct story *s)
{
    tell(s, "UPDATE potok_lease SET tick = 2");
}

TEST(refused_whole_leaves_everything_as_it_was)
{
    static const struct {
        void (*happens)(struct story *);
        const char *why;
    } cases[] = {
        { other_epoch, "epoch" },
        { done_already, "closed" },
        { set_aside, "closed" },
        { sent_again, "sent again" },
        { job_gone, "no such job" },
        { other_kind, "no such job" },
        { floor_up, "floor" },
        { counter_back, "not given yet" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct story *s = fresh(NOTES({ 1, "A" }));
        struct flight f = fly_range(s, 1, END);
        struct msg *m = read_flight(&f, NOTES({ 1, "B" }, { 2, "B" }));
        struct apply a;
        struct err err = { 0 };
        mark(s, 1);
        cases[i].happens(s);
        CHECK_OK(apply_begin(&a, s->one, m, &err), err);
        CHECK(a.refused);
        CHECK_HAS(a.why, cases[i].why);
        CHECK_OK(apply_end(&a, &err), err);
        CHECK_STR(deal(s, 1), "A");
        CHECK_STR(deal(s, 2), "-");
        CHECK_STR(marks(s), "1 3;");
        CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_witness"), 0);
        msg_free(&m);
    }
}

TEST(a_portal_or_entity_not_known_is_refused)
{
    struct story *s = fresh(NOTHING);
    struct flight f = fly_range(s, 1, END);
    struct msg *m = read_flight(&f, NOTHING);

    m->rows.portal = STR("elsewhere");
    CHECK_STR(apply_msg(s->one, m), "refused");
    m = read_flight(&f, NOTHING);
    m->rows.entity = STR("unicorns");
    CHECK_STR(apply_msg(s->one, m), "refused");
}

/* Read 1..20 of a job of 1..30 without saying what is left: ids would be lost. */
TEST(a_range_that_is_not_its_jobs_fails)
{
    struct story *s = fresh(NOTHING);
    struct flight f = fly_range(s, 1, 30);
    struct msg *m = read_flight(&f, NOTHING);
    struct apply a;
    struct err err = { 0 };

    m->rows.last = 20;
    CHECK_EQ(apply_begin(&a, s->one, m, &err), -1);
    CHECK_EQ(err.kind, ERR_PERM);
    CHECK_HAS(err.text, "the job is 1..30, its rows are for 1..20");
    CHECK_OK(db_begin(s->one, &err), err); /* no turn was kept */
    db_rollback(s->one);
    msg_free(&m);
}

TEST(a_value_of_another_kind_fails_and_leaves_nothing)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight f = fly_range(s, 1, END);
    struct msg *m = read_flight(&f, NOTES({ 1, "B" }, { 2, "C" }));
    struct apply a;
    struct err err = { 0 };

    ((char *)m->payload.p)[m->payload.n - 1] = (char)0xc3; /* "C" becomes an empty text and a true: */
    ((char *)m->payload.p)[m->payload.n - 2] = (char)0xa0; /* bytes too many */
    CHECK_EQ(apply_begin(&a, s->one, m, &err), -1);
    msg_free(&m);
    m = read_flight(&f, NOTES({ 1, "B" }));
    m->payload.n--;
    ((char *)m->payload.p)[m->payload.n - 1] = (char)0xc3; /* true in a text column */
    CHECK_OK(apply_begin(&a, s->one, m, &err), err);
    CHECK_EQ(apply_end(&a, &err), -1);
    CHECK_EQ(err.kind, ERR_PERM);
    CHECK_HAS(err.text, "record 1: column title");
    CHECK_STR(deal(s, 1), "A");
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_job WHERE state = 'open'"), 1);
    msg_free(&m);
}

/* [[id, field, value, reason]…] as the message's rejects; the bytes live until the next call. */
static void add_rejects(struct msg *m, const struct reject *list, uint32_t n)
{
    static struct buf b;

    buf_fini(&b);
    buf_init(&b, 10000);
    wire_put_array(&b, n);
    for (uint32_t i = 0; i < n; i++) {
        wire_put_array(&b, 4);
        wire_put_u64(&b, list[i].id);
        wire_put_str(&b, list[i].field);
        wire_put_str(&b, list[i].value);
        wire_put_str(&b, list[i].reason);
    }
    m->rows.rejects = buf_view(&b);
}

static const char *rejects(struct story *s)
{
    return test_rows(s->other, "SELECT id, field, value, reason FROM potok_reject ORDER BY id, field");
}

static const struct reject TWO_BAD[] = {
    { 2, { "UF_DATE", 7 }, { "soon", 4 }, { "date", 4 } },
    { 1, { "UF_SUM", 6 }, { "much", 4 }, { "number", 6 } },
};

TEST(rejects_are_replaced_record_by_record)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, "A" }));
    struct flight f = fly_range(s, 1, END);
    struct msg *m = read_flight(&f, NOTES({ 1, "A" }, { 2, "B" }));

    add_rejects(m, TWO_BAD, 2);
    CHECK_STR(apply_msg(s->one, m), "ok");
    CHECK_STR(rejects(s), "1 UF_SUM much number;2 UF_DATE soon date;");

    struct flight again = fly_range(s, 1, END);
    m = read_flight(&again, NOTES({ 1, "A" }, { 2, "B" }));
    add_rejects(m, TWO_BAD, 2);
    int64_t before = total_changes(s->one);
    CHECK_STR(apply_msg(s->one, m), "ok");
    CHECK_EQ(total_changes(s->one) - before,
        check_is_postgres() ? 0 : 2); /* the witness and the job: nothing new was rejected */

    struct flight by_id = fly_get(s);
    CHECK_STR(commit(s->one, by_id, NOTES({ 2, "C" })), "ok");
    CHECK_STR(rejects(s), "1 UF_SUM much number;");
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, NULL })), "ok");
    CHECK_STR(rejects(s), "");
}

/* A title with U+0000: what the engine can hold is kept, otherwise the record is there whole but for the
 * value, which is told under the field's name like all others. */
static struct msg *read_with_nul(const struct flight *f)
{
    struct msg *m = read_flight(f, NOTES({ 1, "A" }));
    struct buf payload;

    buf_init(&payload, 1000);
    wire_put_array(&payload, 3);
    wire_put_u64(&payload, 1);
    wire_put_bin(&payload, hash_of("A").p, HASH_BYTES);
    wire_put_str(&payload, (struct str){ "a\0b", 3 });
    msg_take_payload(m, &payload);
    return m;
}

TEST(a_text_that_cannot_be_stored_is_rejected_with_its_record_written)
{
    struct story *s = fresh(NOTHING);

    tell(s, "DELETE FROM potok_field");
    tell(s, "INSERT INTO potok_field (portal, entity, name, col) VALUES ('main', 'deals', 'TITLE', 'title')");
    for (int round = 0; round < 2; round++) { /* the second finds it unchanged: the reject stays */
        struct flight f = fly_range(s, 1, END);
        CHECK_STR(apply_msg(s->one, read_with_nul(&f)), "ok");
        CHECK_STR(test_rows(s->other, "SELECT id, length(title) FROM crm_deals"),
            check_is_postgres() ? "1 -;" : "1 1;");
        CHECK_STR(rejects(s), check_is_postgres() ? "1 TITLE a\xe2\x90\x80"
                                                    "b the database keeps no text with the character U+0000;"
                                                  : "");
    }
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_job WHERE state = 'done' AND kind = 'range'"), 2);
}

TEST(a_late_reading_says_nothing_of_rejects)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight old = fly_range(s, 1, END), older = fly_range(s, 1, END);
    struct msg *m = read_flight(&old, NOTES({ 1, "B" }));

    CHECK_STR(commit(s->two, fly_get(s), NOTES({ 1, "C" })), "ok");
    add_rejects(m, TWO_BAD, 2);
    CHECK_STR(apply_msg(s->one, m), "late 1");
    CHECK_STR(rejects(s), "");
    tell(s, "INSERT INTO potok_reject (portal, entity, id, field, value, reason) VALUES ('main', 'deals', 1, "
            "'X', 'y', 'z')");
    CHECK_STR(commit(s->one, older, NOTES({ 1, "B" })), "late 1");
    CHECK_STR(rejects(s), "1 X y z;");
}

/* What its lists left out is asked for by id, and the answer comes when the run is over. */
TEST(a_deletion_found_after_its_run_ended_is_counted_to_it)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, "A" }));

    start_run(s);
    CHECK_STR(commit(s->one, fly_range(s, 1, END), NOTES({ 1, "A" })), "ok");
    CHECK_STR(run_row(s), "done 1 0 1 0 0 0;");
    CHECK_EQ(test_i64(s->other, "SELECT id FROM potok_mark"), 2);
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 2, NULL })), "ok");
    CHECK_STR(run_row(s), "done 1 0 1 1 0 0;");
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 2, NULL })), "ok");
    CHECK_STR(run_row(s), "done 1 0 1 1 0 0;");
}

TEST(what_was_written_after_a_run_ended_is_no_part_of_it)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, "A" }));

    start_run(s);
    CHECK_STR(commit(s->one, fly_range(s, 1, END), NOTES({ 1, "A" })), "ok");
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 2, "B" })), "ok");
    CHECK_STR(run_row(s), "done 1 0 1 0 0 0;");
}

TEST(a_denied_record_is_neither_there_nor_gone)
{
    struct story *s = fresh(NOTES({ 1, "A" }, { 2, "A" }));

    mark(s, 1);
    struct flight f = fly_get(s);
    struct msg *m = read_flight(&f, NOTES({ 2, "A" }));
    m->rows.asked = ids_for(m, 2);
    m->rows.asked.p[m->rows.asked.n++] = 2;
    m->rows.asked.p[m->rows.asked.n++] = 1;
    m->rows.denied = ids_for(m, 1);
    m->rows.denied.p[m->rows.denied.n++] = 1;
    CHECK_STR(apply_msg(s->one, m), "ok");
    CHECK_STR(deal(s, 1), "A");
    CHECK_STR(marks(s), "");
    CHECK_STR(rejects(s), "1   access denied;");
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, "A" })), "ok");
    CHECK_STR(rejects(s), "");
}

TEST(a_denied_records_younger_mark_stays)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight f = fly_get(s);
    struct msg *m = read_flight(&f, NOTHING);

    mark(s, 1);
    m->rows.asked = ids_for(m, 1);
    m->rows.asked.p[m->rows.asked.n++] = 1;
    m->rows.denied = m->rows.asked;
    CHECK_STR(apply_msg(s->one, m), "ok");
    CHECK_STR(marks(s), "1 3;");
}

TEST(a_record_that_comes_back_is_no_ghost_any_more)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, NULL })), "ok");
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, NULL })), "ok");
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, "A" })), "ok");
    CHECK_STR(deal(s, 1), "A");
    CHECK_STR(test_rows(s->other, "SELECT _deleted_at, length(_hash) FROM crm_deals"), "- 16;");
}

TEST(only_what_had_a_row_is_counted_as_gone)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    start_run(s);
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, NULL }, { 999, NULL })), "ok");
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, NULL }, { 999, NULL })), "ok");
    CHECK_EQ(test_i64(s->other, "SELECT gone FROM potok_run"), 1);
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM crm_deals WHERE _deleted_at IS NOT NULL"), 2);
}

static void put_all_kinds(struct buf *b)
{
    wire_put_array(b, 9);
    wire_put_u64(b, 42);
    wire_put_bin(b, "0123456789abcdef", HASH_BYTES);
    wire_put_str(b, STR("text"));
    wire_put_i64(b, -5);
    wire_put_str(b, STR("12345678901234567890.5"));
    wire_put_bool(b, true);
    wire_put_str(b, STR("2024-08-30"));
    wire_put_str(b, STR("2024-08-30T12:29:00Z"));
    wire_put_str(b, STR("[1,2]"));
}

TEST(every_kind_of_value_is_written)
{
    struct story *s = fresh(NOTHING);
    struct flight f = fly_range(s, 1, END);
    struct msg *m = read_flight(&f, NOTHING);
    struct column columns[COL_KINDS];
    struct buf payload, columns_bytes;
    char names[COL_KINDS][8];

    for (int i = 0; i < COL_KINDS; i++) {
        snprintf(names[i], sizeof(names[i]), "c%d", i);
        columns[i] = (struct column){ str_of(names[i]), (enum col_kind)i };
    }
    buf_init(&columns_bytes, 10000);
    columns_encode(columns, COL_KINDS, &columns_bytes);
    m->rows.columns = buf_view(&columns_bytes);
    m->rows.table = STR("crm_kinds");
    buf_init(&payload, 10000);
    put_all_kinds(&payload);
    free(m->payload.p);
    m->payload = (struct frame){ 0 };
    msg_take_payload(m, &payload);
    m->rows.count = 1;
    CHECK_STR(apply_msg(s->one, m), "ok");
    CHECK_STR(test_rows(s->other, "SELECT id, c0, c1, c2, c3, c4, c5, c6, _hi FROM crm_kinds"),
        "42 text -5 12345678901234567890.5 1 2024-08-30 2024-08-30T12:29:00Z [1,2] 3;");
    buf_fini(&columns_bytes);
}

TEST_MAIN(CASE(an_unchanged_range_writes_its_witness_its_job_and_the_run), CASE(the_last_job_closes_the_run),
    CASE(a_job_set_aside_leaves_the_run_partial), CASE(a_job_keeps_what_it_read),
    CASE(refused_whole_leaves_everything_as_it_was), CASE(a_portal_or_entity_not_known_is_refused),
    CASE(a_range_that_is_not_its_jobs_fails), CASE(a_value_of_another_kind_fails_and_leaves_nothing),
    CASE(rejects_are_replaced_record_by_record), CASE(a_late_reading_says_nothing_of_rejects),
    CASE(a_text_that_cannot_be_stored_is_rejected_with_its_record_written),
    CASE(a_deletion_found_after_its_run_ended_is_counted_to_it),
    CASE(what_was_written_after_a_run_ended_is_no_part_of_it),
    CASE(a_denied_record_is_neither_there_nor_gone), CASE(a_denied_records_younger_mark_stays),
    CASE(a_record_that_comes_back_is_no_ghost_any_more), CASE(only_what_had_a_row_is_counted_as_gone),
    CASE(every_kind_of_value_is_written))
