#include "services/potok/ask/question.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdlib.h>

TEST(ids_are_numbers_above_zero)
{
    static const struct {
        const char *text;
        int count; /* 0: refused */
    } cases[] = {
        { "42", 1 },
        { "1,2,3", 3 },
        { "9223372036854775807", 1 },
        { "", 0 },
        { "0", 0 },
        { "-1", 0 },
        { "+1", 0 },
        { " 1", 0 },
        { "1 ", 0 },
        { "1,", 0 },
        { ",1", 0 },
        { "1,,2", 0 },
        { "1;2", 0 },
        { "0x10", 0 },
        { "9223372036854775808", 0 },
        { "99999999999999999999999999", 0 },
        { "сорок два", 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        json_t *ids = question_ids(cases[i].text, &err);

        CHECK_EQ(ids != NULL ? (int)json_array_size(ids) : 0, cases[i].count);
        CHECK_EQ(err.kind, cases[i].count > 0 ? ERR_NONE : ERR_CONF);
        json_decref(ids);
    }
}

TEST(more_ids_than_one_call_reads_are_refused)
{
    char *text = calloc(1, 2 * (QUESTION_IDS_MOST + 2));
    struct err err = { 0 };

    for (int i = 0; i < QUESTION_IDS_MOST; i++)
        memcpy(text + 2 * i, i > 0 ? ",7" : "07", 2);
    json_t *ids = question_ids(text, &err);
    CHECK_EQ(json_array_size(ids), QUESTION_IDS_MOST);
    json_decref(ids);
    memcpy(text + 2 * QUESTION_IDS_MOST, ",7", 2);
    CHECK(question_ids(text, &err) == NULL);
    CHECK_EQ(err.kind, ERR_CONF);
    free(text);
}

TEST(a_question_names_entities_by_their_plural)
{
    static const struct {
        struct args args;
        const char *portal, *ids, *question; /* question NULL: refused */
    } cases[] = {
        { { .word_count = 0 }, NULL, NULL, "{}" },
        { { .words = { "deal", "Contacts" }, .word_count = 2 }, NULL, NULL,
            "{\"entities\":[\"deals\",\"contacts\"]}" },
        { { .words = { "deals" }, .word_count = 1 }, "main", "42,43",
            "{\"portal\":\"main\",\"entities\":[\"deals\"],\"ids\":[42,43]}" },
        { { .words = { "deals", "leads" }, .word_count = 2 }, NULL, "42", NULL },
        { { .word_count = 0 }, NULL, "42", NULL },
        { { .words = { "dogs" }, .word_count = 1 }, NULL, NULL, NULL },
        { { .words = { "deals" }, .word_count = 1 }, NULL, "x", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        char *question = question_of(&cases[i].args, cases[i].portal, cases[i].ids, &err);

        CHECK_EQ(question == NULL, cases[i].question == NULL);
        if (question != NULL)
            CHECK_STR(question, cases[i].question);
        else
            CHECK_EQ(err.kind, ERR_CONF);
        free(question);
    }
}

TEST_MAIN(CASE(ids_are_numbers_above_zero), CASE(more_ids_than_one_call_reads_are_refused),
    CASE(a_question_names_entities_by_their_plural))
