#include "services/scheduler/rules/share.h"

#include <stdio.h>

#include "support/check.h"

/* Who waits all the time, and who gets the requests that come one by one: one letter each. */
static void round_of(const struct share_claim *claims, int count, const char *names, int n, char *ret)
{
    struct share s = { 0 };

    for (int i = 0; i < n; i++) {
        int next = share_next(&s, claims, count);

        ret[i] = next < 0 ? '-' : names[next];
        if (next >= 0)
            share_took(&s, claims[next]);
    }
    ret[n] = '\0';
}

TEST(requests_that_come_one_by_one_go_round)
{
    static const struct {
        const char *names, *got;
        struct share_claim claims[5];
        int count;
    } cases[] = {
        { "", "----", { { 0 } }, 0 },
        { "b", "bbbb", { { SHARE_BULK, 3 } }, 1 },
        { "ab", "abababab", { { SHARE_BULK, 0 }, { SHARE_BULK, 1 } }, 2 },
        { "ab", "babababa", { { SHARE_BULK, 0 }, { SHARE_OTHER, 0 } }, 2 },
        { "abv", "vavbvavb", { { SHARE_BULK, 0 }, { SHARE_BULK, 1 }, { SHARE_OTHER, 9 } }, 3 },
        { "avw", "vawavawa", { { SHARE_BULK, 0 }, { SHARE_OTHER, 4 }, { SHARE_OTHER, 9 } }, 3 },
        { "mb", "mmmmmmmbmmmmmmmb", { { SHARE_URGENT, 0 }, { SHARE_BULK, 1 } }, 2 },
        { "mn", "mnmnmnmnmnmn", { { SHARE_URGENT, 0 }, { SHARE_URGENT, 1 } }, 2 },
        { "mbv", "mmmmmmmvmmmmmmmb", { { SHARE_URGENT, 0 }, { SHARE_BULK, 0 }, { SHARE_OTHER, 1 } }, 3 },
        { "mnbcv", "mnmnmnmvnmnmnmnb",
            { { SHARE_URGENT, 0 }, { SHARE_URGENT, 1 }, { SHARE_BULK, 0 }, { SHARE_BULK, 1 },
                { SHARE_OTHER, 1 } },
            5 },
    };
    char got[32];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        round_of(cases[i].claims, cases[i].count, cases[i].names, (int)strlen(cases[i].got), got);
        CHECK_STR(got, cases[i].got);
    }
}

TEST(who_is_not_next_leaves_one_for_each_who_waits)
{
    static const struct share_claim claims[] = { { SHARE_URGENT, 0 }, { SHARE_BULK, 1 }, { SHARE_OTHER, 2 } };
    static const struct {
        int me;
        uint32_t free;
        bool may;
    } cases[] = {
        { 0, 0, false },
        { 0, 1, true },
        { 1, 0, false },
        { 1, 1, false },
        { 1, 2, false },
        { 1, 3, true },
        { 2, 2, false },
        { 2, 3, true },
    };
    const struct share s = { 0 };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(share_may(&s, claims, 3, claims[cases[i].me], cases[i].free), cases[i].may);
    CHECK(share_may(&s, claims, 0, claims[1], 1));
}

TEST(marks_that_nobody_else_waits_for_do_not_delay_the_rest_later)
{
    static const struct share_claim both[] = { { SHARE_URGENT, 0 }, { SHARE_BULK, 1 } };
    struct share s = { 0 };

    for (int i = 0; i < 100; i++)
        share_took(&s, both[0]);
    CHECK_EQ(share_next(&s, both, 2), 1);
    share_took(&s, both[1]);
    CHECK_EQ(share_next(&s, both, 2), 0);
}

TEST_MAIN(CASE(requests_that_come_one_by_one_go_round), CASE(who_is_not_next_leaves_one_for_each_who_waits),
    CASE(marks_that_nobody_else_waits_for_do_not_delay_the_rest_later))
