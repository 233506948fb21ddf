#include "run/bus_fault.h"

#include <stdlib.h>

#include "support/check.h"

static struct bus_fault_set set_of(const char *text)
{
    struct bus_fault_set set;
    struct err err = { 0 };

    CHECK_OK(bus_fault_read(&set, text, &err), err);
    return set;
}

static struct bus_fault *fault_of(const char *text)
{
    static struct bus_fault f;
    struct bus_fault_set set = set_of(text);

    bus_fault_init(&f, &set, 7);
    return &f;
}

TEST(the_setting_is_read)
{
    struct bus_fault_set set = set_of("lose=2,double=3,late=5,late_ms=3000,shuffle=6,seed=7");

    CHECK_EQ(set.lose, 2);
    CHECK_EQ(set.twice, 3);
    CHECK_EQ(set.late, 5);
    CHECK_EQ(set.late_ms, 3000);
    CHECK_EQ(set.shuffle, 6);
    CHECK_EQ(set.seed, 7);
    CHECK_EQ(set_of("late=1").late_ms, 1000);
    CHECK_EQ(set_of("").lose, 0);
}

TEST(a_setting_that_is_none_is_refused)
{
    static const char *const bad[] = { "lose", "lose=", "lose=x", "lose=101", "lose=-1", "loose=1",
        "lose=1,,late=1", "lose=60,late=41", "late_ms=999999999", "=3" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct bus_fault_set set = { .lose = 77 };
        struct err err = { 0 };

        CHECK_EQ(bus_fault_read(&set, bad[i], &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, "POTOK_BUS_FAULTS");
        CHECK_EQ(set.lose, 77);
    }
}

TEST(each_fate_has_its_share)
{
    struct bus_fault *f = fault_of("lose=10,double=20,late=30,shuffle=5,seed=1");

    for (int i = 0; i < 20000; i++)
        bus_fault_strike(f);
    CHECK(abs((int)f->count[BUS_LOST] - 2000) < 300);
    CHECK(abs((int)f->count[BUS_DOUBLED] - 4000) < 300);
    CHECK(abs((int)f->count[BUS_LATE] - 6000) < 300);
    CHECK(abs((int)f->count[BUS_SHUFFLED] - 1000) < 300);
    CHECK(abs((int)f->count[BUS_ARRIVES] - 7000) < 300);
}

TEST(the_same_seed_and_plug_suffer_the_same_others_do_not)
{
    struct bus_fault_set set = set_of("lose=50,seed=3");
    static struct bus_fault a, b, c;
    int other = 0;

    bus_fault_init(&a, &set, 1);
    bus_fault_init(&b, &set, 1);
    bus_fault_init(&c, &set, 2);
    for (int i = 0; i < 200; i++) {
        enum bus_fate fate = bus_fault_strike(&a);

        CHECK_EQ(fate, bus_fault_strike(&b));
        other += fate != bus_fault_strike(&c);
    }
    CHECK(other > 50);
}

TEST(a_late_message_comes_within_its_time)
{
    struct bus_fault *f = fault_of("late=100,late_ms=500,seed=1");
    char a, b;

    CHECK_EQ(bus_fault_next_ms(f), UINT64_MAX);
    bus_fault_hold(f, BUS_LATE, &a, 1000);
    bus_fault_hold(f, BUS_LATE, &b, 1000);
    CHECK(bus_fault_next_ms(f) >= 1000 && bus_fault_next_ms(f) <= 1500);
    CHECK(bus_fault_due(f, 999) == NULL);
    CHECK(bus_fault_due(f, 1500) != NULL);
    CHECK(bus_fault_due(f, 1500) != NULL);
    CHECK(bus_fault_due(f, 9999) == NULL);
}

TEST(a_shuffled_message_comes_behind_a_few_others_or_soon)
{
    struct bus_fault *f = fault_of("seed=1");
    char a;

    bus_fault_hold(f, BUS_SHUFFLED, &a, 1000);
    CHECK(bus_fault_due(f, 1000) == NULL);
    for (int i = 0; i < BUS_FAULT_SHUFFLE_MOST; i++)
        CHECK_EQ(bus_fault_strike(f), BUS_ARRIVES);
    CHECK(bus_fault_due(f, 1000) == &a);
    bus_fault_hold(f, BUS_SHUFFLED, &a, 2000);
    CHECK(bus_fault_due(f, 2000) == NULL);
    CHECK(bus_fault_due(f, 2000 + BUS_FAULT_SHUFFLE_MS) == &a);
}

TEST(no_more_is_held_than_there_is_room_for)
{
    struct bus_fault *f = fault_of("late=100,seed=1");
    static char what[BUS_FAULT_HELD_MOST];
    int left = 0;

    for (int i = 0; i < BUS_FAULT_HELD_MOST; i++) {
        CHECK_EQ(bus_fault_strike(f), BUS_LATE);
        bus_fault_hold(f, BUS_LATE, &what[i], 0);
    }
    CHECK_EQ(bus_fault_strike(f), BUS_ARRIVES);
    while (bus_fault_any(f) != NULL)
        left++;
    CHECK_EQ(left, BUS_FAULT_HELD_MOST);
}

TEST_MAIN(CASE(the_setting_is_read), CASE(a_setting_that_is_none_is_refused), CASE(each_fate_has_its_share),
    CASE(the_same_seed_and_plug_suffer_the_same_others_do_not), CASE(a_late_message_comes_within_its_time),
    CASE(a_shuffled_message_comes_behind_a_few_others_or_soon), CASE(no_more_is_held_than_there_is_room_for))
