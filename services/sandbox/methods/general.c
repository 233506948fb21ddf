/* general.c - methods that are about the webhook and its user (facts sections 4.5, 10). */
#include "call.h"

#include "base/clock.h"
#include "data/calendar.h"
#include "json_out.h"
#include "params.h"

enum api_error run_profile(struct call *c)
{
    const bool admin = !c->portal->app || !portal_has(c->portal, QUIRK_NO_ADMIN);

    buf_fmt(c->out,
        "{\"ID\":\"1\",\"ADMIN\":%s,\"NAME\":\"Анна\",\"LAST_NAME\":\"Королёва\",\"PERSONAL_GENDER\":\"F\","
        "\"TIME_ZONE\":\"Europe\\/Moscow\"}",
        admin ? "true" : "false");
    return API_OK;
}

/* A parameter that is given and says yes. */
static bool is_asked(const struct call *c, const char *name)
{
    const json_t *v = params_get(c->params, name);
    char room[40];
    const struct str text = v != NULL && !params_is_array(v) ? params_text(v, room) : STR("");

    return text.n > 0 && !str_is(text, "0") && !str_case_eq(text, STR("false"));
}

enum api_error run_scope(struct call *c)
{
    const bool full = is_asked(c, "full");
    const char *comma = "";

    buf_char(c->out, '[');
    for (unsigned i = 0; scope_name(i) != NULL; i++) {
        if (!full && !(c->portal->scopes >> i & 1))
            continue;
        buf_fmt(c->out, "%s\"%s\"", comma, scope_name(i));
        comma = ",";
    }
    buf_char(c->out, ']');
    return API_OK;
}

/* Of the portal, and so too of the OAuth server: there it tells whether a token is one (facts section 10). */
enum api_error run_app_info(struct call *c)
{
    const struct portal *p = c->portal;
    const char *family = p->bucket.burst >= 250 ? "ent" : "std";

    if (!p->app)
        return portal_has(p, QUIRK_CONTEXT_403) ? API_AUTH_TYPE : API_APP_CONTEXT;
    buf_str(c->out, "{\"ID\":1,\"CODE\":");
    json_out_cstr(c->out, p->application.client_id);
    buf_fmt(c->out,
        ",\"VERSION\":1,\"STATUS\":\"L\",\"INSTALLED\":%s,\"PAYMENT_EXPIRED\":\"N\",\"DAYS\":null,"
        "\"LANGUAGE_ID\":\"ru\",\"LICENSE\":\"ru_%s\"%s,\"LICENSE_TYPE\":\"%s\",\"LICENSE_FAMILY\":\"%s\"}",
        p->application.state == APP_UNFINISHED ? "false" : "true", family,
        portal_has(p, QUIRK_LICENSE_PREVIOUS) ? ",\"LICENSE_PREVIOUS\":\"ru_basic\"" : "", family, family);
    if (p->at_oauth) { /* whose the token is: the vendor's PHP SDK compares it with its portal */
        c->out->n--;
        buf_fmt(c->out, ",\"install\":{\"uri\":\"http%s:\\/\\/%s\"}}", p->events.tls ? "s" : "",
            p->events.address);
    }
    return API_OK;
}

enum api_error run_server_time(struct call *c)
{
    char text[CALENDAR_ISO];

    calendar_iso((int64_t)(clock_wall_ms() / 1000), text);
    json_out_str(c->out, (struct str){ text, sizeof(text) }, false);
    return API_OK;
}

static bool method_allowed(const struct portal *p, const struct method *m)
{
    return m != NULL && !(m->scope & ~p->scopes & ~(p->app ? SCOPE_APP : 0u));
}

/* full: all; scope: those of this right, of none where it is empty; else what may be called. */
static bool method_shown(const struct call *c, const struct method *m)
{
    const json_t *scope = params_get(c->params, "scope");
    char room[40];

    if (is_asked(c, "full"))
        return true;
    if (scope == NULL || params_is_array(scope))
        return method_allowed(c->portal, m);
    const struct str name = params_text(scope, room);
    return name.n == 0 ? !(m->scope & ~SCOPE_APP)
                       : (m->scope & ~SCOPE_APP) == scope_of(name) && scope_of(name);
}

enum api_error run_methods(struct call *c)
{
    const char *comma = "";

    buf_char(c->out, '[');
    for (size_t i = 0; method_at(i) != NULL; i++) {
        if (!method_shown(c, method_at(i)))
            continue;
        buf_str(c->out, comma);
        json_out_cstr(c->out, method_at(i)->name);
        comma = ",";
    }
    buf_char(c->out, ']');
    return API_OK;
}

/* Without a name: there is no such method. */
enum api_error run_method_get(struct call *c)
{
    const json_t *name = params_get(c->params, "name");
    char room[40];
    const struct method *m =
        name != NULL && !params_is_array(name) ? method_find(params_text(name, room)) : NULL;

    buf_fmt(c->out, "{\"isExisting\":%s,\"isAvailable\":%s}", m ? "true" : "false",
        method_allowed(c->portal, m) ? "true" : "false");
    return API_OK;
}
