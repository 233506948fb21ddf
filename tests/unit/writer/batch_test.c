/* A message that contradicts itself is refused before anything is written. */
#include "story.h"

static struct msg *a_range(void)
{
    struct flight f = { 5, 1, "range", 10, 20 };

    return read_flight(&f, NOTES({ 12, "A" }, { 10, "B" }, { 20, "C" }));
}

static struct msg *a_get(void)
{
    struct flight f = { 5, 1, "get", 0, 0 };

    return read_flight(&f, NOTES({ 7, "A" }, { 3, NULL }, { 9, NULL }));
}

TEST(entries_come_in_order_of_ids)
{
    struct msg *m = a_get();
    struct batch b;
    struct err err = { 0 };

    CHECK_OK(batch_read(&b, m, &err), err);
    CHECK_EQ(b.count, 3);
    CHECK(b.entries[0].id == 3 && !b.entries[0].there);
    CHECK(b.entries[1].id == 7 && b.entries[1].there);
    CHECK_EQ(b.entries[2].id, 9);
    CHECK(batch_find(&b, 7) == &b.entries[1]);
    CHECK(batch_find(&b, 8) == NULL);
    batch_fini(&b);
    msg_free(&m);
}

TEST(an_empty_range_is_a_reading_too)
{
    struct flight f = { 5, 1, "range", 10, RANGE_OPEN };
    struct msg *m = read_flight(&f, NOTHING);
    struct batch b;
    struct err err = { 0 };

    CHECK_OK(batch_read(&b, m, &err), err);
    CHECK_EQ(b.count, 0);
    CHECK(batch_find(&b, 10) == NULL);
    batch_fini(&b);
    msg_free(&m);
}

static void id_twice(struct msg *m)
{
    m->rows.absent.p[0] = 7;
}
static void id_zero(struct msg *m)
{
    m->rows.absent.p[0] = 0;
}
static void not_asked(struct msg *m)
{
    m->rows.absent.p[0] = 4;
}
static void nothing_asked(struct msg *m)
{
    m->rows.asked.n = 0;
}
static void goes_on(struct msg *m)
{
    m->rows.next_first = 8;
}
static void wrong_kind(struct msg *m)
{
    m->rows.kind = STR("broom");
}
static void probe(struct msg *m)
{
    m->rows.kind = STR("probe");
}
static void list_says_gone(struct msg *m)
{
    m->rows.kind = STR("ids");
}
static void one_more(struct msg *m)
{
    m->rows.count++;
}
static void one_less(struct msg *m)
{
    m->rows.count--;
}
static void too_many(struct msg *m)
{
    m->rows.count = BATCH_IDS_MAX + 1;
}
static void bytes_cut(struct msg *m)
{
    m->payload.n--;
}
static void bad_columns(struct msg *m)
{
    m->rows.columns = STR("\x92");
}
static void bad_rejects(struct msg *m)
{
    m->rows.rejects = STR("\x91\x93\x01\xa1x\xa1y");
}
static void endless_rejects(struct msg *m)
{
    m->rows.rejects = STR("\xdd\xff\xff\xff\xff\x01");
}
static void denied_elsewhere(struct msg *m)
{
    m->rows.denied = ids_for(m, 1);
    m->rows.denied.p[m->rows.denied.n++] = 1000;
}

static void last_below_a_row(struct msg *m)
{
    m->rows.last = 19;
}
static void first_above_a_row(struct msg *m)
{
    m->rows.first = 11;
}
static void no_first(struct msg *m)
{
    m->rows.first = 0;
}
static void upside_down(struct msg *m)
{
    m->rows.first = 21;
}
static void too_far(struct msg *m)
{
    m->rows.last = RANGE_OPEN + 1;
}
static void gap(struct msg *m)
{
    m->rows.next_first = 22, m->rows.next_last = 30;
}
static void overlap(struct msg *m)
{
    m->rows.next_first = 20, m->rows.next_last = 30;
}
static void rest_upside_down(struct msg *m)
{
    m->rows.next_first = 21, m->rows.next_last = 20;
}
static void range_unlisted(struct msg *m)
{
    m->rows.unlisted = ids_for(m, 1);
    m->rows.unlisted.p[m->rows.unlisted.n++] = 11;
}

static const struct {
    struct msg *(*make)(void);
    void (*spoil)(struct msg *m);
    const char *part;
} BAD[] = {
    { a_get, id_twice, "id twice: 7" },
    { a_get, id_zero, "id 0 is outside" },
    { a_get, not_asked, "id 4 was not asked for" },
    { a_get, nothing_asked, "no id was asked for" },
    { a_get, goes_on, "only a range goes on" },
    { a_get, wrong_kind, "unknown kind" },
    { a_get, probe, "a job of kind probe has no rows" },
    { a_get, list_says_gone, "cannot say that a record is gone" },
    { a_get, one_more, "row 2 of 2: not a row" },
    { a_get, one_less, "bytes are left" },
    { a_get, too_many, "rows in one message" },
    { a_get, bytes_cut, "not a row" },
    { a_get, bad_columns, "column" },
    { a_get, bad_rejects, "rejects: not an array" },
    { a_get, endless_rejects, "rejects: not an array" },
    { a_get, denied_elsewhere, "id 1000 was not asked for" },
    { a_range, last_below_a_row, "id 20 is outside 10..19" },
    { a_range, first_above_a_row, "id 10 is outside 11..20" },
    { a_range, no_first, "not a range" },
    { a_range, upside_down, "not a range" },
    { a_range, too_far, "not a range" },
    { a_range, gap, "does not follow" },
    { a_range, overlap, "does not follow" },
    { a_range, rest_upside_down, "does not follow" },
    { a_range, range_unlisted, "leaves no ids out" },
};

TEST(contradictions_are_refused)
{
    for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
        struct msg *m = BAD[i].make();
        struct batch b;
        struct err err = { 0 };

        CHECK_OK(batch_read(&b, m, &err), err);
        batch_fini(&b);
        BAD[i].spoil(m);
        CHECK_EQ(batch_read(&b, m, &err), -1);
        CHECK_EQ(err.kind, ERR_PERM);
        CHECK_HAS(err.text, BAD[i].part);
        msg_free(&m);
    }
}

TEST(a_row_twice_in_a_range_is_refused)
{
    struct flight f = { 5, 1, "range", 10, 20 };
    struct msg *m = read_flight(&f, NOTES({ 12, "A" }, { 13, "A" }, { 12, "B" }));
    struct batch b;
    struct err err = { 0 };

    CHECK_EQ(batch_read(&b, m, &err), -1);
    CHECK_HAS(err.text, "id twice: 12");
    msg_free(&m);
}

TEST_MAIN(CASE(entries_come_in_order_of_ids), CASE(an_empty_range_is_a_reading_too),
    CASE(contradictions_are_refused), CASE(a_row_twice_in_a_range_is_refused))
