#include "services/potok/words/say.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdlib.h>
#include <time.h>

TEST(the_locale_chooses_the_language)
{
    static const struct {
        const char *all, *lang, *said;
    } cases[] = {
        { NULL, "ru_RU.UTF-8", "да" },
        { NULL, "en_US.UTF-8", "yes" },
        { NULL, NULL, "yes" },
        { NULL, "C", "yes" },
        { "en_US.UTF-8", "ru_RU.UTF-8", "yes" },
        { "", "ru", "да" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unsetenv("LC_MESSAGES");
        cases[i].all == NULL ? unsetenv("LC_ALL") : setenv("LC_ALL", cases[i].all, 1);
        cases[i].lang == NULL ? unsetenv("LANG") : setenv("LANG", cases[i].lang, 1);
        say_init();
        CHECK_STR(say("да", "yes"), cases[i].said);
    }
}

TEST(how_often_is_told_as_people_say_it)
{
    static const struct {
        uint64_t seconds;
        const char *ru, *en;
    } cases[] = { { 1, "раз в секунду", "once a second" }, { 45, "раз в 45 с", "every 45 s" },
        { 60, "раз в минуту", "once a minute" }, { 90, "раз в 90 с", "every 90 s" },
        { 600, "раз в 10 мин", "every 10 min" }, { 3600, "раз в час", "once an hour" },
        { 7200, "раз в 2 ч", "every 2 h" } };
    char text[SAY_COUNT_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        say_set(LANGUAGE_RU);
        CHECK_STR(say_every(cases[i].seconds, text), cases[i].ru);
        say_set(LANGUAGE_EN);
        CHECK_STR(say_every(cases[i].seconds, text), cases[i].en);
    }
}

TEST(numbers_are_grouped)
{
    char text[SAY_COUNT_SIZE];

    say_set(LANGUAGE_EN);
    CHECK_STR(say_count(0, text), "0");
    CHECK_STR(say_count(999, text), "999");
    CHECK_STR(say_count(1000, text), "1,000");
    CHECK_STR(say_count(UINT64_MAX, text), "18,446,744,073,709,551,615");
    say_set(LANGUAGE_RU);
    CHECK_STR(say_count(1234567, text), "1\xc2\xa0"
                                        "234\xc2\xa0"
                                        "567");
    CHECK_STR(say_count(UINT64_MAX, text), "18\xc2\xa0"
                                           "446\xc2\xa0"
                                           "744\xc2\xa0"
                                           "073\xc2\xa0"
                                           "709\xc2\xa0"
                                           "551\xc2\xa0"
                                           "615");
}

TEST(a_time_is_shown_as_exactly_as_is_wanted)
{
    char text[SAY_COUNT_SIZE];

    setenv("TZ", "UTC", 1);
    tzset();
    CHECK_STR(say_time(1795252507999, SAY_DAY, text), "2026-11-21");
    CHECK_STR(say_time(1795252507999, SAY_MINUTE, text), "2026-11-21 09:15");
    CHECK_STR(say_time(1795252507999, SAY_SECOND, text), "2026-11-21 09:15:07");
    CHECK_STR(say_time(0, SAY_SECOND, text), "");
}

TEST(spans_and_sizes)
{
    char text[SAY_COUNT_SIZE];

    say_set(LANGUAGE_EN);
    CHECK_STR(say_span(0, text), "0:00");
    CHECK_STR(say_span(75400, text), "1:15");
    CHECK_STR(say_span(3675000, text), "1:01:15");
    CHECK_STR(say_bytes(512, text), "512 B");
    CHECK_STR(say_bytes(1536, text), "1.5 KB");
    CHECK_STR(say_bytes(20u << 20, text), "20 MB");
    say_set(LANGUAGE_RU);
    CHECK_STR(say_bytes(3ull << 40, text), "3072 ГБ");
}

TEST(nouns_agree_with_numbers)
{
    static const struct {
        uint64_t n;
        const char *ru, *en;
    } cases[] = {
        { 0, "записей", "records" },
        { 1, "запись", "record" },
        { 2, "записи", "records" },
        { 5, "записей", "records" },
        { 11, "записей", "records" },
        { 14, "записей", "records" },
        { 21, "запись", "records" },
        { 22, "записи", "records" },
        { 111, "записей", "records" },
        { 1001, "запись", "records" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        say_set(LANGUAGE_RU);
        CHECK_STR(say_plural(cases[i].n, "запись", "записи", "записей", "record", "records"), cases[i].ru);
        say_set(LANGUAGE_EN);
        CHECK_STR(say_plural(cases[i].n, "запись", "записи", "записей", "record", "records"), cases[i].en);
    }
}

TEST_MAIN(CASE(a_time_is_shown_as_exactly_as_is_wanted), CASE(the_locale_chooses_the_language),
    CASE(how_often_is_told_as_people_say_it), CASE(numbers_are_grouped), CASE(spans_and_sizes),
    CASE(nouns_agree_with_numbers))
