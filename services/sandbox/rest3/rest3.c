#include "rest3.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "methods/json_out.h"
#include "methods/params.h"

#define RESULT_BYTES (64u << 20)

static const struct {
    int status;
    const char *code, *message;
} errors[REST3_ERRORS] = {
#define REST3_ERROR(id, status, code, message) [REST3_##id] = { status, code, message },
#include "errors.def"
#undef REST3_ERROR
};

enum rest3_error rest3_wrong(struct rest3 *r, enum rest3_error e, const char *what)
{
    snprintf(r->detail, sizeof(r->detail), "%s", what);
    return e;
}

enum rest3_error rest3_invalid(struct rest3 *r, const char *field, const char *text)
{
    snprintf(r->field, sizeof(r->field), "%s", field);
    snprintf(r->text, sizeof(r->text), "%s", text);
    return REST3_REQUEST;
}

/* ---- the methods ---- */

static rest3_run run_batch, run_openapi;

static const struct rest3_method {
    const char *name;
    unsigned scope;
    rest3_run *run;
} methods[] = {
    { "tasks.task.get", SCOPE_TASK, rest3_task_get },
    { "tasks.task.list", SCOPE_TASK, rest3_task_list },
    { "rest.documentation.openapi", SCOPE_NONE, run_openapi },
    { "documentation", SCOPE_NONE, run_openapi },
    { "batch", SCOPE_NONE, run_batch },
};

/* The document itself stands where every other method has its item or items. */
static enum rest3_error run_openapi(struct rest3 *r)
{
    struct buf *out = r->call.out;

    buf_str(out, "{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"Bitrix24 REST V3 API\",\"version\":\"1.0.0\"},"
                 "\"tags\":[{\"name\":\"tasks\",\"description\":\"tasks module methods\"}],\"paths\":{");
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        buf_fmt(out, "%s\"\\/%s\":{}", i > 0 ? "," : "", methods[i].name);
    buf_str(out, "},\"components\":{\"schemas\":{\"TaskDto\":{},\"UserDto\":{}}}}");
    return REST3_OK;
}

static const struct rest3_method *find(struct str name)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (str_case_eq(name, str_of(methods[i].name)))
            return &methods[i];
    }
    return NULL;
}

static enum rest3_error run_method(struct rest3 *r, const struct rest3_method *m)
{
    struct portal *p = r->call.portal;
    struct operating_method *account = operating_of(&p->operating, m->name, p->app);

    if (m->scope & ~p->scopes)
        return REST3_SCOPE;
    const enum rest3_error e = m->run(r);
    if (e != REST3_OK || m->run == run_batch)
        return e;
    account->calls++;
    operating_add(&p->operating, account, COST_CALL_S * p->options.operating_cost, clock_wall_ms());
    r->call.operating_s = operating_used(&p->operating, account, clock_wall_ms());
    r->call.reset_ms = operating_reset_ms(&p->operating, account, clock_wall_ms());
    return REST3_OK;
}

/* Commands {method, query}, as a list or, which is the same to PHP, as an object: what else is among them, a
 * token, spoils it. Results in that order, or the first refusal and nothing else. */
static enum rest3_error run_batch(struct rest3 *r)
{
    struct params_walk walk = { .of = (json_t *)r->call.params };
    enum rest3_error e = REST3_SELECT;
    const char *key;
    json_t *command;

    for (int i = 0; params_next(&walk, &key, &command); i++) {
        const char *name = json_string_value(json_object_get(command, "method"));
        const struct rest3_method *m = name != NULL ? find(str_of(name)) : NULL;
        if (name == NULL)
            return REST3_SELECT;
        if (m == NULL || m->run == run_batch)
            return REST3_METHOD;
        buf_char(r->call.out, i > 0 ? ',' : '[');
        r->call.params = json_object_get(command, "query");
        e = run_method(r, m);
        if (e != REST3_OK)
            return e;
    }
    buf_char(r->call.out, ']');
    return e;
}

/* ---- the answer ---- */

static void out_text(struct buf *out, const char *message, const char *what)
{
    const char *at = strstr(message, "{}");
    char *text =
        at != NULL ? xasprintf("%.*s%s%s", (int)(at - message), message, what, at + 2) : xstrdup(message);

    json_out_cstr(out, text);
    free(text);
}

static void out_refusal(struct portal_answer *ret, const struct rest3 *r, enum rest3_error e)
{
    buf_clear(&ret->body);
    ret->status = errors[e].status;
    buf_fmt(&ret->body, "{\"error\":{\"code\":\"BITRIX_REST_V3_EXCEPTION_%s\",\"message\":", errors[e].code);
    out_text(&ret->body, errors[e].message, r->detail);
    if (e == REST3_REQUEST) {
        buf_str(&ret->body, ",\"validation\":[{\"message\":");
        json_out_cstr(&ret->body, r->text);
        buf_str(&ret->body, ",\"field\":");
        json_out_cstr(&ret->body, r->field);
        buf_str(&ret->body, "}]");
    }
    buf_str(&ret->body, "}}");
}

/* What stands in the query is not read; a body of any other kind is no JSON. */
static json_t *parse(const struct portal_request *in)
{
    if (in->body.n == 0)
        return json_object();
    if (strcasestr(in->content_type, "json") == NULL)
        return NULL;
    return json_loadb(in->body.p, in->body.n, JSON_ALLOW_NUL, NULL);
}

static enum api_error answer(
    struct portal *p, const struct route *route, const json_t *params, struct portal_answer *ret)
{
    const struct rest3_method *m = find(route->name);
    struct rest3 r = { .call = { .portal = p, .params = params, .out = &ret->body, .next = -1 } };

    if (m == NULL)
        return API_METHOD;
    r.call.start_ms = clock_wall_ms();
    buf_str(&ret->body, "{\"result\":");
    const enum rest3_error e = run_method(&r, m);
    r.call.finish_ms = clock_wall_ms();
    if (e == REST3_METHOD)
        return API_METHOD;
    if (e != REST3_OK) {
        out_refusal(ret, &r, e);
        return API_OK;
    }
    buf_str(&ret->body, ",\"time\":");
    call_out_time(&ret->body, &r.call);
    buf_char(&ret->body, '}');
    return API_OK;
}

enum api_error rest3_answer(
    struct portal *p, const struct route *route, const struct portal_request *in, struct portal_answer *ret)
{
    json_t *params = parse(in), *empty = json_object();
    const struct rest3 none = { .detail = "" };
    enum api_error e = route_authorize(p, route, json_is_object(params) ? params : empty);

    if (e == API_OK && params == NULL)
        out_refusal(ret, &none, REST3_JSON);
    else if (e == API_OK)
        e = answer(p, route, params, ret);
    json_decref(params);
    json_decref(empty);
    return e;
}
