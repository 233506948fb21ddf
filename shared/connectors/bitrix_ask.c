#include "connectors/bitrix_ask.h"

#include "connectors/bitrix_limits.h"

#include "base/mem.h"

#include <stdio.h>

static int init_probe(struct bitrix_ask *ask, struct err *err)
{
    struct str left = ask->job->entities;

    while (left.n > 0) {
        const char *blank = memchr(left.p, ' ', left.n);
        struct str name = { left.p, blank ? (size_t)(blank - left.p) : left.n };
        size_t step = name.n + (blank ? 1 : 0);

        left = (struct str){ left.p + step, left.n - step };
        if (name.n == 0)
            continue;
        const struct entity *entity = entity_of(name);
        if (entity == NULL)
            return err_set(err, ERR_PERM, "probe of an unknown entity \"" STR_FMT "\"", STR_ARG(name));
        if (ask->entity_count == PROBE_ENTITIES_MAX)
            return err_set(err, ERR_PERM, "a probe takes at most %d entities", PROBE_ENTITIES_MAX);
        ask->entities[ask->entity_count++] = entity;
    }
    if (ask->entity_count == 0)
        return err_set(err, ERR_PERM, "probe of no entity");
    ask->commands = ask->entity_count * PROBE_COMMANDS;
    return 0;
}

static int init_range(struct bitrix_ask *ask, struct err *err)
{
    const struct msg_job *job = ask->job;

    if (job->pages == 0 || job->pages > BATCH_COMMANDS)
        return err_set(err, ERR_PERM, "range of %llu pages: 1 to %d fit one call",
            (unsigned long long)job->pages, BATCH_COMMANDS);
    if (job->first > job->last || job->last > RANGE_OPEN)
        return err_set(err, ERR_PERM, "range from id %llu to %llu", (unsigned long long)job->first,
            (unsigned long long)job->last);
    if (ask->kind == JOB_CHANGED && (job->since <= 0 || job->since >= (int64_t)LIMIT_UNIX_S * 1000))
        return err_set(err, ERR_PERM, "what changed since %lld is no question", (long long)job->since);
    ask->commands = (int)job->pages;
    if (ask->commands < BATCH_COMMANDS)
        ask->greatest = BATCH_COMMANDS - 1;
    return 0;
}

static int init_ids(struct bitrix_ask *ask, struct err *err)
{
    struct ids ids = ask->job->ids;
    size_t each = ask->kind == JOB_GET ? 1 : PAGE_SIZE_RECORDS;

    if (ids.n == 0 || ids.n > each * BATCH_COMMANDS)
        return err_set(err, ERR_PERM, "%zu ids: 1 to %zu fit one call", ids.n, each * BATCH_COMMANDS);
    for (size_t i = 0; i < ids.n; i++)
        if (ids.p[i] == 0 || ids.p[i] >= RANGE_OPEN || (i > 0 && ids.p[i] <= ids.p[i - 1]))
            return err_set(err, ERR_PERM, "ids of a job are positive and ascending");
    ask->commands = (int)((ids.n + each - 1) / each);
    return 0;
}

static int init_calls(struct bitrix_ask *ask, struct err *err)
{
    if (calls_decode(&ask->calls, ask->job->calls, err) < 0)
        return -1;
    for (int i = 0; i < ask->calls.count; i++) {
        struct str text = ask->calls.list[i].params;

        if (text.n == 0)
            continue;
        ask->params[i] = json_loadb(text.p, text.n, 0, NULL);
        if (!json_is_object(ask->params[i]))
            return err_set(err, ERR_PERM, "parameters of " STR_FMT " are no JSON object",
                STR_ARG(ask->calls.list[i].method));
    }
    ask->commands = ask->calls.count;
    return 0;
}

static int (*const init_kind[JOB_KINDS])(struct bitrix_ask *, struct err *) = {
    [JOB_PROBE] = init_probe,
    [JOB_RANGE] = init_range,
    [JOB_CHANGED] = init_range,
    [JOB_SWEEP] = init_range,
    [JOB_IDS] = init_ids,
    [JOB_GET] = init_ids,
    [JOB_CALL] = init_calls,
};

static int init_entity(struct bitrix_ask *ask, struct err *err)
{
    ask->entities[0] = entity_of(ask->job->entity);
    if (ask->entities[0] == NULL)
        return err_set(err, ERR_PERM, "unknown entity \"" STR_FMT "\"", STR_ARG(ask->job->entity));
    ask->entity_count = 1;
    if (schema_decode(&ask->schema, ask->job->schema, err) < 0)
        return err_wrap(err, "schema of %s", ask->entities[0]->plural);
    return 0;
}

int bitrix_ask_init(struct bitrix_ask *ask, const struct msg_job *job, struct err *err)
{
    *ask = (struct bitrix_ask){ .job = job, .greatest = -1 };
    if (job_kind_of(job->kind, &ask->kind) < 0)
        return err_set(err, ERR_PERM, "unknown kind of job \"" STR_FMT "\"", STR_ARG(job->kind));
    if (init_kind[ask->kind](ask, err) < 0 || (!job_kind_learns(ask->kind) && init_entity(ask, err) < 0)) {
        bitrix_ask_fini(ask);
        return -1;
    }
    return 0;
}

void bitrix_ask_fini(struct bitrix_ask *ask)
{
    schema_free(&ask->schema);
    ask->schema = (struct schema){ 0 };
    calls_free(&ask->calls);
    for (int i = 0; i < BATCH_COMMANDS; i++) {
        json_decref(ask->params[i]);
        ask->params[i] = NULL;
    }
}

const struct entity *bitrix_ask_entity(const struct bitrix_ask *ask, int command)
{
    return ask->entities[ask->kind == JOB_PROBE ? command / PROBE_COMMANDS : 0];
}

void bitrix_ask_method(const struct bitrix_ask *ask, int command, char ret[static BITRIX_METHOD_SIZE])
{
    static const char *const of_kind[JOB_KINDS] = {
        [JOB_RANGE] = "list",
        [JOB_CHANGED] = "list",
        [JOB_SWEEP] = "list",
        [JOB_IDS] = "list",
        [JOB_GET] = "get",
    };
    static const char *const of_probe[PROBE_COMMANDS] = {
        [PROBE_FIELDS] = "fields",
        [PROBE_USERFIELDS] = "userfield.list",
        [PROBE_FIRST] = "list",
        [PROBE_LAST] = "list",
        [PROBE_COUNT] = "list",
    };
    if (ask->kind == JOB_CALL) {
        snprintf(ret, BITRIX_METHOD_SIZE, STR_FMT, STR_ARG(ask->calls.list[command].method));
        return;
    }
    const char *verb = ask->kind == JOB_PROBE ? of_probe[command % PROBE_COMMANDS] : of_kind[ask->kind];

    snprintf(ret, BITRIX_METHOD_SIZE, "%s.%s", bitrix_ask_entity(ask, command)->method, verb);
}

struct ids bitrix_ask_ids(const struct bitrix_ask *ask, int command)
{
    size_t each = ask->kind == JOB_GET ? 1 : PAGE_SIZE_RECORDS;
    size_t from = each * (size_t)command, left = ask->job->ids.n - from;

    return (struct ids){ ask->job->ids.p + from, left < each ? left : each };
}

void bitrix_key(int command, char ret[static BITRIX_KEY_SIZE])
{
    snprintf(ret, BITRIX_KEY_SIZE, "p%02d", command % BATCH_COMMANDS);
}

int bitrix_key_parse(struct str key)
{
    if (key.n != 3 || key.p[0] != 'p' || key.p[1] < '0' || key.p[1] > '9' || key.p[2] < '0' || key.p[2] > '9')
        return -1;
    int command = (key.p[1] - '0') * 10 + (key.p[2] - '0');
    return command < BATCH_COMMANDS ? command : -1;
}
