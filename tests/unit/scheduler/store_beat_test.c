#include "fixture.h"

#include "base/mem.h"

#define OTHER STR("scheduler.2 there 78 - 00000000-0000-7000-8000-000000000002")

static struct lease_seen look(struct world *w)
{
    struct lease_seen seen;
    struct err err = { 0 };

    CHECK_OK(store_look_leases(w->db, &w->who.portal, 1, &seen, &err), err);
    return seen;
}

static bool take(struct world *w, struct str holder, struct lease_seen seen)
{
    static const struct str tables[] = { { "crm_deals", 9 } };
    struct store_take t = { .who = { STR("main"), STR("p.example"), tables, 1 }, .seen = seen };
    struct err err = { 0 };
    bool taken;

    CHECK_OK(store_take_leases(w->db, holder, 2000, 0, &t, 1, &taken, &err), err);
    return taken;
}

TEST(a_beat_always_changes_what_is_seen_whatever_the_clock_does)
{
    static const uint64_t clocks[] = { 5000, 6000, 6000, 100, 0, 7000 };
    struct world w = world_new("beat");
    struct err err = { 0 };
    int64_t last = look(&w).beat;

    for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
        CHECK_OK(store_beat(w.db, WORLD_HOLDER, clocks[i], 1, &err), err);
        CHECK(look(&w).beat > last);
        last = look(&w).beat;
    }
    CHECK_EQ(last, 7000);
    db_close(&w.db);
}

TEST(two_standbys_saw_the_same_lease_and_one_gets_it)
{
    struct world w = world_new("race");
    struct lease_seen seen = look(&w);
    struct err err = { 0 };

    CHECK(take(&w, OTHER, seen));
    CHECK(!take(&w, STR("scheduler.3 x 1 - c"), seen));
    CHECK_EQ(look(&w).epoch, 2);
    CHECK_STR(look(&w).holder.instance, "scheduler.2");
    CHECK_OK(store_beat(w.db, OTHER, 3000, 1, &err), err);
    db_close(&w.db);
}

TEST(a_beat_between_the_look_and_the_taking_keeps_the_lease)
{
    struct world w = world_new("awake");
    struct lease_seen seen = look(&w);
    struct err err = { 0 };

    CHECK_OK(store_beat(w.db, WORLD_HOLDER, 3000, 1, &err), err);
    CHECK(!take(&w, OTHER, seen));
    CHECK_EQ(look(&w).epoch, 1);
    CHECK(take(&w, OTHER, look(&w)));
    db_close(&w.db);
}

TEST(who_lost_the_lease_learns_it_by_its_beat_and_changes_nothing)
{
    struct world w = world_new("deposed");
    struct err err = { 0 };

    CHECK(take(&w, OTHER, look(&w)));
    int64_t beat = look(&w).beat;
    CHECK_EQ(store_beat(w.db, WORLD_HOLDER, 9000, 1, &err), -1);
    CHECK_EQ(err.kind, ERR_PERM);
    CHECK_EQ(err.code, STORE_LEASE_LOST);
    CHECK_HAS(err.text, "another scheduler took over");
    err = (struct err){ 0 };
    CHECK_OK(store_give_up(w.db, WORLD_HOLDER, &err), err);
    CHECK_EQ(look(&w).beat, beat);
    CHECK_STR(look(&w).holder.instance, "scheduler.2");
    db_close(&w.db);
}

TEST(what_is_given_up_is_nobodys_and_keeps_its_epoch_until_it_is_taken)
{
    struct world w = world_new("given_up");
    struct lease_seen seen = look(&w);
    struct err err = { 0 };

    CHECK_OK(store_give_up(w.db, WORLD_HOLDER, &err), err);
    CHECK_STR(look(&w).holder.instance, "");
    CHECK_EQ(look(&w).epoch, 1);
    CHECK(!take(&w, OTHER, seen)); /* not what was seen */
    CHECK(take(&w, OTHER, look(&w)));
    CHECK_EQ(look(&w).epoch, 2);
    db_close(&w.db);
}

/* All or none: with one portal gone to another, none is taken, and whoever held them is left alone. */
TEST(leases_of_several_portals_are_taken_and_lost_together)
{
    struct world w = world_new("several");
    struct store_take list[2] = { { .who = { STR("main"), STR("p.example"), NULL, 0 }, .seen = look(&w) },
        { .who = { STR("two"), STR("q.example"), NULL, 0 } } };
    struct err err = { 0 };
    bool taken;

    CHECK_OK(store_take_leases(w.db, OTHER, 2000, 0, list, 2, &taken, &err), err);
    CHECK(taken);
    CHECK_EQ(list[0].lease.epoch, 2);
    CHECK_EQ(list[1].lease.epoch, 1);
    CHECK_OK(store_beat(w.db, OTHER, 3000, 2, &err), err);
    list[0].seen = look(&w);
    CHECK_OK(store_take_leases(w.db, WORLD_HOLDER, 4000, 0, list, 2, &taken, &err), err);
    CHECK(!taken); /* "two" is there by now */
    CHECK_GET(&w, "SELECT count(*) FROM potok_lease WHERE holder LIKE 'scheduler.2%'", 2);
    CHECK_OK(store_take_leases(w.db, WORLD_HOLDER, 4000, 0, list, 1, &taken, &err), err);
    CHECK(taken);
    CHECK_EQ(store_beat(w.db, OTHER, 5000, 2, &err), -1);
    CHECK_EQ(err.code, STORE_LEASE_LOST);
    CHECK_HAS(err.text, "1 of 2 portals");
    db_close(&w.db);
}

TEST_MAIN(CASE(a_beat_always_changes_what_is_seen_whatever_the_clock_does),
    CASE(two_standbys_saw_the_same_lease_and_one_gets_it),
    CASE(a_beat_between_the_look_and_the_taking_keeps_the_lease),
    CASE(who_lost_the_lease_learns_it_by_its_beat_and_changes_nothing),
    CASE(what_is_given_up_is_nobodys_and_keeps_its_epoch_until_it_is_taken),
    CASE(leases_of_several_portals_are_taken_and_lost_together))
