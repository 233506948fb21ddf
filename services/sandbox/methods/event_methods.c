/* event_methods.c - subscriptions of the application (facts section 9.1) and feature.get (9.5). */
#include "call.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "json_out.h"
#include "params.h"

#define OWN_USER 1 /* whose the token is; who is no administrator binds for nobody else */

static bool is_url(struct str s)
{
    return (s.n > 7 && memcmp(s.p, "http://", 7) == 0) || (s.n > 8 && memcmp(s.p, "https://", 8) == 0);
}

static void fini_binding(struct binding *b)
{
    free(b->url);
    free(b->connector);
}

/* Queues and the handlers of other users are the administrator's (facts section 9.1). */
static enum api_error needs_admin(const struct call *c, bool offline)
{
    return call_refuse(c, API_OFFLINE_ADMIN,
        "Access denied! %s %sbinding%s requires administrator access rights",
        offline ? "Offline events" : "Event", c->method->run == run_event_bind ? "" : "un",
        offline ? "" : " with AUTH_TYPE");
}

/* What event.bind and event.unbind are about; fini_binding() in any case. */
static enum api_error parse_binding(const struct call *c, struct binding *ret)
{
    const json_t *event = params_get(c->params, "event"), *type = params_get(c->params, "event_type");
    const json_t *user = params_get(c->params, "auth_type"), *options = params_get(c->params, "options");
    const json_t *pause = options != NULL ? params_get(options, "minTimeout") : NULL;
    char room[40];

    *ret = (struct binding){ .app = true,
        .offline = type != NULL && str_case_eq(params_text(type, room), STR("offline")),
        .user = user != NULL ? params_int(user) : 0,
        .min_ms = pause != NULL && params_int(pause) >= 0 ? (uint64_t)params_int(pause) * 1000 : 1000 };
    if (portal_has(c->portal, QUIRK_NO_ADMIN) && ret->user == 0)
        ret->user = OWN_USER;
    ret->url = ret->offline ? xstrdup("") : call_text(c, "handler");
    ret->connector = ret->offline ? call_text(c, "auth_connector") : xstrdup("");
    if (portal_has(c->portal, QUIRK_HANDLER_BARE))
        ret->url[strcspn(ret->url, "?")] = '\0';
    const bool any = c->method->run == run_event_unbind && portal_has(c->portal, QUIRK_UNBIND_ANY);
    if (event == NULL && !any)
        return API_EVENT_MISSING;
    ret->code = event != NULL ? event_of(params_text(event, room)) : EVENT_NONE;
    if (ret->code == EVENT_NONE && event != NULL)
        return API_EVENT_UNKNOWN;
    if (portal_has(c->portal, QUIRK_NO_ADMIN) && (ret->offline || ret->user != OWN_USER))
        return needs_admin(c, ret->offline);
    if (portal_has(c->portal, QUIRK_NO_CONNECTOR) && ret->connector[0] != '\0')
        return API_LOW_TARIFF;
    if (!ret->offline && ret->url[0] == '\0')
        return any ? API_OK : API_HANDLER_MISSING;
    return ret->offline || is_url(str_of(ret->url)) ? API_OK : API_HANDLER_WRONG;
}

enum api_error run_event_bind(struct call *c)
{
    struct events *e = &c->portal->events;
    struct binding wanted;
    struct err err;
    bool there = false;
    enum api_error result = parse_binding(c, &wanted);

    if (result == API_OK && bindings_add(&e->bindings, &wanted, &there, &err) < 0)
        result = call_broken(&err);
    else if (result == API_OK && there)
        result = API_HANDLER_BOUND;
    fini_binding(&wanted);
    events_listen(e, &c->portal->store);
    buf_str(c->out, "true");
    return result;
}

/* Without auth_type those of every user go, and of every queue where none is named (facts section 9.1);
 * without a handler, where that is taken, those of each. */
static void widen(const struct call *c, struct binding *wanted)
{
    if (params_get(c->params, "auth_type") == NULL && !portal_has(c->portal, QUIRK_NO_ADMIN))
        wanted->user = BINDING_ANYBODY;
    if (params_get(c->params, "auth_connector") == NULL) {
        free(wanted->connector);
        wanted->connector = NULL;
    }
    if (!wanted->offline && wanted->url[0] == '\0') {
        free(wanted->url);
        wanted->url = NULL;
    }
}

enum api_error run_event_unbind(struct call *c)
{
    struct events *e = &c->portal->events;
    struct binding wanted;
    struct err err;
    int count = 0;
    enum api_error result = parse_binding(c, &wanted);

    widen(c, &wanted);
    if (result == API_OK && bindings_drop(&e->bindings, &wanted, &count, &err) < 0)
        result = call_broken(&err);
    fini_binding(&wanted);
    events_listen(e, &c->portal->store);
    buf_fmt(c->out, "{\"count\":%d}", count);
    return result;
}

/* An administrator sees all of the application's, others their own online ones (facts section 9.1). */
static bool is_seen(const struct call *c, const struct binding *b)
{
    return b->app && (!portal_has(c->portal, QUIRK_NO_ADMIN) || (!b->offline && b->user == OWN_USER));
}

enum api_error run_event_get(struct call *c)
{
    const struct bindings *all = &c->portal->events.bindings;
    const char *comma = "";

    buf_char(c->out, '[');
    for (int i = 0; i < all->count; i++) {
        const struct binding *b = &all->list[i];
        if (!is_seen(c, b))
            continue;
        buf_fmt(c->out, "%s{\"event\":\"%s\",\"handler\":", comma, event_row(b->code)->name);
        json_out_cstr(c->out, b->url);
        buf_fmt(c->out, ",\"auth_type\":\"%lld\",\"offline\":%d", (long long)b->user, b->offline);
        if (b->offline && b->connector[0] != '\0') {
            buf_str(c->out, ",\"connector_id\":");
            json_out_cstr(c->out, b->connector);
        }
        buf_char(c->out, '}');
        comma = ",";
    }
    buf_char(c->out, ']');
    return API_OK;
}

/* SCOPE: of that right; FULL: all of them; else what the application has a right to. */
static bool is_shown(const struct call *c, int code)
{
    const json_t *scope = params_get(c->params, "scope"), *full = params_get(c->params, "full");
    const struct str own = event_scope(code);
    char room[40];

    if (scope != NULL && params_text(scope, room).n > 0)
        return str_case_eq(params_text(scope, room), own);
    return own.n == 0 || scope_of(own) & c->portal->scopes ||
           (full != NULL && params_text(full, room).n > 0 && !str_is(params_text(full, room), "0"));
}

enum api_error run_events(struct call *c)
{
    const char *comma = "";

    buf_char(c->out, '[');
    for (int i = 0; i < event_count(); i++) {
        if (!is_shown(c, i))
            continue;
        buf_fmt(c->out, "%s\"%s\"", comma, event_row(i)->name);
        comma = ",";
    }
    buf_char(c->out, ']');
    return API_OK;
}

/* data[QUERY]: what the caller gave, as deep as it goes; its credentials stay out. */
static void out_query(struct buf *out, const char *path, const json_t *of, int depth)
{
    struct params_walk walk = { .of = (json_t *)of };
    const char *key;
    json_t *value;
    char room[40];

    while (depth < 8 && params_next(&walk, &key, &value)) {
        char deeper[512];
        if ((depth == 0 && strcasecmp(key, "auth") == 0) ||
            snprintf(deeper, sizeof(deeper), "%s[%s]", path, key) >= (int)sizeof(deeper))
            continue;
        if (params_is_array(value))
            out_query(out, deeper, value, depth + 1);
        else
            event_member(out, deeper, params_text(value, room));
    }
}

enum api_error run_event_test(struct call *c)
{
    struct events *e = &c->portal->events;
    struct buf more;
    struct err err;

    buf_init(&more, 1 << 20);
    out_query(&more, "data[QUERY]", c->params, 0);
    event_member(&more, "data[LANGUAGE_ID]", STR("ru"));
    const uint64_t wall_ms = clock_wall_ms();
    const struct event_about about = { .form = buf_cstr(&more) };
    const int told =
        events_tell(e, event_app_test(), &about, clock_mono_ms(), (int64_t)(wall_ms / 1000), &err);
    buf_fini(&more);
    buf_char(c->out, '1');
    return told < 0 ? call_broken(&err) : API_OK;
}

enum api_error run_feature(struct call *c)
{
    static const struct {
        const char *code;
        enum quirk missing; /* on the plan that this plays */
    } features[] = { { "rest_offline_extended", QUIRK_NO_QUEUE },
        { "rest_auth_connector", QUIRK_NO_CONNECTOR } };
    const json_t *code = params_get(c->params, "code");
    char room[40];
    bool has = false;

    if (code == NULL || params_text(code, room).n == 0)
        return API_CODE_MISSING;
    for (size_t i = 0; i < ARRAY_SIZE(features); i++)
        has |=
            str_is(params_text(code, room), features[i].code) && !portal_has(c->portal, features[i].missing);
    has &= !portal_has(c->portal, QUIRK_NO_QUEUE);
    buf_fmt(c->out, "{\"value\":\"%s\"}", has ? "Y" : "N");
    return API_OK;
}
