#include "services/sandbox/limits/operating.h"

#include "support/check.h"

#include <stdio.h>

#define MINUTE 60000u

static struct operating limited(double limit_s)
{
    return (struct operating){ .limit_s = limit_s, .window_ms = 10 * MINUTE };
}

TEST(the_call_that_goes_over_the_limit_completes_and_the_next_is_blocked)
{
    struct operating o = limited(10);
    struct operating_method *m = operating_of(&o, "crm.deal.list", false);

    operating_add(&o, m, 10, 1000);
    CHECK(!operating_blocked(&o, m, 1000));
    operating_add(&o, m, 0.5, 1000);
    CHECK(operating_blocked(&o, m, 1000));
    CHECK(!operating_blocked(&o, operating_of(&o, "crm.lead.list", false), 1000));
}

TEST(a_bucket_falls_out_ten_minutes_after_its_first_call)
{
    struct operating o = limited(10);
    struct operating_method *m = operating_of(&o, "m", false);

    operating_add(&o, m, 8, 1000);
    operating_add(&o, m, 1, 1000 + MINUTE - 1); /* still the first bucket */
    operating_add(&o, m, 4, 1000 + MINUTE);     /* the second */
    CHECK(operating_blocked(&o, m, 2 * MINUTE));
    CHECK_EQ(operating_reset_ms(&o, m, 2 * MINUTE), 1000 + 10 * MINUTE);
    CHECK(operating_used(&o, m, 1000 + 10 * MINUTE) == 4); /* does not drop to 0 at the reset */
    CHECK_EQ(operating_reset_ms(&o, m, 1000 + 10 * MINUTE), 1000 + 11 * MINUTE);
    CHECK(operating_used(&o, m, 1000 + 11 * MINUTE) == 0);
    CHECK(m->seconds_ever == 13);
}

TEST(steady_work_for_an_hour_stays_within_its_buckets)
{
    struct operating o = limited(0);
    struct operating_method *m = operating_of(&o, "m", false);

    for (uint64_t ms = 0; ms < 60 * MINUTE; ms += 500)
        operating_add(&o, m, 0.5, ms);
    CHECK(operating_used(&o, m, 60 * MINUTE) <= 601);
    CHECK(operating_used(&o, m, 60 * MINUTE) >= 539);
    CHECK(!operating_blocked(&o, m, 60 * MINUTE)); /* limit 0: none */
}

TEST(more_methods_than_places_share_the_last)
{
    struct operating o = limited(1);
    char name[16];

    for (int i = 0; i < OPERATING_METHODS_MAX + 20; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        CHECK(operating_of(&o, name, false) != NULL);
    }
    CHECK_EQ(o.count, OPERATING_METHODS_MAX);
}

TEST(each_credential_has_an_account_of_its_own)
{
    struct operating o = { .limit_s = 1, .window_ms = 600000 };

    operating_add(&o, operating_of(&o, "m", false), 2, 1000);
    CHECK(operating_blocked(&o, operating_of(&o, "m", false), 1000));
    CHECK(!operating_blocked(&o, operating_of(&o, "m", true), 1000));
}

TEST_MAIN(CASE(each_credential_has_an_account_of_its_own),
    CASE(the_call_that_goes_over_the_limit_completes_and_the_next_is_blocked),
    CASE(a_bucket_falls_out_ten_minutes_after_its_first_call),
    CASE(steady_work_for_an_hour_stays_within_its_buckets), CASE(more_methods_than_places_share_the_last))
