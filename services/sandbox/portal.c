#include "portal.h"

#include <stdio.h>

#include "admin/admin.h"
#include "methods/asked.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/hash.h"
#include "methods/json_out.h"
#include "methods/kept.h"
#include "limits/landing.h"
#include "access/oauth.h"
#include "methods/params.h"
#include "replay/replay.h"
#include "rest3/rest3.h"
#include "route.h"
#include "limits/trouble.h"
#include "methods/xml_out.h"

#define JSON_TYPE "application/json; charset=utf-8"
#define XML_TYPE  "text/xml; charset=utf-8"
#define HTML_TYPE "text/html; charset=utf-8"
#define LIMIT_MS  60000

quirk_set quirk_bit(const char *name)
{
    static const char *const names[QUIRKS] = {
#define QUIRK(id, name_, about) [QUIRK_##id] = name_,
#include "quirks.def"
#undef QUIRK
    };

    for (unsigned q = 0; q < QUIRKS; q++) {
        if (strcmp(names[q], name) == 0)
            return (quirk_set)1 << q;
    }
    return 0;
}

static void make_secret(uint64_t seed, char ret[static 17])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

    for (unsigned i = 0; i < 16; i++)
        ret[i] = letters[hash_two(seed ^ 0x736563726574, i) % (sizeof(letters) - 1)];
    ret[16] = '\0';
}

/* It was installed just now, and whoever asked for it is told. */
static int start_application(struct portal *p, struct err *err)
{
    if (p->options.application.install == NULL)
        return 0;
    bindings_add_given(&p->events.bindings, p->options.application.install, event_app_install());
    return events_install(&p->events, clock_mono_ms(), err);
}

int portal_open(struct portal *ret, const struct portal_options *o, struct err *err)
{
    *ret = (struct portal){ .options = *o };
    if (!bucket_tariff(&ret->bucket, o->tariff))
        return err_set(err, ERR_CONF, "--tariff %s: standard, enterprise, RATE/BURST or off", o->tariff);
    ret->bucket.continuous = portal_has(ret, QUIRK_BUCKET_CONTINUOUS);
    ret->bucket.strict = portal_has(ret, QUIRK_BUCKET_STRICT);
    ret->bucket.counts_refused = portal_has(ret, QUIRK_BUCKET_REFUSED);
    ret->operating.limit_s = o->operating_limit_s;
    ret->operating.window_ms = o->operating_window_ms;
    make_secret(o->store.seed, ret->secret);
    ret->kept = o->keep_rows > 0 ? kept_new() : NULL;
    if (o->replay != NULL && (ret->replay = replay_open(o->replay, err)) == NULL)
        return -1;
    struct store_options store = o->store;
    store.bare_bindings = portal_has(ret, QUIRK_BINDING_BARE);
    if (store_open(&ret->store, &store, err) == 0) {
        const bool app = o->events.app > 0 || o->events.apps[0] != NULL || o->application.client != NULL ||
                         o->application.install != NULL;
        if (application_open(&ret->application, &o->application, app, ret->store.db, o->store.seed,
                clock_wall_ms(), err) == 0 &&
            events_open(&ret->events, &o->events, &ret->store, &ret->application, o->quirks, err) == 0 &&
            start_application(ret, err) == 0) {
            portal_set_scopes(ret, o->scopes != 0 ? o->scopes : SCOPE_CRM | SCOPE_USER);
            return 0;
        }
        events_close(&ret->events);
        application_close(&ret->application);
        store_close(&ret->store);
    }
    replay_close(&ret->replay);
    return -1;
}

void portal_close(struct portal *p)
{
    events_close(&p->events);
    application_close(&p->application);
    store_close(&p->store);
    arena_fini(&p->arena);
    replay_close(&p->replay);
    kept_free(&p->kept);
    landings_clear(&p->landings);
}

static int64_t now_s(void)
{
    return (int64_t)(clock_wall_ms() / 1000);
}

static void out_envelope(struct portal_answer *ret, struct call *c)
{
    struct buf *out = &ret->body;
    const bool total_first = c->portal->serial % 2; /* either comes first (facts section 2.1) */

    if (c->listed && total_first)
        buf_fmt(out, ",\"total\":%llu", (unsigned long long)c->total);
    if (c->next >= 0)
        buf_fmt(out, ",\"next\":%lld", (long long)c->next);
    if (c->listed && !total_first)
        buf_fmt(out, ",\"total\":%llu", (unsigned long long)c->total);
    buf_str(out, ",\"time\":");
    call_out_time(out, c);
    buf_char(out, '}');
    ret->status = 200;
}

/* A gateway's page in place of what took too long; it was done all the same (facts section 1.5). */
static void answer_cut(struct portal_answer *ret)
{
    buf_clear(&ret->body);
    buf_str(&ret->body, "<html><head><title>504 Gateway Time-out</title></head><body></body></html>");
    ret->content_type = HTML_TYPE;
    ret->status = 504;
    ret->delay_ms = LIMIT_MS;
}

static enum api_error run(
    struct portal *p, const struct route *r, const json_t *params, struct portal_answer *ret)
{
    struct call c = {
        .portal = p, .method = method_find(r->name), .params = params, .out = &ret->body, .next = -1
    };

    if (c.method == NULL)
        return API_METHOD;
    buf_str(&ret->body, "{\"result\":");
    const enum api_error e = call_run(&c);
    if (e == API_OK)
        out_envelope(ret, &c);
    ret->delay_ms += (uint64_t)(c.cost_s * p->options.slowness * 1000);
    if (ret->delay_ms > LIMIT_MS && p->options.slowness > 0)
        answer_cut(ret);
    return e;
}

void portal_note_connector(struct portal *p, const json_t *params)
{
    const json_t *key = params_get(params, "auth_connector");
    char room[40];

    if (key != NULL)
        snprintf(p->events.connector, sizeof(p->events.connector), STR_FMT, STR_ARG(params_text(key, room)));
}

static enum api_error answer_method(
    struct portal *p, const struct route *r, const struct portal_request *in, struct portal_answer *ret)
{
    if (p->overload) /* by hand and for all: nothing is counted any more (facts section 2.3) */
        return API_OVERLOAD;
    p->at_oauth = in->door == DOOR_OAUTH;
    if (p->at_oauth) {
        if (!str_case_eq(r->name, STR("app.info")))
            return API_METHOD;
    } else if (!p->landing && !bucket_take(&p->bucket, in->remote, clock_mono_ms())) {
        p->stats.refused_503++;
        return API_TOO_MANY;
    }
    if (r->rest3)
        return rest3_answer(p, r, in, ret);
    json_t *params = json_object();
    const enum api_error parsed = asked_params(p, in, params);
    enum api_error e = route_authorize(p, r, params);
    if (e == API_OK)
        e = parsed;
    portal_note_connector(p, params);
    if (e == API_OK)
        e = run(p, r, params, ret);
    json_decref(params);
    return e;
}

/* A recording has neither limits nor costs. */
static enum api_error answer_replay(
    struct portal *p, const struct route *r, const struct portal_request *in, struct portal_answer *ret)
{
    json_t *params = json_object();
    const enum api_error parsed = asked_params(p, in, params);
    enum api_error e = r->rest3 ? API_METHOD : route_authorize(p, r, params); /* nobody records those */

    if (e == API_CREDENTIALS && replay_refuse(p->replay, ret)) {
        json_decref(params);
        return API_OK;
    }
    if (e == API_OK)
        e = parsed;
    if (e == API_OK)
        replay_answer(p->replay, r->name, params, ret);
    json_decref(params);
    return e;
}

/* The same answer in the other notation. */
static void answer_xml(struct portal_answer *ret)
{
    json_t *answer = json_loadb(ret->body.p, ret->body.n, 0, NULL);

    if (answer == NULL)
        return;
    buf_clear(&ret->body);
    xml_out(&ret->body, answer);
    ret->content_type = XML_TYPE;
    json_decref(answer);
}

static void answer_rest(struct portal *p, const struct portal_request *in, struct portal_answer *ret)
{
    struct route r;
    struct fault fault;
    char name[64];

    p->serial++;
    p->stats.requests += !p->landing;
    arena_reset(&p->arena);
    p->detail[0] = '\0';
    route_parse(&r, in->path);
    snprintf(name, sizeof(name), STR_FMT, STR_ARG(r.name));
    for (char *c = name; *c != '\0'; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 32 : *c);
    const enum fault_kind kind = p->landing ? FAULT_NONE : fault_take(&p->faults, name, false, &fault);
    if (kind == FAULT_LATE) {
        landings_add(&p->landings, in, clock_mono_ms() + fault.ms);
        trouble_shown(p, &fault, in, ret);
        return;
    }
    if (trouble_instead(p, &fault, kind, in, ret))
        return;
    veils_draw(&p->store.veils, p->store.crm, clock_mono_ms());
    const enum api_error e =
        p->replay != NULL ? answer_replay(p, &r, in, ret) : answer_method(p, &r, in, ret);
    veils_lift(&p->store.veils, p->store.crm);
    if (e != API_OK) {
        ret->status = route_status(p, e);
        buf_clear(&ret->body);
        call_out_error(p, &ret->body, e, p->detail, false);
        if (e == API_TOO_MANY && portal_has(p, QUIRK_RETRY_AFTER))
            snprintf(ret->headers, sizeof(ret->headers), "Retry-After: 1\n");
    }
    if (r.xml)
        answer_xml(ret);
    else if (portal_has(p, QUIRK_JSON_PLAIN))
        json_out_plain(&ret->body);
    if (kind == FAULT_COMMITTED)
        trouble_shown(p, &fault, in, ret);
    else
        trouble_after(&fault, kind, ret);
}

static void spread_events(struct portal *p)
{
    struct err err;

    if (events_spread(&p->events, &p->store, clock_mono_ms(), now_s(), &err) < 0)
        log_ev(LOG_ERROR, "events.failed", kv_err(&err));
}

void portal_tick(struct portal *p)
{
    const bool drawn = p->store.veils.drawn;
    char connector[sizeof(p->events.connector)];
    struct err err;

    veils_lift(&p->store.veils, p->store.crm);
    spread_events(p); /* of the caller's own changes */
    memcpy(connector, p->events.connector, sizeof(connector));
    p->events.connector[0] = '\0';
    if (change_tick(&p->changes, &p->store, clock_mono_ms(), now_s(), &err) < 0)
        log_ev(LOG_ERROR, "change.failed", kv_err(&err));
    spread_events(p);
    memcpy(p->events.connector, connector, sizeof(connector));
    if (drawn)
        veils_draw(&p->store.veils, p->store.crm, clock_mono_ms());
}

void portal_set_scopes(struct portal *p, unsigned set)
{
    char room[SCOPE_TEXT];

    p->scopes = set;
    snprintf(p->events.scope, sizeof(p->events.scope), "%s",
        scope_text(set, portal_has(p, QUIRK_SCOPE_SPACES) ? ' ' : ',', room));
}

void portal_open_door(struct portal *p, enum portal_door door, const char *address)
{
    snprintf(p->doors[door], sizeof(p->doors[door]), "%s", address);
    if (door == DOOR_OAUTH)
        snprintf(p->events.oauth_address, sizeof(p->events.oauth_address), "%s", address);
    else if (door == (p->renamed ? DOOR_RENAMED : DOOR_PORTAL))
        snprintf(p->events.address, sizeof(p->events.address), "%s", address);
}

void portal_rename(struct portal *p, bool renamed)
{
    const enum portal_door door = renamed ? DOOR_RENAMED : DOOR_PORTAL;

    p->renamed = renamed;
    if (p->doors[door][0] != '\0')
        snprintf(p->events.address, sizeof(p->events.address), "%s", p->doors[door]);
}

static void answer_not_found(struct portal_answer *ret)
{
    ret->status = 404;
    ret->content_type = HTML_TYPE;
    buf_str(&ret->body, "<html><head><title>404 Not Found</title></head><body>404 Not Found</body></html>");
}

/* The same path at the new address, for every method of HTTP (facts section 1.4). */
static void answer_moved(struct portal *p, const struct portal_request *in, struct portal_answer *ret)
{
    const char *s = p->events.tls ? "s" : "";
    const int n = snprintf(ret->headers, sizeof(ret->headers), "Location: http%s://%s%s%s" STR_FMT "\n", s,
        p->doors[DOOR_RENAMED], in->path, in->query.n > 0 ? "?" : "", STR_ARG(in->query));

    if (n >= (int)sizeof(ret->headers))
        snprintf(ret->headers, sizeof(ret->headers), "Location: http%s://%s/\n", s, p->doors[DOOR_RENAMED]);
    p->stats.requests++;
    ret->status = 302;
    ret->content_type = HTML_TYPE;
    buf_str(&ret->body, "<html><head><title>302 Found</title></head><body>302 Found</body></html>");
}

static void answer(struct portal *p, const struct portal_request *in, struct portal_answer *ret)
{
    if (strncmp(in->path, "/__admin/", strlen("/__admin/")) == 0) {
        ret->delay_ms = 0;
        admin_answer(p, in, ret);
    } else if (in->door == DOOR_PORTAL && p->renamed) {
        answer_moved(p, in, ret);
    } else if (in->door == DOOR_RENAMED && !p->renamed) {
        answer_not_found(ret);
    } else if (oauth_answer(p, in, ret)) {
        return;
    } else if (strncmp(in->path, "/rest/", strlen("/rest/")) == 0) {
        answer_rest(p, in, ret);
        p->stats.bytes += ret->body.n;
    } else {
        answer_not_found(ret);
    }
}

void portal_answer(struct portal *p, const struct portal_request *in, struct portal_answer *ret)
{
    *ret =
        (struct portal_answer){ .status = 200, .content_type = JSON_TYPE, .delay_ms = p->options.latency_ms };
    buf_init(&ret->body, PORTAL_ANSWER_BYTES);
    p->events.connector[0] = '\0';
    answer(p, in, ret);
    spread_events(p);
    if (ret->body.failed) { /* never half an answer: truth/ takes a limit */
        buf_clear(&ret->body);
        ret->status = API[API_INTERNAL].status;
        call_out_error(p, &ret->body, API_INTERNAL, "", false);
    }
}

void portal_land(struct portal *p)
{
    for (struct landing *l; (l = landings_take(&p->landings, clock_mono_ms())) != NULL;) {
        struct portal_answer nobody_hears;

        p->landing = true;
        portal_answer(p, &l->request, &nobody_hears);
        p->landing = false;
        buf_fini(&nobody_hears.body);
        landing_free(l);
    }
}
