#include "run/alarm_queue.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>

static char key[ALARM_KEY_SIZE];

static const char *next(struct alarm_queue *q, uint64_t now_ms)
{
    const struct alarm_post *post = alarm_queue_next(q, now_ms);

    return post != NULL ? post->body : "";
}

TEST(one_call_at_a_time_in_order)
{
    struct alarm_queue q = { 0 };

    CHECK_STR(next(&q, 0), "");
    CHECK(alarm_queue_put(&q, "a", xstrdup("1"), 0));
    CHECK(alarm_queue_put(&q, "b", xstrdup("2"), 0));
    CHECK_STR(next(&q, 0), "1");
    CHECK_STR(next(&q, 0), "");
    alarm_queue_arrived(&q, key);
    CHECK_STR(key, "a");
    CHECK(!alarm_queue_has(&q, "a"));
    CHECK(alarm_queue_has(&q, "b"));
    CHECK_STR(next(&q, 0), "2");
    alarm_queue_fini(&q);
}

TEST(the_newest_word_wins_but_not_over_one_under_way)
{
    struct alarm_queue q = { 0 };

    CHECK(alarm_queue_put(&q, "a", xstrdup("raised"), 0));
    CHECK(alarm_queue_put(&q, "a", xstrdup("repeated"), 0));
    CHECK_EQ(q.count, 1);
    CHECK_STR(next(&q, 0), "repeated");
    CHECK(alarm_queue_put(&q, "a", xstrdup("resolved"), 0));
    CHECK_EQ(q.count, 2);
    CHECK(alarm_queue_failed(&q, 0, 0, key)); /* nobody needs the old one any more */
    CHECK_EQ(q.count, 1);
    CHECK_STR(next(&q, 10000), "resolved");
    alarm_queue_fini(&q);
}

TEST(pauses_grow_until_the_hour_is_over)
{
    struct alarm_queue q = { 0 };
    uint64_t now_ms = 0, pause = ALARM_PAUSE_MS;
    int tries = 0;

    CHECK(alarm_queue_put(&q, "a", xstrdup("1"), 0));
    for (;;) {
        CHECK_STR(next(&q, now_ms), "1");
        tries++;
        if (!alarm_queue_failed(&q, 0, now_ms, key))
            break;
        if (pause > ALARM_PAUSE_MOST_MS)
            pause = ALARM_PAUSE_MOST_MS;
        CHECK_STR(next(&q, now_ms + pause - 1), "");
        now_ms += pause;
        pause *= 2;
    }
    CHECK_EQ(q.count, 0);
    CHECK(now_ms >= ALARM_TRY_FOR_MS && now_ms < ALARM_TRY_FOR_MS + ALARM_PAUSE_MOST_MS);
    CHECK(tries > 15 && tries < 30);
    alarm_queue_fini(&q);
}

TEST(a_target_says_how_long_to_wait)
{
    struct alarm_queue q = { 0 };

    CHECK(alarm_queue_put(&q, "a", xstrdup("1"), 0));
    CHECK_STR(next(&q, 0), "1");
    CHECK(alarm_queue_failed(&q, 30000, 0, key));
    CHECK_STR(next(&q, 29999), "");
    CHECK_STR(next(&q, 30000), "1");
    alarm_queue_arrived(&q, key);
    CHECK(alarm_queue_put(&q, "b", xstrdup("2"), 30001));
    CHECK_STR(next(&q, 30001), "2"); /* it is well again */
    alarm_queue_fini(&q);
}

TEST(one_that_is_refused_does_not_keep_the_others)
{
    struct alarm_queue q = { 0 };

    CHECK(alarm_queue_put(&q, "bad", xstrdup("bad"), 0));
    CHECK(alarm_queue_put(&q, "good", xstrdup("good"), 0));
    CHECK_STR(next(&q, 0), "bad");
    CHECK(alarm_queue_failed(&q, 0, 0, key));
    CHECK_STR(next(&q, 1000), "good");
    alarm_queue_fini(&q);
}

TEST(the_queue_is_bounded_and_the_oldest_goes)
{
    struct alarm_queue q = { 0 };
    char name[16];

    for (int i = 0; i < ALARM_QUEUE_MOST; i++) {
        snprintf(name, sizeof(name), "k%d", i);
        CHECK(alarm_queue_put(&q, name, xstrdup(name), 0));
    }
    CHECK_STR(next(&q, 0), "k0");
    CHECK(!alarm_queue_put(&q, "more", xstrdup("more"), 0));
    CHECK_EQ(q.count, ALARM_QUEUE_MOST);
    CHECK(alarm_queue_has(&q, "k0")); /* it is under way */
    CHECK(!alarm_queue_has(&q, "k1"));
    alarm_queue_arrived(&q, key);
    CHECK_STR(key, "k0");
    alarm_queue_fini(&q);
}

TEST_MAIN(CASE(one_call_at_a_time_in_order), CASE(the_newest_word_wins_but_not_over_one_under_way),
    CASE(pauses_grow_until_the_hour_is_over), CASE(a_target_says_how_long_to_wait),
    CASE(one_that_is_refused_does_not_keep_the_others), CASE(the_queue_is_bounded_and_the_oldest_goes))
