/* Transactions that take rows of several portals take them in one order: two of them never wait for each
 * other. */
#include "fixture.h"

#include <pthread.h>
#include <unistd.h>

static const struct str TABLES[] = { { "crm_deals", 9 } };
static const struct str NAMES[] = { { "b-portal", 8 }, { "a_portal", 8 } };

static struct store_who lease_of(struct db *db, struct str portal, struct str host)
{
    struct store_lease lease;
    struct err err = { 0 };

    CHECK_OK(
        world_take_as(db, WORLD_HOLDER, (struct db_identity){ portal, host, TABLES, 1 }, 1000, &lease, &err),
        err);
    return (struct store_who){ portal, lease.epoch, 1000 };
}

struct rival {
    struct db *db;
    struct store_who who[2];
    int (*take)(struct rival *r);
    int failed;
    struct err err;
};

static int take_events(struct rival *r)
{
    struct store_marks groups[2] = { 0 };

    for (int i = 0; i < 2; i++)
        groups[i] = (struct store_marks){ .who = r->who[i], .entity = DEALS, .wishes = 1U << CURSOR_FIELDS };
    return store_events(r->db, groups, 2, &r->err);
}

static int take_beat(struct rival *r)
{
    return store_beat(r->db, WORLD_HOLDER, 5000, 2, &r->err);
}

static int take_leases(struct rival *r)
{
    struct store_take list[2] = { 0 };
    bool taken;

    for (int i = 0; i < 2; i++)
        list[i].who =
            (struct db_identity){ NAMES[i], i == 0 ? STR("b.example") : STR("a.example"), TABLES, 0 };
    if (store_look_leases(r->db, &NAMES[0], 1, &list[0].seen, &r->err) < 0 ||
        store_look_leases(r->db, &NAMES[1], 1, &list[1].seen, &r->err) < 0)
        return -1;
    return store_take_leases(r->db, STR("another"), 6000, 0, list, 2, &taken, &r->err);
}

static int take_none(struct rival *r)
{
    return store_give_up(r->db, WORLD_HOLDER, &r->err);
}

static void *run(void *ctx)
{
    struct rival *r = ctx;

    r->failed = r->take(r);
    return NULL;
}

static void take_row(struct world *w, const char *portal)
{
    struct err err = { 0 };

    CHECK_OK(db_run(w->db, "UPDATE potok_lease SET bucket = bucket WHERE portal = $1",
                 DB_ARGS(dbv_s(str_of(portal))), NULL, NULL, NULL, &err),
        err);
}

/* The other one holds the row that comes first, and then wants the second. */
static void check_order(struct world *w, struct rival *r, int (*take)(struct rival *r))
{
    struct err err = { 0 };
    pthread_t thread;

    CHECK_OK(db_begin(w->db, &err), err);
    take_row(w, "a_portal");
    r->take = take;
    CHECK_EQ(pthread_create(&thread, NULL, run, r), 0);
    usleep(100000); /* it waits by now, or else this shows nothing */
    take_row(w, "b-portal");
    CHECK_OK(db_commit(w->db, &err), err);
    pthread_join(thread, NULL);
    CHECK_OK(r->failed, r->err);
}

TEST(rows_of_several_portals_are_taken_in_one_order)
{
    struct world w = { .db = world_open("rows.db") };
    struct rival r = { .db = world_open("rows.db") };

    r.who[0] = lease_of(w.db, NAMES[0], STR("b.example"));
    r.who[1] = lease_of(w.db, NAMES[1], STR("a.example"));
    check_order(&w, &r, take_events);
    check_order(&w, &r, take_beat);
    check_order(&w, &r, take_none);
    check_order(&w, &r, take_leases);
    db_close(&r.db);
    db_close(&w.db);
}

TEST_MAIN(CASE(rows_of_several_portals_are_taken_in_one_order))
