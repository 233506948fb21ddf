/* Every story of one write, as far as a handful of mishaps goes: a portal that executes or does not, answers
 * or does not, lands late, shows late, and a caller that is killed at any step and goes on from what it kept.
 */
#include "connectors/bitrix_write.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>

enum { LIMIT = 3, MARGIN = 1, LAG = 2, TAPE = 400, SENDINGS = 12, NEVER = INT32_MAX };

static const struct write_pace PACE = { .limit_ms = LIMIT,
    .margin_ms = MARGIN,
    .lag_ms = LAG,
    .pause_ms = 1,
    .pause_most_ms = 2,
    .attempts_most = 8 };

/* What chance decides, in order; the next story is the next number of this kind. */
struct tape {
    int said[TAPE], of[TAPE];
    int n, at, left; /* mishaps that may still happen */
};

static int choose(struct tape *t, int of)
{
    if (t->left == 0)
        return 0;
    assert_true(t->at < TAPE);
    if (t->at == t->n) {
        t->said[t->n] = 0;
        t->of[t->n++] = of;
    }
    CHECK_EQ(t->of[t->at], of);
    t->left -= t->said[t->at] > 0;
    return t->said[t->at++];
}

static bool tape_next(struct tape *t)
{
    while (t->n > 0 && t->said[t->n - 1] + 1 == t->of[t->n - 1])
        t->n--;
    if (t->n == 0)
        return false;
    t->said[t->n - 1]++;
    return true;
}

struct story {
    struct tape *chance;
    const struct write_pace *pace;
    bool forgets; /* a restart goes on as if nothing had been under way */
    struct bitrix_write live;
    char kept[1024];
    int64_t now;
    int64_t lands[SENDINGS]; /* by sending; NEVER */
    int sendings;
};

static void keep(struct story *s)
{
    struct buf text;

    buf_init(&text, sizeof(s->kept) - 1);
    bitrix_write_encode(&s->live, &text);
    CHECK(!text.failed);
    snprintf(s->kept, sizeof(s->kept), "%s", buf_cstr(&text));
    buf_fini(&text);
}

/* True: killed, and up again at once. */
static bool killed(struct story *s)
{
    struct err err;

    if (choose(s->chance, 2) == 0)
        return false;
    CHECK_OK(bitrix_write_decode(&s->live, str_of(s->kept), &err), err);
    if (s->forgets && s->live.state == WRITE_SENDING)
        s->live.state = WRITE_READY;
    bitrix_write_resumed(&s->live, s->pace, s->now);
    return true;
}

static int effects(const struct story *s, int64_t until)
{
    int n = 0;

    for (int i = 0; i < s->sendings; i++)
        n += s->lands[i] <= until;
    return n;
}

static uint64_t first(const struct story *s, int64_t until)
{
    uint64_t id = 0;

    for (int i = s->sendings - 1; i >= 0; i--)
        if (s->lands[i] <= until)
            id = 100 + (uint64_t)i;
    return id;
}

/* Fate 0: executed and answered. 1: executed, the answer is lost. 2: certainly not. 3: not, and the answer is
 * lost. 4…: it lands so much later. */
static void send(struct story *s)
{
    struct write_heard h = { .verdict = WRITE_WAS_LOST };

    bitrix_write_sent(&s->live);
    keep(s);
    if (killed(s))
        return;
    const int fate = choose(s->chance, 4 + LIMIT + MARGIN);
    assert_true(s->sendings < SENDINGS);
    s->lands[s->sendings++] = fate <= 1 ? s->now : fate <= 3 ? NEVER : s->now + fate - 3;
    if (killed(s))
        return;
    if (fate == 0)
        h = (struct write_heard){ .verdict = WRITE_WAS_DONE, .id = 100 + (uint64_t)s->sendings - 1 };
    else if (fate == 2)
        h.verdict = WRITE_WAS_NOT;
    bitrix_write_answered(&s->live, s->pace, &h, s->now);
    if (!killed(s))
        keep(s);
}

/* Fate 0: as it is. 1…: as it was so long ago. The last: no answer. */
static void look(struct story *s)
{
    const int fate = choose(s->chance, 2 + LAG);
    struct write_found f = { .seen = WRITE_NOT_LOOKED };

    if (fate <= LAG) {
        f.seen = effects(s, s->now - fate) > 0 ? WRITE_SEEN : WRITE_SEEN_NOT;
        f.id = first(s, s->now - fate);
        f.twin_count = effects(s, s->now - fate) > 1;
    }
    if (killed(s))
        return;
    bitrix_write_looked(&s->live, s->pace, &f, s->now);
    if (!killed(s))
        keep(s);
}

static void tell(struct story *s)
{
    keep(s);
    for (int i = 0; i < 200; i++) {
        struct write_step step = bitrix_write_next(&s->live, s->now);

        if (step.act == WRITE_DO_SEND)
            send(s);
        else if (step.act == WRITE_DO_LOOK)
            look(s);
        else if (step.act != WRITE_DO_WAIT)
            return;
        else if (!killed(s))
            s->now = step.until_ms;
    }
    fail_msg("it comes to no end");
}

struct count {
    long stories, twice, none;
};

static struct count explore(enum write_kind kind, const struct write_pace *pace, bool forgets, int mishaps)
{
    struct count c = { 0 };
    struct tape tape = { .n = 0 };

    do {
        struct story s = { .chance = &tape, .pace = pace, .forgets = forgets };

        tape.at = 0;
        tape.left = mishaps;
        bitrix_write_init(&s.live, kind);
        tell(&s);
        CHECK_EQ(s.live.state, WRITE_DONE); /* mishaps end, and so does every story */
        c.stories++;
        c.twice += effects(&s, NEVER - 1) > 1;
        c.none += effects(&s, NEVER - 1) == 0;
        if (effects(&s, NEVER - 1) == 1) {
            CHECK_EQ(s.live.id, first(&s, NEVER - 1));
            CHECK_EQ(s.live.twin_count, 0);
        }
    } while (tape_next(&tape));
    return c;
}

TEST(never_twice_and_never_not_at_all)
{
    static const enum write_kind kinds[] = { WRITE_ADD, WRITE_ROWS };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct count c = explore(kinds[i], &PACE, false, 4);

        print_message("%s: %ld stories\n", write_kind_name(kinds[i]), c.stories);
        CHECK(c.stories > 10000);
        CHECK_EQ(c.twice, 0);
        CHECK_EQ(c.none, 0);
    }
}

TEST(what_may_be_repeated_takes_effect_in_every_story)
{
    static const enum write_kind of[] = { WRITE_UPDATE, WRITE_DELETE, WRITE_BIND, WRITE_UNBIND };

    for (size_t i = 0; i < ARRAY_SIZE(of); i++)
        CHECK_EQ(explore(of[i], &PACE, false, 3).none, 0);
}

TEST(a_shorter_wait_a_single_look_or_a_forgotten_sending_show_it_twice)
{
    struct write_pace hasty = PACE, trusting = PACE;

    hasty.limit_ms = LIMIT - LAG - MARGIN - 1;
    trusting.lag_ms = LAG - 1;
    CHECK(explore(WRITE_ADD, &hasty, false, 2).twice > 0);
    CHECK(explore(WRITE_ADD, &trusting, false, 3).twice > 0);
    CHECK(explore(WRITE_ADD, &PACE, true, 2).twice > 0);
    CHECK(explore(WRITE_DELETE, &PACE, false, 3).twice > 0); /* of those whose repetition does no harm */
}

/* ---- two updates of one record ---- */

/* What stands in the record when everything has landed: the value that landed last. */
static int last_value(const struct story *s, const int value[static SENDINGS])
{
    int ret = 0;
    int64_t when = -1;

    for (int i = 0; i < s->sendings; i++) {
        if (s->lands[i] != NEVER && s->lands[i] >= when) {
            when = s->lands[i];
            ret = value[i];
        }
    }
    return ret;
}

/* The second one is there from the beginning, waits until nothing of the first can take effect any more, and
 * takes its place then. */
static int overtake(struct tape *tape, bool waits)
{
    struct story s = { .chance = tape, .pace = &PACE };
    int value[SENDINGS] = { 0 };

    bitrix_write_init(&s.live, WRITE_UPDATE);
    keep(&s);
    send(&s);
    for (int i = 0; i < s.sendings; i++)
        value[i] = 1;
    while (waits && !bitrix_write_rests(&s.live, s.now))
        s.now = bitrix_write_next(&s.live, s.now).until_ms;
    s.now++;
    bitrix_write_init(&s.live, WRITE_UPDATE);
    for (int i = s.sendings; i < SENDINGS; i++)
        value[i] = 2;
    tell(&s);
    return last_value(&s, value);
}

TEST(a_newer_update_waits_for_the_rest_of_the_older_and_stays)
{
    for (int waits = 0; waits < 2; waits++) {
        struct tape tape = { .n = 0 };
        long stories = 0, wrong = 0;

        do {
            tape.at = 0;
            tape.left = 4;
            wrong += overtake(&tape, waits) != 2;
            stories++;
        } while (tape_next(&tape));
        CHECK(stories > 100);
        if (waits)
            CHECK_EQ(wrong, 0);
        else
            CHECK(wrong > 0);
    }
}

TEST_MAIN(CASE(never_twice_and_never_not_at_all), CASE(what_may_be_repeated_takes_effect_in_every_story),
    CASE(a_shorter_wait_a_single_look_or_a_forgotten_sending_show_it_twice),
    CASE(a_newer_update_waits_for_the_rest_of_the_older_and_stays))
