#include "fixture.h"

#include "services/scheduler/store/token.h"

static struct store_pair pair(const struct world *w, const char *sealed, const char *member)
{
    return (struct store_pair){ .who = w->who,
        .sealed = str_of(sealed),
        .host = STR("p.example"),
        .member = str_of(member),
        .scope = STR("crm"),
        .expires_ms = 9000 };
}

static struct store_access look(struct world *w)
{
    struct store_access x = { .portal = STR("main") };
    struct err err = { 0 };

    CHECK_OK(store_access(w->db, &x, &err), err);
    return x;
}

TEST(nothing_is_known_at_first)
{
    struct world w = world_new("access0");
    struct store_access x = look(&w);

    CHECK_EQ(x.number, 0);
    CHECK_EQ(x.sealed.n, 0);
    CHECK_STR(x.host, "");
    CHECK_STR(x.member, "");
    store_access_fini(&x);
    db_close(&w.db);
}

TEST(pairs_replace_one_another_and_their_number_rises)
{
    struct world w = world_new("access1");
    struct err err = { 0 };

    for (uint64_t n = 1; n <= 3; n++) {
        struct store_pair p = pair(&w, n == 3 ? "third" : "some", "m1");

        CHECK_OK(store_pair(w.db, &p, &err), err);
        CHECK_EQ(p.number, n);
        CHECK_OK(store_pair_bad(w.db, &w.who, n, STR("no"), &err), err);
    }
    struct store_access x = look(&w);

    CHECK_EQ(x.number, 3);
    CHECK_VIEW(buf_view(&x.sealed), "third");
    CHECK_STR(x.error, "no");
    CHECK_STR(x.member, "m1");
    store_access_fini(&x);
    db_close(&w.db);
}

TEST(a_new_pair_is_good_and_one_that_is_forgotten_is_gone)
{
    struct world w = world_new("access2");
    struct store_pair p = pair(&w, "some", "m1");
    struct err err = { 0 };

    CHECK_OK(store_pair(w.db, &p, &err), err);
    uint64_t number;
    CHECK_OK(store_pair_forget(w.db, &w.who, STR("removed"), &number, &err), err);
    CHECK_EQ(number, 2);
    struct store_access x = look(&w);
    CHECK_EQ(x.sealed.n, 0);
    CHECK_EQ(x.number, 2);
    CHECK_STR(x.error, "removed");
    store_access_fini(&x);
    CHECK_OK(store_pair(w.db, &p, &err), err);
    CHECK_EQ(p.number, 3);
    x = look(&w);
    CHECK_STR(x.error, "");
    store_access_fini(&x);
    db_close(&w.db);
}

TEST(another_portals_tokens_are_refused_and_nothing_is_touched)
{
    struct world w = world_new("access3");
    struct store_pair p = pair(&w, "some", "m1"), other = pair(&w, "other", "m2"),
                      untold = pair(&w, "untold", "");
    struct err err = { 0 };

    CHECK_OK(store_pair(w.db, &p, &err), err);
    CHECK_EQ(store_pair(w.db, &other, &err), -1);
    CHECK_EQ(err.kind, ERR_AUTH);
    CHECK_HAS(err.text, "another portal");
    struct store_access x = look(&w);
    CHECK_EQ(x.number, 1);
    CHECK_VIEW(buf_view(&x.sealed), "some");
    store_access_fini(&x);
    CHECK_OK(store_pair(w.db, &untold, &err), err);
    db_close(&w.db);
}

TEST(who_lost_the_lease_writes_nothing)
{
    struct world w = world_new("access4");
    struct store_pair p = pair(&w, "some", "m1");
    struct err err = { 0 };

    world_lease(w.db, 2000); /* another one's */
    uint64_t number;
    p.from = 7;
    CHECK_EQ(store_pair(w.db, &p, &err), -1);
    CHECK_EQ(err.code, STORE_LEASE_LOST);
    CHECK_EQ(store_host(w.db, &w.who, STR("q.example"), &err), -1);
    CHECK_EQ(store_pair_bad(w.db, &w.who, 0, STR("no"), &err), -1);
    CHECK_EQ(store_pair_forget(w.db, &w.who, STR("no"), &number, &err), -1);
    struct store_access x = look(&w);
    CHECK_EQ(x.number, 0);
    CHECK_STR(x.host, "");
    store_access_fini(&x);
    db_close(&w.db);
}

TEST(who_lost_the_lease_still_brings_the_successor_of_what_is_there)
{
    struct world w = world_new("access6");
    struct store_pair first = pair(&w, "first", "m1"), second = pair(&w, "second", "m1"),
                      late = pair(&w, "late", "m1");
    struct err err = { 0 };

    CHECK_OK(store_pair(w.db, &first, &err), err);
    world_lease(w.db, 2000); /* another one's */
    second.from = late.from = first.number;
    CHECK_OK(store_pair(w.db, &second, &err), err);
    CHECK_EQ(second.number, 2);
    CHECK_EQ(store_pair(w.db, &late, &err), -1); /* another renewal was faster */
    CHECK_EQ(err.code, STORE_LEASE_LOST);
    struct store_access x = look(&w);
    CHECK_EQ(x.number, 2);
    CHECK_VIEW(buf_view(&x.sealed), "second");
    store_access_fini(&x);
    db_close(&w.db);
}

/* What is there now, of a world that is closed by it. */
static void ends_with(struct world *w, uint64_t number, const char *sealed, const char *error)
{
    struct store_access x = look(w);

    CHECK_EQ(x.number, number);
    CHECK_VIEW(buf_view(&x.sealed), sealed);
    CHECK_STR(x.error, error);
    store_access_fini(&x);
    db_close(&w->db);
}

TEST(an_answer_to_a_renewal_undoes_no_removal)
{
    struct world w = world_new("access7");
    struct store_pair first = pair(&w, "first", "m1"), late = pair(&w, "late", "m1");
    struct err err = { 0 };
    uint64_t number;

    CHECK_OK(store_pair(w.db, &first, &err), err);
    late.from = first.number;
    late.renewal = true;
    CHECK_OK(store_pair_forget(w.db, &w.who, STR("taken back"), &number, &err), err);
    CHECK_EQ(number, 2);
    CHECK_EQ(store_pair(w.db, &late, &err), -1);
    CHECK_EQ(err.kind, ERR_PERM);
    CHECK_EQ(err.code, STORE_PAIR_PASSED);
    world_lease(w.db, 2000); /* another one's */
    CHECK_EQ(store_pair(w.db, &late, &err), -1);
    CHECK_EQ(err.code, STORE_LEASE_LOST);
    ends_with(&w, 2, "", "taken back");
}

TEST(a_login_replaces_whatever_is_there_and_no_renewal_replaces_it)
{
    struct world w = world_new("access8");
    struct store_pair first = pair(&w, "first", "m1"), login = pair(&w, "login", "m1"),
                      late = pair(&w, "late", "m1"), next = pair(&w, "next", "m1");
    struct err err = { 0 };

    CHECK_OK(store_pair(w.db, &first, &err), err);
    late.from = first.number;
    late.renewal = next.renewal = true;
    CHECK_OK(store_pair(w.db, &login, &err), err); /* its `from` is no matter */
    CHECK_EQ(login.number, 2);
    CHECK_EQ(store_pair(w.db, &late, &err), -1);
    CHECK_EQ(err.code, STORE_PAIR_PASSED);
    CHECK_OK(store_pair_bad(w.db, &w.who, first.number, STR("it was refused"), &err), err);
    next.from = login.number;
    CHECK_OK(store_pair(w.db, &next, &err), err);
    ends_with(&w, 3, "next", "");
}

TEST(what_a_new_scheduler_calls_lost_is_still_renewed_by_the_one_before)
{
    struct world w = world_new("access9");
    struct store_pair first = pair(&w, "first", "m1"), second = pair(&w, "second", "m1");
    struct store_who next = w.who;
    struct err err = { 0 };

    CHECK_OK(store_pair(w.db, &first, &err), err);
    second.from = first.number;
    second.renewal = true;
    world_lease(w.db, 2000); /* another one's */
    next.epoch++;
    CHECK_OK(store_pair_bad(w.db, &next, first.number, STR("invalid_grant"), &err), err);
    CHECK_OK(store_pair(w.db, &second, &err), err);
    CHECK_EQ(second.number, 2);
    CHECK_OK(store_pair_bad(w.db, &next, first.number, STR("said too late"), &err), err);
    ends_with(&w, 2, "second", "");
}

TEST(a_commit_that_was_not_heard_of_is_one)
{
    struct world w = world_new("access10");
    struct store_pair first = pair(&w, "first", "m1"), second = pair(&w, "second", "m1");
    struct err err = { 0 };

    CHECK_OK(store_pair(w.db, &first, &err), err);
    second.from = first.number;
    second.renewal = true;
    for (int i = 0; i < 2; i++) {
        second.number = 0;
        CHECK_OK(store_pair(w.db, &second, &err), err);
        CHECK_EQ(second.number, 2);
    }
    world_lease(w.db, 2000); /* another one's */
    CHECK_OK(store_pair(w.db, &second, &err), err);
    CHECK_EQ(second.number, 2);
    ends_with(&w, 2, "second", "");
}

TEST(a_renamed_portal_is_the_same_under_either_name)
{
    struct world w = world_new("access5");
    struct store_lease lease;
    struct err err = { 0 };

    CHECK_OK(store_host(w.db, &w.who, STR("q.example"), &err), err);
    CHECK_OK(world_take(w.db, "p.example", 5, &lease, &err), err);
    CHECK_EQ(world_take(w.db, "other.example", 5, &lease, &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_OK(world_take(w.db, "q.example", 5, &lease, &err), err); /* the operator wrote the new name down */
    CHECK_GET(&w, "SELECT count(*) FROM potok_lease WHERE identity = 'q.example' AND host = 'q.example'", 1);
    db_close(&w.db);
}

TEST_MAIN(CASE(nothing_is_known_at_first), CASE(pairs_replace_one_another_and_their_number_rises),
    CASE(a_new_pair_is_good_and_one_that_is_forgotten_is_gone),
    CASE(another_portals_tokens_are_refused_and_nothing_is_touched), CASE(who_lost_the_lease_writes_nothing),
    CASE(who_lost_the_lease_still_brings_the_successor_of_what_is_there),
    CASE(an_answer_to_a_renewal_undoes_no_removal),
    CASE(a_login_replaces_whatever_is_there_and_no_renewal_replaces_it),
    CASE(what_a_new_scheduler_calls_lost_is_still_renewed_by_the_one_before),
    CASE(a_commit_that_was_not_heard_of_is_one), CASE(a_renamed_portal_is_the_same_under_either_name))
