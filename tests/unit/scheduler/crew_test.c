#include "services/scheduler/rules/crew.h"

#include <stdio.h>

#include "support/check.h"

static const struct bus_peer PEER = { { 1 }, 1 };

static struct fetcher *ready(
    struct crew *c, const char *name, uint64_t boot, uint64_t credit, uint64_t now_ms)
{
    return crew_ready(c, str_of(name), boot, PEER, credit, 0, 0, STR(""), now_ms);
}

TEST(who_can_take_most_is_given_first_and_equals_take_turns)
{
    struct crew c = { .count = 0 };
    int got[3] = { 0 };

    ready(&c, "fetcher.1", 1, 4, 0);
    ready(&c, "fetcher.2", 1, 4, 0);
    ready(&c, "fetcher.3", 1, 2, 0);
    CHECK_EQ(crew_credit(&c), 10);
    for (int i = 0; i < 6; i++)
        got[crew_take(&c, "")->name[8] - '1']++;
    CHECK_EQ(got[0], 3);
    CHECK_EQ(got[1], 2);
    CHECK_EQ(got[2], 1);
}

TEST(credit_is_never_overdrawn)
{
    struct crew c = { .count = 0 };

    ready(&c, "fetcher.1", 1, 2, 0);
    CHECK(crew_take(&c, "") != NULL);
    CHECK(crew_take(&c, "") != NULL);
    CHECK(crew_take(&c, "") == NULL);
    crew_give(&c, "fetcher.1");
    CHECK(crew_take(&c, "") != NULL);
    for (int i = 0; i < 9; i++)
        crew_give(&c, "fetcher.1");
    CHECK_EQ(crew_credit(&c), 2); /* no more than it ever said */
    crew_give(&c, "nobody");
}

TEST(what_is_on_its_way_to_a_fetcher_is_taken_from_its_word)
{
    struct crew c = { .count = 0 };

    crew_ready(&c, STR("fetcher.1"), 1, PEER, 4, 2, 3, STR(""), 0);
    CHECK_EQ(crew_credit(&c), 1);
    CHECK_EQ(c.list[0].capacity, 6);
    crew_ready(&c, STR("fetcher.1"), 1, PEER, 1, 5, 3, STR(""), 0);
    CHECK_EQ(crew_credit(&c), 0);
}

TEST(fetchers_that_call_from_one_address_are_one_seat)
{
    struct crew c = { .count = 0 };
    struct crew_seat seats[CREW_MAX];

    crew_ready(&c, STR("fetcher.1"), 1, PEER, 4, 0, 0, STR(""), 0);
    crew_ready(&c, STR("fetcher.2"), 1, PEER, 2, 0, 0, STR("198.51.100.7"), 0);
    crew_ready(&c, STR("fetcher.3"), 1, PEER, 3, 0, 0, STR(""), 0);
    CHECK_EQ(crew_seats(&c, seats), 2);
    CHECK_EQ(seats[0].credit, 7);
    CHECK_STR(seats[1].source, "198.51.100.7");
    CHECK_EQ(seats[1].credit, 2);
    CHECK_STR(crew_take(&c, "198.51.100.7")->name, "fetcher.2");
    CHECK_STR(crew_take(&c, "")->name, "fetcher.1");
    CHECK(crew_take(&c, "203.0.113.9") == NULL);
}

TEST(a_silent_fetcher_is_found)
{
    struct crew c = { .count = 0 };

    ready(&c, "fetcher.1", 1, 4, 1000);
    ready(&c, "fetcher.2", 1, 4, 3000);
    CHECK(crew_silent(&c, 1000 + CREW_SILENT_MS) == NULL);
    struct fetcher *f = crew_silent(&c, 1001 + CREW_SILENT_MS);
    CHECK(f != NULL);
    CHECK_STR(f->name, "fetcher.1");
    crew_remove(&c, f);
    CHECK(crew_find(&c, "fetcher.1") == NULL);
    CHECK(crew_find(&c, "fetcher.2") != NULL);
}

TEST(a_restarted_fetcher_begins_anew)
{
    struct crew c = { .count = 0 };

    ready(&c, "fetcher.1", 1, 8, 0);
    ready(&c, "fetcher.1", 2, 3, 0);
    CHECK_EQ(c.count, 1);
    CHECK_EQ(c.list[0].capacity, 3);
    CHECK_EQ(c.list[0].boot, 2);
}

TEST(names_and_numbers_from_outside_are_limited)
{
    struct crew c = { .count = 0 };
    char name[80] = "", many[16];

    memset(name, 'x', 70);
    CHECK(ready(&c, name, 1, 1, 0) == NULL);
    CHECK(ready(&c, "", 1, 1, 0) == NULL);
    for (int i = 0; i < CREW_MAX; i++) {
        snprintf(many, sizeof(many), "fetcher.%d", i);
        CHECK(ready(&c, many, 1, 1, 0) != NULL);
    }
    CHECK(ready(&c, "one more", 1, 1, 0) == NULL);
}

TEST_MAIN(CASE(who_can_take_most_is_given_first_and_equals_take_turns), CASE(credit_is_never_overdrawn),
    CASE(what_is_on_its_way_to_a_fetcher_is_taken_from_its_word),
    CASE(fetchers_that_call_from_one_address_are_one_seat), CASE(a_silent_fetcher_is_found),
    CASE(a_restarted_fetcher_begins_anew), CASE(names_and_numbers_from_outside_are_limited))
