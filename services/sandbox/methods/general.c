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

enum api_error run_scope(struct call *c)
{
    const char *comma = "";

    buf_char(c->out, '[');
    for (unsigned i = 0; scope_name(i) != NULL; i++) {
        if (!(c->portal->scopes >> i & 1))
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
    return API_OK;
}

enum api_error run_server_time(struct call *c)
{
    char text[CALENDAR_ISO];

    calendar_iso((int64_t)(clock_wall_ms() / 1000), text);
    json_out_str(c->out, (struct str){ text, sizeof(text) }, false);
    return API_OK;
}

enum api_error run_methods(struct call *c)
{
    buf_char(c->out, '[');
    for (size_t i = 0; method_at(i) != NULL; i++) {
        if (i > 0)
            buf_char(c->out, ',');
        json_out_cstr(c->out, method_at(i)->name);
    }
    buf_char(c->out, ']');
    return API_OK;
}

static bool method_allowed(const struct portal *p, const struct method *m)
{
    return m != NULL && !(m->scope & ~p->scopes & ~(p->app ? SCOPE_APP : 0u));
}

enum api_error run_method_get(struct call *c)
{
    const json_t *name = params_get(c->params, "name");
    char room[40];

    if (name == NULL)
        return API_NAME_MISSING;
    const struct method *m = method_find(params_text(name, room));
    buf_fmt(c->out, "{\"isExisting\":%s,\"isAvailable\":%s}", m ? "true" : "false",
        method_allowed(c->portal, m) ? "true" : "false");
    return API_OK;
}
