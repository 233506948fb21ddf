#include "base/alarm_book.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <string.h>

#define WALL 1700000000000

static const struct alarm_times TIMES = { .after_ms = 60000, .quiet_ms = 600000, .repeat_ms = 3600000 };

static struct alarm_now at(int64_t second)
{
    return (struct alarm_now){ second * 1000, (uint64_t)(WALL + second * 1000) };
}

static void raise_it(struct alarm_book *b, const char *name, const char *text, int64_t second)
{
    CHECK(alarm_book_raise(b, &(struct alarm){ name, "main", "", text }, at(second)));
}

/* All that is told at that second: "raised portal.stopped;". */
static const char *told(struct alarm_book *b, int64_t second)
{
    static char text[400];
    struct alarm_telling t;
    size_t n = 0;

    text[0] = '\0';
    while (alarm_book_next(b, at(second), &t))
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %s;", alarm_state_name(t.state), t.kind->name);
    return text;
}

/* '+' raise, '-' clear, '.' only look; at a second; what is told then. */
struct beat {
    char what;
    int64_t second;
    const char *told;
};

static void play(const char *name, const struct beat *beats, int count)
{
    struct alarm_book b;

    alarm_book_init(&b, &TIMES);
    for (int i = 0; i < count; i++) {
        if (beats[i].what == '+')
            raise_it(&b, name, "why", beats[i].second);
        else if (beats[i].what == '-')
            (void)alarm_book_clear(&b, STR("main"), STR(""), name, at(beats[i].second));
        CHECK_STR(told(&b, beats[i].second), beats[i].told);
    }
    alarm_book_fini(&b);
}

#define STORY(name, ...) \
    play(name, (const struct beat[]){ __VA_ARGS__ }, (int)ARRAY_SIZE(((const struct beat[]){ __VA_ARGS__ })))

TEST(a_condition_is_told_once_and_its_end_once)
{
    STORY("portal.stopped", { '+', 0, "raised portal.stopped;" }, { '+', 1, "" }, { '+', 300, "" },
        { '-', 301, "resolved portal.stopped;" }, { '-', 302, "" }, { '.', 5000, "" });
}

TEST(a_passing_trouble_is_told_when_it_lasts_only)
{
    STORY("portal.unwell", { '+', 0, "" }, { '+', 59, "" }, { '-', 59, "" }, { '.', 100, "" },
        { '+', 200, "" }, { '.', 260, "raised portal.unwell;" }, { '-', 261, "resolved portal.unwell;" });
}

TEST(what_comes_and_goes_is_told_once_in_a_quiet_period)
{
    STORY("portal.stopped", { '+', 0, "raised portal.stopped;" }, { '-', 5, "resolved portal.stopped;" },
        { '+', 10, "" }, { '-', 15, "" }, { '+', 20, "" }, { '.', 599, "" },
        { '.', 600, "raised portal.stopped;" }, { '-', 700, "resolved portal.stopped;" });
    STORY("portal.stopped", { '+', 0, "raised portal.stopped;" }, { '-', 5, "resolved portal.stopped;" },
        { '+', 10, "" }, { '-', 500, "" }, { '.', 601, "" }, { '+', 700, "raised portal.stopped;" });
}

TEST(what_lasts_is_told_again)
{
    STORY("portal.stopped", { '+', 0, "raised portal.stopped;" }, { '.', 3599, "" },
        { '.', 3600, "repeated portal.stopped;" }, { '.', 7199, "" },
        { '.', 7200, "repeated portal.stopped;" }, { '-', 7300, "resolved portal.stopped;" });
}

TEST(an_event_is_told_and_over)
{
    STORY("clock.step", { '+', 0, "raised clock.step;" }, { '.', 4000, "" },
        { '+', 5000, "raised clock.step;" }, { '+', 5001, "" }, { '.', 5599, "" },
        { '.', 5600, "raised clock.step;" });
}

TEST(it_may_never_repeat_and_wait_for_nothing)
{
    struct alarm_times times = { 0, 0, 0 };
    struct alarm_book b;

    alarm_book_init(&b, &times);
    raise_it(&b, "portal.unwell", "why", 0);
    CHECK_STR(told(&b, 0), "raised portal.unwell;");
    CHECK_STR(told(&b, 1000000), "");
    CHECK(alarm_book_clear(&b, STR("main"), STR(""), "portal.unwell", at(1000001)));
    CHECK_STR(told(&b, 1000001), "resolved portal.unwell;");
    raise_it(&b, "portal.unwell", "why", 1000002);
    CHECK_STR(told(&b, 1000002), "raised portal.unwell;");
    alarm_book_fini(&b);
}

TEST(raised_again_before_anybody_was_told_of_its_end_it_never_ended)
{
    struct alarm_book b;

    alarm_book_init(&b, &TIMES);
    raise_it(&b, "portal.stopped", "why", 0);
    CHECK_STR(told(&b, 0), "raised portal.stopped;");
    CHECK(alarm_book_clear(&b, STR("main"), STR(""), "portal.stopped", at(10)));
    raise_it(&b, "portal.stopped", "why", 10);
    CHECK_STR(told(&b, 11), "");
    CHECK(alarm_book_clear(&b, STR("main"), STR(""), "portal.stopped", at(20)));
    CHECK_STR(told(&b, 20), "resolved portal.stopped;");
    alarm_book_fini(&b);
}

TEST(each_place_has_its_own)
{
    struct alarm_book b;

    alarm_book_init(&b, &TIMES);
    CHECK(alarm_book_raise(&b, &(struct alarm){ "sync.failed", "main", "deals", "a" }, at(0)));
    CHECK(alarm_book_raise(&b, &(struct alarm){ "sync.failed", "main", "leads", "b" }, at(0)));
    CHECK(alarm_book_raise(&b, &(struct alarm){ "sync.failed", "other", "deals", "c" }, at(0)));
    CHECK_EQ(b.count, 3);
    CHECK(!alarm_book_clear(&b, STR("other"), STR("leads"), "sync.failed", at(1)));
    CHECK(alarm_book_clear(&b, STR("main"), STR("leads"), "sync.failed", at(1)));
    CHECK(!alarm_book_raise(&b, &(struct alarm){ "no.such", "", "", "" }, at(0)));
    alarm_book_fini(&b);
}

TEST(the_book_is_bounded_and_forgets_what_is_over)
{
    struct alarm_book b;
    char entity[32];

    alarm_book_init(&b, &TIMES);
    for (int i = 0; i < ALARMS_MOST; i++) {
        snprintf(entity, sizeof(entity), "e%d", i);
        CHECK(alarm_book_raise(&b, &(struct alarm){ "portal.unwell", "main", entity, "" }, at(0)));
    }
    CHECK(!alarm_book_raise(&b, &(struct alarm){ "portal.unwell", "main", "one more", "" }, at(0)));
    CHECK_EQ(b.refused, 1);
    CHECK(alarm_book_clear(&b, STR("main"), STR("e7"), "portal.unwell", at(1)));
    CHECK(alarm_book_raise(&b, &(struct alarm){ "portal.unwell", "main", "one more", "" }, at(1)));
    CHECK_EQ(b.count, ALARMS_MOST);
    alarm_book_fini(&b);
}

/* What a table holds after a life is what the next one knows. */
static struct alarm_row row_after(struct alarm_book *b)
{
    struct alarm_row row;

    CHECK_EQ(b->count, 1);
    alarm_row_of(&b->list[0], &row);
    alarm_book_fini(b);
    alarm_book_init(b, &TIMES);
    return row;
}

TEST(a_restart_tells_nothing_twice)
{
    struct alarm_book b;

    alarm_book_init(&b, &TIMES);
    raise_it(&b, "portal.stopped", "why", 100);
    CHECK_STR(told(&b, 100), "raised portal.stopped;");
    struct alarm_row row = row_after(&b);
    CHECK_EQ(row.told_ms, WALL + 100000);
    CHECK_EQ(row.gone_ms, 0);

    struct alarm_now reboot = { 5000, WALL + 200000 }; /* the monotonic clock began anew */
    alarm_book_load(&b, &row, reboot);
    CHECK_STR(told(&b, 5), "");
    CHECK(alarm_book_raise(&b, &(struct alarm){ "portal.stopped", "main", "", "why" }, reboot));
    CHECK_STR(told(&b, 6), "");
    CHECK(alarm_book_clear(&b, STR("main"), STR(""), "portal.stopped", at(7)));
    CHECK_STR(told(&b, 7), "resolved portal.stopped;");
    alarm_book_fini(&b);
}

TEST(what_nobody_was_told_before_a_restart_is_told_when_somebody_says_it_again)
{
    struct alarm_row row = { .portal = "main", .name = "portal.stopped", .text = "why", .since_ms = WALL };
    struct alarm_book b;

    alarm_book_init(&b, &TIMES);
    alarm_book_load(&b, &row, at(50));
    CHECK_STR(told(&b, 5000), "");
    raise_it(&b, "portal.stopped", "why", 5000);
    CHECK_STR(told(&b, 5000), "raised portal.stopped;");
    alarm_book_fini(&b);
}

TEST(a_table_of_another_version_and_of_a_clock_that_stepped_back)
{
    struct alarm_row odd = { .portal = "main", .name = "of.tomorrow", .since_ms = 1 };
    struct alarm_row late = {
        .portal = "main", .name = "portal.stopped", .since_ms = WALL + 900000000, .told_ms = WALL + 900000001
    };
    struct alarm_book b;

    alarm_book_init(&b, &TIMES);
    alarm_book_load(&b, &odd, at(0));
    CHECK_EQ(b.count, 0);
    alarm_book_load(&b, &late, at(0));
    alarm_book_load(&b, &late, at(0));
    CHECK_EQ(b.count, 1);
    raise_it(&b, "portal.stopped", "why", 1);
    CHECK_STR(told(&b, 3599), "");
    CHECK_STR(told(&b, 3600), "repeated portal.stopped;");
    alarm_book_fini(&b);
}

TEST(a_text_that_changes_is_not_written_all_the_time)
{
    struct alarm_book b;

    alarm_book_init(&b, &TIMES);
    raise_it(&b, "portal.stopped", "one", 0);
    CHECK_STR(told(&b, 0), "raised portal.stopped;");
    b.list[0].changed = false;
    raise_it(&b, "portal.stopped", "two", 10);
    CHECK_STR(b.list[0].text, "two");
    CHECK(!b.list[0].changed);
    raise_it(&b, "portal.stopped", "three", 61);
    CHECK(b.list[0].changed);
    alarm_book_fini(&b);
}

TEST(each_kind_has_its_words_and_a_name_of_its_own)
{
    for (int i = 0; i < ALARM_KIND_COUNT; i++) {
        const struct alarm_kind *k = &ALARM_KINDS[i];

        CHECK(k->ru[0] != '\0' && k->en[0] != '\0' && k->act_ru[0] != '\0' && k->act_en[0] != '\0');
        CHECK(alarm_kind_of(str_of(k->name)) == k);
        CHECK(strlen(k->name) < sizeof(((struct alarm_row *)0)->name));
    }
    CHECK(alarm_kind_of(STR("no.such")) == NULL);
}

TEST_MAIN(CASE(a_condition_is_told_once_and_its_end_once), CASE(a_passing_trouble_is_told_when_it_lasts_only),
    CASE(what_comes_and_goes_is_told_once_in_a_quiet_period), CASE(what_lasts_is_told_again),
    CASE(an_event_is_told_and_over), CASE(it_may_never_repeat_and_wait_for_nothing),
    CASE(raised_again_before_anybody_was_told_of_its_end_it_never_ended), CASE(each_place_has_its_own),
    CASE(the_book_is_bounded_and_forgets_what_is_over), CASE(a_restart_tells_nothing_twice),
    CASE(what_nobody_was_told_before_a_restart_is_told_when_somebody_says_it_again),
    CASE(a_table_of_another_version_and_of_a_clock_that_stepped_back),
    CASE(a_text_that_changes_is_not_written_all_the_time),
    CASE(each_kind_has_its_words_and_a_name_of_its_own))
