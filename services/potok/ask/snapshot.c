#include "snapshot.h"

#include "words/russian.h"

#include <jansson.h>
#include <inttypes.h>
#include <stdio.h>

static void text_get(const json_t *o, const char *key, char *ret, size_t size)
{
    const char *s = json_string_value(json_object_get(o, key));

    snprintf(ret, size, "%s", s == NULL ? "" : s);
}

static uint64_t count_get(const json_t *o, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(o, key));

    return n > 0 ? (uint64_t)n : 0;
}

static double number_get(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

static void run_read(const json_t *o, struct run_view *r)
{
    const struct {
        const char *key;
        uint64_t *ret;
    } counts[] = {
        { "id", &r->id },
        { "expected", &r->expected },
        { "read", &r->read },
        { "written", &r->written },
        { "same", &r->same },
        { "gone", &r->gone },
        { "rejected", &r->rejected },
        { "requests", &r->requests },
        { "open_jobs", &r->open_jobs },
        { "started_ms", &r->started_ms },
        { "finished_ms", &r->finished_ms },
        { "marks", &r->marks },
        { "marks_failing", &r->marks_failing },
    };

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        *counts[i].ret = count_get(o, counts[i].key);
    text_get(o, "portal", r->portal, sizeof(r->portal));
    text_get(o, "entity", r->entity, sizeof(r->entity));
    text_get(o, "table", r->table, sizeof(r->table));
    text_get(o, "state", r->state, sizeof(r->state));
    text_get(o, "error", r->error, sizeof(r->error));
    russian_in_place(r->error, sizeof(r->error));
}

static void operating_read(json_t *methods, struct operating_view *ret)
{
    double most = -1;
    const char *method;
    json_t *o;

    json_object_foreach(methods, method, o) {
        double used = number_get(o, "used_s"), limit = number_get(o, "limit_s");

        if (limit <= 0 || used / limit <= most)
            continue;
        most = used / limit;
        snprintf(ret->method, sizeof(ret->method), "%s", method);
        ret->used_s = used;
        ret->limit_s = limit;
    }
}

static void paused_read(const json_t *names, char *ret, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(names) && n < size; i++)
        n += (size_t)snprintf(ret + n, size - n, "%s%s", i > 0 ? ", " : "",
            json_string_value(json_array_get(names, i)) != NULL ? json_string_value(json_array_get(names, i))
                                                                : "?");
}

#define SENDER_KINDS_MAX 16

struct sender_kind {
    char name[64];
    uint64_t granted;
};

/* A sender is named "verify.01a1fe7d-…": every start of a command is another one, and of no interest. */
static int sender_kinds(const json_t *list, struct sender_kind *kinds)
{
    int count = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        char name[64];
        int k = 0;

        text_get(one, "name", name, sizeof(name));
        name[strcspn(name, ".")] = '\0';
        while (k < count && strcmp(kinds[k].name, name) != 0)
            k++;
        if (k == SENDER_KINDS_MAX)
            continue;
        if (k == count)
            memcpy(kinds[count++].name, name, sizeof(name));
        kinds[k].granted += count_get(one, "granted");
    }
    return count;
}

static void senders_read(const json_t *list, char *ret, size_t size)
{
    struct sender_kind kinds[SENDER_KINDS_MAX] = { 0 };
    int count = sender_kinds(list, kinds);
    size_t n = 0, room = size - sizeof(", …");

    ret[0] = '\0';
    for (int i = 0; i < count; i++) {
        char one[100];
        int length = snprintf(
            one, sizeof(one), "%s%s (%" PRIu64 ")", i > 0 ? ", " : "", kinds[i].name, kinds[i].granted);

        if (n + (size_t)length > room) {
            snprintf(ret + n, size - n, "%s…", i > 0 ? ", " : "");
            return;
        }
        memcpy(ret + n, one, (size_t)length + 1);
        n += (size_t)length;
    }
}

static void portal_read(const json_t *o, struct portal_view *p)
{
    const json_t *budget = json_object_get(o, "budget");

    text_get(o, "name", p->name, sizeof(p->name));
    text_get(o, "url", p->url, sizeof(p->url));
    text_get(o, "host", p->host, sizeof(p->host));
    text_get(o, "state", p->state, sizeof(p->state));
    text_get(o, "error", p->error, sizeof(p->error));
    russian_in_place(p->error, sizeof(p->error));
    text_get(json_object_get(o, "access"), "error", p->access_error, sizeof(p->access_error));
    russian_in_place(p->access_error, sizeof(p->access_error));
    p->access_failed = (unsigned)count_get(json_object_get(o, "access"), "failed");
    p->try_at_ms = count_get(o, "try_at_ms");
    paused_read(json_object_get(o, "paused"), p->paused, sizeof(p->paused));
    p->level = number_get(budget, "level");
    p->burst = number_get(budget, "burst");
    p->drain = number_get(budget, "drain");
    senders_read(json_object_get(budget, "senders"), p->senders, sizeof(p->senders));
    operating_read(json_object_get(o, "operating"), &p->operating);
}

static void root_read(json_t *root, struct snapshot *s)
{
    const json_t *runs = json_object_get(root, "runs"), *portals = json_object_get(root, "portals");
    const json_t *jobs = json_object_get(root, "jobs");

    for (size_t i = 0; i < json_array_size(runs) && s->run_count < SNAPSHOT_RUNS_MAX; i++)
        run_read(json_array_get(runs, i), &s->runs[s->run_count++]);
    for (size_t i = 0; i < json_array_size(portals) && s->portal_count < SNAPSHOT_PORTALS_MAX; i++)
        portal_read(json_array_get(portals, i), &s->portals[s->portal_count++]);
    s->marks = count_get(root, "marks");
    s->marks_failing = count_get(root, "marks_failing");
    s->refusals = count_get(root, "refusals");
    s->jobs_open = count_get(jobs, "open");
    s->jobs_in_flight = count_get(jobs, "in_flight");
}

int snapshot_read(struct snapshot *ret, struct str json, struct err *err)
{
    json_error_t where;
    json_t *root = json_loadb(json.p, json.n, 0, &where);

    if (!json_is_object(root)) {
        json_decref(root);
        return err_set(err, ERR_TEMP, "answer of the scheduler: %s", root == NULL ? where.text : "no object");
    }
    memset(ret, 0, sizeof(*ret));
    root_read(root, ret);
    json_decref(root);
    return 0;
}

const struct run_view *snapshot_run(const struct snapshot *s, uint64_t id)
{
    for (int i = 0; i < s->run_count; i++) {
        if (s->runs[i].id == id)
            return &s->runs[i];
    }
    return NULL;
}

static bool same_entity(const struct run_view *a, const struct run_view *b)
{
    return strcmp(a->portal, b->portal) == 0 && strcmp(a->entity, b->entity) == 0;
}

const struct run_view *snapshot_before(const struct snapshot *s, const struct run_view *r)
{
    const struct run_view *before = NULL;

    for (int i = 0; i < s->run_count && s->runs[i].id < r->id; i++) {
        if (same_entity(&s->runs[i], r))
            before = &s->runs[i];
    }
    return before;
}

const struct run_view *snapshot_after(const struct snapshot *s, const struct run_view *r)
{
    for (int i = 0; i < s->run_count; i++) {
        if (s->runs[i].id > r->id && same_entity(&s->runs[i], r))
            return &s->runs[i];
    }
    return NULL;
}

bool run_ended(const struct run_view *r)
{
    return str_is(str_of(r->state), "done") || run_failed(r);
}

bool run_repeats(const struct run_view *r)
{
    return str_is(str_of(r->state), "done") && r->error[0] != '\0';
}

bool run_failed(const struct run_view *r)
{
    return str_is(str_of(r->state), "partial") || str_is(str_of(r->state), "failed");
}
