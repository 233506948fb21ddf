#include "proto/change.h"

#include "base/mem.h"
#include "proto/msg.h"
#include "support/check.h"

TEST(changes_come_back)
{
    static const struct change in[] = {
        { 7, { "main", 4 }, { "deals", 5 }, 42, CHANGE_KIND_SET, 1795228620123, { NULL, 0 } },
        { 9, { "main", 4 }, { "deals", 5 }, RANGE_OPEN - 1, CHANGE_KIND_GONE, 1, { NULL, 0 } },
        { 10, { "b", 1 }, { "leads", 5 }, 0, CHANGE_KIND_FIELDS, 0, { NULL, 0 } },
        { 11, { "b", 1 }, { "", 0 }, 0, CHANGE_KIND_ACCESS, 5, { "sealed", 6 } },
        { 12, { "b", 1 }, { "", 0 }, 0, CHANGE_KIND_QUEUE, 6, { NULL, 0 } },
        { 13, { "b", 1 }, { "", 0 }, 0, CHANGE_KIND_RENEWED, 7, { NULL, 0 } },
    };
    struct change_list out;
    struct buf b;
    struct err err;

    buf_init(&b, 4096);
    change_list_encode(in, ARRAY_SIZE(in), &b);
    CHECK_OK(change_list_decode(&out, buf_view(&b), &err), err);
    CHECK_EQ(out.count, ARRAY_SIZE(in));
    for (int i = 0; i < out.count; i++) {
        CHECK(out.list[i].seq == in[i].seq && out.list[i].id == in[i].id && out.list[i].at_ms == in[i].at_ms);
        CHECK_EQ(out.list[i].kind, in[i].kind);
        CHECK(str_eq(out.list[i].portal, in[i].portal) && str_eq(out.list[i].entity, in[i].entity));
        CHECK(str_eq(out.list[i].sealed, in[i].sealed));
    }
    change_list_free(&out);
    buf_fini(&b);
}

TEST(spoilt_changes_are_refused)
{
    static const struct str cases[] = {
        /* clang-format off */
        { "", 0 },
        { "\xc0", 1 },
        { "\x90\xc0", 2 },                                              /* bytes after the end */
        { "\xdd\xff\xff\xff\xff", 5 },                                  /* a count without changes */
        { "\x91\x95\x01\xa1" "m\xa1" "d\x01\x00", 9 },                  /* a member short */
        { "\x91\x96\x00\xa1" "m\xa1" "d\x01\x00\x00", 10 },             /* no number */
        { "\x92\x96\x02\xa1" "m\xa1" "d\x01\x00\x00\x96\x02\xa1" "m\xa1" "d\x01\x00\x00", 19 },    /* not ascending */
        /* clang-format on */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct change_list c = { .count = 77 };
        struct err err;

        CHECK_EQ(change_list_decode(&c, cases[i], &err), -1);
        CHECK_EQ(err.kind, ERR_PERM);
        CHECK_EQ(c.count, 77);
    }
}

TEST(a_change_that_says_nothing_is_left_out_alone)
{
    static const char good[] = "\x96\x07\xa1m\xa1"
                               "d\x05\x00\x00";
    static const struct str cases[] = {
        /* clang-format off */
        { "\x92\x96\x01\xa0\xa1" "d\x01\x00\x00", 9 },                    /* no portal */
        { "\x92\x96\x01\xa1" "m\xa1" "d\x00\x00\x00", 10 },              /* no id */
        { "\x92\x96\x01\xa1" "m\xa1" "d\x01\x02\x00", 10 },              /* fields of a record */
        { "\x92\x96\x01\xa1" "m\xa0" "\x01\x00\x00", 9 },                /* no entity */
        { "\x92\x96\x01\xa1" "m\xa1" "d\xcf\x40\0\0\0\0\0\0\0\x00\x00", 18 },   /* beyond the ids */
        /* clang-format on */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct change_list c;
        struct err err;
        struct buf b;

        buf_init(&b, 100);
        buf_add(&b, cases[i].p, cases[i].n);
        buf_add(&b, good, sizeof(good) - 1);
        CHECK_OK(change_list_decode(&c, buf_view(&b), &err), err);
        CHECK_EQ(c.count, 1);
        CHECK_EQ(c.unsound, 1);
        CHECK_EQ(c.list[0].seq, 7);
        change_list_free(&c);
        buf_fini(&b);
    }
}

TEST(a_newer_gateway_may_say_more)
{
    struct change_list c;
    struct err err;

    CHECK_OK(change_list_decode(&c,
                 (struct str){ "\x91\x98\x01\xa1m\xa1"
                               "d\x05\x07\x00\xc4\x00\xc3",
                     13 },
                 &err),
        err);
    CHECK_EQ(c.count, 1);
    CHECK_EQ(c.list[0].kind, CHANGE_KIND_SET);
    CHECK_EQ(c.list[0].id, 5);
    change_list_free(&c);
}

/* seq, portal, entity, id, kind 7, at_ms: what it means must be guessed from what it names. */
TEST(a_kind_that_is_not_known_is_a_hint_all_the_same)
{
    static const struct {
        struct str bytes;
        enum change_kind kind;
    } cases[] = {
        /* clang-format off */
        { { "\x91\x96\x01\xa1" "m\xa1" "d\x05\x07\x00", 10 }, CHANGE_KIND_SET },
        { { "\x91\x96\x01\xa1" "m\xa1" "d\x00\x07\x00", 10 }, CHANGE_KIND_FIELDS },
        { { "\x91\x96\x01\xa1" "m\xa0\x00\x07\x00", 9 }, CHANGE_KIND_NEWER },
        { { "\x91\x96\x01\xa1" "m\xa0\x05\x07\x00", 9 }, CHANGE_KIND_NEWER },
        { { "\x91\x97\x01\xa1" "m\xa0\x00\x07\x00\xc4\x01s", 12 }, CHANGE_KIND_NEWER },
        /* clang-format on */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct change_list c;
        struct err err;

        CHECK_OK(change_list_decode(&c, cases[i].bytes, &err), err);
        CHECK_EQ(c.count, 1);
        CHECK_EQ(c.unsound, 0);
        CHECK_EQ(c.list[0].kind, cases[i].kind);
        change_list_free(&c);
    }
}

TEST_MAIN(CASE(changes_come_back), CASE(spoilt_changes_are_refused),
    CASE(a_change_that_says_nothing_is_left_out_alone), CASE(a_newer_gateway_may_say_more),
    CASE(a_kind_that_is_not_known_is_a_hint_all_the_same))
