#include "record_ask.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/json_walk.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEADLINE_MS      65000 /* the portal's own limit is 60 s (facts section 1.5) */
#define ANSWER_BYTES_MAX ((size_t)32 << 20)
#define TRIES            3
#define LIMITED_MS       5000

void record_portal_open(struct record_portal *p, const char *url, uint32_t drain_per_s)
{
    *p = (struct record_portal){ .url = url, .pause_ms = 2000 / (drain_per_s > 0 ? drain_per_s : 1) };
    uv_loop_init(&p->loop);
    p->http = http_client_new(&p->loop, "potok-record/" POTOK_VERSION);
}

void record_portal_close(struct record_portal *p)
{
    http_client_free(&p->http);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    uv_loop_close(&p->loop);
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
    struct http_answer answer;
    bool done;
};

static void on_done(void *ctx, struct http_answer *answer)
{
    struct one_call *call = ctx;

    call->answer = *answer;
    buf_init(&answer->body, 0);
    call->done = true;
}

static void pause_until(uint64_t at_ms)
{
    while (clock_mono_ms() < at_ms)
        usleep((useconds_t)(at_ms - clock_mono_ms() + 1) * 1000);
}

/* Another secret of the same length: its first sign is changed. */
static char *url_of(const char *url, const char *method, bool wrong_secret)
{
    char *ret = xasprintf("%s%s.json", url, method);
    char *secret = strstr(ret, "/rest/");

    secret = secret != NULL ? strchr(secret + 6, '/') : NULL;
    if (wrong_secret && secret != NULL)
        secret[1] = secret[1] == 'x' ? 'y' : 'x';
    return ret;
}

static int ask_once(
    struct record_portal *p, const char *url, struct str params, struct http_answer *ret, struct err *err)
{
    struct one_call call = { .done = false };

    pause_until(p->next_ms);
    p->next_ms = clock_mono_ms() + p->pause_ms;
    p->calls++;
    if (http_start(p->http,
            &(struct http_request){ .method = "POST",
                .url = url,
                .content_type = "application/json",
                .body = params,
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

static bool is_limited(const struct http_answer *a)
{
    char code[64];

    return a->status == 503 && record_error(buf_view(&a->body), code) &&
           strcmp(code, "QUERY_LIMIT_EXCEEDED") == 0;
}

int record_ask(struct record_portal *p, const char *method, struct str params, bool wrong_secret,
    struct http_answer *ret, struct err *err)
{
    char *url = url_of(p->url, method, wrong_secret);
    int result = -1;

    for (int i = 1; i <= TRIES; i++) {
        result = ask_once(p, url, params, ret, err);
        if (result < 0 && err->kind != ERR_TEMP)
            break;
        if (i == TRIES || (result == 0 && !is_limited(ret)))
            break;
        p->next_ms =
            clock_mono_ms() + (result == 0 && ret->retry_after_ms > 0 ? ret->retry_after_ms : LIMITED_MS);
        if (result == 0)
            buf_fini(&ret->body);
    }
    free(url);
    return result;
}
