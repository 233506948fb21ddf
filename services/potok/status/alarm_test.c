#include "alarm_test.h"

#include "base/clock.h"
#include "base/mem.h"
#include "home.h"
#include "run/alarm_call.h"
#include "run/http_client.h"

#include <stdlib.h>
#include <unistd.h>

#define DEADLINE_MS      15000
#define ANSWER_MAX_BYTES 65536

struct test_settings {
    struct alarm_settings set;
};

static const struct setting SETTINGS[] = { ALARM_SETTINGS(struct test_settings, set), SET_END };

struct test {
    const struct alarm_settings *set;
    enum alarm_target target;
    struct buf body;
    json_t *list;
};

static void note(json_t *list, enum alarm_target target, const struct err *err)
{
    json_array_append_new(list, json_pack("{s:s, s:b, s:s}", "target", alarm_target_name(target), "arrived",
                                    err == NULL, "error", err != NULL ? err->text : ""));
}

static void on_done(void *ctx, struct http_answer *answer)
{
    struct test *t = ctx;
    struct err err = answer->err;
    bool arrived = answer->status > 0 && answer->err.kind == ERR_NONE &&
                   alarm_call_answer(t->target, answer->status, buf_view(&answer->body), &err) == 0;

    note(t->list, t->target, arrived ? NULL : &err);
    buf_fini(&answer->body);
}

static void start(struct http_client *http, struct test *t, const char *host)
{
    const struct alarm_telling telling = { .kind = alarm_kind_of(STR("test")),
        .portal = "",
        .entity = "",
        .text = "",
        .state = ALARM_RAISED,
        .since_ms = clock_wall_ms() };
    const struct alarm_teller who = { host, "potok alarms --test", alarm_speaks_russian(t->set->language) };
    char *url = alarm_call_url(t->set, t->target);
    struct err err = { 0 };

    alarm_call_body(t->set, t->target, &telling, &who, &t->body);
    struct http_request request = { .method = "POST",
        .url = url,
        .content_type = "application/json",
        .body = buf_view(&t->body),
        .deadline_ms = DEADLINE_MS,
        .max_bytes = ANSWER_MAX_BYTES,
        .on_done = on_done,
        .ctx = t };
    if (http_start(http, &request, &err) == NULL)
        note(t->list, t->target, &err);
    free(url);
}

static void ask_all(const struct alarm_settings *set, json_t *list)
{
    struct test tests[ALARM_TARGETS];
    char host[65] = "";
    uv_loop_t loop;

    gethostname(host, sizeof(host) - 1);
    uv_loop_init(&loop);
    struct http_client *http = http_client_new(&loop, "potok/" POTOK_VERSION);
    for (int i = 0; i < ALARM_TARGETS; i++) {
        tests[i] = (struct test){ .set = set, .target = (enum alarm_target)i, .list = list };
        buf_init(&tests[i].body, 65536);
        if (alarm_target_is_set(set, tests[i].target))
            start(http, &tests[i], host);
    }
    size_t asked = 0;
    for (int i = 0; i < ALARM_TARGETS; i++)
        asked += alarm_target_is_set(set, (enum alarm_target)i);
    while (json_array_size(list) < asked && uv_run(&loop, UV_RUN_ONCE) != 0)
        ;
    http_client_free(&http);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    for (int i = 0; i < ALARM_TARGETS; i++)
        buf_fini(&tests[i].body);
}

json_t *alarm_test(const struct home *home, struct err *err)
{
    struct test_settings s = { 0 };

    if (settings_load(SETTINGS, &s, config_setting, (void *)&home->config, err) < 0)
        return NULL;
    json_t *list = alarm_settings_check(&s.set, err) < 0 ? NULL : json_array();
    if (list != NULL)
        ask_all(&s.set, list);
    settings_free(SETTINGS, &s);
    return list;
}
