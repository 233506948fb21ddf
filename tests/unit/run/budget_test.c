#include "run/budget.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "support/check.h"

/* A sender against a scheduler that the test plays. */

#define DRAIN 20 /* alone: a call each 100 ms */

struct rig {
    uv_loop_t loop;
    struct bus *bus, *theirs;
    struct bus_plug *router;
    struct budget *budget;
    char run_dir[128];
    int asked;
    struct msg_budget_ask last; /* numbers of the last question */
    bool deaf;
    struct msg_budget_grant first, answer; /* first.wait_ms 0: all are answered alike */
};

static void on_ask(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct rig *r = ctx;
    struct msg *grant;

    if ((*m)->type != MSG_BUDGET_ASK || r->deaf)
        return;
    r->asked++;
    r->last = (*m)->budget_ask;
    grant = msg_new(MSG_BUDGET_GRANT);
    grant->budget_grant = r->asked == 1 && r->first.wait_ms > 0 ? r->first : r->answer;
    grant->budget_grant.sender = r->last.sender;
    grant->budget_grant.portal = r->last.portal;
    grant->budget_grant.seq = r->last.seq;
    if (r->last.want == 0)
        grant->budget_grant.granted = 0;
    CHECK_EQ(bus_send_to(plug, from, &grant), BUS_SENT);
}

static void scheduler_up(struct rig *r)
{
    struct bus_def def = { .kind = BUS_ROUTER_BIND,
        .service = "scheduler",
        .plug = "router",
        .where = "ipc",
        .on_msg = on_ask,
        .ctx = r };
    struct err err = { 0 };

    r->theirs = bus_new(&r->loop, r->run_dir, "scheduler.1");
    r->router = bus_open(r->theirs, &def, &err);
    assert_non_null(r->router);
}

static void scheduler_down(struct rig *r)
{
    bus_free(&r->theirs);
}

static struct rig *rig_new(bool needs_token, uint64_t most_wait_ms)
{
    static int number;
    struct rig *r = xcalloc(1, sizeof(*r));
    struct err err = { 0 };

    uv_loop_init(&r->loop);
    snprintf(r->run_dir, sizeof(r->run_dir), "%s/run%d", check_folder(), number++);
    mkdir(r->run_dir, 0700);
    r->bus = bus_new(&r->loop, r->run_dir, "potok");
    r->budget = budget_new(&(struct budget_def){ .loop = &r->loop,
                               .bus = r->bus,
                               .where = "ipc",
                               .kind = "verify",
                               .portal = "main",
                               .burst = 50,
                               .drain_per_s = DRAIN,
                               .needs_token = needs_token,
                               .most_wait_ms = most_wait_ms },
        &err);
    assert_non_null(r->budget);
    r->answer.granted = 1;
    return r;
}

static void rig_free(struct rig *r)
{
    budget_free(&r->budget);
    bus_free(&r->bus);
    if (r->theirs != NULL)
        bus_free(&r->theirs);
    while (uv_run(&r->loop, UV_RUN_ONCE) != 0)
        ;
    CHECK_EQ(uv_loop_close(&r->loop), 0);
    free(r);
}

static struct budget_go take(struct rig *r)
{
    struct budget_go go;
    struct err err = { 0 };

    CHECK_OK(budget_wait(r->budget, "crm.deal.list", &go, &err), err);
    return go;
}

TEST(each_call_is_asked_for_and_told_to_be_over)
{
    struct rig *r = rig_new(false, 0);

    scheduler_up(r);
    CHECK(!take(r).alone);
    budget_arrived(r->budget, &(struct budget_told){ .refused = 503, .retry_ms = 700, .code = STR("X") });
    CHECK(!take(r).alone);
    CHECK_EQ(r->last.arrived, 1);
    CHECK_EQ(r->last.refused, 503);
    CHECK_EQ(r->last.retry_ms, 700);
    budget_unsent(r->budget);
    CHECK(!take(r).alone);
    CHECK_EQ(r->last.arrived, 0);
    CHECK_EQ(r->last.unsent, 1);
    CHECK_EQ(r->last.refused, 0);
    budget_arrived(r->budget, NULL);
    budget_end(r->budget);
    CHECK_EQ(r->last.want, 0);
    CHECK_EQ(r->last.arrived, 1);
    CHECK_EQ(r->asked, 4);
    rig_free(r);
}

TEST(a_wait_is_waited_and_the_host_and_token_of_a_grant_are_given_on)
{
    struct rig *r = rig_new(true, 0);

    scheduler_up(r);
    r->first = (struct msg_budget_grant){ .wait_ms = 400 };
    r->answer = (struct msg_budget_grant){
        .granted = 1, .host = STR("new.example"), .token = 7, .sealed = STR("sealed")
    };
    uint64_t began_ms = clock_mono_ms();
    struct budget_go go = take(r);
    CHECK(clock_mono_ms() >= began_ms + 395);
    CHECK_EQ(r->asked, 2);
    CHECK_VIEW(go.host, "new.example");
    CHECK_VIEW(go.sealed, "sealed");
    CHECK_EQ(go.token, 7);
    rig_free(r);
}

TEST(where_no_scheduler_is_calls_go_at_half_the_speed)
{
    struct rig *r = rig_new(false, 0);
    uint64_t began_ms = clock_mono_ms();

    CHECK(take(r).alone);
    CHECK(clock_mono_ms() < began_ms + BUDGET_PATIENCE_MS);
    began_ms = clock_mono_ms();
    for (int i = 0; i < 5; i++) {
        budget_arrived(r->budget, NULL);
        CHECK(take(r).alone);
    }
    CHECK(clock_mono_ms() >= began_ms + 5 * 95);
    budget_arrived(r->budget, NULL);
    budget_end(r->budget); /* to nobody */
    rig_free(r);
}

TEST(a_scheduler_that_falls_silent_is_left_and_the_next_is_told_what_it_cannot_know)
{
    struct rig *r = rig_new(false, 0);

    scheduler_up(r);
    CHECK(!take(r).alone);
    budget_arrived(r->budget, NULL);
    scheduler_down(r);
    for (int i = 0; i < 4; i++) {
        CHECK(take(r).alone);
        budget_arrived(r->budget, NULL);
    }
    r->asked = 0;
    scheduler_up(r);
    struct budget_go go = take(r);
    for (int i = 0; go.alone && i < 50; i++) { /* until its socket is found */
        budget_arrived(r->budget, NULL);
        go = take(r);
    }
    CHECK(!go.alone);
    CHECK(r->last.arrived >= 4); /* its bucket may have been full when the first went silent */
    rig_free(r);
}

TEST(without_a_scheduler_an_application_cannot_be_asked)
{
    struct rig *r = rig_new(true, 0);
    struct budget_go go;
    struct err err = { 0 };

    CHECK_EQ(budget_wait(r->budget, "", &go, &err), -1);
    CHECK_HAS(err.text, "only while the scheduler runs");
    rig_free(r);
}

TEST(who_cannot_wait_long_goes_all_the_same)
{
    struct rig *r = rig_new(false, 300);

    scheduler_up(r);
    r->answer = (struct msg_budget_grant){ .wait_ms = 60000 };
    CHECK(take(r).alone);
    rig_free(r);
}

TEST(a_refusal_in_words_ends_the_question_of_an_application)
{
    struct rig *r = rig_new(true, 0);
    struct budget_go go;
    struct err err = { 0 };

    scheduler_up(r);
    r->answer = (struct msg_budget_grant){ .error = STR("portal main is stopped: access was taken away") };
    CHECK_EQ(budget_wait(r->budget, "", &go, &err), -1);
    CHECK_HAS(err.text, "access was taken away");
    rig_free(r);
}

TEST_MAIN(CASE(each_call_is_asked_for_and_told_to_be_over),
    CASE(a_wait_is_waited_and_the_host_and_token_of_a_grant_are_given_on),
    CASE(where_no_scheduler_is_calls_go_at_half_the_speed),
    CASE(a_scheduler_that_falls_silent_is_left_and_the_next_is_told_what_it_cannot_know),
    CASE(without_a_scheduler_an_application_cannot_be_asked), CASE(who_cannot_wait_long_goes_all_the_same),
    CASE(a_refusal_in_words_ends_the_question_of_an_application))
