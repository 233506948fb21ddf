#include "base/guess.h"

#include "base/mem.h"
#include "support/check.h"

TEST(distance_counts_letters_added_left_out_replaced_and_swapped)
{
    static const struct {
        const char *a, *b;
        int distance;
    } cases[] = {
        { "", "", 0 },
        { "abc", "abc", 0 },
        { "", "abc", 3 },
        { "tarif", "tariff", 1 },
        { "urll", "url", 1 },
        { "urk", "url", 1 },
        { "ulr", "url", 1 },
        { "entites", "entities", 1 },
        { "abcd", "badc", 2 },
        { "kitten", "sitting", 3 },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a", 99 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_EQ(guess_distance(cases[i].a, cases[i].b), cases[i].distance);
        CHECK_EQ(guess_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
}

TEST(the_nearest_word_is_guessed_unless_all_are_far)
{
    static const char *const known[] = { "url", "url_file", "tariff", "entities", "prefix", NULL };

    CHECK_STR(guess_word("tarif", known), "tariff");
    CHECK_STR(guess_word("urlfile", known), "url_file");
    CHECK_STR(guess_word("urls", known), "url");
    CHECK(guess_word("password", known) == NULL);
    CHECK(guess_word("", known) == NULL);
}

static const char *entity(struct str name)
{
    return str_is(name, "deal") || str_is(name, "deals") ? "deals" : NULL;
}

static bool setting(const char *name)
{
    return strcmp(name, "JOB_DEADLINE") == 0;
}

TEST(one_change_away_is_found_by_asking)
{
    static const char *const entities[] = { "deels", "dealss", "dels", "edals", "Deals", "DEAL", "xdeals" };
    static const char *const settings[] = { "JOB_DEADLIN", "job_deadline", "JOB-DEADLINE", "JOB_DAEDLINE",
        "JOBS_DEADLINE" };
    char guess[GUESS_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(entities); i++) {
        CHECK(guess_entity(entities[i], entity, guess));
        CHECK_STR(guess, "deals");
    }
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        CHECK(guess_setting(settings[i], setting, guess));
        CHECK_STR(guess, "JOB_DEADLINE");
    }
    CHECK(!guess_entity("contracts", entity, guess));
    CHECK(!guess_entity("deals", NULL, guess));
    CHECK(!guess_setting("", setting, guess));
    CHECK(!guess_setting(
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", setting, guess));
}

TEST_MAIN(CASE(distance_counts_letters_added_left_out_replaced_and_swapped),
    CASE(the_nearest_word_is_guessed_unless_all_are_far), CASE(one_change_away_is_found_by_asking))
