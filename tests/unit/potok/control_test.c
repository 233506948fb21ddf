#include "services/potok/ask/control.h"

#include <stdio.h>
#include <sys/stat.h>

#include "support/check.h"

/* A scheduler that hears only so many questions, and answers the others. */
struct deaf {
    uv_loop_t loop;
    struct bus *ours, *theirs;
    int deaf, heard, answers, status;
    char first[UUID_SIZE], body[32];
    bool same; /* every question had the first one's correlation */
};

static void on_question(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct deaf *d = ctx;

    CHECK_VIEW((*m)->control.command, "sync");
    CHECK_VIEW((*m)->control.args, "{\"entities\":[\"deals\"]}");
    if (d->heard++ == 0)
        memcpy(d->first, (*m)->correlation, UUID_SIZE);
    d->same = memcmp(d->first, (*m)->correlation, UUID_SIZE) == 0;
    if (d->heard <= d->deaf)
        return;
    for (int i = 0; i < 2; i++) { /* the second one is of nobody's question any more */
        struct msg *reply = msg_new(MSG_CONTROL_REPLY);

        memcpy(reply->correlation, (*m)->correlation, UUID_SIZE);
        reply->control_reply = (struct msg_control_reply){ .outcome = STR("ok"), .body = STR("{}") };
        CHECK_EQ(bus_send_to(plug, from, &reply), BUS_SENT);
    }
}

static void on_answer(void *ctx, int status, struct str body, const struct err *err)
{
    struct deaf *d = ctx;

    d->answers++;
    d->status = status;
    if (status == 0)
        snprintf(d->body, sizeof(d->body), STR_FMT, STR_ARG(body));
    else
        CHECK_EQ(err->kind, ERR_TEMP);
    uv_stop(&d->loop);
}

static void ask(struct deaf *d, int deaf, uint64_t timeout_ms)
{
    static int number;
    char dir[128];
    struct err err = { 0 };
    struct control control;

    *d = (struct deaf){ .deaf = deaf, .same = true };
    snprintf(dir, sizeof(dir), "%s/%d", check_folder(), number++);
    CHECK_EQ(mkdir(dir, 0700), 0);
    uv_loop_init(&d->loop);
    d->ours = bus_new(&d->loop, dir, "potok");
    d->theirs = bus_new(&d->loop, dir, "scheduler.1");
    struct bus_def def = { .kind = BUS_ROUTER_BIND,
        .service = "scheduler",
        .plug = "router",
        .where = "ipc",
        .on_msg = on_question,
        .ctx = d };
    CHECK(bus_open(d->theirs, &def, &err) != NULL);
    CHECK_OK(control_open(&control, &d->loop, d->ours, "ipc", &err), err);
    control_ask(&control, "sync", "{\"entities\":[\"deals\"]}", timeout_ms, on_answer, d);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    CHECK(!control_busy(&control));
    control_close(&control);
    bus_free(&d->ours);
    bus_free(&d->theirs);
    while (uv_run(&d->loop, UV_RUN_NOWAIT) != 0)
        ;
    CHECK_EQ(uv_loop_close(&d->loop), 0);
}

TEST(a_question_is_answered_once)
{
    struct deaf d;

    ask(&d, 0, CONTROL_TIMEOUT_MS);
    CHECK_EQ(d.heard, 1);
    CHECK_EQ(d.answers, 1);
    CHECK_EQ(d.status, 0);
    CHECK_STR(d.body, "{}");
}

TEST(a_question_that_was_lost_is_asked_again_as_the_same)
{
    struct deaf d;

    ask(&d, 1, CONTROL_TIMEOUT_MS);
    CHECK_EQ(d.heard, 2);
    CHECK(d.same);
    CHECK_EQ(d.answers, 1);
    CHECK_EQ(d.status, 0);
}

TEST(who_hears_nothing_is_told_when_the_time_is_over)
{
    struct deaf d;

    ask(&d, 99, 1500);
    CHECK_EQ(d.heard, 2);
    CHECK_EQ(d.answers, 1);
    CHECK_EQ(d.status, -1);
}

TEST_MAIN(CASE(a_question_is_answered_once), CASE(a_question_that_was_lost_is_asked_again_as_the_same),
    CASE(who_hears_nothing_is_told_when_the_time_is_over))
