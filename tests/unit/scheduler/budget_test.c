#include "services/scheduler/work/budget.h"

#include "services/scheduler/work/spend.h"
#include "unit/scheduler/stage.h"

/* The scheduler on a loop with a real database and two portals of one host; the test plays senders. */

#define ROOM 14 /* of 20, at 5 a second */

struct rig {
    struct stage on;
    struct bus *bus;
    struct bus_plug *plug;
    struct msg *grant;
    uint64_t seq;
};

static void on_message(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct rig *r = ctx;

    if ((*m)->type != MSG_BUDGET_GRANT)
        return;
    msg_free(&r->grant);
    r->grant = *m;
    *m = NULL;
}

static void start(struct rig *r)
{
    stage_start(&r->on);
    WAIT_FOR(&r->on, r->on.s->router != NULL);
}

static struct rig *rig_new(void)
{
    struct rig *r = xcalloc(1, sizeof(*r));
    struct bus_def def = { .kind = BUS_DEALER_CONNECT,
        .service = "scheduler",
        .plug = "router",
        .where = "ipc",
        .on_msg = on_message,
        .ctx = r };
    struct err err = { 0 };

    stage_init(&r->on);
    stage_add_portal(&r->on, "main", "https://p.example/rest/1/s3cr3t/", "crm_", 20);
    stage_add_portal(&r->on, "other", "https://P.example:443/rest/7/another/", "other_", 20);
    start(r);
    r->bus = bus_new(&r->on.loop, r->on.run_dir, "potok");
    r->plug = bus_open(r->bus, &def, &err);
    assert_non_null(r->plug);
    return r;
}

static void rig_free(struct rig *r)
{
    stage_stop(&r->on);
    bus_free(&r->bus);
    stage_fini(&r->on);
    msg_free(&r->grant);
    free(r);
}

/* One question and its answer. */
static const struct msg_budget_grant *ask(struct rig *r, const struct msg_budget_ask *what)
{
    struct msg *m = msg_new(MSG_BUDGET_ASK);

    m->budget_ask = *what;
    m->budget_ask.seq = ++r->seq;
    msg_free(&r->grant);
    WAIT_FOR(&r->on, bus_peers(r->plug) > 0 && bus_send(r->plug, &m) == BUS_SENT);
    WAIT_FOR(&r->on, r->grant != NULL && r->grant->budget_grant.seq == r->seq);
    return &r->grant->budget_grant;
}

static uint64_t wants(struct rig *r, const char *sender, const char *portal, uint64_t want)
{
    return ask(
        r, &(struct msg_budget_ask){ .sender = str_of(sender), .portal = str_of(portal), .want = want })
        ->granted;
}

static double level(struct rig *r)
{
    return pace_level(spend_of(r->on.s, 0), clock_mono_ms());
}

/* ---- stories ---- */

TEST(two_portals_of_one_host_draw_on_one_bucket)
{
    struct rig *r = rig_new();
    uint64_t got = 0;

    for (int i = 0; i < 4; i++)
        got += wants(r, "verify.1", i % 2 ? "main" : "other", 6);
    CHECK_EQ(got, ROOM); /* what is under way does not drain */
    CHECK_EQ(r->on.s->buckets.count, 1);
    CHECK_EQ(senders_calls(&r->on.s->senders, 0) + senders_calls(&r->on.s->senders, 1), ROOM);
    const struct msg_budget_grant *none =
        ask(r, &(struct msg_budget_ask){ .sender = STR("record.2"), .portal = STR("main"), .want = 1 });
    CHECK(none->granted == 0 && none->wait_ms > 0 && none->error.n == 0);
    rig_free(r);
}

TEST(what_arrived_drains_and_what_was_not_sent_is_given_back)
{
    struct rig *r = rig_new();

    CHECK_EQ(wants(r, "verify.1", "main", 10), 8); /* so many are covered by one saved level */
    ask(r, &(struct msg_budget_ask){
               .sender = STR("verify.1"), .portal = STR("main"), .arrived = 3, .unsent = 5 });
    CHECK(level(r) <= 3);
    CHECK_EQ(senders_calls(&r->on.s->senders, 0), 0);
    CHECK_EQ(spend_of(r->on.s, 0)->flying, 0);
    rig_free(r);
}

TEST(the_calls_of_a_sender_that_died_count_as_arrived_in_the_end)
{
    struct rig *r = rig_new();

    CHECK_EQ(wants(r, "verify.1", "main", 4), 4);
    budget_turn(r->on.s, clock_mono_ms() + SENDER_CALL_MS - 1000);
    CHECK_EQ(spend_of(r->on.s, 0)->flying, 4);
    budget_turn(r->on.s, clock_mono_ms() + SENDER_CALL_MS);
    CHECK_EQ(spend_of(r->on.s, 0)->flying, 0);
    CHECK(level(r) > 3);
    rig_free(r);
}

TEST(the_next_scheduler_knows_of_what_was_granted)
{
    struct rig *r = rig_new();

    CHECK_EQ(wants(r, "verify.1", "main", 4), 4);
    stage_stop(&r->on); /* as good as killed: nothing is saved at the stop */
    start(r);
    CHECK(level(r) >= 4);
    /* Its calls arrive now: nobody granted them, and they fill the bucket all the same. */
    double before = level(r);
    ask(r, &(struct msg_budget_ask){ .sender = STR("verify.1"), .portal = STR("main"), .arrived = 2 });
    CHECK(level(r) > before || level(r) >= ROOM - 1);
    rig_free(r);
}

TEST(what_others_are_told_holds_for_all)
{
    struct rig *r = rig_new();

    CHECK_EQ(wants(r, "verify.1", "main", 1), 1);
    const struct msg_budget_grant *g = ask(r, &(struct msg_budget_ask){ .sender = STR("verify.1"),
                                                  .portal = STR("main"),
                                                  .want = 1,
                                                  .arrived = 1,
                                                  .refused = 503,
                                                  .code = STR("QUERY_LIMIT_EXCEEDED"),
                                                  .retry_ms = 5000 });
    CHECK(g->granted == 0 && g->wait_ms > 4000);
    CHECK_EQ(r->on.s->portals[0].portal.refusals, 1);
    CHECK(level(r) > ROOM - 2);
    uint64_t began_ms = clock_mono_ms();
    CHECK_EQ(wants(r, "verify.1", "other", 1), 1); /* not paused, but its bucket is the same */
    CHECK(clock_mono_ms() >= began_ms + 150);
    rig_free(r);
}

TEST(a_method_that_is_blocked_is_waited_for_and_others_go_on)
{
    struct rig *r = rig_new();

    CHECK_EQ(wants(r, "verify.1", "main", 1), 1);
    const struct msg_budget_grant *g = ask(r, &(struct msg_budget_ask){ .sender = STR("verify.1"),
                                                  .portal = STR("main"),
                                                  .method = STR("crm.deal.list"),
                                                  .want = 1,
                                                  .arrived = 1,
                                                  .refused = 429,
                                                  .blocked = STR("crm.deal.list"),
                                                  .retry_ms = 60000 });
    CHECK(g->granted == 0 && g->wait_ms > 50000);
    CHECK_EQ(wants(r, "verify.1", "main", 1), 1);
    rig_free(r);
}

TEST(a_source_of_its_own_has_a_bucket_of_its_own)
{
    struct rig *r = rig_new();

    CHECK_EQ(wants(r, "verify.1", "main", 8), 8);
    CHECK_EQ(wants(r, "record.1", "main", 6), 6);
    CHECK_EQ(wants(r, "record.1", "main", 1), 0);
    const struct msg_budget_grant *g =
        ask(r, &(struct msg_budget_ask){
                   .sender = STR("far.1"), .portal = STR("main"), .want = 3, .source = STR("198.51.100.7") });
    CHECK_EQ(g->granted, 3);
    g = ask(r, &(struct msg_budget_ask){ .sender = STR("far.1"), .portal = STR("nobody"), .want = 1 });
    CHECK(g->granted == 0 && g->error.n > 0);
    rig_free(r);
}

TEST_MAIN(CASE(two_portals_of_one_host_draw_on_one_bucket),
    CASE(what_arrived_drains_and_what_was_not_sent_is_given_back),
    CASE(the_calls_of_a_sender_that_died_count_as_arrived_in_the_end),
    CASE(the_next_scheduler_knows_of_what_was_granted), CASE(what_others_are_told_holds_for_all),
    CASE(a_method_that_is_blocked_is_waited_for_and_others_go_on),
    CASE(a_source_of_its_own_has_a_bucket_of_its_own))
