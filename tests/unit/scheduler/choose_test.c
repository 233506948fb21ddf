#include "services/scheduler/rules/choose.h"

#include "support/check.h"

static enum choice next(struct chooser *c, struct chance *chances, int n, int *ret_entity)
{
    bool probe = false;

    return choose(c, chances, n, &probe, ret_entity);
}

TEST(marks_go_before_ranges)
{
    struct chooser c = { 0 };
    struct chance chances[2] = { { .ranges = 5 }, { .ids = 1, .get = 1, .again = 1 } };
    static const enum choice expected[] = { CHOOSE_AGAIN, CHOOSE_GET, CHOOSE_IDS, CHOOSE_RANGE };
    int entity;

    for (int i = 0; i < 4; i++)
        CHECK_EQ(next(&c, chances, 2, &entity), expected[i]);
    CHECK_EQ(entity, 0);
}

TEST(entities_take_turns)
{
    struct chooser c = { 0 };
    struct chance chances[3] = { { .ranges = 8 }, { .ranges = 2 }, { .ranges = 8 } };
    int got[3] = { 0 }, entity;

    for (int i = 0; i < 6; i++) {
        CHECK_EQ(next(&c, chances, 3, &entity), CHOOSE_RANGE);
        got[entity]++;
    }
    CHECK(got[0] == 2 && got[1] == 2 && got[2] == 2);
}

/* The model's property P6 in the budget: nothing waits for ever behind something else. */
TEST(a_steady_stream_of_marks_does_not_starve_a_full_sync)
{
    struct chooser c = { 0 };
    int ranges = 0, entity;

    for (int i = 0; i < 800; i++) {
        struct chance chances[2] = { { .ids = 3, .get = 3, .ranges = 1 }, { .again = 9 } };

        ranges += next(&c, chances, 2, &entity) == CHOOSE_RANGE;
    }
    CHECK_EQ(ranges, 100);
}

TEST(without_ranges_marks_never_wait)
{
    struct chooser c = { 0 };
    int entity;

    for (int i = 0; i < 50; i++) {
        struct chance chances[1] = { { .ids = 1 } };

        CHECK_EQ(next(&c, chances, 1, &entity), CHOOSE_IDS);
    }
}

TEST(a_probe_goes_before_ranges_and_once)
{
    struct chooser c = { 0 };
    struct chance chances[1] = { { .ranges = 1 } };
    bool probe = true;
    int entity = 0;

    CHECK_EQ(choose(&c, chances, 1, &probe, &entity), CHOOSE_PROBE);
    CHECK_EQ(choose(&c, chances, 1, &probe, &entity), CHOOSE_RANGE);
    CHECK_EQ(choose(&c, chances, 1, &probe, &entity), CHOOSE_NOTHING);
}

TEST_MAIN(CASE(marks_go_before_ranges), CASE(entities_take_turns),
    CASE(a_steady_stream_of_marks_does_not_starve_a_full_sync), CASE(without_ranges_marks_never_wait),
    CASE(a_probe_goes_before_ranges_and_once))
