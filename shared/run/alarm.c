#include "run/alarm.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "run/alarm_queue.h"
#include "run/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURN_MS          500
#define CALL_DEADLINE_MS 15000
#define ANSWER_MAX_BYTES 65536
#define BODY_MAX_BYTES   65536

struct sender { /* to one target */
    struct alarms *alarms;
    enum alarm_target target;
    struct alarm_queue queue;
    struct http_call *call;
    char *body;    /* of the call under way: the queue may give its own away */
    bool troubled; /* told already */
};

struct alarms {
    const struct alarm_settings *set;
    struct alarm_teller who;
    char host[65], instance[64];
    struct alarm_book book;
    struct http_client *http;
    uv_timer_t *timer; /* freed in its close callback */
    struct sender senders[ALARM_TARGETS];
    uint64_t refused; /* told already */
    bool kept, stopping;
};

static struct alarm_now now(void)
{
    return (struct alarm_now){ (int64_t)clock_mono_ms(), clock_wall_ms() };
}

static void key_of(const char *portal, const char *entity, const char *name, char ret[static ALARM_KEY_SIZE])
{
    snprintf(ret, ALARM_KEY_SIZE, "%s\n%s\n%s", portal, entity, name);
}

/* ---- metrics ---- */

static void count_call(enum alarm_target target, const char *outcome)
{
    char labels[96];

    snprintf(labels, sizeof(labels), "{target=\"%s\",outcome=\"%s\"}", alarm_target_name(target), outcome);
    metric_add(metric_series("potok_alarm_calls_total", "Calls that tell alarms, by what became of them",
                   METRIC_COUNTER, labels),
        1);
}

static void show(const char *portal, const char *entity, const char *name, bool raised)
{
    char labels[200];

    snprintf(labels, sizeof(labels), "{portal=\"%s\",entity=\"%s\",name=\"%s\"}", portal, entity, name);
    metric_set(metric_series("potok_alarm", "1: raised", METRIC_GAUGE, labels), raised ? 1 : 0);
}

static void show_all(const struct alarms *a)
{
    for (int i = 0; i < a->book.count; i++) {
        const struct alarm_entry *e = &a->book.list[i];

        if (e->shown)
            show(e->portal, e->entity, e->kind->name, e->raised);
    }
}

/* ---- calls ---- */

/* Its row may say now that it was told. */
static void settled(struct alarms *a, const char *key)
{
    char other[ALARM_KEY_SIZE];

    for (int i = 0; i < a->book.count; i++) {
        struct alarm_entry *e = &a->book.list[i];

        key_of(e->portal, e->entity, e->kind->name, other);
        if (strcmp(key, other) == 0)
            e->changed = true;
    }
}

static void arrived(struct sender *x)
{
    char key[ALARM_KEY_SIZE];

    alarm_queue_arrived(&x->queue, key);
    settled(x->alarms, key);
    count_call(x->target, "arrived");
    if (x->troubled)
        log_ev(LOG_INFO, "alarm.target_well", kv_s("target", alarm_target_name(x->target)));
    x->troubled = false;
}

/* Once, until something arrives there again. */
static void failed(struct sender *x, const struct err *err)
{
    char key[ALARM_KEY_SIZE];
    bool kept = alarm_queue_failed(&x->queue, err->retry_ms, clock_mono_ms(), key);

    count_call(x->target, kept ? "failed" : "given_up");
    if (!kept)
        settled(x->alarms, key);
    if (!x->troubled)
        log_ev(LOG_WARNING, "alarm.target_failed", kv_s("target", alarm_target_name(x->target)), kv_err(err),
            kv_s("message", "tried again for an hour; `potok alarms --test` tells whether it works"));
    x->troubled = true;
}

static void on_answer(void *ctx, struct http_answer *answer)
{
    struct sender *x = ctx;
    struct err err = answer->err;

    x->call = NULL;
    free(x->body);
    x->body = NULL;
    if (!x->alarms->stopping) {
        if (answer->status > 0 && answer->err.kind == ERR_NONE &&
            alarm_call_answer(x->target, answer->status, buf_view(&answer->body), &err) == 0)
            arrived(x);
        else
            failed(x, &err);
    }
    buf_fini(&answer->body);
}

static void send_next(struct sender *x)
{
    const struct alarm_post *post = alarm_queue_next(&x->queue, clock_mono_ms());
    struct err err = { 0 };

    if (post == NULL)
        return;
    char *url = alarm_call_url(x->alarms->set, x->target);
    x->body = xstrdup(post->body);
    struct http_request request = { .method = "POST",
        .url = url,
        .content_type = "application/json",
        .body = str_of(x->body),
        .deadline_ms = CALL_DEADLINE_MS,
        .max_bytes = ANSWER_MAX_BYTES,
        .on_done = on_answer,
        .ctx = x };

    x->call = http_start(x->alarms->http, &request, &err);
    free(url);
    if (x->call != NULL)
        return;
    free(x->body);
    x->body = NULL;
    failed(x, &err);
}

static void post(struct sender *x, const struct alarm_telling *t)
{
    char key[ALARM_KEY_SIZE];
    struct buf body;

    buf_init(&body, BODY_MAX_BYTES);
    alarm_call_body(x->alarms->set, x->target, t, &x->alarms->who, &body);
    key_of(t->portal, t->entity, t->kind->name, key);
    if (!body.failed && !alarm_queue_put(&x->queue, key, xstrdup(buf_cstr(&body)), clock_mono_ms()))
        count_call(x->target, "given_up");
    buf_fini(&body);
}

/* ---- telling ---- */

static void log_telling(const struct alarm_telling *t)
{
    static const enum log_level levels[] = {
        [ALARM_INFO] = LOG_INFO, [ALARM_WARNING] = LOG_WARNING, [ALARM_ERROR] = LOG_ERROR
    };

    if (t->state == ALARM_RESOLVED)
        log_ev(LOG_INFO, "alarm.resolved", kv_s("name", t->kind->name), kv_s("portal", t->portal),
            kv_s("entity", t->entity), kv_u("lasted_ms", t->lasted_ms));
    else
        log_ev(levels[t->kind->level], "alarm.raised", kv_s("name", t->kind->name), kv_s("portal", t->portal),
            kv_s("entity", t->entity), kv_s("subject", t->kind->en), kv_s("text", t->text),
            kv_s("act", t->kind->act_en), kv_u("lasted_ms", t->lasted_ms));
}

static void turn(struct alarms *a)
{
    struct alarm_telling t;

    while (alarm_book_next(&a->book, now(), &t)) {
        log_telling(&t);
        for (int i = 0; i < ALARM_TARGETS; i++)
            if (alarm_target_is_set(a->set, (enum alarm_target)i))
                post(&a->senders[i], &t);
    }
    show_all(a);
    for (int i = 0; i < a->book.count && !a->kept; i++)
        a->book.list[i].changed = false;
    for (int i = 0; i < ALARM_TARGETS; i++)
        send_next(&a->senders[i]);
    if (a->book.refused > a->refused)
        log_ev(LOG_WARNING, "alarm.full", kv_i("most", ALARMS_MOST));
    a->refused = a->book.refused;
}

static void on_turn(uv_timer_t *timer)
{
    turn(timer->data);
}

void alarm_raise(struct alarms *a, const struct alarm *what)
{
    if (a == NULL || a->stopping)
        return;
    if (!alarm_book_raise(&a->book, what, now()) && alarm_kind_of(str_of(what->name)) == NULL)
        log_ev(LOG_ERROR, "alarm.unknown", kv_s("name", what->name));
    turn(a);
}

void alarm_clear(struct alarms *a, const char *portal, const char *entity, const char *name)
{
    struct alarm_entry *e =
        a == NULL ? NULL : alarm_book_find(&a->book, str_of(portal), str_of(entity), name);

    if (e == NULL || !e->raised || a->stopping)
        return;
    if (e->shown)
        show(portal, entity, name, false);
    (void)alarm_book_clear(&a->book, str_of(portal), str_of(entity), name, now());
    turn(a);
}

bool alarm_is_raised(const struct alarms *a, const char *portal, const char *entity, const char *name)
{
    const struct alarm_entry *e =
        a == NULL ? NULL : alarm_book_find(&a->book, str_of(portal), str_of(entity), name);

    return e != NULL && e->raised;
}

json_t *alarms_json(const struct alarms *a)
{
    json_t *list = json_array();

    for (int i = 0; a != NULL && i < a->book.count; i++) {
        const struct alarm_entry *e = &a->book.list[i];

        if (e->raised && e->shown)
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "name", e->kind->name, "portal", e->portal,
                          "entity", e->entity, "text", e->text, "since_ms", (json_int_t)e->since_wall_ms,
                          "told_ms", (json_int_t)e->told_wall_ms));
    }
    return list;
}

/* ---- the table ---- */

void alarms_load(struct alarms *a, const struct alarm_row *row)
{
    alarm_book_load(&a->book, row, now());
}

static bool is_to_keep(const struct alarm_entry *e)
{
    return e->changed && (e->shown || !e->raised);
}

bool alarms_changed(const struct alarms *a)
{
    for (int i = 0; a != NULL && i < a->book.count; i++)
        if (is_to_keep(&a->book.list[i]))
            return true;
    return false;
}

static bool is_pending(const struct alarms *a, const struct alarm_entry *e)
{
    char key[ALARM_KEY_SIZE];

    key_of(e->portal, e->entity, e->kind->name, key);
    for (int i = 0; i < ALARM_TARGETS; i++)
        if (alarm_queue_has(&a->senders[i].queue, key))
            return true;
    return e->over;
}

int alarms_take(struct alarms *a, struct alarm_row *rows, int most)
{
    int n = 0;

    for (int i = 0; i < a->book.count && n < most; i++) {
        struct alarm_entry *e = &a->book.list[i];

        if (!is_to_keep(e))
            continue;
        alarm_row_of(e, &rows[n]);
        if (is_pending(a, e)) {
            if (e->raised || e->kind->after == ALARM_ONCE)
                rows[n].told_ms = 0;
            rows[n].gone_ms = 0;
        }
        e->changed = false;
        n++;
    }
    return n;
}

void alarms_keep_again(struct alarms *a, const struct alarm_row *rows, int count)
{
    for (int i = 0; i < count; i++) {
        struct alarm_entry *e =
            alarm_book_find(&a->book, str_of(rows[i].portal), str_of(rows[i].entity), rows[i].name);

        if (e != NULL)
            e->changed = true;
    }
}

/* ---- life ---- */

int alarms_new(struct alarms **ret, uv_loop_t *loop, const struct alarm_settings *set, const char *instance,
    bool kept, struct err *err)
{
    if (alarm_settings_check(set, err) < 0)
        return -1;
    struct alarms *a = xcalloc(1, sizeof(*a));
    struct alarm_times times = { set->after_ms, set->quiet_ms, set->repeat_ms };

    a->set = set;
    a->kept = kept;
    gethostname(a->host, sizeof(a->host) - 1);
    snprintf(a->instance, sizeof(a->instance), "%s", instance);
    a->who = (struct alarm_teller){ a->host, a->instance, alarm_speaks_russian(set->language) };
    alarm_book_init(&a->book, &times);
    for (int i = 0; i < ALARM_TARGETS; i++) {
        a->senders[i].alarms = a;
        a->senders[i].target = (enum alarm_target)i;
    }
    a->http = http_client_new(loop, "potok/" POTOK_VERSION);
    a->timer = xcalloc(1, sizeof(*a->timer));
    uv_timer_init(loop, a->timer);
    a->timer->data = a;
    uv_timer_start(a->timer, on_turn, TURN_MS, TURN_MS);
    *ret = a;
    return 0;
}

static void free_timer(uv_handle_t *handle)
{
    free(handle);
}

void alarms_free(struct alarms **alarms)
{
    struct alarms *a = *alarms;

    if (a == NULL)
        return;
    a->stopping = true;
    http_client_free(&a->http);
    uv_close((uv_handle_t *)a->timer, free_timer);
    for (int i = 0; i < ALARM_TARGETS; i++)
        alarm_queue_fini(&a->senders[i].queue);
    alarm_book_fini(&a->book);
    free(a);
    *alarms = NULL;
}
