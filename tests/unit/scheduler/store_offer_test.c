#include "fixture.h"

#include "services/scheduler/store/offer.h"
#include "services/scheduler/store/token.h"

static struct store_offer offer(uint64_t seq, const char *sealed)
{
    struct store_offer o = { .spool = UINT64_MAX - 5, .seq = seq, .at_ms = 100 + seq };

    buf_init(&o.sealed, 100);
    buf_str(&o.sealed, sealed);
    return o;
}

static void put(struct world *w, uint64_t seq, const char *sealed)
{
    struct store_offer o = offer(seq, sealed);
    struct err err = { 0 };

    CHECK_OK(store_offer(w->db, &w->who, &o, &err), err);
    store_offer_fini(&o);
}

TEST(the_newest_are_read_oldest_first)
{
    struct world w = world_new("offer0");
    struct store_offer list[3];
    struct err err = { 0 };
    int n = 7;

    CHECK_OK(store_offers(w.db, STR("main"), list, 3, &n, &err), err);
    CHECK_EQ(n, 0);
    for (uint64_t seq = 1; seq <= 5; seq++)
        put(&w, seq, seq == 4 ? "" : "sealed");
    CHECK_OK(store_offers(w.db, STR("main"), list, 3, &n, &err), err);
    CHECK_EQ(n, 3);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(list[i].spool, UINT64_MAX - 5);
        CHECK_EQ(list[i].seq, (uint64_t)i + 3);
        CHECK_EQ(list[i].at_ms, (uint64_t)i + 103);
        CHECK_EQ(list[i].sealed.n, i == 1 ? 0 : 6);
        store_offer_fini(&list[i]);
    }
    CHECK_OK(store_offers(w.db, STR("other"), list, 3, &n, &err), err);
    CHECK_EQ(n, 0);
    db_close(&w.db);
}

TEST(what_comes_twice_is_there_once_and_goes_when_it_is_dealt_with)
{
    struct world w = world_new("offer1");
    struct err err = { 0 };

    put(&w, 1, "first");
    put(&w, 1, "again");
    put(&w, 2, "second");
    CHECK_GET(&w, "SELECT count(*) FROM potok_offer", 2);
    CHECK_OK(store_offer_end(w.db, &w.who, UINT64_MAX - 5, 1, &err), err);
    CHECK_OK(store_offer_end(w.db, &w.who, UINT64_MAX - 5, 1, &err), err);
    CHECK_GET(&w, "SELECT max(seq) FROM potok_offer WHERE portal = 'main'", 2);
    CHECK_GET(&w, "SELECT count(*) FROM potok_offer", 1);
    db_close(&w.db);
}

TEST(what_is_spent_goes_on_as_its_successor_and_ends_with_the_pair_that_comes_of_it)
{
    struct world w = world_new("offer3");
    struct store_pair pair = { .who = w.who, .sealed = STR("pair"), .spool = UINT64_MAX - 5, .seq = 1 };
    struct store_offer list[3];
    struct err err = { 0 };
    int n;

    put(&w, 1, "brought");
    put(&w, 2, "another");
    CHECK_OK(store_offer_goes_on(w.db, &w.who, UINT64_MAX - 5, 1, STR("successor"), &err), err);
    CHECK_OK(store_offer_goes_on(w.db, &w.who, UINT64_MAX - 5, 7, STR("gone"), &err), err);
    put(&w, 1, "brought"); /* handed over once more: it stays what it is */
    CHECK_OK(store_offers(w.db, STR("main"), list, 3, &n, &err), err);
    CHECK_EQ(n, 2);
    CHECK_VIEW(buf_view(&list[0].sealed), "successor");
    CHECK_EQ(list[0].at_ms, 101);
    CHECK_VIEW(buf_view(&list[1].sealed), "another");
    for (int i = 0; i < n; i++)
        store_offer_fini(&list[i]);
    CHECK_OK(store_pair(w.db, &pair, &err), err);
    CHECK_GET(&w, "SELECT min(seq) FROM potok_offer", 2);
    world_lease(w.db, 2000); /* another one's */
    CHECK_EQ(store_offer_goes_on(w.db, &w.who, UINT64_MAX - 5, 2, STR("late"), &err), -1);
    CHECK_EQ(err.code, STORE_LEASE_LOST);
    db_close(&w.db);
}

TEST(who_lost_the_lease_writes_nothing)
{
    struct world w = world_new("offer2");
    struct store_offer o = offer(3, "sealed");
    struct err err = { 0 };

    put(&w, 1, "first");
    world_lease(w.db, 2000); /* another one's */
    CHECK_EQ(store_offer(w.db, &w.who, &o, &err), -1);
    CHECK_EQ(err.code, STORE_LEASE_LOST);
    CHECK_EQ(store_offer_end(w.db, &w.who, UINT64_MAX - 5, 1, &err), -1);
    CHECK_GET(&w, "SELECT count(*) FROM potok_offer", 1);
    store_offer_fini(&o);
    db_close(&w.db);
}

TEST_MAIN(CASE(the_newest_are_read_oldest_first),
    CASE(what_comes_twice_is_there_once_and_goes_when_it_is_dealt_with),
    CASE(what_is_spent_goes_on_as_its_successor_and_ends_with_the_pair_that_comes_of_it),
    CASE(who_lost_the_lease_writes_nothing))
