#include "budget.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/seal.h"
#include "base/uuid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_AGAIN_MS 300 /* the same question, should the bus have lost it */
#define NOBODY_MS \
    600 /* no scheduler was found at all, nor ever answered; a folder of sockets says so at once */
#define DEAF_MS       300 /* one that did not answer the last time is given so long */
#define END_MS        300
#define OPERATING_MAX 65536
#define SEALED_MAX    4096

enum budget_state {
    BUDGET_IDLE,
    BUDGET_ASKED,   /* a GRANT is awaited */
    BUDGET_WAITING, /* the scheduler said when to ask again */
    BUDGET_ALONE,   /* nobody answers: at our own pace */
    BUDGET_ENDING,  /* only to tell */
};

struct budget {
    struct budget_def def;
    char sender[64], portal[64], source[64], method[128];
    struct bus_plug *plug;
    uv_timer_t timer;
    enum budget_state state;
    budget_on_go *on_go;
    void *ctx;
    uint64_t seq, asked_ms, wanted_ms;
    bool answered;       /* once, since the last silence */
    bool silent;         /* the last question had no answer */
    bool out, out_alone; /* a call was let go, and how */
    uint64_t started_ms; /* the last one */

    /* What is to be told. */
    uint64_t arrived, unsent, refused, retry_ms, token;
    struct buf operating;
    char blocked[128], code[64];

    /* How full a bucket may be that was full when the scheduler fell silent: with our calls, and without. */
    double with, without;
    uint64_t levels_ms; /* 0: we have not been alone since it was told */

    struct budget_go go; /* the last one */
    struct buf sealed;
    char host[256];
};

/* ---- levels ---- */

static void drain(struct budget *b, uint64_t now_ms)
{
    double gone = (double)(now_ms - b->levels_ms) * b->def.drain_per_s / 1000.0;

    b->with = b->with > gone ? b->with - gone : 0;
    b->without = b->without > gone ? b->without - gone : 0;
    b->levels_ms = now_ms;
}

static void count_alone(struct budget *b, uint64_t now_ms)
{
    if (b->levels_ms == 0) {
        b->levels_ms = now_ms;
        b->with = b->without = b->def.burst;
    }
    drain(b, now_ms);
    b->with += 1;
}

/* Calls that a scheduler which knows the level before cannot know of. */
static uint64_t unknown_calls(struct budget *b, uint64_t now_ms)
{
    if (b->levels_ms == 0)
        return 0;
    drain(b, now_ms);
    b->levels_ms = 0;
    return (uint64_t)ceil(b->with - b->without);
}

/* ---- letting go ---- */

static void let_go(struct budget *b, bool alone)
{
    budget_on_go *on_go = b->on_go;

    uv_timer_stop(&b->timer);
    b->state = BUDGET_IDLE;
    b->on_go = NULL;
    b->go.alone = alone;
    b->out = b->go.err.kind == ERR_NONE;
    b->out_alone = alone;
    if (b->out)
        b->started_ms = clock_mono_ms();
    if (b->out && alone)
        count_alone(b, b->started_ms);
    on_go(b->ctx, &b->go);
}

static void on_timer(uv_timer_t *timer);

static void go_alone(struct budget *b, bool nobody)
{
    const uint64_t apart_ms = b->def.few ? 0 : 2000 / b->def.drain_per_s, now_ms = clock_mono_ms();

    b->go = (struct budget_go){ .alone = true };
    if (b->def.needs_token) {
        if (nobody)
            err_set(&b->go.err, ERR_AUTH,
                "portal %s is reached as an application: it can be asked only while the scheduler runs",
                b->portal);
        else
            err_set(
                &b->go.err, ERR_TEMP, "portal %s: the scheduler leaves it in peace for a while", b->portal);
        let_go(b, true);
        return;
    }
    b->state = BUDGET_ALONE;
    uv_timer_start(&b->timer, on_timer,
        b->started_ms > 0 && b->started_ms + apart_ms > now_ms ? b->started_ms + apart_ms - now_ms : 0, 0);
}

/* ---- questions ---- */

static void send_ask(struct budget *b)
{
    struct msg *m = msg_new(MSG_BUDGET_ASK);

    m->budget_ask = (struct msg_budget_ask){ .sender = str_of(b->sender),
        .seq = b->seq,
        .portal = str_of(b->portal),
        .method = str_of(b->method),
        .want = b->state == BUDGET_ENDING ? 0 : 1,
        .arrived = b->arrived,
        .unsent = b->unsent,
        .operating = buf_view(&b->operating),
        .refused = b->refused,
        .blocked = str_of(b->blocked),
        .code = str_of(b->code),
        .retry_ms = b->retry_ms,
        .token = b->token,
        .source = str_of(b->source) };
    if (bus_send(b->plug, &m) != BUS_SENT)
        msg_free(&m); /* again at the next turn of the timer */
}

/* How long an answer is waited for. */
static uint64_t patience(const struct budget *b)
{
    if (b->state == BUDGET_ENDING)
        return END_MS;
    if (bus_peers(b->plug) == 0 && !b->answered)
        return b->silent || str_is(str_of(b->def.where), "ipc") ? 0 : NOBODY_MS;
    return b->silent ? DEAF_MS : BUDGET_PATIENCE_MS;
}

static void ask_anew(struct budget *b, enum budget_state state)
{
    b->state = state;
    b->seq++;
    b->asked_ms = clock_mono_ms();
    b->arrived += unknown_calls(b, b->asked_ms);
    send_ask(b);
    uv_timer_start(&b->timer, on_timer, patience(b) < ASK_AGAIN_MS ? patience(b) : ASK_AGAIN_MS, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct budget *b = timer->data;

    if (b->state == BUDGET_ALONE) {
        let_go(b, true);
    } else if (b->state == BUDGET_WAITING) {
        ask_anew(b, BUDGET_ASKED);
    } else if (clock_mono_ms() < b->asked_ms + patience(b)) {
        send_ask(b);
        uv_timer_start(timer, on_timer, ASK_AGAIN_MS, 0);
    } else if (b->state == BUDGET_ENDING) {
        b->state = BUDGET_IDLE;
    } else {
        b->silent = true;
        b->answered = false;
        go_alone(b, true);
    }
}

static void told(struct budget *b)
{
    b->arrived = b->unsent = b->refused = b->retry_ms = 0;
    b->blocked[0] = b->code[0] = '\0';
    buf_clear(&b->operating);
}

static void take_grant(struct budget *b, const struct msg_budget_grant *g)
{
    b->go = (struct budget_go){ .alone = false };
    if (g->granted == 0 && g->error.n == 0) {
        if (b->def.most_wait_ms > 0 && clock_mono_ms() + g->wait_ms > b->wanted_ms + b->def.most_wait_ms) {
            go_alone(b, false);
            return;
        }
        b->state = BUDGET_WAITING;
        uv_timer_start(&b->timer, on_timer, g->wait_ms, 0);
        return;
    }
    if (g->error.n > 0 && !b->def.needs_token) { /* another configuration than ours: it will not call there */
        go_alone(b, false);
        return;
    }
    if (g->error.n > 0)
        err_set(&b->go.err, ERR_PERM, STR_FMT, STR_ARG(g->error));
    snprintf(b->host, sizeof(b->host), STR_FMT, STR_ARG(g->host));
    buf_clear(&b->sealed);
    buf_add(&b->sealed, g->sealed.p, g->sealed.n);
    b->go.host = str_of(b->host);
    b->go.sealed = buf_view(&b->sealed);
    b->go.token = b->token = g->token;
    let_go(b, false);
}

static void on_msg(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct budget *b = ctx;
    const struct msg_budget_grant *g = &(*m)->budget_grant;

    if ((*m)->type != MSG_BUDGET_GRANT || g->seq != b->seq || !str_is(g->sender, b->sender) ||
        (b->state != BUDGET_ASKED && b->state != BUDGET_ENDING))
        return;
    b->answered = true;
    b->silent = false;
    told(b);
    if (b->state == BUDGET_ENDING) {
        uv_timer_stop(&b->timer);
        b->state = BUDGET_IDLE;
        return;
    }
    take_grant(b, g);
}

void budget_ask(struct budget *b, const char *method, budget_on_go *on_go, void *ctx)
{
    snprintf(b->method, sizeof(b->method), "%s", method);
    b->on_go = on_go;
    b->ctx = ctx;
    b->wanted_ms = clock_mono_ms();
    ask_anew(b, BUDGET_ASKED);
}

void budget_arrived(struct budget *b, const struct budget_told *t)
{
    if (!b->out)
        return;
    b->out = false;
    b->arrived += !b->out_alone; /* the others are in the levels */
    if (t == NULL)
        return;
    budget_more(b, t);
}

void budget_more(struct budget *b, const struct budget_told *t)
{
    if (t->operating.n > 0) {
        buf_clear(&b->operating);
        buf_add(&b->operating, t->operating.p, t->operating.n);
    }
    if (t->refused > 0) {
        b->refused = t->refused;
        b->retry_ms = t->retry_ms;
        snprintf(b->blocked, sizeof(b->blocked), STR_FMT, STR_ARG(t->blocked));
    }
    if (t->code.n > 0)
        snprintf(b->code, sizeof(b->code), STR_FMT, STR_ARG(t->code));
}

void budget_unsent(struct budget *b)
{
    if (b->out && !b->out_alone)
        b->unsent++;
    b->out = false;
}

/* ---- life ---- */

struct budget *budget_new(const struct budget_def *def, struct err *err)
{
    struct budget *b = xcalloc(1, sizeof(*b));
    struct bus_def plug = { .kind = BUS_DEALER_CONNECT,
        .service = "scheduler",
        .plug = "router",
        .where = def->where,
        .on_msg = on_msg,
        .ctx = b };

    b->def = *def;
    if (b->def.drain_per_s == 0)
        b->def.drain_per_s = 1;
    char life[UUID_SIZE];

    uuid7(life); /* numbers of processes repeat, on other machines and in containers */
    snprintf(b->sender, sizeof(b->sender), "%.24s.%s", def->kind, life);
    snprintf(b->portal, sizeof(b->portal), "%s", def->portal);
    snprintf(b->source, sizeof(b->source), "%s", def->source != NULL ? def->source : "");
    buf_init(&b->operating, OPERATING_MAX);
    buf_init(&b->sealed, SEALED_MAX);
    b->plug = bus_open(def->bus, &plug, err);
    if (b->plug == NULL) {
        free(b);
        return NULL;
    }
    uv_timer_init(def->loop, &b->timer);
    b->timer.data = b;
    return b;
}

static void on_closed(uv_handle_t *timer)
{
    struct budget *b = timer->data;

    buf_fini(&b->operating);
    seal_wipe(&b->sealed);
    free(b);
}

void budget_free(struct budget **b)
{
    if (*b == NULL)
        return;
    bus_close(&(*b)->plug);
    uv_close((uv_handle_t *)&(*b)->timer, on_closed);
    *b = NULL;
}

/* ---- for those who wait ---- */

struct waited {
    uv_loop_t *loop;
    bool turning, done;
};

/* The turn that has come to this would wait for one more event before it ends. */
static void on_waited(void *ctx, const struct budget_go *go)
{
    struct waited *w = ctx;

    w->done = true;
    if (w->turning)
        uv_stop(w->loop);
}

int budget_wait(struct budget *b, const char *method, struct budget_go *ret, struct err *err)
{
    struct waited w = { .loop = b->def.loop };

    budget_ask(b, method, on_waited, &w);
    w.turning = true;
    while (!w.done)
        uv_run(b->def.loop, UV_RUN_ONCE);
    *ret = b->go;
    if (b->go.err.kind == ERR_NONE)
        return 0;
    *err = b->go.err;
    return -1;
}

void budget_end(struct budget *b)
{
    if (!b->answered || b->state != BUDGET_IDLE || (b->arrived == 0 && b->unsent == 0))
        return;
    ask_anew(b, BUDGET_ENDING);
    while (b->state == BUDGET_ENDING)
        uv_run(b->def.loop, UV_RUN_ONCE);
}
