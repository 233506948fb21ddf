#include "services/gateway/visitors.h"

#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

TEST(an_address_with_many_wrong_tokens_is_blocked_for_a_while)
{
    struct visitors *v = calloc(1, sizeof(*v));

    for (int i = 0; i < VISITOR_BAD_MOST; i++) {
        CHECK(!visitor_blocked(v, "10.0.0.1", 1000));
        visitor_bad(v, "10.0.0.1", 1000);
    }
    CHECK(visitor_blocked(v, "10.0.0.1", 1001));
    CHECK(!visitor_blocked(v, "10.0.0.2", 1001));
    CHECK(!visitor_blocked(v, "10.0.0.1", 1000 + VISITOR_WINDOW_MS));
    free(v);
}

TEST(a_right_token_makes_it_good_again)
{
    struct visitors *v = calloc(1, sizeof(*v));

    for (int i = 0; i < VISITOR_BAD_MOST - 1; i++)
        visitor_bad(v, "a", 1);
    visitor_good(v, "a");
    visitor_bad(v, "a", 2);
    CHECK(!visitor_blocked(v, "a", 3));
    free(v);
}

TEST(the_table_is_bounded_and_forgets_the_oldest)
{
    struct visitors *v = calloc(1, sizeof(*v));
    char name[32];

    for (int i = 0; i < VISITORS_MAX + 10; i++) {
        snprintf(name, sizeof(name), "10.0.%d.%d", i / 256, i % 256);
        visitor_bad(v, name, (uint64_t)i);
    }
    CHECK_EQ(v->count, VISITORS_MAX);
    free(v);
}

TEST_MAIN(CASE(an_address_with_many_wrong_tokens_is_blocked_for_a_while),
    CASE(a_right_token_makes_it_good_again), CASE(the_table_is_bounded_and_forgets_the_oldest))
