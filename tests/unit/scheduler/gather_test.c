#include "services/scheduler/rules/gather.h"

#include "services/scheduler/rules/choose.h"
#include "services/scheduler/rules/pace.h"
#include "support/check.h"

#include <string.h>

TEST(the_first_mark_is_read_at_once)
{
    struct gather g = { 0 };

    CHECK(gather_ready(&g, 5));
    gather_read(&g, 2, false, 1000);
    CHECK(!gather_ready(&g, 1499));
    CHECK(gather_ready(&g, 1500));
    CHECK(gather_ready(&g, 1000000)); /* long quiet: at once again */
}

TEST(readings_are_as_far_apart_as_the_portal_drains)
{
    static const struct {
        uint32_t drain;
        uint64_t gap_ms;
    } cases[] = { { 1, 1000 }, { 2, 500 }, { 3, 334 }, { 5, 200 }, { 1000, 1 }, { 0, 1000 } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gather g = { 0 };

        gather_read(&g, cases[i].drain, false, 7);
        CHECK_EQ(g.next_ms, 7 + cases[i].gap_ms);
    }
}

TEST(a_backlog_does_not_wait)
{
    struct gather g = { 0 };

    gather_read(&g, 2, true, 1000);
    CHECK(gather_ready(&g, 1000));
}

TEST(a_second_look_falls_due_once)
{
    struct gather g = { 0 };

    CHECK(!gather_look_due(&g, 1000));
    gather_look_later(&g, 1000);
    CHECK(!gather_look_due(&g, 2999));
    CHECK(gather_look_due(&g, 3000));
    CHECK(!gather_look_due(&g, 3000));
    CHECK(!gather_look_due(&g, 100000));
}

TEST(no_second_look_is_forgotten_for_an_earlier_one)
{
    struct gather g = { 0 };
    int looks = 0;

    gather_look_later(&g, 1000);
    gather_look_later(&g, 1010);
    gather_look_later(&g, 2900);
    CHECK(gather_look_due(&g, 3000));
    for (uint64_t now = 3001; now < 4900; now++)
        looks += gather_look_due(&g, now);
    CHECK(looks <= 8);
    CHECK(gather_look_due(&g, 4900));
    CHECK(!gather_look_due(&g, 9000));
}

/* ---- the figure: 10,000 edits of 2,000 deals in 10 s, while a full sync of another entity wants every call
 * ---- */

#define EDITS     10000
#define DEALS     2000
#define SPAN_MS   10000
#define ANSWER_MS 300 /* from the sending to the answer; the portal counts a call in its middle */
#define CALLS_MAX 64

struct portal_sim {
    double level; /* of the portal's own bucket */
    int refused;
};

static void portal_counts(struct portal_sim *p)
{
    p->level += 1;
    p->refused += p->level > 50;
}

struct sim {
    struct pace pace;
    struct gather gather;
    struct chooser chooser;
    struct portal_sim portal;
    bool marked[DEALS];
    uint64_t marked_ms[DEALS]; /* of the oldest mark */
    int marks;
    uint64_t sent_ms[CALLS_MAX]; /* calls under way, in order */
    int calls, answered, counted;
    int of_marks, of_ranges, read;
    uint64_t waited_ms; /* longest */
};

static void edit(struct sim *s, uint32_t *random, uint64_t now)
{
    *random = *random * 1664525 + 1013904223;
    int id = (int)((*random >> 8) % DEALS);

    s->marks += !s->marked[id];
    if (!s->marked[id])
        s->marked_ms[id] = now;
    s->marked[id] = true;
}

static void read_marks(struct sim *s, uint64_t now)
{
    for (int i = 0; i < DEALS; i++)
        if (s->marked[i] && now - s->marked_ms[i] > s->waited_ms)
            s->waited_ms = now - s->marked_ms[i];
    s->read += s->marks;
    s->marks = 0;
    memset(s->marked, 0, sizeof(s->marked));
    gather_read(&s->gather, 2, false, now);
    s->of_marks++;
}

static void send_what_may_go(struct sim *s, bool bulk, uint64_t now)
{
    while (pace_free(&s->pace, now) > 0 && s->calls - s->answered < 8) {
        struct chance chances[2] = { { .ids = s->marks > 0 && gather_ready(&s->gather, now) },
            { .ranges = bulk } };
        bool probe = false;
        int entity;
        enum choice choice = choose(&s->chooser, chances, 2, &probe, &entity);

        if (choice == CHOOSE_NOTHING)
            return;
        if (choice == CHOOSE_IDS)
            read_marks(s, now);
        else
            s->of_ranges++;
        pace_take(&s->pace, now);
        s->sent_ms[s->calls++ % CALLS_MAX] = now;
    }
}

static void pass_time(struct sim *s, uint64_t now)
{
    while (s->counted < s->calls && s->sent_ms[s->counted % CALLS_MAX] + ANSWER_MS / 2 <= now) {
        portal_counts(&s->portal);
        s->counted++;
    }
    while (s->answered < s->calls && s->sent_ms[s->answered % CALLS_MAX] + ANSWER_MS <= now) {
        pace_arrived(&s->pace, now);
        s->answered++;
    }
    if (now % 1000 == 0)
        s->portal.level = s->portal.level > 2 ? s->portal.level - 2 : 0;
}

static struct sim storm(bool bulk)
{
    struct sim s = { .calls = 0 };
    uint32_t random = 42;

    pace_init(&s.pace, 50, 2, 0);
    for (uint64_t now = 1; now <= SPAN_MS + 5000; now++) {
        pass_time(&s, now);
        if (now <= SPAN_MS)
            edit(&s, &random, now);
        send_what_may_go(&s, bulk, now);
    }
    CHECK_EQ(s.marks, 0);
    CHECK(s.read >= DEALS);
    return s;
}

TEST(ten_thousand_edits_of_two_thousand_deals_cost_few_calls_and_no_refusal)
{
    CHECK_EQ(EDITS, SPAN_MS); /* one a millisecond */
    for (int bulk = 0; bulk < 2; bulk++) {
        struct sim s = storm(bulk);

        CHECK(s.of_marks <= 25);
        CHECK_EQ(s.portal.refused, 0);
        CHECK(s.waited_ms <= (bulk ? 1100 : 501)); /* every eighth call is the sync's, even then */
        CHECK(bulk == 0 || s.of_ranges >= 45);
    }
}

TEST_MAIN(CASE(the_first_mark_is_read_at_once), CASE(readings_are_as_far_apart_as_the_portal_drains),
    CASE(a_backlog_does_not_wait), CASE(a_second_look_falls_due_once),
    CASE(no_second_look_is_forgotten_for_an_earlier_one),
    CASE(ten_thousand_edits_of_two_thousand_deals_cost_few_calls_and_no_refusal))
