#include "base/alarm_text.h"

#include "base/mem.h"
#include "support/check.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "s3cr3tS3CR3T"

static struct alarm_telling telling(const char *name, enum alarm_state state)
{
    return (struct alarm_telling){ .kind = alarm_kind_of(str_of(name)),
        .portal = "main",
        .entity = "deals",
        .text = "HTTP 401: https://p.example/rest/1/" SECRET "/ says \"no\"",
        .state = state,
        .since_ms = 1700000000000,
        .lasted_ms = 185000 };
}

static const char *message(const struct alarm_telling *t, bool russian)
{
    static struct buf out;
    struct alarm_teller who = { "host7", "scheduler.1", russian };

    buf_fini(&out);
    buf_init(&out, 65536);
    alarm_message(t, &who, &out);
    CHECK(!out.failed);
    return buf_cstr(&out);
}

TEST(people_read_what_is_wrong_and_what_to_do)
{
    static const struct {
        enum alarm_state state;
        bool russian;
        const char *has[4];
    } cases[] = {
        { ALARM_RAISED, true,
            { "Авария: main/deals: синхронизация не удалась", "Что делать: ", "HTTP 401",
                "scheduler.1, host7" } },
        { ALARM_RAISED, false,
            { "Alarm: main/deals: a sync failed", "What to do: ", "HTTP 401", "(3 min)" } },
        { ALARM_REPEATED, true, { "Всё ещё: main/deals", "3 мин", "Что делать", "" } },
        { ALARM_REPEATED, false, { "Still: main/deals", "3 min", "What to do", "" } },
        { ALARM_RESOLVED, true, { "Снова в порядке: main/deals", "Длилось 3 мин", "", "" } },
        { ALARM_RESOLVED, false, { "Resolved: main/deals", "It lasted 3 min", "", "" } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct alarm_telling t = telling("sync.failed", cases[i].state);
        const char *text = message(&t, cases[i].russian);

        for (size_t k = 0; k < ARRAY_SIZE(cases[i].has); k++)
            CHECK_HAS(text, cases[i].has[k]);
        CHECK(strstr(text, SECRET) == NULL);
    }
}

TEST(what_the_log_says_comes_last_and_only_where_it_says_more)
{
    struct alarm_telling t = telling("sync.failed", ALARM_RAISED);
    const char *text = message(&t, true), *advice = strstr(text, "Что делать: "),
               *why = strstr(text, "Подробности: HTTP 401");

    CHECK(advice != NULL && why != NULL && advice < why);
    t.text = "potok sync";
    CHECK(strstr(message(&t, true), "Подробности") == NULL);
    t.text = "";
    CHECK(strstr(message(&t, false), "Details") == NULL);
}

TEST(programs_read_the_same_as_json)
{
    struct alarm_telling t = telling("sync.failed", ALARM_RAISED);
    struct alarm_teller who = { "host7", "scheduler.1", false };
    struct buf out;

    buf_init(&out, 65536);
    alarm_json(&t, &who, &out);
    CHECK(strstr(buf_cstr(&out), SECRET) == NULL);
    json_t *o = json_loadb(out.p, out.n, 0, NULL);
    CHECK(json_is_object(o));
    static const char *const expected[][2] = { { "name", "sync.failed" }, { "level", "error" },
        { "state", "raised" }, { "portal", "main" }, { "entity", "deals" },
        { "since", "2023-11-14T22:13:20.000Z" }, { "host", "host7" }, { "instance", "scheduler.1" } };
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        CHECK_STR(json_string_value(json_object_get(o, expected[i][0])), expected[i][1]);
    CHECK_EQ(json_integer_value(json_object_get(o, "lasted_ms")), 185000);
    CHECK_HAS(json_string_value(json_object_get(o, "text")), "(masked)");
    CHECK_HAS(json_string_value(json_object_get(o, "message")), "a sync failed");
    json_decref(o);
    buf_fini(&out);
}

TEST(every_kind_fits_a_chat_in_both_languages_however_long_its_reason)
{
    char text[ERR_TEXT_SIZE];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < 2 * ALARM_KIND_COUNT; i++) {
        struct alarm_telling t = telling(ALARM_KINDS[i / 2].name, ALARM_RAISED);

        t.text = text;
        CHECK(strlen(message(&t, i % 2 == 0)) < 4096);
    }
}

TEST(the_language_is_set_or_the_locales)
{
    setenv("LC_ALL", "ru_RU.UTF-8", 1);
    CHECK(alarm_speaks_russian(""));
    CHECK(!alarm_speaks_russian("en"));
    setenv("LC_ALL", "", 1);
    setenv("LC_MESSAGES", "", 1);
    setenv("LANG", "C.UTF-8", 1);
    CHECK(!alarm_speaks_russian(""));
    CHECK(alarm_speaks_russian("ru"));
}

TEST(spans_are_told_in_two_units)
{
    static const struct {
        uint64_t ms;
        const char *ru, *en;
    } cases[] = { { 0, "0 с", "0 s" }, { 59999, "59 с", "59 s" }, { 60000, "1 мин", "1 min" },
        { 185000, "3 мин", "3 min" }, { 3600000, "1 ч", "1 h" }, { 7500000, "2 ч 5 мин", "2 h 5 min" },
        { 90000000, "1 д 1 ч", "1 d 1 h" } };
    char text[40];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        alarm_span(cases[i].ms, true, text);
        CHECK_STR(text, cases[i].ru);
        alarm_span(cases[i].ms, false, text);
        CHECK_STR(text, cases[i].en);
    }
}

TEST_MAIN(CASE(people_read_what_is_wrong_and_what_to_do),
    CASE(what_the_log_says_comes_last_and_only_where_it_says_more), CASE(programs_read_the_same_as_json),
    CASE(every_kind_fits_a_chat_in_both_languages_however_long_its_reason),
    CASE(the_language_is_set_or_the_locales), CASE(spans_are_told_in_two_units))
