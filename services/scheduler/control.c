/* Commands of the operator: JSON in, JSON out. What they change goes through steps like everything else. */
#include "scheduler.h"

#include "access/access.h"
#include "base/clock.h"
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

    questions_answered(&s->questions, correlation);
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
        scheduler_step(s, order_sweep(s, wishes, count, from, m->correlation));
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

/* ---- marks: are these records still to be read? ---- */

struct left {
    struct scheduler *s;
    struct bus_peer peer;
    char correlation[UUID_SIZE];
    int portals[CONFIG_PORTALS_MAX]; /* as store.portals */
    struct store_left store;
};

static int left_work(void *ctx, struct db *db, struct err *err)
{
    return store_left(db, &((struct left *)ctx)->store, err);
}

/* Of the first that asks for nothing until a person has put it right; NULL: none. */
static const char *left_stopped(const struct left *x)
{
    for (int i = 0; i < x->store.portal_count; i++) {
        const struct portal *p = &x->s->portals[x->portals[i]].portal;

        if (portal_is_shut(p))
            return p->error;
    }
    return NULL;
}

static void left_done(void *ctx, int status, const struct err *err)
{
    struct left *x = ctx;
    json_t *body =
        json_pack("{s:I, s:I}", "left", (json_int_t)x->store.left, "failing", (json_int_t)x->store.failing);

    if (left_stopped(x) != NULL)
        json_object_set_new(body, "stopped", json_string(left_stopped(x)));

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
    for (int i = 0; i < count; i++) {
        x->portals[x->store.portal_count] = wishes[i].portal;
        x->store.portals[x->store.portal_count++] = s->portals[wishes[i].portal].portal.name;
    }
    x->store.count = json_array_size(ids);
    x->store.ids = xcalloc(x->store.count, sizeof(uint64_t));
    for (size_t i = 0; i < x->store.count; i++)
        x->store.ids[i] = (uint64_t)json_integer_value(json_array_get(ids, i));
    db_pool_do(s->pool, DB_URGENT, left_work, left_done, x);
}

/* ---- all commands ---- */

static const struct command {
    const char *name;
    void (*run)(struct scheduler *s, struct bus_peer from, const struct msg *m, json_t *args);
    bool counts; /* it waits for the database alone, and is always answered */
} COMMANDS[] = {
    { "sync", on_sync, true },
    { "pause", on_pause, true },
    { "resume", on_resume, true },
    { "marks", on_marks, true },
    { "status", status_on_command, true },
    { "config", on_config, false },
    { "access", access_on_command, false },
};

/* Who asks repeats it every second until the answer comes. */
static bool may_ask(struct scheduler *s, struct bus_peer from, const struct msg *m, const struct command *c)
{
    enum question is =
        c->counts ? questions_ask(&s->questions, m->correlation, clock_mono_ms()) : QUESTION_NEW;

    if (is == QUESTION_TOO_MANY)
        reply_failed(s, from, m,
            "the database does not answer, and %d questions wait for it already: ask again when it does "
            "(potok doctor)",
            QUESTIONS_MOST);
    return is == QUESTION_NEW;
}

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
        if (may_ask(s, from, m, &COMMANDS[i]))
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
