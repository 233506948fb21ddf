#include "services/scheduler/rules/sender.h"

#include <stdio.h>

#include "support/check.h"

TEST(a_question_asked_twice_counts_once)
{
    struct senders t = { 0 };
    struct sender *s = senders_of(&t, "verify.1", 0, 0);

    CHECK(sender_asks(s, 1, 2, "crm.deal.list", 0));
    CHECK(s->waits && s->want == 2);
    CHECK(!sender_asks(s, 1, 2, "crm.deal.list", 10));
    sender_granted(s, 20);
    s->waits = false;
    CHECK(!sender_asks(s, 1, 2, "crm.deal.list", 30));
    CHECK_EQ(s->granted, 1); /* what the answer said */
    CHECK(sender_asks(s, 3, 0, "", 40));
    CHECK(!s->waits);
    CHECK_EQ(s->granted, 0);
    CHECK(!sender_asks(s, 2, 5, "", 50)); /* overtaken on its way */
    CHECK_EQ(s->call_count, 1);
    senders_fini(&t);
}

TEST(a_sender_is_a_name_and_a_portal)
{
    struct senders t = { 0 };
    uint32_t a = senders_of(&t, "verify.1", 0, 0)->number, b = senders_of(&t, "verify.1", 1, 0)->number;

    CHECK(a != b);
    CHECK_EQ(senders_of(&t, "verify.1", 0, 5)->number, a);
    CHECK_EQ(t.count, 2);
    senders_fini(&t);
}

TEST(calls_end_oldest_first_and_those_of_a_dead_sender_by_time)
{
    struct senders t = { 0 };
    struct sender *s = senders_of(&t, "verify.1", 0, 0);
    struct sender_call call;

    sender_asks(s, 1, 2, "crm.deal.list", 0);
    sender_granted(s, 100);
    sender_asks(s, 2, 1, "", 200);
    sender_granted(s, 200);
    CHECK_EQ(senders_calls(&t, 0), 2);
    CHECK_EQ(senders_calls(&t, 1), 0);
    CHECK(!sender_late_call(s, 100 + SENDER_CALL_MS - 1, &call));
    CHECK(sender_late_call(s, 100 + SENDER_CALL_MS, &call));
    CHECK_STR(call.method, "crm.deal.list");
    CHECK(!sender_late_call(s, 100 + SENDER_CALL_MS, &call));
    CHECK(sender_ends_call(s, &call));
    CHECK_STR(call.method, "");
    CHECK(!sender_ends_call(s, &call));
    senders_fini(&t);
}

TEST(senders_are_limited_and_silent_ones_make_room)
{
    struct senders t = { 0 };
    char name[32];

    for (int i = 0; i < SENDERS_MAX; i++) {
        snprintf(name, sizeof(name), "doctor.%d", i);
        CHECK(senders_of(&t, name, 0, 0) != NULL);
    }
    sender_asks(&t.list[0], 1, 1, "", 0);
    sender_granted(&t.list[0], 0);
    CHECK(senders_of(&t, "one more", 0, SENDER_SILENT_MS) == NULL);
    struct sender *s = senders_of(&t, "one more", 0, SENDER_SILENT_MS + 1);
    CHECK(s == &t.list[1]); /* the first has a call under way */
    CHECK_EQ(s->number, SENDERS_MAX);
    senders_fini(&t);
}

TEST_MAIN(CASE(a_question_asked_twice_counts_once), CASE(a_sender_is_a_name_and_a_portal),
    CASE(calls_end_oldest_first_and_those_of_a_dead_sender_by_time),
    CASE(senders_are_limited_and_silent_ones_make_room))
