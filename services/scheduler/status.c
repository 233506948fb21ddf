/* The command `status`: what the database says and what memory alone knows. */
#include "scheduler.h"

#include "events/guard.h"
#include "work/spend.h"

#include "access/access.h"
#include "base/clock.h"
#include "base/mem.h"
#include "work/overload.h"

#include <stdlib.h>
#include <string.h>

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

/* What became of the last login or installation that was brought; null: nothing to complain of. */
static json_t *offer_json(const struct scheduler *s, int portal)
{
    const struct portal_access *a = s->access != NULL ? access_of((struct scheduler *)s, portal) : NULL;

    if (a == NULL || a->offer_error[0] == '\0')
        return json_null();
    return json_pack("{s:i, s:s}", "failed", (int)a->offers_failed, "error", a->offer_error);
}

/* What memory alone knows. */
static void add_memory(struct scheduler *s, json_t *body)
{
    json_t *portals = json_array(), *fetchers = json_array();
    uint64_t now_ms = clock_mono_ms(), refusals = 0;

    for (int i = 0; i < s->portal_count; i++) {
        json_t *o = portal_json(s, i, now_ms);
        uint64_t try_at_ms = overload_try_at(&s->portals[i].portal, now_ms);

        if (access_of(s, i) != NULL && access_of(s, i)->host[0] != '\0')
            json_object_set_new(o, "host", json_string(access_of(s, i)->host));
        if (try_at_ms > 0)
            json_object_set_new(o, "try_at_ms", json_integer((json_int_t)try_at_ms));
        json_object_set_new(o, "access", offer_json(s, i));
        json_array_append_new(portals, o);
        refusals += s->portals[i].portal.refusals;
    }
    for (int i = 0; i < s->crew.count; i++) {
        const struct fetcher *f = &s->crew.list[i];

        json_array_append_new(
            fetchers, json_pack("{s:s, s:s, s:i, s:i}", "instance", f->name, "source", f->source, "capacity",
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

void status_on_command(struct scheduler *s, struct bus_peer from, const struct msg *m, json_t *args)
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
