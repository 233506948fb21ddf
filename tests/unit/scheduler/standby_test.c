#include "services/scheduler/rules/standby.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/check.h"

#define TAKEOVER_MS 3000

static struct holder holder_of(const char *instance, const char *place, const char *id)
{
    struct holder h = { .host = "host", .pid = 77 };

    snprintf(h.instance, sizeof(h.instance), "%s", instance);
    snprintf(h.place, sizeof(h.place), "%s", place);
    snprintf(h.id, sizeof(h.id), "%s", id);
    return h;
}

/* One look of a story: at its monotonic time somebody's lease looks so. */
struct glance {
    uint64_t at_ms;
    int64_t epoch, beat; /* epoch 0: no lease yet */
    const char *holder;  /* id; "" = given up */
    bool dead;
    enum standby_verdict expected;
};

static enum standby_verdict glance_at(struct standby *s, const struct glance *g, uint64_t *ret_again_ms)
{
    struct holder me = holder_of("scheduler.2", "here", "me");
    struct lease_seen seen = { .there = g->epoch > 0, .epoch = g->epoch, .beat = g->beat, .dead = g->dead };
    int who;

    if (g->holder[0] != '\0')
        seen.holder = holder_of("scheduler.1", "there", g->holder);
    if (strcmp(g->holder, "me") == 0)
        seen.holder = me;
    return standby_look(s, &seen, 1, &me, g->at_ms, g->at_ms, TAKEOVER_MS, ret_again_ms, &who);
}

#define STORY_MAX 8
#define NOW       1700000000000 /* a beat as wall clocks write it */

TEST(what_an_observer_makes_of_what_it_sees)
{
    static const struct {
        const char *name;
        struct glance list[STORY_MAX]; /* up to the first without a time */
    } stories[] = {
        { "the first start of all", { { 10, 0, 0, "", false, STANDBY_FREE } } },
        { "given up in good order", { { 10, 4, NOW, "", false, STANDBY_FREE } } },
        { "an older Potok held it and never beat", { { 10, 4, 0, "a", false, STANDBY_FREE } } },
        { "its process is known to be gone: at once", { { 10, 4, NOW, "a", true, STANDBY_DEAD } } },
        { "ourselves, whose taking was not finished", { { 10, 4, NOW, "me", false, STANDBY_DEAD } } },
        { "the holder beats on and on",
            { { 10, 4, NOW, "a", false, STANDBY_WAIT }, { 1010, 4, NOW + 1000, "a", false, STANDBY_WAIT },
                { 2010, 4, NOW + 2000, "a", false, STANDBY_WAIT },
                { 3010, 4, NOW + 3000, "a", false, STANDBY_WAIT },
                { 4010, 4, NOW + 4000, "a", false, STANDBY_WAIT } } },
        { "the holder stands still",
            { { 10, 4, NOW, "a", false, STANDBY_WAIT }, { 500, 4, NOW + 1, "a", false, STANDBY_WAIT },
                { 2000, 4, NOW + 1, "a", false, STANDBY_WAIT },
                { 3499, 4, NOW + 1, "a", false, STANDBY_WAIT },
                { 3500, 4, NOW + 1, "a", false, STANDBY_STILL } } },
        { "it stood still long, but nobody looked: a single look says nothing",
            { { 900000, 4, NOW - 86400000, "a", false, STANDBY_WAIT },
                { 902999, 4, NOW - 86400000, "a", false, STANDBY_WAIT },
                { 903000, 4, NOW - 86400000, "a", false, STANDBY_STILL } } },
        { "the holder's clock steps back an hour: it changed, so it lives",
            { { 10, 4, NOW, "a", false, STANDBY_WAIT }, { 2990, 4, NOW - 3600000, "a", false, STANDBY_WAIT },
                { 5900, 4, NOW - 3600000, "a", false, STANDBY_WAIT },
                { 5990, 4, NOW - 3600000, "a", false, STANDBY_STILL } } },
        { "the holder's clock is a day ahead of ours: its beat alone counts",
            { { 10, 4, NOW + 86400000, "a", false, STANDBY_WAIT },
                { 3010, 4, NOW + 86400000, "a", false, STANDBY_STILL } } },
        { "another took over meanwhile: the waiting begins again",
            { { 10, 4, NOW, "a", false, STANDBY_WAIT }, { 2900, 5, NOW, "b", false, STANDBY_WAIT },
                { 3100, 5, NOW, "b", false, STANDBY_WAIT }, { 5900, 5, NOW, "b", false, STANDBY_STILL } } },
        { "we were stopped for a minute and the holder beat all the while",
            { { 10, 4, NOW, "a", false, STANDBY_WAIT },
                { 60010, 4, NOW + 60000, "a", false, STANDBY_WAIT } } },
        { "the holder gives up while we watch",
            { { 10, 4, NOW, "a", false, STANDBY_WAIT }, { 510, 4, NOW + 1, "", false, STANDBY_FREE } } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(stories); i++) {
        struct standby s = { .count = 0 };

        for (int k = 0; k < STORY_MAX && stories[i].list[k].at_ms > 0; k++) {
            uint64_t again_ms;
            enum standby_verdict got = glance_at(&s, &stories[i].list[k], &again_ms);

            if (got != stories[i].list[k].expected)
                print_message("%s, look %d\n", stories[i].name, k);
            CHECK_EQ(got, stories[i].list[k].expected);
        }
    }
}

/* What was seen may have changed as late as the answer came; how long it stood still is known up to the
 * question. */
TEST(a_look_that_takes_long_proves_nothing_of_the_time_it_took)
{
    struct standby s = { .count = 0 };
    struct holder me = holder_of("scheduler.2", "here", "me");
    struct lease_seen seen = {
        .there = true, .epoch = 4, .beat = NOW, .holder = holder_of("scheduler.1", "there", "a")
    };
    uint64_t again_ms;
    int who;

    CHECK_EQ(standby_look(&s, &seen, 1, &me, 0, 2000, TAKEOVER_MS, &again_ms, &who), STANDBY_WAIT);
    CHECK_EQ(standby_look(&s, &seen, 1, &me, 2500, 60000, TAKEOVER_MS, &again_ms, &who), STANDBY_WAIT);
    CHECK_EQ(standby_look(&s, &seen, 1, &me, 4999, 4999, TAKEOVER_MS, &again_ms, &who), STANDBY_WAIT);
    CHECK_EQ(standby_look(&s, &seen, 1, &me, 5000, 5000, TAKEOVER_MS, &again_ms, &who), STANDBY_STILL);
}

TEST(the_next_look_is_when_it_could_say_something_else)
{
    struct standby s = { .count = 0 };
    uint64_t again_ms;

    glance_at(&s, &(struct glance){ 1000, 4, NOW, "a", false, STANDBY_WAIT }, &again_ms);
    CHECK_EQ(again_ms, 1000 + STANDBY_LOOK_MS);
    glance_at(&s, &(struct glance){ 3900, 4, NOW, "a", false, STANDBY_WAIT }, &again_ms);
    CHECK_EQ(again_ms, 4000);
}

/* All portals or none: the leases of a configuration are taken together. */
TEST(one_portal_whose_holder_lives_keeps_all_of_them)
{
    struct standby s = { .count = 0 };
    struct holder me = holder_of("scheduler.2", "here", "me");
    struct lease_seen seen[3] = { { .there = false },
        { .there = true, .epoch = 4, .beat = NOW, .holder = holder_of("scheduler.1", "there", "a") },
        { .there = true,
            .epoch = 9,
            .beat = NOW,
            .holder = holder_of("scheduler.3", "there", "b"),
            .dead = true } };
    uint64_t again_ms;
    int who;

    CHECK_EQ(standby_look(&s, seen, 3, &me, 10, 10, TAKEOVER_MS, &again_ms, &who), STANDBY_WAIT);
    CHECK_EQ(who, 1);
    CHECK_EQ(standby_look(&s, seen, 3, &me, 3010, 3010, TAKEOVER_MS, &again_ms, &who), STANDBY_STILL);
    seen[1].holder.instance[0] = '\0';
    seen[1].beat++;
    CHECK_EQ(standby_look(&s, seen, 3, &me, 3510, 3510, TAKEOVER_MS, &again_ms, &who), STANDBY_DEAD);
    CHECK_EQ(who, 2);
}

TEST(a_holder_is_read_as_it_was_written)
{
    struct holder h = holder_of("scheduler.12", "boot/1f/42", "0190-id"), back;
    char text[HOLDER_TEXT_SIZE], name[HOLDER_NAME_SIZE];

    snprintf(h.host, sizeof(h.host), "a host with blanks");
    holder_write(&h, text);
    CHECK_STR(text, "scheduler.12 a_host_with_blanks 77 boot/1f/42 0190-id");
    holder_read(str_of(text), &back);
    CHECK_STR(back.instance, "scheduler.12");
    CHECK_EQ(back.pid, 77);
    CHECK(holder_is(&h, &back) && holder_is_near(&h, &back));
    holder_name(&back, name);
    CHECK_STR(name, "scheduler.12 on a_host_with_blanks (pid 77)");
}

TEST(any_text_is_some_holder)
{
    static const struct {
        const char *text, *name;
    } cases[] = {
        { "", "nobody" },
        { "scheduler.1", "scheduler.1" }, /* as Potok wrote it before there were standbys */
        { "scheduler.1 host x", "scheduler.1 on host (pid 0)" },
        { "  ", "nobody" },
        { "a b 99999999999999999999 c d e f", "a on b (pid 0)" },
    };
    struct holder h, other = holder_of("scheduler.1", "-", "");
    char name[HOLDER_NAME_SIZE], longest[2000];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        holder_read(str_of(cases[i].text), &h);
        holder_name(&h, name);
        CHECK_STR(name, cases[i].name);
        CHECK(!holder_is(&h, &other));
        CHECK(!holder_is_near(&h, &other));
    }
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    holder_read(str_of(longest), &h);
    CHECK_EQ(strlen(h.instance), sizeof(h.instance) - 1);
}

TEST_MAIN(CASE(what_an_observer_makes_of_what_it_sees),
    CASE(a_look_that_takes_long_proves_nothing_of_the_time_it_took),
    CASE(the_next_look_is_when_it_could_say_something_else),
    CASE(one_portal_whose_holder_lives_keeps_all_of_them), CASE(a_holder_is_read_as_it_was_written),
    CASE(any_text_is_some_holder))
