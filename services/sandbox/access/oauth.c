#include "oauth.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "methods/json_out.h"
#include "methods/params.h"
#include "limits/trouble.h"

#define HTML_TYPE "text/html; charset=utf-8"

enum oauth_error {
    OAUTH_OK,
#define OAUTH_ERROR(id, status, code, text) OAUTH_##id,
#include "oauth_errors.def"
#undef OAUTH_ERROR
    OAUTH_ERRORS
};

struct oauth_error_row {
    int status;
    const char *code, *text;
};
static const struct oauth_error_row rows[OAUTH_ERRORS] = {
#define OAUTH_ERROR(id, status, code, text) [OAUTH_##id] = { status, code, text },
#include "oauth_errors.def"
#undef OAUTH_ERROR
};

static const enum oauth_error of_state[APP_STATES] = {
#define APP_STATE(id, name, method_error, oauth_error) [APP_##id] = OAUTH_##oauth_error,
#include "app_states.def"
#undef APP_STATE
};

/* Second forms of section 16: which refusal looks how when the option is set. */
static const struct {
    enum oauth_error error;
    enum quirk quirk;
    int status;
    const char *code;
} second_forms[] = {
    { OAUTH_BAD_SECRET, QUIRK_CLIENT_401, 401, "invalid_client" },
    { OAUTH_NOT_INSTALLED, QUIRK_NOT_INSTALLED, 401, "NOT_INSTALLED" },
    { OAUTH_NOT_INSTALLED, QUIRK_CLIENT_401, 401, "invalid_client" },
    { OAUTH_BAD_REFRESH, QUIRK_GRANT_401, 401, "NO_AUTH_FOUND" },
    { OAUTH_BAD_CODE, QUIRK_BAD_CODE, 400, "bad_verification_code" },
};

static struct oauth_error_row row_of(const struct portal *p, enum oauth_error e)
{
    struct oauth_error_row row = rows[e];

    for (size_t i = 0; i < ARRAY_SIZE(second_forms); i++) {
        if (second_forms[i].error != e || !portal_has(p, second_forms[i].quirk))
            continue;
        row.status = second_forms[i].status;
        row.code = second_forms[i].code;
        break;
    }
    return row;
}

static void out_page(struct portal_answer *ret, int status, const char *text)
{
    ret->status = status;
    ret->content_type = HTML_TYPE;
    buf_fmt(&ret->body, "<html><head><title>%s</title></head><body>%s</body></html>", text, text);
}

static void out_error(struct portal *p, enum oauth_error e, struct portal_answer *ret)
{
    const struct oauth_error_row row = row_of(p, e);

    p->application.stats.refused++;
    if (row.code[0] == '\0') {
        out_page(ret, row.status, "404 Not Found");
        return;
    }
    ret->status = row.status;
    buf_str(&ret->body, "{\"error\":");
    json_out_cstr(&ret->body, row.code);
    if (row.text[0] != '\0') {
        buf_str(&ret->body, ",\"error_description\":");
        json_out_cstr(&ret->body, row.text);
    }
    buf_char(&ret->body, '}');
}

static struct str text_param(const json_t *params, const char *name)
{
    const json_t *v = params_get(params, name);

    return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) } : STR("");
}

/* ---- tokens ---- */

static void out_url(struct buf *out, const char *name, bool tls, const char *address)
{
    char url[192];

    snprintf(url, sizeof(url), "http%s://%.128s/rest/", tls ? "s" : "", address);
    buf_fmt(out, ",\"%s\":", name);
    json_out_cstr(out, url);
}

static void out_tokens(
    struct portal *p, const struct token_pair *pair, bool refreshed, uint64_t now_ms, struct buf *out)
{
    const bool full = portal_has(p, QUIRK_TOKEN_FULL) || (refreshed && !portal_has(p, QUIRK_TOKEN_BARE));
    char scope[SCOPE_TEXT];

    buf_fmt(out, "{\"access_token\":\"%s\"", pair->access);
    if (full)
        buf_fmt(out, ",\"expires\":%llu", (unsigned long long)(pair->access_until_ms / 1000));
    buf_fmt(out,
        ",\"expires_in\":%llu,\"scope\":", (unsigned long long)((pair->access_until_ms - now_ms) / 1000));
    json_out_cstr(out, scope_text(p->scopes, ',', scope));
    buf_str(out, ",\"domain\":");
    json_out_cstr(out, p->events.oauth_address); /* the OAuth server's, not the portal's */
    out_url(out, "server_endpoint", p->events.tls, p->events.oauth_address);
    buf_str(out, ",\"status\":\"L\"");
    out_url(out, "client_endpoint", p->events.tls, p->events.address);
    buf_fmt(out, ",\"member_id\":\"%s\"", p->events.member_id);
    if (full)
        buf_str(out, ",\"user_id\":1");
    buf_fmt(out, ",\"refresh_token\":\"%s\"}", pair->refresh);
}

static enum oauth_error broken(const struct err *err)
{
    log_ev(LOG_ERROR, "oauth.failed", kv_err(err));
    return OAUTH_BROKEN;
}

/* A scope may be asked for; what the application does not have is refused. */
static bool scope_granted(const struct portal *p, struct str asked)
{
    bool unknown;
    const unsigned set = scope_parse(asked, &unknown);

    return !unknown && !(set & ~p->scopes);
}

static enum oauth_error check_client(const struct portal *p, const json_t *params)
{
    const struct application *a = &p->application;
    const struct str id = text_param(params, "client_id"), secret = text_param(params, "client_secret");

    if (id.n == 0)
        return OAUTH_NO_CLIENT;
    if (!a->there || !str_is(id, a->client_id))
        return OAUTH_WRONG_CLIENT;
    if (secret.n == 0)
        return OAUTH_NO_SECRET;
    if (!str_is(secret, a->client_secret))
        return OAUTH_BAD_SECRET;
    if (of_state[a->state] != OAUTH_OK)
        return of_state[a->state];
    return scope_granted(p, text_param(params, "scope")) ? OAUTH_OK : OAUTH_BAD_SCOPE;
}

static enum oauth_error use_code(struct portal *p, const json_t *params, uint64_t now_ms)
{
    const struct str code = text_param(params, "code");

    if (code.n == 0)
        return OAUTH_NO_CODE;
    return application_use_code(&p->application, code, now_ms) ? OAUTH_OK : OAUTH_BAD_CODE;
}

static enum oauth_error use_refresh(struct portal *p, const json_t *params, uint64_t now_ms)
{
    struct tokens *t = &p->application.tokens;
    const struct str text = text_param(params, "refresh_token");
    struct err err;

    if (text.n == 0)
        return OAUTH_NO_REFRESH;
    const struct token_pair *pair = tokens_refreshable(t, text, now_ms, portal_has(p, QUIRK_SPENT_REFRESH));
    if (pair == NULL)
        return OAUTH_BAD_REFRESH;
    return tokens_spend(t, pair->number, &err) < 0 ? broken(&err) : OAUTH_OK;
}

static enum oauth_error give_tokens(struct portal *p, const json_t *params, struct portal_answer *ret)
{
    struct app_stats *stats = &p->application.stats;
    const struct str grant = text_param(params, "grant_type");
    const bool refresh = str_is(grant, "refresh_token");
    const uint64_t now_ms = clock_wall_ms();
    struct err err;

    if (grant.n == 0)
        return OAUTH_NO_GRANT;
    if (!refresh && !str_is(grant, "authorization_code"))
        return OAUTH_BAD_GRANT;
    enum oauth_error e = check_client(p, params);
    if (e == OAUTH_OK)
        e = refresh ? use_refresh(p, params, now_ms) : use_code(p, params, now_ms);
    if (e != OAUTH_OK)
        return e;
    const struct token_pair *pair = tokens_issue(&p->application.tokens, now_ms, &err);
    if (pair == NULL)
        return broken(&err);
    out_tokens(p, pair, refresh, now_ms, &ret->body);
    *(refresh ? &stats->refreshed : &stats->exchanged) += 1;
    return OAUTH_OK;
}

static void answer_token(struct portal *p, const json_t *params, struct portal_answer *ret)
{
    const enum oauth_error e = give_tokens(p, params, ret);

    if (e != OAUTH_OK)
        out_error(p, e, ret);
}

/* ---- the way of the user's browser ---- */

static void location_member(struct buf *out, const char *key, struct str value)
{
    buf_char(out, memchr(out->p, '?', out->n) != NULL ? '&' : '?');
    buf_str(out, key);
    buf_char(out, '=');
    buf_urlenc(out, value);
}

/* Whoever comes is the administrator, and agrees. On failure there is no redirect. */
static void answer_authorize(struct portal *p, const json_t *params, struct portal_answer *ret)
{
    struct application *a = &p->application;
    char scope[SCOPE_TEXT];
    struct buf to;

    if (!a->there || !str_is(text_param(params, "client_id"), a->client_id) || a->state != APP_WELL ||
        a->redirect[0] == '\0') {
        a->stats.refused++;
        out_page(ret, 400, "Application not found");
        return;
    }
    buf_init(&to, sizeof(ret->headers) - 16);
    buf_str(&to, a->redirect);
    location_member(&to, "code", str_of(application_code(a, clock_wall_ms())));
    location_member(&to, "state", text_param(params, "state"));
    location_member(&to, "domain", str_of(p->events.address));
    location_member(&to, "member_id", str_of(p->events.member_id));
    location_member(&to, "scope", str_of(scope_text(p->scopes, ',', scope)));
    location_member(&to, "server_domain", str_of(p->events.oauth_address));
    if (to.failed) {
        out_page(ret, 400, "The state is too long");
    } else {
        a->stats.authorized++;
        ret->status = 302;
        ret->content_type = HTML_TYPE;
        snprintf(ret->headers, sizeof(ret->headers), "Location: %s\n", buf_cstr(&to));
    }
    buf_fini(&to);
}

/* The browser goes to the portal, its application to the OAuth server; neither answers for the other (facts
 * section 10). */
static const struct {
    const char *path, *name; /* name: for faults */
    bool server;
    void (*answer)(struct portal *p, const json_t *params, struct portal_answer *ret);
} paths[] = {
    { "/oauth/authorize", "oauth.authorize", false, answer_authorize },
    { "/oauth/token", "oauth.token", true, answer_token },
};

static bool is_path(const char *path, const char *wanted)
{
    const size_t n = strlen(wanted);

    return strncmp(path, wanted, n) == 0 && (path[n] == '\0' || strcmp(path + n, "/") == 0);
}

bool oauth_answer(struct portal *p, const struct portal_request *in, struct portal_answer *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct fault fault;
        if (paths[i].server != (in->door == DOOR_OAUTH) || !is_path(in->path, paths[i].path))
            continue;
        const enum fault_kind kind = fault_take(&p->faults, paths[i].name, false, &fault);
        if (trouble_instead(p, &fault, kind, in, ret))
            return true;
        json_t *params = json_object();
        params_add_query(params, in->query);
        params_add_query(params, in->body);
        paths[i].answer(p, params, ret);
        json_decref(params);
        if (kind == FAULT_COMMITTED)
            trouble_shown(p, &fault, in, ret);
        else
            trouble_after(&fault, kind, ret);
        return true;
    }
    return false;
}
