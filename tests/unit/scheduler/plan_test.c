#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "services/scheduler/work/dispatch.h"
#include "services/scheduler/work/spend.h"
#include "support/check.h"

/* Plans of portals that share a bucket in which one request a time is free; no loop, no database. */

#define PORTALS 2

struct world {
    struct scheduler s;
    struct config_portal configs[PORTALS];
    uint64_t now_ms;
    int got[PORTALS][2]; /* by portal: urgent, bulk */
};

static void add_ranges(struct portal *p, int n)
{
    for (int i = 0; i < n; i++) {
        struct job *job = job_new(JOB_RANGE, 0);

        job->id = (uint64_t)i + 1;
        job->first = 1000 * (uint64_t)i + 1;
        job->last = 1000 * (uint64_t)i + 1000;
        job->order = job->born = p->next_order++;
        job_put(&p->jobs, job);
    }
}

static struct world *world_new(const char *urls[PORTALS])
{
    struct world *w = xcalloc(1, sizeof(*w));

    w->now_ms = 1000000;
    w->s.portals = xcalloc(PORTALS, sizeof(*w->s.portals));
    w->s.jobs_unfinished = 64;
    w->s.portal_parallel = 50;
    for (int i = 0; i < PORTALS; i++) {
        struct portal *p = &w->s.portals[w->s.portal_count++].portal;

        w->configs[i] = (struct config_portal){ .name = (char *)(i == 0 ? "a" : "b"),
            .url = (char *)urls[i],
            .prefix = (char *)"crm_",
            .burst = 4, /* room for one */
            .drain_per_s = 2,
            .entity_count = 1,
            .entities = { (char *)"deals" } };
        portal_init(p, &w->configs[i], 0);
        portal_add_mirrors(p);
        mirror_set_schema(&p->mirrors[0], STR("x"));
        p->mirrors[0].marks_due[0] = p->mirrors[0].marks_due[1] = false;
        (void)spend_bucket(&w->s, p, "", w->now_ms);
    }
    CHECK(crew_ready(&w->s.crew, STR("fetcher.1"), 1, (struct bus_peer){ .n = 1 }, 64, 0, 0, STR(""), 0) !=
          NULL);
    return w;
}

static void world_free(struct world *w)
{
    for (int i = 0; i < PORTALS; i++)
        portal_fini(&w->s.portals[i].portal);
    free(w->s.portals);
    buckets_fini(&w->s.buckets);
    senders_fini(&w->s.senders);
    free(w);
}

/* What one portal would send now; all of it is answered at once. */
static int plan_of(struct world *w, int portal)
{
    struct dispatch *x = xcalloc(1, sizeof(*x));

    x->portal = portal;
    plan_fill(&w->s, x, w->now_ms);
    int n = x->store.count;
    for (int i = 0; i < n; i++) {
        w->got[portal][x->store.items[i].kind == JOB_RANGE]++;
        if (x->plan[i].job != NULL)
            x->plan[i].job->busy = false;
        pace_arrived(spend_pace(&w->s, x->plan[i].bucket), w->now_ms);
    }
    store_dispatch_fini(&x->store);
    free(x);
    return n;
}

/* So many requests, one every half second; the portals look one after the other, always in the same order. */
static void run(struct world *w, int requests)
{
    for (int i = 0; i < requests; i++) {
        int n = plan_of(w, 0);

        CHECK_EQ(n + plan_of(w, 1), 1);
        w->now_ms += 500;
    }
}

static const char *ONE_HOST[] = { "https://p.example/rest/1/a/", "https://p.example/rest/7/b/" };

TEST(two_portals_of_one_host_read_by_turns)
{
    struct world *w = world_new(ONE_HOST);

    add_ranges(&w->s.portals[0].portal, 3);
    add_ranges(&w->s.portals[1].portal, 3);
    run(w, 40);
    CHECK_EQ(w->got[0][1], 20);
    CHECK_EQ(w->got[1][1], 20);
    world_free(w);
}

TEST(the_marks_of_one_go_before_the_ranges_of_the_other_and_leave_every_eighth)
{
    for (int marked = 0; marked < PORTALS; marked++) {
        struct world *w = world_new(ONE_HOST);

        add_ranges(&w->s.portals[!marked].portal, 3);
        w->s.portals[marked].portal.mirrors[0].marks_due[0] = true;
        run(w, 40);
        CHECK_EQ(w->got[marked][0], 35);
        CHECK_EQ(w->got[!marked][1], 5);
        world_free(w);
    }
}

TEST(portals_of_two_hosts_do_not_wait_for_each_other)
{
    const char *urls[] = { "https://p.example/rest/1/a/", "https://q.example/rest/1/a/" };
    struct world *w = world_new(urls);

    add_ranges(&w->s.portals[0].portal, 3);
    w->s.portals[1].portal.mirrors[0].marks_due[0] = true;
    CHECK_EQ(plan_of(w, 0), 1);
    CHECK_EQ(plan_of(w, 1), 1);
    world_free(w);
}

TEST(a_sender_that_waits_gets_every_second_request_of_a_full_sync)
{
    struct world *w = world_new(ONE_HOST);
    struct sender *of = senders_of(&w->s.senders, "verify.1", 0, w->now_ms);
    int passed = 0;

    add_ranges(&w->s.portals[0].portal, 3);
    sender_asks(of, 1, 1, "", w->now_ms);
    for (int i = 0; i < 40; i++) {
        struct bucket *b = &w->s.buckets.list[of->bucket];

        if (plan_of(w, 0) == 0) { /* its turn: it takes the request and asks again */
            CHECK(pace_take(&b->pace, w->now_ms));
            pace_arrived(&b->pace, w->now_ms);
            share_took(&b->share, (struct share_claim){ SHARE_OTHER, of->number });
            passed++;
        }
        w->now_ms += 500;
    }
    CHECK_EQ(passed, 20);
    CHECK_EQ(w->got[0][1], 20);
    world_free(w);
}

TEST(each_source_address_has_room_of_its_own)
{
    struct world *w = world_new(ONE_HOST);

    add_ranges(&w->s.portals[0].portal, 5);
    CHECK(crew_ready(&w->s.crew, STR("fetcher.2"), 1, (struct bus_peer){ .n = 1 }, 64, 0, 0,
              STR("198.51.100.7"), 0) != NULL);
    CHECK_EQ(plan_of(w, 0), 2);
    CHECK_EQ(plan_of(w, 0), 0);
    CHECK_EQ(w->s.buckets.count, 2);
    world_free(w);
}

TEST_MAIN(CASE(two_portals_of_one_host_read_by_turns),
    CASE(the_marks_of_one_go_before_the_ranges_of_the_other_and_leave_every_eighth),
    CASE(portals_of_two_hosts_do_not_wait_for_each_other),
    CASE(a_sender_that_waits_gets_every_second_request_of_a_full_sync),
    CASE(each_source_address_has_room_of_its_own))
