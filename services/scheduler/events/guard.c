/* Looks at an application's subscriptions at start, after an installation, every GUARDIAN_MINUTES and when
 * events stay away, and binds what is missing (model: guardian.h). */
#include "guard.h"

#include "access/access.h"
#include "alarms.h"
#include "base/clock.h"
#include "base/handler_key.h"
#include "base/log.h"
#include "call.h"

#include <stdio.h>
#include <string.h>

#define SOON_MS 60000 /* what could not be bound is tried again */

static struct guardian *guardian_of(struct scheduler *s, int portal)
{
    return &s->portals[portal].portal.guardian;
}

/* ---- the end of a look ---- */

static void finish(struct scheduler *s, int portal, enum guardian_state state)
{
    const struct portal *p = &s->portals[portal].portal;
    struct guardian *g = guardian_of(s, portal);
    const bool was = g->was_well, changed = state != g->state;

    g->state = state;
    g->looked_ms = clock_mono_ms();
    g->looked_wall_ms = clock_wall_ms();
    g->at_ms = g->lost                    ? guardian_looks_at(g, g->looked_ms)
               : state == GUARDIAN_PARTLY ? g->looked_ms + SOON_MS
               : s->guardian_min == 0     ? UINT64_MAX
                                          : g->looked_ms + (uint64_t)s->guardian_min * 60000;
    g->was_well |= state == GUARDIAN_WELL;
    g->offline_sure = state == GUARDIAN_WELL && g->ways.offline;
    guardian_plan_free(&g->plan);
    g->again = false;
    if (g->made > 0)
        log_ev(LOG_INFO, was ? "events.repaired" : "events.bound", kv_str("portal", p->name),
            kv_i("wanted", g->wanted), kv_i("bound", g->bound), kv_i("new", g->made));
    g->made = 0;
    alarms_portal(s, portal, "guardian.unbound", state == GUARDIAN_WELL ? NULL : g->error);
    if (state != GUARDIAN_WELL && changed)
        log_ev(LOG_WARNING, "guardian.unbound", kv_str("portal", p->name), kv_i("wanted", g->wanted),
            kv_i("bound", g->bound), kv_s("error", g->error),
            kv_s("hint", state == GUARDIAN_REFUSED
                             ? "install the application as an administrator of the portal, with the right crm"
                         : g->lost
                             ? "what became of it is looked at when the portal's own time for it is over"
                             : "it is tried again in a minute"));
    if (state == GUARDIAN_WELL)
        g->error[0] = '\0';
}

static void finish_failed(struct scheduler *s, int portal, enum guardian_said said, struct str text)
{
    struct guardian *g = guardian_of(s, portal);

    url_mask(text, g->error, sizeof(g->error));
    finish(s, portal, said == GUARDIAN_SAID_REFUSED ? GUARDIAN_REFUSED : GUARDIAN_PARTLY);
}

/* ---- binding ---- */

static void line_answered(struct guardian *g, const struct guardian_line *l, const struct call_answer *a)
{
    const enum guardian_said said = guardian_judge(a);

    if (said == GUARDIAN_SAID_DONE) {
        g->bound += l->what == GUARDIAN_BIND;
        g->made += l->what == GUARDIAN_BIND;
        g->tried |= l->what == GUARDIAN_BIND && !l->offline;
        return;
    }
    if (said == GUARDIAN_SAID_UNKNOWN && l->what == GUARDIAN_BIND && g->unknown_count < BITRIX_EVENTS_MAX) {
        memcpy(g->unknown[g->unknown_count++], l->event, BITRIX_EVENT_NAME_SIZE);
        g->wanted--;
        return;
    }
    g->failed++;
    g->refused |= said == GUARDIAN_SAID_REFUSED;
    g->lost |= said == GUARDIAN_SAID_LOST;
    char text[120];
    url_mask(a == NULL ? STR("not answered") : a->text, text, sizeof(text)); /* it may name the address */
    snprintf(g->error, sizeof(g->error), "%s: %s", l->event, text);
}

static void bind_next(struct scheduler *s, int portal);
static void look(struct scheduler *s, int portal);

static void bound(struct scheduler *s, int portal, const struct call_answers *answers, const struct err *err)
{
    struct guardian *g = guardian_of(s, portal);
    struct write_pace pace = WRITE_PACE;
    int n = 0;

    pace.limit_ms = s->portal_limit_ms;
    if (err != NULL) {
        g->lost |= err->kind == ERR_TEMP;
        guardian_heard(g, &pace, g->lost, clock_mono_ms());
        finish_failed(s, portal, err->kind == ERR_AUTH ? GUARDIAN_SAID_REFUSED : GUARDIAN_SAID_LATER,
            str_of(err->text));
        return;
    }
    for (; g->from < g->plan.count && n < CALLS_MAX; g->from++, n++) {
        char key[24];

        snprintf(key, sizeof(key), "line%d", g->from);
        line_answered(g, &g->plan.lines[g->from], call_answers_find(answers, key));
    }
    guardian_heard(g, &pace, g->lost, clock_mono_ms());
    bind_next(s, portal);
}

static void bind_next(struct scheduler *s, int portal)
{
    struct guardian *g = guardian_of(s, portal);
    struct call calls[CALLS_MAX];
    struct buf room;

    if (g->from >= g->plan.count && g->plan.again && g->failed == 0 && !g->again) {
        g->again = true;
        look(s, portal);
        return;
    }
    if (g->from >= g->plan.count || g->lost) {
        finish(s, portal, g->refused ? GUARDIAN_REFUSED : g->failed > 0 ? GUARDIAN_PARTLY : GUARDIAN_WELL);
        return;
    }
    buf_init(&room, 1 << 20);
    guardian_sends(g);
    call_once(s, portal, calls, guardian_calls(&g->plan, g->from, calls, &room), bound);
    buf_fini(&room);
}

/* ---- looking ---- */

/* {"value":"Y"}; a portal that does not know the question has no such thing. False: it is not told yet. */
static bool feature_told(const struct call_answer *a, bool *ret)
{
    if (a == NULL || str_is(a->kind, "temp") || str_is(a->kind, "wait"))
        return false;
    *ret = a->result.n > 0 && memmem(a->result.p, a->result.n, "\"Y\"", 3) != NULL;
    return true;
}

/* The vendor tells of the queue and of its keys apart, the keys of fewer plans. What was bound while the plan
 * was another one stands in another queue. */
static bool features_told(struct guardian *g, const struct call_answers *answers)
{
    bool queue, connector;

    if (!feature_told(call_answers_find(answers, "queue"), &queue) ||
        !feature_told(call_answers_find(answers, "connector"), &connector))
        return false;
    g->offline_sure &= connector == g->has_connector;
    g->has_connector = connector;
    g->has_queue = queue;
    g->queue_known = true;
    return true;
}

static void tell_no_queue(const struct portal *p, struct guardian *g)
{
    if (!g->ways.no_queue || g->told_queue)
        return;
    g->told_queue = true;
    log_ev(LOG_WARNING, "offline.unavailable", kv_str("portal", p->name),
        kv_s("reason", "its tariff has no queue that keeps events until they are confirmed"),
        kv_s("instead", g->ways.online ? "online events" : "what changed is looked for by date"));
}

/* NULL where there is no address at all. */
static char *handler_of(const struct scheduler *s, int portal)
{
    const struct config_portal *c = s->portals[portal].portal.config;

    return s->urls.count > 0 ? handler_keyed(s->urls.handlers[0], &s->access->keys, c->name) : NULL;
}

static void compare(struct scheduler *s, int portal, struct str have)
{
    const struct portal *p = &s->portals[portal].portal;
    struct guardian *g = guardian_of(s, portal);
    char *handler = handler_of(s, portal);
    struct guardian_wish wish = { .entities = portal_entities(p),
        .online = g->ways.online,
        .offline = g->ways.offline,
        .urls = &s->urls,
        .handler = handler,
        .tried = g->tried,
        .offline_sure = g->offline_sure,
        .connector = g->has_connector,
        .unknown = (const char(*)[BITRIX_EVENT_NAME_SIZE])g->unknown,
        .unknown_count = g->unknown_count };
    struct err err = { .kind = ERR_NONE };
    int result;

    guardian_plan_free(&g->plan);
    result = guardian_compare(&g->plan, &wish, have, &err);
    seal_free(handler);
    if (result < 0) {
        finish_failed(s, portal, GUARDIAN_SAID_LATER, str_of(err.text));
        return;
    }
    g->from = g->failed = 0;
    g->refused = false;
    g->wanted = g->plan.wanted;
    g->bound = g->plan.bound;
    g->strays = g->plan.strays;
    g->bare = g->plan.bare;
    bind_next(s, portal);
}

static void looked(struct scheduler *s, int portal, const struct call_answers *answers, const struct err *err)
{
    const struct portal *p = &s->portals[portal].portal;
    struct guardian *g = guardian_of(s, portal);
    const struct call_answer *have = call_answers_find(answers, "have");

    if (err != NULL) {
        finish_failed(s, portal, err->kind == ERR_AUTH ? GUARDIAN_SAID_REFUSED : GUARDIAN_SAID_LATER,
            str_of(err->text));
        return;
    }
    if (guardian_judge(have) != GUARDIAN_SAID_DONE) {
        finish_failed(s, portal, guardian_judge(have), have != NULL ? have->text : STR(""));
        return;
    }
    if (config_events_offline(p->config) && !features_told(g, answers)) {
        finish_failed(s, portal, GUARDIAN_SAID_LATER, STR("feature.get: not answered yet"));
        return;
    }
    g->ways = guardian_ways(
        config_events_online(p->config), config_events_offline(p->config), g->has_queue, s->urls.count > 0);
    tell_no_queue(p, g);
    compare(s, portal, have->result);
}

static void look(struct scheduler *s, int portal)
{
    static const struct call calls[] = {
        { STR("have"), STR("event.get"), STR("") },
        { STR("queue"), STR("feature.get"), STR("{\"CODE\":\"rest_offline_extended\"}") },
        { STR("connector"), STR("feature.get"), STR("{\"CODE\":\"rest_auth_connector\"}") },
    };
    const struct portal *p = &s->portals[portal].portal;

    guardian_of(s, portal)->lost = false;
    call_job(s, portal, calls, config_events_offline(p->config) ? 3 : 1, looked, false);
}

static void guardian_turn(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct portal *p = &s->portals[portal].portal;
    struct guardian *g = &p->guardian;

    if (s->urls.count == 0 && !config_events_offline(p->config)) {
        g->state = GUARDIAN_NONE;
        return;
    }
    if (g->state == GUARDIAN_NONE)
        g->state = GUARDIAN_LOOKING;
    if (g->looked_ms > 0 && guardian_suspects(g->heard_ms, g->looked_ms, g->found, now_ms))
        g->at_ms = 0;
    if (now_ms < g->at_ms || now_ms < guardian_looks_at(g, now_ms) || call_waits(p, looked) ||
        call_waits(p, bound))
        return;
    look(s, portal);
}

void guard_turn(struct scheduler *s, uint64_t now_ms)
{
    for (int i = 0; i < s->portal_count; i++) {
        const struct portal *p = &s->portals[i].portal;

        if (!config_portal_is_app(p->config) || portal_is_shut(p))
            continue;
        guardian_turn(s, i, now_ms);
        queue_turn(s, i, now_ms);
    }
}

int guard_start(struct scheduler *s, struct err *err)
{
    s->begun_wall_ms = clock_wall_ms();
    return public_urls_read(&s->urls, s->public_url, err);
}

/* ---- what others tell ---- */

void guard_now(struct scheduler *s, int portal)
{
    struct guardian *g = guardian_of(s, portal);

    g->at_ms = 0;
    g->unknown_count = 0;
    g->offline_sure = false;
    g->tried = false;
}

void guard_heard(struct scheduler *s, int portal)
{
    struct guardian *g = guardian_of(s, portal);

    g->heard_ms = clock_mono_ms();
    g->heard_wall_ms = clock_wall_ms();
    g->found = 0;
}

void guard_found(struct portal *p, uint64_t records)
{
    if (records == 0)
        return;
    p->guardian.found += records;
    p->guardian.found_wall_ms = clock_wall_ms();
}

/* ---- for people ---- */

static json_t *time_json(uint64_t wall_ms)
{
    return wall_ms > 0 ? json_integer((json_int_t)wall_ms) : json_null();
}

json_t *guard_json(const struct scheduler *s, int portal)
{
    const struct portal *p = &s->portals[portal].portal;
    const struct guardian *g = &p->guardian;
    const bool app = config_portal_is_app(p->config);
    json_t *j = json_pack("{s:b, s:s, s:s, s:i, s:i, s:i, s:s, s:I}", "app", app, "way",
        !app ? "online"
             : events_way_name(p->config->events == EVENTS_UNSET ? EVENTS_ONLINE : p->config->events),
        "state", guardian_state_name(g->state), "wanted", g->wanted, "bound", g->bound, "strays", g->strays,
        "error", g->error, "found", (json_int_t)g->found);

    json_object_set_new(j, "handler", s->urls.count > 0 ? json_string(s->urls.handlers[0]) : json_null());
    json_object_set_new(j, "key",
        json_string(!app || s->urls.count == 0 || s->access->keys.n == 0 ? "none"
                    : g->bare                                            ? "dropped"
                                                                         : "bound"));
    json_object_set_new(j, "looked_ms", time_json(g->looked_wall_ms));
    json_object_set_new(j, "heard_ms", time_json(g->heard_wall_ms));
    json_object_set_new(j, "found_ms", time_json(g->found > 0 ? g->found_wall_ms : 0));
    json_object_set_new(j, "since_ms", json_integer((json_int_t)s->begun_wall_ms));
    if (g->ways.offline)
        json_object_set_new(j, "queue", queue_json(p));
    else if (g->ways.no_queue)
        json_object_set_new(j, "queue", json_pack("{s:s}", "error", "unavailable"));
    return j;
}
