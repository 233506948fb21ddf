/* Commands of the operator: JSON in, JSON out. What they change goes through steps like everything else. */
#include "scheduler.h"

#include "guard.h"
#include "spend.h"

#include "access.h"
#include "base/clock.h"
#include "overload.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* error NULL: ok. body is lent; NULL = none. */
void control_reply(
    struct scheduler *s, struct bus_peer to, const char *correlation, const char *error, json_t *body)
{
    struct msg *m = msg_new(MSG_CONTROL_REPLY);
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;

    memcpy(m->correlation, correlation, sizeof(m->correlation));
    m->control_reply = (struct msg_control_reply){
        .outcome = str_of(error == NULL ? "ok" : "failed"), .error = str_of(error), .body = str_of(text)
    };
    if (bus_send_to(s->router, to, &m) != BUS_SENT)
        msg_free(&m); /* who asked has gone; asking again is harmless */
    free(text);
}

static void reply_failed(struct scheduler *s, struct bus_peer to, const struct msg *m, const char *format,
    ...) __attribute__((format(printf, 4, 5)));
static void reply_failed(
    struct scheduler *s, struct bus_peer to, const struct msg *m, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    control_reply(s, to, m->correlation, text, NULL);
}

/* ---- sync ---- */

#define ORDER_IDS_MOST 2500 /* single records of one command */

static bool ids_are_good(const json_t *ids)
{
    size_t n = json_array_size(ids);

    for (size_t i = 0; i < n; i++)
        if (json_integer_value(json_array_get(ids, i)) <= 0)
            return false;
    return n > 0 && n <= ORDER_IDS_MOST;
}

/* It begins on a next turn: what is gone becomes marks, and they are waited for. */
static void on_sweep(
    struct scheduler *s, struct bus_peer from, const struct msg *m, const struct sync_wish *wishes, int count)
{
    json_t *body = json_object(), *mirrors = json_array();

    for (int w = 0; w < count; w++) {
        const struct portal *p = &s->portals[wishes[w].portal].portal;

        changed_sweep_now(s, wishes[w].portal, wishes[w].mirrors);
        for (int i = 0; i < p->mirror_count; i++)
            if (wishes[w].mirrors & (uint64_t)1 << i)
                json_array_append_new(mirrors, json_pack("{s:s, s:s}", "portal", p->config->name, "entity",
                                                   p->mirrors[i].entity->plural));
    }
    json_object_set_new(body, "sweeps", mirrors);
    control_reply(s, from, m->correlation, NULL, body);
    json_decref(body);
}

static void on_sync(struct scheduler *s, struct bus_peer from, const struct msg *m, json_t *args)
{
    const json_t *entities = json_object_get(args, "entities"), *ids = json_object_get(args, "ids");
    struct sync_wish wishes[CONFIG_PORTALS_MAX];
    char why[400];
    int count = wish_read(s, args, wishes, why, sizeof(why));

    if (count > 0)
        count = wish_unpaused(s, json_array_size(entities) > 0, wishes, count, why, sizeof(why));
    if (count < 0)
        reply_failed(s, from, m, "%s", why);
    else if (json_is_true(json_object_get(args, "deletions")))
        on_sweep(s, from, m, wishes, count);
    else if (ids == NULL)
        scheduler_step(s, sync_step(s, wishes, count, from, m->correlation));
    else if (json_array_size(entities) != 1 || !ids_are_good(ids))
        reply_failed(s, from, m, "ids want one entity, and are 1 to %d numbers above 0", ORDER_IDS_MOST);
    else
        scheduler_step(s, order_marks(s, wishes, count, ids, from, m->correlation));
}

/* ---- pauses ---- */

static void pause_or_resume(
    struct scheduler *s, struct bus_peer from, const struct msg *m, const json_t *args, bool paused)
{
    struct sync_wish wishes[CONFIG_PORTALS_MAX];
    char why[400];
    int count = wish_read(s, args, wishes, why, sizeof(why));

    if (count < 0)
        reply_failed(s, from, m, "%s", why);
    else
        scheduler_step(s, order_pause(s, wishes, count, paused, from, m->correlation));
}

static void on_pause(struct scheduler *s, struct bus_peer from, const struct msg *m, json_t *args)
{
    pause_or_resume(s, from, m, args, true);
}

static void on_resume(struct scheduler *s, struct bus_peer from, const struct msg *m, json_t *args)
{
    pause_or_resume(s, from, m, args, false);
}

/* ---- config ---- */

static void on_config(struct scheduler *s, struct bus_peer from, const struct msg *m, json_t *args)
{
    json_t *portals = json_array(), *body = json_object();

    for (int i = 0; i < s->portal_count; i++) {
        const struct portal *p = &s->portals[i].portal;
        json_t *entities = json_array();

        for (int k = 0; k < p->mirror_count; k++)
            json_array_append_new(entities, json_pack("{s:s, s:s}", "entity", p->mirrors[k].entity->plural,
                                                "table", p->mirrors[k].table));
        json_array_append_new(
            portals, json_pack("{s:s, s:s, s:i, s:i, s:o}", "name", p->config->name, "url", p->url, "drain",
                         (int)p->config->drain_per_s, "burst", (int)p->config->burst, "entities", entities));
    }
    json_object_set_new(body, "portals", portals);
    control_reply(s, from, m->correlation, NULL, body);
    json_decref(body);
}

/* ---- status ---- */

static json_t *operating_json(const struct portal *p, uint64_t now_ms)
{
    json_t *all = json_object();

    for (int i = 0; i < p->operate.count; i++) {
        const struct operate_method *m = &p->operate.list[i];

        if (m->told == 0)
            continue;
        json_object_set_new(all, m->name,
            json_pack("{s:f, s:f, s:f}", "used_s", (double)operate_used(m, now_ms) / 1000, "limit_s",
                (double)p->operate.limit_ms / 1000, "reset_s", (double)operate_reset(m, now_ms) / 1000));
    }
    return all;
}

static json_t *paused_json(const struct portal *p)
{
    json_t *names = json_array();

    for (int i = 0; i < p->mirror_count; i++)
        if (p->mirrors[i].paused)
            json_array_append_new(names, json_string(p->mirrors[i].entity->plural));
    return names;
}

#define SENDER_SHOWN_MS 60000

/* Who spends beside the fetchers. */
static json_t *senders_json(const struct scheduler *s, int portal, uint64_t now_ms)
{
    json_t *list = json_array();

    for (int i = 0; i < s->senders.count; i++) {
        const struct sender *of = &s->senders.list[i];

        if (of->portal == portal && (of->call_count > 0 || now_ms < of->heard_ms + SENDER_SHOWN_MS))
            json_array_append_new(list, json_pack("{s:s, s:i, s:I}", "name", of->name, "calls",
                                            of->call_count, "granted", (json_int_t)of->total));
    }
    return list;
}

/* Each of its buckets: what portals and senders of one host and source address have in common. */
static json_t *buckets_json(const struct scheduler *s, const struct portal *p, uint64_t now_ms)
{
    json_t *list = json_array();

    for (int i = 0; i < s->buckets.count; i++) {
        const struct bucket *b = &s->buckets.list[i];

        if (strcmp(b->host, p->bucket_host) == 0)
            json_array_append_new(list,
                json_pack("{s:s, s:s, s:f, s:i, s:i}", "host", b->host, "source", b->source, "level",
                    pace_level(&b->pace, now_ms), "room", (int)b->pace.room, "calls", (int)b->pace.flying));
    }
    return list;
}

static json_t *portal_json(const struct scheduler *s, int portal, uint64_t now_ms)
{
    const struct portal *p = &s->portals[portal].portal;

    return json_pack("{s:s, s:s, s:s, s:s, s:{s:f, s:i, s:i, s:o, s:o}, s:o, s:I, s:I, s:o, s:o}", "name",
        p->config->name, "url", p->url, "state", portal_state_name(portal_state_at(p, now_ms)), "error",
        p->error, "budget", "level", pace_level(spend_of(s, portal), now_ms), "burst", (int)p->config->burst,
        "drain", (int)p->config->drain_per_s, "buckets", buckets_json(s, p, now_ms), "senders",
        senders_json(s, portal, now_ms), "operating", operating_json(p, now_ms), "requests",
        (json_int_t)p->requests, "refusals", (json_int_t)p->refusals, "paused", paused_json(p), "events",
        guard_json(s, portal));
}

/* What memory alone knows. */
static void add_memory(struct scheduler *s, json_t *body)
{
    json_t *portals = json_array(), *fetchers = json_array();
    uint64_t now_ms = clock_mono_ms(), refusals = 0;

    for (int i = 0; i < s->portal_count; i++) {
        json_t *o = portal_json(s, i, now_ms);
        uint64_t try_at_ms = overload_try_at(&s->portals[i].portal, now_ms);

        if (try_at_ms > 0)
            json_object_set_new(o, "try_at_ms", json_integer((json_int_t)try_at_ms));
        json_array_append_new(portals, o);
        refusals += s->portals[i].portal.refusals;
    }
    for (int i = 0; i < s->crew.count; i++) {
        const struct fetcher *f = &s->crew.list[i];

        json_array_append_new(fetchers, json_pack("{s:s, s:i, s:i}", "instance", f->name, "capacity",
                                            (int)f->capacity, "in_flight", flights_at(&s->flights, f->name)));
    }
    json_object_set_new(body, "epoch", json_integer((json_int_t)s->portals[0].portal.epoch));
    json_object_set_new(body, "portals", portals);
    json_object_set_new(body, "fetchers", fetchers);
    json_object_set_new(body, "refusals", json_integer((json_int_t)refusals));
}

/* Calls not yet added to the run's row. */
static void add_requests(const struct scheduler *s, json_t *runs)
{
    size_t index;
    json_t *run;

    json_array_foreach(runs, index, run) {
        json_int_t id = json_integer_value(json_object_get(run, "id"));
        json_t *requests = json_object_get(run, "requests");

        for (int i = 0; i < s->portal_count; i++)
            json_integer_set(requests, json_integer_value(requests) +
                                           (json_int_t)portal_calls_of(&s->portals[i].portal, (uint64_t)id));
    }
}

static void add_reason_of(json_t *run, const struct portal *p)
{
    json_int_t id = json_integer_value(json_object_get(run, "id"));

    for (int i = 0; i < p->mirror_count; i++) {
        const struct mirror *m = &p->mirrors[i];

        if (m->run == (uint64_t)id && m->run_state == RUN_PROBING && m->probe_error[0] != '\0')
            json_object_set_new(run, "error", json_string(m->probe_error));
    }
}

/* Why runs whose fields are not learnt yet still wait. */
static void add_reasons(const struct scheduler *s, json_t *runs)
{
    size_t index;
    json_t *run;

    json_array_foreach(runs, index, run) {
        for (int i = 0; i < s->portal_count; i++)
            add_reason_of(run, &s->portals[i].portal);
    }
}

/* A read of its own beside the steps: it must answer while they wait for their turn at the database. */
struct status {
    struct scheduler *s;
    struct bus_peer peer;
    char correlation[UUID_SIZE];
    int64_t since; /* run */
    json_t *body;
};

static int status_work(void *ctx, struct db *db, struct err *err)
{
    struct status *x = ctx;

    return store_status(db, x->since, x->body, err);
}

static void status_done(void *ctx, int status, const struct err *err)
{
    struct status *x = ctx;
    json_t *open = json_object_get(x->body, "jobs_open");
    json_int_t open_jobs = json_integer_value(open);

    if (status < 0) {
        control_reply(x->s, x->peer, x->correlation, err->text, NULL);
    } else if (!x->s->stopping) {
        add_memory(x->s, x->body);
        add_requests(x->s, json_object_get(x->body, "runs"));
        add_reasons(x->s, json_object_get(x->body, "runs"));
        json_object_set_new(x->body, "jobs",
            json_pack("{s:I, s:i}", "open", open_jobs, "in_flight", flights_unfinished(&x->s->flights)));
        json_object_del(x->body, "jobs_open");
        control_reply(x->s, x->peer, x->correlation, NULL, x->body);
    }
    json_decref(x->body);
    free(x);
}

static void on_status(struct scheduler *s, struct bus_peer from, const struct msg *m, json_t *args)
{
    struct status *x = xcalloc(1, sizeof(*x));

    x->s = s;
    x->peer = from;
    memcpy(x->correlation, m->correlation, sizeof(x->correlation));
    x->since = json_is_integer(json_object_get(args, "since"))
                   ? (int64_t)json_integer_value(json_object_get(args, "since"))
                   : STORE_SINCE_NONE;
    x->body = json_object();
    db_pool_do(s->pool, DB_URGENT, status_work, status_done, x);
}

/* ---- marks: are these records still to be read? ---- */

struct left {
    struct scheduler *s;
    struct bus_peer peer;
    char correlation[UUID_SIZE];
    struct store_left store;
};

static int left_work(void *ctx, struct db *db, struct err *err)
{
    return store_left(db, &((struct left *)ctx)->store, err);
}

static void left_done(void *ctx, int status, const struct err *err)
{
    struct left *x = ctx;
    json_t *body =
        json_pack("{s:I, s:I}", "left", (json_int_t)x->store.left, "failing", (json_int_t)x->store.failing);

    if (status < 0)
        control_reply(x->s, x->peer, x->correlation, err->text, NULL);
    else if (!x->s->stopping)
        control_reply(x->s, x->peer, x->correlation, NULL, body);
    json_decref(body);
    free(x->store.ids);
    free(x);
}

static void on_marks(struct scheduler *s, struct bus_peer from, const struct msg *m, json_t *args)
{
    const json_t *entities = json_object_get(args, "entities"), *ids = json_object_get(args, "ids");
    struct sync_wish wishes[CONFIG_PORTALS_MAX];
    char why[400];
    int count = wish_read(s, args, wishes, why, sizeof(why));

    if (count < 0 || json_array_size(entities) != 1 || !ids_are_good(ids)) {
        reply_failed(s, from, m, "%s", count < 0 ? why : "marks are asked after by one entity and ids");
        return;
    }
    struct left *x = xcalloc(1, sizeof(*x));

    x->s = s;
    x->peer = from;
    memcpy(x->correlation, m->correlation, sizeof(x->correlation));
    x->store.entity = str_of(entity_of(str_of(json_string_value(json_array_get(entities, 0))))->plural);
    for (int i = 0; i < count; i++)
        x->store.portals[x->store.portal_count++] = s->portals[wishes[i].portal].portal.name;
    x->store.count = json_array_size(ids);
    x->store.ids = xcalloc(x->store.count, sizeof(uint64_t));
    for (size_t i = 0; i < x->store.count; i++)
        x->store.ids[i] = (uint64_t)json_integer_value(json_array_get(ids, i));
    db_pool_do(s->pool, DB_URGENT, left_work, left_done, x);
}

/* ---- all commands ---- */

static const struct {
    const char *name;
    void (*run)(struct scheduler *s, struct bus_peer from, const struct msg *m, json_t *args);
} COMMANDS[] = {
    { "sync", on_sync },
    { "pause", on_pause },
    { "resume", on_resume },
    { "marks", on_marks },
    { "status", on_status },
    { "config", on_config },
    { "access", access_on_command },
};

void control_on_command(struct scheduler *s, struct bus_peer from, struct msg *m)
{
    json_error_t where;
    json_t *args =
        m->control.args.n > 0 ? json_loadb(m->control.args.p, m->control.args.n, 0, &where) : json_object();

    if (!json_is_object(args)) {
        reply_failed(
            s, from, m, "arguments of " STR_FMT " are not a JSON object", STR_ARG(m->control.command));
        json_decref(args);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(COMMANDS); i++) {
        if (!str_is(m->control.command, COMMANDS[i].name))
            continue;
        COMMANDS[i].run(s, from, m, args);
        json_decref(args);
        return;
    }
    json_decref(args);
    reply_failed(s, from, m,
        "no command \"" STR_FMT "\": there are sync, pause, resume, marks, status, config, access",
        STR_ARG(m->control.command));
}

void control_detail(void *state, json_t *into)
{
    struct scheduler *s = state;

    if (!s->lease.active) {
        json_object_set_new(into, "standby", json_string(s->lease.other));
        return;
    }
    json_object_set_new(into, "in_flight", json_integer(flights_unfinished(&s->flights)));
    json_object_set_new(into, "fetchers", json_integer(s->crew.count));
}
