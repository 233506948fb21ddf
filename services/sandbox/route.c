#include "route.h"

#include "base/clock.h"
#include "base/mem.h"
#include "methods/params.h"

void route_parse(struct route *r, const char *path)
{
    const char *p = path + strlen("/rest/");

    *r = (struct route){ 0 };
    /* "/rest//method" is what the vendor's own client asks of an application. */
    while (*(p += strspn(p, "/")) != '\0' && r->count < 4) {
        const size_t n = strcspn(p, "/");
        r->parts[r->count++] = (struct str){ p, n };
        p += n;
    }
    r->rest3 = r->count > 1 && str_is(r->parts[0], "api");
    if (r->rest3)
        memmove(r->parts, r->parts + 1, (size_t)--r->count * sizeof(r->parts[0]));
    if (r->count == 0)
        return;
    r->name = r->parts[r->count - 1];
    for (int xml = 0; xml < 2; xml++) {
        const struct str suffix = xml ? STR(".xml") : STR(".json");
        if (r->name.n > suffix.n &&
            str_case_eq((struct str){ r->name.p + r->name.n - suffix.n, suffix.n }, suffix)) {
            r->name.n -= suffix.n;
            r->xml = xml;
            return;
        }
    }
}

static const enum api_error of_state[APP_STATES] = {
#define APP_STATE(id, name, method_error, oauth_error) [APP_##id] = API_##method_error,
#include "access/app_states.def"
#undef APP_STATE
};

/* The token says it all: a method of an application has no user and no secret in its path. */
static enum api_error authorize_app(struct portal *p, const struct route *r, const json_t *params)
{
    const json_t *token = params_get(params, "auth");
    char room[40];

    if (token == NULL && portal_has(p, QUIRK_ACCESS_TOKEN))
        token = params_get(params, "access_token");
    if (token == NULL || params_is_array(token) || params_text(token, room).n == 0)
        return r->rest3 || method_find(r->name) ? API_NO_AUTH : API_METHOD;
    const enum token_state state =
        tokens_judge(&p->application.tokens, params_text(token, room), clock_wall_ms());
    if (state == TOKEN_UNKNOWN)
        return API_TOKEN_UNKNOWN;
    if (of_state[p->application.state] != API_OK)
        return of_state[p->application.state];
    if (state == TOKEN_EXPIRED)
        return API_EXPIRED;
    p->app = true;
    p->token_until_ms = tokens_until(&p->application.tokens, params_text(token, room));
    return API_OK;
}

/* Without the user in front, the portal takes the next part of the path for the method (facts section 2.3).
 */
enum api_error route_authorize(struct portal *p, const struct route *r, const json_t *params)
{
    uint64_t user;

    p->app = false;
    if (r->count == 1)
        return authorize_app(p, r, params);
    if (r->count != 3 || !str_u64(r->parts[0], &user))
        return API_METHOD;
    if (user == 1 && str_is(r->parts[1], p->secret))
        return portal_has(p, QUIRK_HTTPS_REQUIRED) && !p->events.tls ? API_HTTPS : API_OK;
    return portal_has(p, QUIRK_NO_AUTH_FOUND) ? API_NO_AUTH : API_CREDENTIALS;
}

int route_status(const struct portal *p, enum api_error e)
{
    static const struct {
        enum api_error error;
        enum quirk quirk;
        int status;
    } second_forms[] = {
        { API_SCOPE, QUIRK_SCOPE_403, 403 },
        { API_APP_SCOPE, QUIRK_SCOPE_403, 403 },
        { API_METHOD, QUIRK_METHOD_400, 400 },
        { API_ITEM_MISSING, QUIRK_ITEM_404, 404 },
        { API_ITEM_ACCESS, QUIRK_DENIED_403, 403 },
        { API_TYPE_UNKNOWN, QUIRK_ITEM_404, 404 },
        { API_PORTAL_DELETED, QUIRK_DELETED_410, 410 },
    };

    if (portal_has(p, QUIRK_ERRORS_200))
        return 200;
    for (size_t i = 0; i < ARRAY_SIZE(second_forms); i++) {
        if (second_forms[i].error == e && portal_has(p, second_forms[i].quirk))
            return second_forms[i].status;
    }
    return API[e].status;
}
