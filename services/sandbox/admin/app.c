/* app.c - what happens to the application and to the portal as a whole: installed and removed, its
 * tokens' ends, the portal's new address, the block for overload (facts sections 1.4, 2.3, 10). */
#include "visit.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"

static void broken(struct visit *v, const struct err *err)
{
    visit_refuse(v, 500, err->text);
}

void visit_show_app(struct visit *v)
{
    struct portal *p = v->portal;
    struct application *a = &p->application;
    struct buf *out = &v->answer->body;
    const struct token_pair *newest = tokens_newest(&a->tokens);

    buf_fmt(out,
        "{\"there\":%s,\"state\":\"%s\",\"tokens\":%d,\"address\":\"%s\",\"oauth_address\":\"%s\","
        "\"renamed\":%s,"
        "\"overload\":%s,\"member_id\":\"%s\"",
        a->there ? "true" : "false", app_state_name(a->state), a->tokens.count, p->events.address,
        p->events.oauth_address, p->renamed ? "true" : "false", p->overload ? "true" : "false",
        p->events.member_id);
    if (a->there) {
        buf_str(out, ",\"client_id\":");
        buf_json(out, str_of(a->client_id));
        buf_str(out, ",\"client_secret\":");
        buf_json(out, str_of(a->client_secret));
        buf_fmt(out, ",\"application_token\":\"%s\"", p->events.application_token);
    }
    if (newest != NULL)
        buf_fmt(out, ",\"access_token\":\"%s\",\"refresh_token\":\"%s\"", newest->access, newest->refresh);
    buf_fmt(out, ",\"authorized\":%llu,\"exchanged\":%llu,\"refreshed\":%llu,\"refused\":%llu}",
        (unsigned long long)a->stats.authorized, (unsigned long long)a->stats.exchanged,
        (unsigned long long)a->stats.refreshed, (unsigned long long)a->stats.refused);
}

/* Anew: whatever was given before is unknown now. */
void visit_install(struct visit *v)
{
    struct portal *p = v->portal;
    const struct str url = visit_param(v, "url", "");
    struct err err;

    if (tokens_revoke(&p->application.tokens, &err) < 0 ||
        application_own(&p->application, clock_wall_ms(), &err) == NULL) {
        broken(v, &err);
        return;
    }
    p->application.there = true;
    p->application.state = APP_WELL;
    if (url.n > 0)
        bindings_add_given(&p->events.bindings, url.p, event_app_install());
    if (events_install(&p->events, clock_mono_ms(), &err) < 0)
        broken(v, &err);
    else
        visit_fine(v);
}

void visit_update_app(struct visit *v)
{
    struct portal *p = v->portal;
    struct err err;

    if (!p->application.there || p->application.state != APP_WELL)
        visit_refuse(v, 400, "no application is installed");
    else if (events_update(&p->events, str_is(visit_param(v, "token", "0"), "1"), clock_mono_ms(), &err) < 0)
        broken(v, &err);
    else
        visit_fine(v);
    events_listen(&p->events, &p->store);
}

void visit_uninstall(struct visit *v)
{
    struct portal *p = v->portal;
    const bool clean = str_is(visit_param(v, "clean", "0"), "1");
    struct err err;

    p->application.state = APP_GONE;
    if (events_uninstall(&p->events, clean, clock_mono_ms(), &err) < 0)
        broken(v, &err);
    else
        visit_fine(v);
    events_listen(&p->events, &p->store);
}

void visit_app_state(struct visit *v)
{
    if (app_state_of(visit_param(v, "name", ""), &v->portal->application.state))
        visit_fine(v);
    else
        visit_refuse(v, 400, "name: see README");
}

void visit_expire(struct visit *v)
{
    struct application *a = &v->portal->application;
    const struct str what = visit_param(v, "what", "access");
    const bool all = str_is(what, "all"), access = all || str_is(what, "access"),
               refresh = all || str_is(what, "refresh"), code = all || str_is(what, "code");
    uint64_t commands;
    struct err err;

    if (!visit_count(v, "commands", 0, &commands) || (!access && !refresh && !code)) {
        visit_refuse(v, 400, "what: access, refresh, code or all; commands: a number");
        return;
    }
    if (commands > 0) {
        v->portal->commands_left = commands;
        visit_fine(v);
        return;
    }
    if (code)
        application_expire_codes(a);
    if (tokens_expire(&a->tokens, access, refresh, clock_wall_ms(), &err) < 0)
        broken(v, &err);
    else
        visit_fine(v);
}

void visit_revoke(struct visit *v)
{
    struct err err;

    if (tokens_revoke(&v->portal->application.tokens, &err) < 0)
        broken(v, &err);
    else
        visit_fine(v);
}

void visit_rename(struct visit *v)
{
    portal_rename(v->portal, !str_is(visit_param(v, "back", "0"), "1"));
    visit_fine(v);
}

void visit_overload(struct visit *v)
{
    v->portal->overload = !str_is(visit_param(v, "on", "1"), "0");
    visit_fine(v);
}
