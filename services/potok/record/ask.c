#include "ask.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/json_walk.h"
#include "base/mem.h"
#include "proto/wire.h"
#include "ask/signed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define DEADLINE_MS         65000 /* the portal's own limit is 60 s (facts section 1.5) */
#define ANSWER_BYTES_MAX    ((size_t)32 << 20)
#define TRIES               3
#define LIMITED_MS          5000
#define LIMITED             "QUERY_LIMIT_EXCEEDED"
#define OPERATING_BYTES_MAX 65536

int record_portal_open(struct record_portal *p, const struct home *home, const struct config_portal *portal,
    const char *kind, struct err *err)
{
    const struct budget_def def = { .loop = &p->loop,
        .where = home->bus_scheduler,
        .kind = kind,
        .portal = portal->name,
        .burst = portal->burst,
        .drain_per_s = portal->drain_per_s,
        .needs_token = config_portal_is_app(portal) };
    struct budget_def here = def;

    *p = (struct record_portal){ .portal = portal };
    if (seal_keys_read(&p->keys, home->secret_key, err) < 0)
        return -1;
    buf_init(&p->operating, OPERATING_BYTES_MAX);
    uv_loop_init(&p->loop);
    p->http = http_client_new(&p->loop, "potok-record/" POTOK_VERSION);
    here.bus = p->bus = bus_new(&p->loop, home->run_dir, "potok");
    p->budget = budget_new(&here, err);
    if (p->budget != NULL)
        return 0;
    record_portal_close(p);
    return -1;
}

void record_portal_close(struct record_portal *p)
{
    if (p->http == NULL)
        return;
    if (p->budget != NULL)
        budget_end(p->budget);
    budget_free(&p->budget);
    http_client_free(&p->http);
    bus_free(&p->bus);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    uv_loop_close(&p->loop);
    buf_fini(&p->operating);
    seal_keys_wipe(&p->keys);
}

bool record_error(struct str body, char ret[static 64])
{
    struct json_walk w;
    struct err err;

    ret[0] = '\0';
    json_walk_init(&w, body);
    while (json_walk_next(&w, &err) > 0) {
        if (w.depth != 1 || w.is_key || !str_is(json_walk_key(&w, 0), "error") || w.kind == JSON_IS_CLOSE)
            continue;
        if (w.kind == JSON_IS_STRING)
            snprintf(ret, 64, STR_FMT, (int)w.token.n - 2, w.token.p + 1);
        return true;
    }
    return false;
}

struct one_call {
    uv_loop_t *loop;
    struct http_answer answer;
    bool done;
};

static void on_done(void *ctx, struct http_answer *answer)
{
    struct one_call *call = ctx;

    call->answer = *answer;
    buf_init(&answer->body, 0);
    call->done = true;
    uv_stop(call->loop); /* the turn that has come to this would wait for one more event before it ends */
}

static void pause_until(uint64_t at_ms)
{
    while (clock_mono_ms() < at_ms)
        usleep((useconds_t)(at_ms - clock_mono_ms() + 1) * 1000);
}

/* ---- one call ---- */

struct question {
    const char *method;
    struct str params;
    const char *costs;
    bool wrong_secret;
};

static int post(
    struct record_portal *p, const char *url, struct str body, struct http_answer *ret, struct err *err)
{
    struct one_call call = { .loop = &p->loop };

    p->calls++;
    if (http_start(p->http,
            &(struct http_request){ .method = "POST",
                .url = url,
                .content_type = "application/json",
                .body = body,
                .deadline_ms = DEADLINE_MS,
                .max_bytes = ANSWER_BYTES_MAX,
                .on_done = on_done,
                .ctx = &call },
            err) == NULL)
        return -1;
    while (!call.done)
        uv_run(&p->loop, UV_RUN_ONCE);
    *ret = call.answer;
    if (ret->status != 0)
        return 0;
    *err = ret->err;
    buf_fini(&ret->body);
    return -1;
}

/* What the scheduler should know of it. */
static void tell(struct record_portal *p, const struct question *q, int result, const struct http_answer *a)
{
    struct budget_told told = { .refused = 0 };
    char code[64] = "";

    if (result == 0 && a->status != 200)
        (void)record_error(buf_view(&a->body), code);
    told.code = str_of(code);
    if (strcmp(code, LIMITED) == 0 || (result == 0 && a->status == 429)) {
        told.refused = (uint64_t)a->status;
        told.retry_ms = a->retry_after_ms > 0 ? a->retry_after_ms : LIMITED_MS;
        told.blocked = str_of(a->status == 429 ? q->method : "");
    }
    budget_arrived(p->budget, &told);
}

static int ask_once(
    struct record_portal *p, const struct question *q, struct http_answer *ret, struct err *err)
{
    struct budget_go go;
    struct buf body;
    int result = 0;

    pause_until(p->next_ms);
    if (budget_wait(p->budget, q->costs, &go, err) < 0)
        return -1;
    char *url = signed_url(p->portal, q->method, go.host, q->wrong_secret);
    buf_init(&body, q->params.n + SIGNED_MORE_BYTES);
    if (url == NULL)
        result = err_set(err, ERR_CONF, "portal %s: it cannot be asked at " STR_FMT " by https",
            p->portal->name, STR_ARG(go.host));
    else if (config_portal_is_app(p->portal))
        result = signed_body(&p->keys, p->portal, q->params, go.sealed, q->wrong_secret, &body, err);
    if (result < 0) {
        budget_unsent(p->budget);
    } else {
        result = post(p, url, body.n > 0 ? buf_view(&body) : q->params, ret, err);
        tell(p, q, result, ret);
    }
    seal_wipe(&body);
    seal_free(url);
    return result;
}

/* Rejected for no fault of the question, and not for long. */
static bool passes(const struct record_portal *p, const struct question *q, const struct http_answer *a)
{
    char code[64];

    if (a->status == 200 || !record_error(buf_view(&a->body), code))
        return false;
    return (a->status == 503 && strcmp(code, LIMITED) == 0) ||
           (config_portal_is_app(p->portal) && !q->wrong_secret &&
               (strcasecmp(code, "expired_token") == 0 || strcasecmp(code, "invalid_token") == 0));
}

static int ask(struct record_portal *p, const struct question *q, struct http_answer *ret, struct err *err)
{
    int result = -1;

    for (int i = 1; i <= TRIES; i++) {
        result = ask_once(p, q, ret, err);
        if (result < 0 && err->kind != ERR_TEMP)
            break;
        if (i == TRIES || (result == 0 && !passes(p, q, ret)))
            break;
        if (result < 0 || ret->status == 503)
            p->next_ms =
                clock_mono_ms() + (result == 0 && ret->retry_after_ms > 0 ? ret->retry_after_ms : LIMITED_MS);
        if (result == 0)
            buf_fini(&ret->body);
    }
    return result;
}

int record_ask(struct record_portal *p, const char *method, struct str params, bool wrong_secret,
    struct http_answer *ret, struct err *err)
{
    return ask(p, &(struct question){ method, params, "", wrong_secret }, ret, err);
}

int record_ask_costly(struct record_portal *p, const char *method, struct str params, const char *costs,
    struct http_answer *ret, struct err *err)
{
    return ask(p, &(struct question){ method, params, costs, false }, ret, err);
}

void record_told(struct record_portal *p, const struct bitrix_answer *a)
{
    buf_clear(&p->operating);
    if (a->operating_count > 0)
        wire_put_map(&p->operating, (uint32_t)a->operating_count);
    for (int i = 0; i < a->operating_count; i++) {
        wire_put_str(&p->operating, str_of(a->operating[i].method));
        wire_put_array(&p->operating, 2);
        wire_put_u64(&p->operating, a->operating[i].used_ms);
        wire_put_u64(&p->operating, a->operating[i].reset_s);
    }
    budget_more(p->budget, &(struct budget_told){ .operating = buf_view(&p->operating),
                               .blocked = str_of(a->blocked),
                               .refused = a->blocked[0] != '\0' ? 429 : 0,
                               .retry_ms = a->retry_ms });
}
