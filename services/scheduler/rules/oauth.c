#include "oauth.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/webhook.h"

#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define TROUBLE_AT  3 /* calls in a row without a decision */
#define LIFE_MOST_S ((int64_t)366 * 86400)

/* ---- the state ---- */

static void become(struct oauth *o, enum oauth_state state, const char *why)
{
    o->state = state;
    snprintf(o->error, sizeof(o->error), "%s", why);
}

void oauth_loaded(
    struct oauth *o, uint64_t number, const struct access *pair, const char *error, uint64_t now_ms)
{
    oauth_free(o);
    o->number = number;
    o->not_before_ms = now_ms;
    if (pair == NULL || pair->access_token == NULL) {
        become(o, error[0] != '\0' ? OAUTH_LOST : OAUTH_NONE, error);
        return;
    }
    access_copy(&o->pair, pair);
    become(o, error[0] != '\0' ? OAUTH_LOST : OAUTH_GOOD, error);
}

enum oauth_refusal oauth_refused(struct oauth *o, uint64_t token, uint64_t now_ms)
{
    if (o->state == OAUTH_NONE || o->state == OAUTH_LOST)
        return OAUTH_STOP;
    if (token != o->number)
        return OAUTH_AGAIN;
    if (o->state == OAUTH_RENEWING)
        return OAUTH_WAIT;
    if (o->pair.refresh_token == NULL) {
        become(o, OAUTH_LOST, "the access token has expired and there is none to renew it with");
        return OAUTH_STOP;
    }
    if (o->unproved >= OAUTH_UNPROVED_MOST) {
        become(o, OAUTH_LOST, "the portal refuses each new access token at once");
        return OAUTH_STOP;
    }
    become(o, OAUTH_RENEWING, "");
    o->fails = 0;
    o->not_before_ms = now_ms;
    return OAUTH_WAIT;
}

void oauth_proved(struct oauth *o, uint64_t token)
{
    if (token == o->number)
        o->unproved = 0;
}

bool oauth_due(const struct oauth *o, uint64_t now_ms)
{
    return o->state == OAUTH_RENEWING && !o->asking && !o->storing && now_ms >= o->not_before_ms;
}

void oauth_asked(struct oauth *o)
{
    o->asking = true;
}

bool oauth_is_of_today(const struct oauth *o, uint64_t number)
{
    return o->number == number;
}

bool oauth_may_be_found(const struct oauth *o, uint64_t now_ms)
{
    return (o->state == OAUTH_LOST || o->state == OAUTH_NONE) && !o->looking && now_ms >= o->look_ms;
}

void oauth_looks(struct oauth *o)
{
    o->looking = true;
}

void oauth_looked(struct oauth *o, uint64_t now_ms)
{
    o->looking = false;
    o->look_ms = now_ms + OAUTH_LOOK_MS;
}

bool oauth_undecided(struct oauth *o, const char *why, bool unanswered, uint64_t now_ms)
{
    uint64_t wait = OAUTH_BACKOFF_MS << (o->fails < 6 ? o->fails : 6);

    o->asking = false;
    o->unconfirmed |= unanswered;
    o->fails++;
    o->not_before_ms = now_ms + (wait < OAUTH_BACKOFF_MOST_MS ? wait : OAUTH_BACKOFF_MOST_MS);
    snprintf(o->error, sizeof(o->error), "%s", why);
    return o->fails == TROUBLE_AT;
}

void oauth_stored(struct oauth *o, uint64_t number, const struct access *pair)
{
    access_copy(&o->pair, pair);
    o->number = number;
    o->asking = o->storing = o->unconfirmed = false;
    o->fails = 0;
    o->unproved++;
    become(o, OAUTH_GOOD, "");
}

void oauth_lost(struct oauth *o, const char *why)
{
    o->asking = o->storing = false;
    become(o, OAUTH_LOST, why);
}

void oauth_forgotten(struct oauth *o, uint64_t number)
{
    uint64_t next = o->number + 1; /* in either case: what is under way is of yesterday */

    oauth_free(o);
    o->number = number > 0 ? number : next;
}

void oauth_again(struct oauth *o, uint64_t now_ms)
{
    if (o->state != OAUTH_LOST || o->pair.refresh_token == NULL)
        return;
    o->state = OAUTH_RENEWING;
    o->fails = o->unproved = 0;
    o->not_before_ms = now_ms;
}

void oauth_free(struct oauth *o)
{
    access_free(&o->pair);
    *o = (struct oauth){ .state = OAUTH_NONE };
}

const char *oauth_state_name(enum oauth_state state)
{
    static const char *const names[] = {
        [OAUTH_NONE] = "none",
        [OAUTH_GOOD] = "good",
        [OAUTH_RENEWING] = "renewing",
        [OAUTH_LOST] = "lost",
    };

    return names[state];
}

/* ---- what somebody brings ---- */

static bool same_secret(const char *a, const char *b)
{
    size_t n = a != NULL ? strlen(a) : 0;

    return n > 0 && b != NULL && strlen(b) == n && sodium_memcmp(a, b, n) == 0;
}

const char *oauth_judge(const struct oauth *o, const struct access *given)
{
    bool known = same_secret(o->pair.application_token, given->application_token) ||
                 same_secret(o->pair.former_token, given->application_token);
    bool trusted = given->by != NULL && strcmp(given->by, "stranger") != 0;

    if (given->kind == ACCESS_REMOVED)
        return trusted || known ? NULL : "its application_token is not the one that is known";
    if (given->kind == ACCESS_TOKENS && given->refresh_token == NULL)
        return "there is no refresh token in it";
    if (trusted || known)
        return NULL;
    if (o->state == OAUTH_GOOD || o->state == OAUTH_RENEWING)
        return "there is access already, and its application_token is not the one that is known: potok "
               "portal login, where the application was installed anew";
    if (o->state == OAUTH_LOST || o->number > 0)
        return "there was access before, and its application_token is not the one that is known: potok "
               "portal "
               "login";
    return NULL;
}

void oauth_complete(struct access *pair, const struct access *given, const struct access *had)
{
    const char *was = given->kind != ACCESS_CODE ? had->application_token : NULL;
    const char *token = given->application_token != NULL ? given->application_token : was;
    const char *former = had->application_token != NULL ? had->application_token : had->former_token;

    access_set(&pair->application_token, str_of(token));
    access_set(&pair->former_token, str_of(token == NULL ? former : NULL));
    access_set(&pair->by, str_of(given->by));
}

bool oauth_needs_admin(const struct oauth *o, const struct access *given)
{
    bool stranger = given->by == NULL || strcmp(given->by, "stranger") == 0;

    return stranger || (strcmp(given->by, "event") == 0 && o->pair.access_token != NULL);
}

enum oauth_rights oauth_rights(int status, struct str body)
{
    json_t *o = status > 0 && body.n > 0 ? json_loadb(body.p, body.n, 0, NULL) : NULL;
    const json_t *result = json_object_get(o, "result");
    enum oauth_rights rights = OAUTH_UNTOLD;

    if (status == 200 && result != NULL)
        rights = json_is_true(json_object_get(result, "ADMIN")) ? OAUTH_ADMIN : OAUTH_USER;
    else if ((status == 401 || status == 403) && json_object_get(o, "error") != NULL)
        rights = OAUTH_USER;
    json_decref(o);
    return rights;
}

/* ---- what is asked ---- */

static void member(struct buf *out, const char *name, const char *value)
{
    buf_fmt(out, "%s%s=", out->n > 0 ? "&" : "", name);
    buf_urlenc(out, str_of(value));
}

void oauth_form(const struct config_app *app, const struct access *by, struct buf *out)
{
    member(out, "grant_type", by->code != NULL ? "authorization_code" : "refresh_token");
    member(out, "client_id", app->client_id);
    member(out, "client_secret", app->client_secret);
    if (by->code != NULL)
        member(out, "code", by->code);
    else
        member(out, "refresh_token", by->refresh_token);
}

char *oauth_url(const struct config_app *app, const struct access *pair)
{
    static const char *const own[] = { "oauth.bitrix.info", "oauth.bitrix24.tech" };

    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        if (strncmp(app->oauth, "https://", 8) == 0 && pair->server != NULL &&
            strcasecmp(pair->server, own[i]) == 0)
            return xasprintf("https://%s/oauth/token/", own[i]);
    return xasprintf("%soauth/token/", app->oauth);
}

/* ---- what is answered ---- */

#define AGAIN "authorise the application again: potok portal login"

/* By the server's word, in any case; the first that fits. */
static const struct {
    const char *code;
    enum oauth_meaning meaning;
    const char *text;
} WORDS[] = {
    { "invalid_grant", OAUTH_REFUSED,
        "the refresh token (or the code) is spent, expired or of another application: " AGAIN },
    { "bad_verification_code", OAUTH_REFUSED,
        "the refresh token (or the code) is spent, expired or of another application: " AGAIN },
    { "invalid_client", OAUTH_REFUSED,
        "client_secret is wrong, or the application is not installed on the portal: check "
        "BITRIX_CLIENT_SECRET, then potok sync" },
    { "wrong_client", OAUTH_REFUSED,
        "there is no application of this client_id: check BITRIX_CLIENT_ID, then potok sync" },
    { "invalid_scope", OAUTH_REFUSED, "the application lacks a right: give it the scope crm, then " AGAIN },
    { "insufficient_scope", OAUTH_REFUSED,
        "the application lacks a right: give it the scope crm, then " AGAIN },
    { "NOT_INSTALLED", OAUTH_REFUSED,
        "the application was removed from the portal: install it, then " AGAIN },
    { "APPLICATION_NOT_FOUND", OAUTH_REFUSED,
        "the application was removed from the portal: install it, then " AGAIN },
    { "NO_AUTH_FOUND", OAUTH_REFUSED, "the OAuth server knows nothing of these tokens: " AGAIN },
    { "PAYMENT_REQUIRED", OAUTH_REFUSED,
        "the portal's plan, or the paid time of the application, has ended: renew it, then potok sync" },
    { "PORTAL_DELETED", OAUTH_REFUSED, "the portal was deleted or closed" },
    { "QUERY_LIMIT_EXCEEDED", OAUTH_LATER, "the OAuth server asks for a pause" },
    { "INTERNAL_SERVER_ERROR", OAUTH_LATER, "the OAuth server is unwell" },
};

static struct str text_of(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);

    return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) }
                             : (struct str){ NULL, 0 };
}

static int64_t number_of(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    int64_t n;

    if (json_is_number(v))
        return (int64_t)json_number_value(v);
    return str_i64(text_of(o, name), &n) ? n : 0;
}

static bool clean(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f)
            return false;
    return s.n > 0 && s.n <= ACCESS_TEXT_MAX;
}

/* Both tokens, or it is no pair. */
static bool read_pair(struct oauth_answer *a, const json_t *o, uint64_t wall_ms)
{
    struct str access = text_of(o, "access_token"), refresh = text_of(o, "refresh_token");
    struct str portal = text_of(o, "client_endpoint");
    int64_t life_s = number_of(o, "expires_in");

    if (!clean(access) || !clean(refresh))
        return false;
    a->meaning = OAUTH_PAIR;
    a->pair.kind = ACCESS_TOKENS;
    access_set(&a->pair.access_token, access);
    access_set(&a->pair.refresh_token, refresh);
    access_set(&a->pair.member_id, text_of(o, "member_id"));
    access_set(&a->pair.domain, webhook_host_in(portal));
    access_set(&a->pair.server, webhook_host_in(text_of(o, "server_endpoint")));
    access_set(&a->pair.scope, text_of(o, "scope"));
    access_set(&a->pair.status, text_of(o, "status"));
    if (life_s > 0 && life_s < LIFE_MOST_S)
        a->pair.expires_ms = (int64_t)wall_ms + life_s * 1000;
    if (portal.n < sizeof(a->portal))
        snprintf(a->portal, sizeof(a->portal), STR_FMT, STR_ARG(portal));
    return true;
}

#define MASKED   "(masked)"
#define PART_MIN 8 /* servers shorten what they repeat */

static size_t repeats(struct str text, const char *secret)
{
    size_t whole = secret != NULL ? strlen(secret) : 0, n = 0;

    while (n < whole && n < text.n && text.p[n] == secret[n])
        n++;
    return n > 0 && (n == whole || n >= PART_MIN) ? n : 0;
}

static void hide(const struct oauth_sent *sent, struct str text, char *ret, size_t size)
{
    struct buf out;

    buf_init(&out, size);
    for (size_t i = 0; i < text.n;) {
        struct str rest = { text.p + i, text.n - i };
        size_t n = repeats(rest, sent->secret);

        n = n > 0 ? n : repeats(rest, sent->refresh);
        n = n > 0 ? n : repeats(rest, sent->code);
        if (n > 0)
            buf_str(&out, MASKED);
        else
            buf_char(&out, text.p[i]);
        i += n > 0 ? n : 1;
    }
    snprintf(ret, size, "%.*s", (int)out.n, out.n > 0 ? out.p : "");
    buf_fini(&out);
}

/* What the server wrote may hold what was sent to it. */
static void describe(struct oauth_answer *a, int status, const char *what, const char *told)
{
    char shown[200];

    url_mask(str_of(told), shown, sizeof(shown));
    snprintf(a->text, sizeof(a->text), "the OAuth server answered HTTP %d%s%s%s%s: %s", status,
        a->code[0] != '\0' ? " " : "", a->code, shown[0] != '\0' ? ", " : "", shown, what);
}

static void read_error(struct oauth_answer *a, int status, const json_t *o, const struct oauth_sent *sent)
{
    struct str code = text_of(o, "error"), told = text_of(o, "error_description");
    char description[160];

    if (code.n < sizeof(a->code) && clean(code))
        hide(sent, code, a->code, sizeof(a->code));
    hide(sent, (struct str){ told.p, told.n < 1000 ? told.n : 1000 }, description, sizeof(description));
    for (size_t i = 0; i < ARRAY_SIZE(WORDS); i++) {
        if (strcasecmp(WORDS[i].code, a->code) != 0)
            continue;
        a->meaning = WORDS[i].meaning;
        describe(a, status, WORDS[i].text, description);
        return;
    }
    a->meaning =
        status >= 400 && status < 500 && status != 408 && status != 429 ? OAUTH_REFUSED : OAUTH_LATER;
    describe(a, status, a->meaning == OAUTH_REFUSED ? AGAIN : "asked again soon", description);
}

/* Pages of gateways and firewalls. */
static void read_page(struct oauth_answer *a, int status)
{
    a->meaning = status == 404 || status == 410 ? OAUTH_REFUSED : OAUTH_LATER;
    describe(a, status,
        a->meaning == OAUTH_REFUSED
            ? "nothing is there: check the address of the OAuth server and of the portal, then potok sync"
            : "that is no JSON; asked again soon",
        "");
}

void oauth_read(struct oauth_answer *ret, int status, struct str body, const char *why,
    const struct oauth_sent *sent, uint64_t wall_ms)
{
    json_t *o;

    *ret = (struct oauth_answer){ .meaning = OAUTH_LATER };
    if (status == 0) {
        snprintf(ret->text, sizeof(ret->text), "the OAuth server does not answer: %s", why);
        return;
    }
    o = body.n > 0 ? json_loadb(body.p, body.n, 0, NULL) : NULL;
    if (!json_is_object(o))
        read_page(ret, status);
    else if (json_object_get(o, "error") != NULL || status >= 300 || !read_pair(ret, o, wall_ms))
        read_error(ret, status, o, sent);
    json_decref(o);
}
