#include "control.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

#define TRY_EVERY_MS 50 /* until the bus has found the scheduler */
#define ASK_AGAIN_MS \
    1000 /* question or answer may be lost with whoever had it; to be asked twice does no harm */

static void question_drop(struct control *c)
{
    c->on_answer = NULL;
    msg_free(&c->question);
    free(c->command);
    free(c->args);
    c->command = c->args = NULL;
}

static void question_make(struct control *c)
{
    c->question = msg_new(MSG_CONTROL);
    c->question->control = (struct msg_control){ .command = str_of(c->command), .args = str_of(c->args) };
    if (c->correlation[0] != '\0')
        memcpy(c->question->correlation, c->correlation, sizeof(c->correlation));
    memcpy(c->correlation, c->question->correlation, sizeof(c->correlation));
}

static void answer(struct control *c, int status, struct str body, const struct err *err)
{
    control_on_answer *on_answer = c->on_answer;

    question_drop(c);
    uv_timer_stop(&c->timer);
    on_answer(c->ctx, status, body, err);
}

static void on_timer(uv_timer_t *timer)
{
    struct control *c = timer->data;
    struct err err = { 0 };
    uint64_t now_ms = clock_mono_ms();

    if (now_ms >= c->deadline_ms) {
        err_set(&err, ERR_TEMP, "no scheduler answers");
        answer(c, -1, STR(""), &err);
        return;
    }
    if (c->question == NULL && now_ms >= c->again_ms)
        question_make(c);
    if (c->question != NULL && bus_send(c->plug, &c->question) == BUS_SENT) /* full: again at the next turn */
        c->again_ms = now_ms + ASK_AGAIN_MS;
}

static void on_reply(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct control *c = ctx;
    struct msg *reply = *m;
    struct err err = { 0 };

    /* A late answer to an earlier question carries another correlation id. */
    if (c->on_answer == NULL || reply->type != MSG_CONTROL_REPLY ||
        strcmp(reply->correlation, c->correlation) != 0)
        return;
    if (str_is(reply->control_reply.outcome, "ok")) {
        answer(c, 0, reply->control_reply.body, NULL);
        return;
    }
    err_set(&err, ERR_PERM, STR_FMT, STR_ARG(reply->control_reply.error));
    answer(c, -1, STR(""), &err);
}

int control_open(struct control *c, uv_loop_t *loop, struct bus *bus, const char *where, struct err *err)
{
    struct bus_def def = { .kind = BUS_DEALER_CONNECT,
        .service = "scheduler",
        .plug = "router",
        .where = where,
        .on_msg = on_reply,
        .ctx = c };

    *c = (struct control){ .plug = NULL };
    uv_timer_init(loop, &c->timer);
    c->timer.data = c;
    c->plug = bus_open(bus, &def, err);
    if (c->plug != NULL)
        return 0;
    uv_close((uv_handle_t *)&c->timer, NULL);
    return -1;
}

void control_close(struct control *c)
{
    if (c->plug == NULL)
        return;
    question_drop(c);
    bus_close(&c->plug);
    uv_close((uv_handle_t *)&c->timer, NULL);
}

bool control_busy(const struct control *c)
{
    return c->on_answer != NULL;
}

void control_ask(struct control *c, const char *command, const char *args, uint64_t timeout_ms,
    control_on_answer *on_answer, void *ctx)
{
    c->command = xstrdup(command);
    c->args = xstrdup(args);
    c->correlation[0] = '\0';
    question_make(c);
    c->on_answer = on_answer;
    c->ctx = ctx;
    c->deadline_ms = clock_mono_ms() + timeout_ms;
    uv_timer_start(&c->timer, on_timer, 0, TRY_EVERY_MS);
}

struct call {
    uv_loop_t loop;
    uint64_t timeout_ms;
    int status;
    char *body;
    struct err *err;
};

static void on_call_answer(void *ctx, int status, struct str body, const struct err *err)
{
    struct call *call = ctx;

    call->status = status;
    if (status == 0)
        call->body = str_dup(body);
    else if (call->err != NULL)
        *call->err = *err;
    uv_stop(&call->loop);
}

static int call_run(struct call *call, struct bus *bus, const char *where, const char *command,
    const char *args, struct err *err)
{
    struct control control;

    if (control_open(&control, &call->loop, bus, where, err) < 0)
        return -1;
    control_ask(&control, command, args, call->timeout_ms, on_call_answer, call);
    uv_run(&call->loop, UV_RUN_DEFAULT);
    control_close(&control);
    uv_run(&call->loop, UV_RUN_NOWAIT); /* the timer's memory is on this stack */
    return call->status;
}

int control_call(const char *run_dir, const char *where, const char *command, const char *args,
    char **ret_body, struct err *err)
{
    return control_call_within(run_dir, where, command, args, CONTROL_TIMEOUT_MS, ret_body, err);
}

int control_call_within(const char *run_dir, const char *where, const char *command, const char *args,
    uint64_t timeout_ms, char **ret_body, struct err *err)
{
    struct call call = { .timeout_ms = timeout_ms, .err = err };
    struct bus *bus;
    int status;

    if (uv_loop_init(&call.loop) < 0)
        return err_set(err, ERR_BUG, "no event loop");
    bus = bus_new(&call.loop, run_dir, "potok");
    status = call_run(&call, bus, where, command, args, err);
    bus_free(&bus);
    uv_run(&call.loop, UV_RUN_DEFAULT);
    uv_loop_close(&call.loop);
    if (status == 0)
        *ret_body = call.body;
    return status;
}
