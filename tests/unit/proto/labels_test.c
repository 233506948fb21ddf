#include "proto/labels.h"

#include "base/mem.h"
#include "proto/wire.h"
#include "support/check.h"

TEST(labels_come_back_and_are_found)
{
    static const struct label list[] = {
        { STR("A"), STR(""), STR("") },
        { STR("UF_CRM_1"), STR("Источник сделки"), STR("[[\"47\",\"Нет\"]]") },
        { STR("UF_CRM_10"), STR("Бюджет"), STR("") },
    };
    struct labels l;
    struct buf b;
    struct err err;

    buf_init(&b, 4096);
    labels_encode(list, 3, &b);
    CHECK_OK(labels_decode(&l, buf_view(&b), &err), err);
    CHECK_EQ(l.count, 3);
    CHECK_VIEW(labels_find(&l, STR("UF_CRM_1"))->title, "Источник сделки");
    CHECK_VIEW(labels_find(&l, STR("UF_CRM_1"))->items, "[[\"47\",\"Нет\"]]");
    CHECK_EQ(labels_find(&l, STR("UF_CRM_10"))->items.n, 0);
    CHECK(labels_find(&l, STR("UF_CRM_")) == NULL);
    labels_free(&l);
    buf_fini(&b);
}

TEST(no_bytes_are_no_labels)
{
    struct labels l;
    struct err err;

    CHECK_OK(labels_decode(&l, STR(""), &err), err);
    CHECK_EQ(l.count, 0);
    CHECK(labels_find(&l, STR("A")) == NULL);
    labels_free(&l);
}

TEST(spoilt_labels_are_refused)
{
    static const struct str cases[] = {
        /* clang-format off */
        STR("\xc0"),
        STR("\x91"),
        STR("\x90\xc0"),
        STR("\x91\x91\xa1" "A"),
        STR("\x91\x94\xa1" "A\xa0\xa0\xa0"),
        STR("\x91\x92\xa0\xa0"),                        /* no name */
        STR("\x92\x92\xa1" "B\xa0\x92\xa1" "A\xa0"),    /* out of order */
        STR("\x92\x92\xa1" "A\xa0\x92\xa1" "A\xa0"),    /* twice */
        STR("\x91\x92\xa1" "A\xa1\0"),                  /* NUL */
        STR("\xdc\xff\xff"),
        /* clang-format on */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct labels l = { .count = 77 };
        struct err err;
        CHECK_EQ(labels_decode(&l, cases[i], &err), -1);
        CHECK_EQ(err.kind, ERR_PERM);
        CHECK_EQ(l.count, 77);
    }
}

TEST_MAIN(CASE(labels_come_back_and_are_found), CASE(no_bytes_are_no_labels), CASE(spoilt_labels_are_refused))
