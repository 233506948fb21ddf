/* offline_methods.c - event.offline.{get,list,clear,error} (facts section 9.5). */
#include "call.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "params.h"

#define LIMIT_DEFAULT 50

static int64_t int_param(const struct call *c, const char *name, int64_t fallback)
{
    const json_t *v = params_get(c->params, name);

    return v != NULL && !params_is_array(v) ? params_int(v) : fallback;
}

static struct offline_ask parse_ask(const struct call *c, const char *connector)
{
    return (struct offline_ask){ .connector = connector,
        .filter = params_get(c->params, "filter"),
        .order = params_get(c->params, "order"),
        .limit = LIMIT_DEFAULT,
        .error = int_param(c, "error", 0) == 1,
        .data_false = portal_has(c->portal, QUIRK_OFFLINE_FALSE) };
}

static enum api_error out_events(
    struct call *c, const struct offline_ask *ask, const char *process, bool keeps, struct err *err)
{
    struct offline *o = &c->portal->events.offline;
    uint64_t total;

    if (keeps)
        buf_fmt(c->out, "{\"process_id\":\"%s\",\"events\":", process);
    else
        buf_str(c->out, "{\"process_id\":null,\"events\":");
    if (offline_print(o, ask, process, false, c->out, &total, err) < 0)
        return call_broken(err);
    buf_char(c->out, '}');
    return API_OK;
}

/* Reading is reserving; with clear=1, which is what a caller gets who does not ask, confirming at once, too.
 * A process id in the question: its reservation once more, nothing new. */
static enum api_error get(struct call *c, const char *connector, const char *known)
{
    struct offline *o = &c->portal->events.offline;
    struct offline_ask ask = parse_ask(c, connector);
    const bool keeps = int_param(c, "clear", 1) == 0;
    const struct offline_lines lines = { .process = known };
    char process[OFFLINE_PROCESS];
    struct err err;

    ask.limit = int_param(c, "limit", LIMIT_DEFAULT);
    if (ask.limit <= 0)
        return API_LIMIT_WRONG;
    if (known[0] != '\0') {
        ask.limit = INT64_MAX;
        const enum api_error e = out_events(c, &ask, known, keeps, &err);
        return e == API_OK && !keeps && offline_clear(o, &lines, &err) < 0 ? call_broken(&err) : e;
    }
    if (offline_reserve(o, &ask, (int64_t)(clock_wall_ms() / 1000), process, &err) < 0)
        return call_broken(&err);
    const struct offline_ask taken = { .connector = connector,
        .order = ask.order,
        .limit = ask.limit,
        .error = ask.error,
        .data_false = ask.data_false };
    const struct offline_lines mine = { .process = process };
    const enum api_error e = out_events(c, &taken, process, keeps, &err);
    return e == API_OK && !keeps && offline_clear(o, &mine, &err) < 0 ? call_broken(&err) : e;
}

/* Queues are the administrator's, and those with a key of a greater plan's (facts section 9.5). */
static enum api_error denied(const struct call *c)
{
    const json_t *connector = params_get(c->params, "auth_connector");
    char room[40];

    if (portal_has(c->portal, QUIRK_NO_ADMIN))
        return API_ACCESS_CODE;
    return portal_has(c->portal, QUIRK_NO_CONNECTOR) && connector != NULL &&
                   params_text(connector, room).n > 0
               ? API_LOW_TARIFF
               : API_OK;
}

enum api_error run_offline_get(struct call *c)
{
    enum api_error e = denied(c);

    if (e != API_OK)
        return e;
    char *connector = call_text(c, "auth_connector"), *process = call_text(c, "process_id");
    e = get(c, connector, process);

    free(connector);
    free(process);
    return e;
}

enum api_error run_offline_list(struct call *c)
{
    const enum api_error e = denied(c);

    if (e != API_OK)
        return e;
    char *connector = call_text(c, "auth_connector");
    struct offline_ask ask = parse_ask(c, connector);
    struct err err;

    ask.start = int_param(c, "start", 0) < 0 ? 0 : int_param(c, "start", 0);
    const int printed = offline_print(&c->portal->events.offline, &ask, NULL, true, c->out, &c->total, &err);
    free(connector);
    if (printed < 0)
        return call_broken(&err);
    c->listed = true;
    if ((uint64_t)(ask.start + ask.limit) < c->total)
        c->next = ask.start + ask.limit;
    return API_OK;
}

typedef int change_lines(struct offline *o, const struct offline_lines *which, struct err *err);

static enum api_error change(struct call *c, change_lines *how, bool by_id)
{
    enum api_error e = denied(c);

    if (e != API_OK)
        return e;
    char *process = call_text(c, "process_id");
    const struct offline_lines which = { .process = process,
        .ids = by_id ? params_get(c->params, "id") : NULL,
        .messages = params_get(c->params, "message_id") };
    struct err err;

    if (process[0] == '\0')
        e = API_PROCESS_MISSING;
    else if (how(&c->portal->events.offline, &which, &err) < 0)
        e = call_broken(&err);
    free(process);
    buf_str(c->out, "true");
    return e;
}

enum api_error run_offline_clear(struct call *c)
{
    return change(c, offline_clear, true);
}

/* Without message_id, which is not required, the whole reservation. */
enum api_error run_offline_error(struct call *c)
{
    return change(c, offline_fail, false);
}
