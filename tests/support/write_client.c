/* write_client.c - writes records to a portal through connectors/bitrix_write and HTTP, and keeps what it
 * knows in a file: killed at any time and started again it goes on. What a test of exactly-once kills
 * (flow/write_test.py).
 *
 * write_client URL FILE name=number...
 *   count=20     records, in turns: a deal that is updated then, a contact that gets a phone, a deal made and
 * deleted by crm.item.*, an item of the smart process batch=0      commands of a batch; 0: calls of their own
 *   parallel=4   calls at once
 *   blind=0      1: it may not see all records, and does not repeat an add that it does not see
 *   numbers=0    1: phones are JSON numbers, which are refused before they are sent
 *   deadline=60000 limit=60000 margin=15000 lag=10000   milliseconds (bitrix_write.h)
 * At the end one line of JSON tells what was done. Exit 0: every write is done. */
#include "base/clock.h"
#include "base/mem.h"
#include "connectors/bitrix.h"
#include "connectors/bitrix_ask.h"
#include "connectors/bitrix_write_answer.h"
#include "run/http_client.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WRITES_MAX = 2000, PAUSE_MS = 5, DEAL = 2, CONTACT = 3, SMART = 156 };

enum { COUNT, BATCH, PARALLEL, DEADLINE, LIMIT, MARGIN, LAG, BLIND, NUMBERS, SETTINGS };
static const char *const setting_names[SETTINGS] = { "count", "batch", "parallel", "deadline", "limit",
    "margin", "lag", "blind", "numbers" };

/* What is done with the record of each kind once it is there. */
static const struct {
    int type_id;
    bool by_item;
    const char *added; /* fields */
    enum write_kind then;
    const char *fields; /* of that; NULL: nothing more is done */
} kinds[] = {
    { DEAL, false, "{\"TITLE\":\"Запись\"}", WRITE_UPDATE, "{\"TITLE\":\"Новая\"}" },
    { CONTACT, false, "{\"LAST_NAME\":\"Запись\"}", WRITE_ROWS,
        "{\"PHONE\":[{\"VALUE\":\" +7 (999) 123-45-67 \",\"VALUE_TYPE\":\"WORK\"}]}" },
    { DEAL, true, "{\"title\":\"Запись\"}", WRITE_DELETE, "" },
    { SMART, true, "{\"title\":\"Запись\"}", WRITE_ADD, NULL },
};

struct item {
    struct bitrix_write write;
    struct write_task task;
    char origin[16];
    int step, twins;
    bool busy; /* a call about it is under way */
};

struct client {
    uv_loop_t loop;
    uv_timer_t tick;
    struct http_client *http;
    const char *url;
    int64_t settings[SETTINGS];
    struct write_pace pace;
    struct item items[WRITES_MAX];
    int file, calls;
    int sent, looks, lost, unlooked; /* told at the end */
};

struct request {
    struct client *client;
    bool look;
    int items[BATCH_COMMANDS], count;
};

static int64_t now_ms(void)
{
    return (int64_t)clock_mono_ms();
}

static void give_up(const char *what, const struct err *err)
{
    fprintf(stderr, "write_client: %s: %s\n", what, err->text);
    exit(2);
}

/* ---- what is kept ---- */

/* One line by one write(): who is killed leaves whole lines. */
static void keep(struct client *c, int i)
{
    struct buf line;

    buf_init(&line, 65536);
    buf_fmt(&line, "%d %d ", i, c->items[i].step);
    bitrix_write_encode(&c->items[i].write, &line);
    buf_char(&line, '\n');
    if (line.failed || write(c->file, line.p, line.n) != (ssize_t)line.n)
        abort();
    buf_fini(&line);
}

static void set_up(struct client *c, int i)
{
    struct item *item = &c->items[i];

    const int kind = i % (int)ARRAY_SIZE(kinds);

    snprintf(item->origin, sizeof(item->origin), "w:%d", i);
    item->task = (struct write_task){ .kind = WRITE_ADD,
        .type_id = kinds[kind].type_id,
        .by_item = kinds[kind].by_item,
        .sees_all = c->settings[BLIND] == 0,
        .originator = STR("potok-test"),
        .origin = str_of(item->origin),
        .fields = str_of(kinds[kind].added) };
    bitrix_write_init(&item->write, WRITE_ADD);
}

/* The record is there: what is done with it then. False: nothing. */
static bool go_on(struct client *c, int i)
{
    struct item *item = &c->items[i];
    const int kind = i % (int)ARRAY_SIZE(kinds);

    if (item->step > 0 || item->write.state != WRITE_DONE || kinds[kind].fields == NULL)
        return false;
    item->twins = (int)item->write.twin_count;
    item->task.kind = kinds[kind].then;
    item->task.id = item->write.id;
    item->task.fields = str_of(kinds[kind].fields);
    if (item->task.kind == WRITE_ROWS && c->settings[NUMBERS] > 0)
        item->task.fields = STR("{\"PHONE\":[{\"VALUE\":79991234567}]}");
    item->step = 1;
    bitrix_write_init(&item->write, item->task.kind);
    return true;
}

/* A sandbox that shows what was written late does so to writes too. */
static void hold(const struct client *c, struct item *item)
{
    if (item->step > 0 && item->write.state == WRITE_READY)
        item->write.due_ms = now_ms() + c->pace.lag_ms;
}

static void load(struct client *c, const char *path)
{
    struct err err;
    size_t room = 0;
    char *line = NULL;
    FILE *f = fopen(path, "r");

    while (f != NULL && getline(&line, &room, f) > 0) {
        char *state;
        const long i = strtol(line, &state, 10), step = strtol(state, &state, 10);

        if (i < 0 || i >= WRITES_MAX)
            abort();
        if (step > c->items[i].step)
            go_on(c, (int)i);
        if (bitrix_write_decode(&c->items[i].write, str_of(state), &err) < 0)
            abort();
    }
    free(line);
    if (f != NULL)
        fclose(f);
    for (int i = 0; i < c->settings[COUNT]; i++) {
        bitrix_write_resumed(&c->items[i].write, &c->pace, now_ms());
        hold(c, &c->items[i]);
    }
    c->file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

/* ---- calls ---- */

static void take(struct request *r, int i, const struct bitrix_said *said)
{
    struct client *c = r->client;
    struct item *item = &c->items[i];
    struct write_heard heard;
    struct write_found found;

    if (r->look) {
        bitrix_write_find(&item->task, said, &found);
        c->unlooked += found.seen == WRITE_NOT_LOOKED;
        bitrix_write_looked(&item->write, &c->pace, &found, now_ms());
    } else {
        bitrix_write_hear(&item->task, said, &heard);
        c->lost += heard.verdict == WRITE_WAS_LOST;
        bitrix_write_answered(&item->write, &c->pace, &heard, now_ms());
    }
    item->busy = false;
    keep(c, i);
}

static void on_answer(void *ctx, struct http_answer *a)
{
    struct request *r = ctx;
    json_t *body = bitrix_said_json(a->body.p, a->body.n);
    char key[BITRIX_KEY_SIZE];

    for (int i = 0; i < r->count; i++) {
        bitrix_key(i, key);
        struct bitrix_said said =
            a->status == 0 ? bitrix_said_nothing(a->sent, &a->err)
                           : bitrix_said(a->status, body, r->client->settings[BATCH] > 0 ? key : NULL, false);
        said.retry_ms = a->retry_after_ms;
        take(r, r->items[i], &said);
    }
    r->client->calls--;
    json_decref(body);
    free(r);
}

static void start_call(struct request *r, const char *method, struct buf *body)
{
    struct client *c = r->client;
    char *url = xasprintf("%s%s", c->url, method);
    struct err err;

    for (int i = 0; i < r->count; i++) {
        c->items[r->items[i]].busy = true;
        if (!r->look) {
            bitrix_write_sent(&c->items[r->items[i]].write);
            keep(c, r->items[i]);
        }
    }
    *(r->look ? &c->looks : &c->sent) += r->count;
    if (http_start(c->http,
            &(struct http_request){ .method = "POST",
                .url = url,
                .content_type = "application/json",
                .body = buf_view(body),
                .free_body = body->p,
                .deadline_ms = (uint64_t)c->settings[DEADLINE],
                .max_bytes = 1 << 20,
                .once = !r->look,
                .on_done = on_answer,
                .ctx = r },
            &err) == NULL)
        give_up("no call", &err);
    c->calls++;
    free(url);
}

static void ask(const struct client *c, int i, bool look, struct buf *room, struct call *ret)
{
    const struct write_task *t = &c->items[i].task;
    struct err err;

    if ((look ? bitrix_write_look : bitrix_write_call)(t, room, ret, &err) < 0)
        give_up("no request", &err);
}

static void call_alone(struct request *r)
{
    struct buf room, body;
    struct call call;
    char method[64];

    buf_init(&room, 65536);
    buf_init(&body, 65536);
    ask(r->client, r->items[0], r->look, &room, &call);
    buf_add(&body, call.params.p, call.params.n);
    snprintf(method, sizeof(method), STR_FMT ".json", STR_ARG(call.method));
    start_call(r, method, &body);
    buf_fini(&room);
}

static void call_batch(struct request *r)
{
    struct msg_job job = { .kind = STR("call") };
    struct call calls[BATCH_COMMANDS];
    char keys[BATCH_COMMANDS][BITRIX_KEY_SIZE];
    struct buf room, list, body;
    struct err err;

    buf_init(&room, 1 << 20);
    buf_init(&list, CALLS_BYTES_MAX);
    buf_init(&body, 1 << 20);
    buf_room(&room, (size_t)BATCH_COMMANDS * 1024);
    for (int i = 0; i < r->count; i++) {
        ask(r->client, r->items[i], r->look, &room, &calls[i]);
        bitrix_key(i, keys[i]);
        calls[i].key = str_of(keys[i]);
    }
    calls_encode(calls, r->count, &list);
    job.calls = buf_view(&list);
    if (list.failed || bitrix_build(&job, &body, &err) < 0)
        give_up("no batch", &err);
    start_call(r, BITRIX_BATCH, &body);
    buf_fini(&list);
    buf_fini(&room);
}

/* The next call of a kind: as many items as it takes. False: there is none. */
static bool call_next(struct client *c, enum write_act act)
{
    const int most = c->settings[BATCH] > 0 ? (int)c->settings[BATCH] : 1;
    struct request *r = xcalloc(1, sizeof(*r));

    *r = (struct request){ .client = c, .look = act == WRITE_DO_LOOK };
    for (int i = 0; i < c->settings[COUNT] && r->count < most; i++) {
        if (!c->items[i].busy && bitrix_write_next(&c->items[i].write, now_ms()).act == act)
            r->items[r->count++] = i;
    }
    if (r->count == 0) {
        free(r);
        return false;
    }
    (c->settings[BATCH] > 0 ? call_batch : call_alone)(r);
    return true;
}

static void on_tick(uv_timer_t *timer)
{
    struct client *c = timer->data;
    bool over = c->calls == 0;

    while (c->calls < c->settings[PARALLEL] && (call_next(c, WRITE_DO_LOOK) || call_next(c, WRITE_DO_SEND)))
        over = false;
    for (int i = 0; i < c->settings[COUNT]; i++) {
        if (!go_on(c, i))
            continue;
        hold(c, &c->items[i]);
        over = false;
    }
    for (int i = 0; i < c->settings[COUNT] && over; i++)
        over = c->items[i].write.state == WRITE_DONE || c->items[i].write.state == WRITE_FAILED;
    if (over)
        uv_timer_stop(timer);
}

/* ---- the whole ---- */

static void set_pace(struct client *c)
{
    c->pace = WRITE_PACE;
    c->pace.limit_ms = c->settings[LIMIT];
    c->pace.margin_ms = c->settings[MARGIN];
    c->pace.lag_ms = c->settings[LAG];
    c->pace.pause_ms = c->settings[LIMIT] / 60; /* as a second is to the minute */
    c->pace.pause_most_ms = c->settings[LIMIT];
}

static int tell(const struct client *c)
{
    int states[WRITE_STATES] = { 0 }, twins = 0;

    for (int i = 0; i < c->settings[COUNT]; i++) {
        const struct bitrix_write *w = &c->items[i].write;

        states[w->state]++;
        twins += c->items[i].twins + (int)w->twin_count;
        if (w->state == WRITE_FAILED)
            fprintf(stderr, "write_client: %d failed: %s\n", i, w->err.text);
    }
    printf("{\"done\":%d,\"failed\":%d,\"twins\":%d,\"sent\":%d,\"looks\":%d,\"lost\":%d,\"unlooked\":%d}\n",
        states[WRITE_DONE], states[WRITE_FAILED], twins, c->sent, c->looks, c->lost, c->unlooked);
    return states[WRITE_DONE] == c->settings[COUNT] ? 0 : 1;
}

static bool set(struct client *c, const char *argument)
{
    for (int i = 0; i < SETTINGS; i++) {
        const size_t n = strlen(setting_names[i]);
        if (strncmp(argument, setting_names[i], n) == 0 && argument[n] == '=')
            return str_i64(str_of(argument + n + 1), &c->settings[i]);
    }
    return false;
}

int main(int argc, char **argv)
{
    static struct client c = { .settings = { [COUNT] = 20,
                                   [PARALLEL] = 4,
                                   [DEADLINE] = 60000,
                                   [LIMIT] = 60000,
                                   [MARGIN] = 15000,
                                   [LAG] = 10000 } };

    for (int i = 3; i < argc; i++)
        argc = set(&c, argv[i]) ? argc : 0;
    if (argc < 3 || c.settings[COUNT] > WRITES_MAX || c.settings[BATCH] > BATCH_COMMANDS) {
        fprintf(stderr, "write_client URL FILE name=number...\n");
        return 2;
    }
    c.url = argv[1];
    uv_loop_init(&c.loop);
    c.http = http_client_new(&c.loop, "write_client");
    set_pace(&c);
    for (int i = 0; i < c.settings[COUNT]; i++)
        set_up(&c, i);
    load(&c, argv[2]);
    uv_timer_init(&c.loop, &c.tick);
    c.tick.data = &c;
    uv_timer_start(&c.tick, on_tick, 0, PAUSE_MS);
    while (uv_is_active((uv_handle_t *)&c.tick))
        uv_run(&c.loop, UV_RUN_ONCE);
    http_client_free(&c.http);
    close(c.file);
    return tell(&c);
}
