#include "intake.h"

#include "base/form.h"
#include "base/mem.h"
#include "base/webhook.h"
#include "intake_body.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *text;
    int status;
} REASON_TABLE[REASONS] = {
#define REASON(NAME, name, status, text) [REASON_##NAME] = { #name, text, status },
#include "reasons.def"
#undef REASON
};

const char *reason_name(enum reason r)
{
    return REASON_TABLE[r].name;
}

int reason_status(enum reason r)
{
    return REASON_TABLE[r].status;
}

const char *reason_text(enum reason r)
{
    return REASON_TABLE[r].text;
}

/* ---- who sends ---- */

/* What follows the scheme in "Bearer x"; of the scheme any, when it is NULL, and the bare word too. */
static struct str authorization(const char *header, const char *scheme)
{
    struct str s = str_of(header);
    const char *blank = s.n > 0 ? memchr(s.p, ' ', s.n) : NULL;
    size_t n = blank != NULL ? (size_t)(blank - s.p) : 0;

    if (scheme != NULL && !str_case_eq((struct str){ s.p, n }, str_of(scheme)))
        return (struct str){ NULL, 0 };
    if (blank == NULL)
        return s;
    while (n < s.n && s.p[n] == ' ')
        n++;
    return (struct str){ s.p + n, s.n - n };
}

bool intake_open(const struct intake_rules *rules)
{
    return rules->tokens.count == 0 && rules->keys.count == 0 && rules->bearers.count == 0;
}

bool intake_learnt(const struct intake_rules *rules)
{
    bool learnt = false;

    for (int i = 0; i < rules->portal_count; i++)
        learnt |= rules->portals[i].token.any;
    return learnt;
}

bool intake_knows(const struct intake_rules *rules, const struct intake_portal *portal, struct str token)
{
    int good = secrets_match(&rules->tokens, token);

    good |= portal != NULL && secret_is(&rules->tokens, &portal->token, token);
    return good != 0;
}

/* The key stands in an address, which proxies on its way may write down: a token that is known to be today's
 * is worth more, and counts alone. */
static bool has_handler_key(
    const struct intake_rules *rules, const struct intake_portal *portal, struct str key)
{
    int good = 0;

    if (portal == NULL || key.n == 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(portal->handler_keys); i++)
        good |= secret_is(&rules->tokens, &portal->handler_keys[i], key);
    return good != 0 && (!portal->token.any || portal->former);
}

/* All that was given is compared, whatever the first said: how long it takes says nothing. */
static enum reason check_secret(
    const struct intake_rules *rules, const struct credentials *c, const struct intake_portal *proved)
{
    int good = 0, given = c->token.n > 0 || c->bearer.n > 0 || c->handler_key.n > 0;

    if (intake_open(rules) && !rules->closed)
        return REASON_TAKEN;
    good |= intake_knows(rules, proved, c->token);
    good |= secrets_match(&rules->bearers, c->bearer);
    good |= has_handler_key(rules, proved, c->handler_key);
    for (size_t i = 0; i < ARRAY_SIZE(c->keys); i++) {
        good |= secrets_match(&rules->keys, c->keys[i]);
        given |= c->keys[i].n > 0;
    }
    if (good)
        return REASON_TAKEN;
    if (intake_open(rules) && !intake_learnt(rules) && c->handler_key.n == 0)
        return REASON_NOT_INSTALLED;
    return given ? REASON_BAD_TOKEN : REASON_NO_TOKEN;
}

/* ---- whose portal ---- */

static bool is_at(const struct intake_portal *p, const char *host)
{
    return strcmp(p->identity, host) == 0 || strcmp(p->moved, host) == 0;
}

static bool is_about(const struct intake_portal *p, struct str host)
{
    return domain_match(str_of(p->identity), host) || domain_match(str_of(p->moved), host);
}

static void identity_of(const char *host, char ret[static WEBHOOK_IDENTITY_SIZE])
{
    char url[200];

    snprintf(url, sizeof(url), "https://%.127s/", host);
    webhook_identity(url, ret);
}

static const struct intake_portal *portal_by_host(const struct intake_rules *rules, const char *host)
{
    char identity[WEBHOOK_IDENTITY_SIZE];

    for (int i = 0; i < rules->portal_count; i++) /* as they write it themselves */
        if (is_at(&rules->portals[i], host))
            return &rules->portals[i];
    identity_of(host, identity);
    for (int i = 0; i < rules->portal_count; i++) /* two may stand behind ports of one host */
        if (is_at(&rules->portals[i], identity))
            return &rules->portals[i];
    for (int i = 0; i < rules->portal_count; i++)
        if (is_about(&rules->portals[i], str_of(identity)))
            return &rules->portals[i];
    return NULL;
}

static const struct intake_portal *portal_by_member(const struct intake_rules *rules, struct str member)
{
    for (int i = 0; i < rules->portal_count; i++)
        if (member.n > 0 && str_is(member, rules->portals[i].member))
            return &rules->portals[i];
    return NULL;
}

const struct intake_portal *intake_portal_of(
    const struct intake_rules *rules, const char *host, struct str member)
{
    const struct intake_portal *p = host[0] != '\0' ? portal_by_host(rules, host) : NULL;

    return p != NULL ? p : portal_by_member(rules, member);
}

static const struct intake_portal *portal_by_name(const struct intake_rules *rules, struct str name)
{
    for (int i = 0; i < rules->portal_count; i++)
        if (str_is(name, rules->portals[i].name))
            return &rules->portals[i];
    return NULL;
}

/* WEBHOOK_ALLOWED_DOMAINS names portals as they were called once: one of ours is known by other signs too. */
static bool domain_allowed(
    const struct intake_rules *rules, const struct credentials *c, const struct intake *i)
{
    char identity[WEBHOOK_IDENTITY_SIZE];

    if (rules->domains[0] == '\0' || domain_match(str_of(rules->domains), str_of(i->domain)))
        return rules->domains[0] != '\0' || i->portal != NULL;
    if (i->portal == NULL)
        return false;
    identity_of(i->domain, identity);
    return portal_by_member(rules, c->member) == i->portal ||
           domain_match(str_of(i->portal->moved), str_of(identity));
}

/* A sender with the right token may leave the domain out; then ?portal=NAME tells, or there is but one. Such
 * a portal proves nothing: *ret_proved is the one that domain or member_id name. Where nothing tells, whoever
 * set that up has to know: an event that is skipped is lost. */
static enum reason find_portal(const struct intake_rules *rules, const struct credentials *c,
    struct intake *ret, const struct intake_portal **ret_proved)
{
    ret->portal = *ret_proved = intake_portal_of(rules, ret->domain, c->member);
    if (ret->domain[0] != '\0')
        return domain_allowed(rules, c, ret) ? REASON_TAKEN : REASON_DOMAIN_;
    if (ret->portal != NULL)
        return REASON_TAKEN;
    if (c->portal.n > 0)
        ret->portal = portal_by_name(rules, c->portal);
    else if (rules->portal_count == 1)
        ret->portal = &rules->portals[0];
    return ret->portal != NULL || rules->portal_count == 0 ? REASON_TAKEN : REASON_NO_PORTAL;
}

/* ---- what it means ---- */

static bool is_mirrored(const struct intake_portal *portal, const struct entity *entity)
{
    return portal != NULL && (portal->mirrors >> (entity - ENTITIES) & 1) != 0;
}

static enum reason judge(const struct intake *all, const struct told *told, struct intake_item *item)
{
    if (told->document.p != NULL) {
        item->kind = CHANGE_KIND_SET;
        if (!bitrix_event_document(told->document, &item->entity, &item->id))
            return REASON_UNKNOWN;
    } else {
        struct bitrix_event e = bitrix_event_of(told->event);

        if (e.class_ == EVENT_APP)
            return REASON_APP;
        if (e.class_ == EVENT_UNKNOWN)
            return REASON_UNKNOWN;
        if (e.class_ == EVENT_PORTAL) {
            item->kind = e.kind;
            item->portal = all->portal;
            return item->portal != NULL && (item->portal->app || e.kind == CHANGE_KIND_QUEUE) ? REASON_TAKEN
                                                                                              : REASON_APP;
        }
        item->entity = e.entity;
        item->kind = e.kind;
        if (e.class_ == EVENT_RECORD && !bitrix_event_id(told->id, &item->id))
            return REASON_BAD_ID;
    }
    item->portal = all->portal;
    return is_mirrored(item->portal, item->entity) ? REASON_TAKEN : REASON_NOT_MIRRORED;
}

static void judge_all(const struct body *body, struct intake *ret)
{
    for (int i = 0; i < body->count; i++) {
        struct intake_item *item = &ret->items[ret->count++];
        const struct told *told = &body->told[i];

        *item = (struct intake_item){ 0 };
        shown(told->document.p != NULL ? told->document : told->event, item->event, sizeof(item->event));
        item->reason = judge(ret, told, item);
    }
    if (ret->count == 1 && reason_status(ret->items[0].reason) >= 400) /* of many, each has its own answer */
        ret->reason = ret->items[0].reason;
}

static const struct route {
    const char *path;
    bool deals;
} ROUTES[] = {
    { "/api/v1/webhooks/bitrix", false },
    { "/webhook/bitrix", false },
    { "/webhook/deal", true },
};

static enum reason find_route(const struct intake_in *in, struct intake *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(ROUTES); i++) {
        if (strcmp(in->path, ROUTES[i].path) != 0)
            continue;
        ret->deals = ROUTES[i].deals;
        /* a robot's call may come as GET with everything in its query (facts 9.6) */
        return strcmp(in->method, "POST") == 0 || (!ret->deals && strcmp(in->method, "GET") == 0)
                   ? REASON_TAKEN
                   : REASON_METHOD;
    }
    return REASON_NO_PATH;
}

static enum reason read_all(
    const struct intake_rules *rules, const struct intake_in *in, struct body *body, struct intake *ret)
{
    enum reason reason = find_route(in, ret);

    if (reason == REASON_TAKEN)
        reason = body_read(body, in, ret->deals);
    body->credentials.keys[0] = str_of(in->api_key);
    body->credentials.keys[1] = authorization(in->authorization, NULL);
    body->credentials.bearer = authorization(in->authorization, "Bearer");
    shown(body->credentials.domain, ret->domain, sizeof(ret->domain));
    if (reason == REASON_NO_PATH || reason == REASON_METHOD)
        return reason;

    const struct intake_portal *proved;
    enum reason whose = find_portal(rules, &body->credentials, ret, &proved);
    enum reason secret = check_secret(rules, &body->credentials, proved);

    if (secret != REASON_TAKEN ||
        reason != REASON_TAKEN) /* strangers are not told what is wrong with a body */
        return secret != REASON_TAKEN ? secret : reason;
    ret->many = body->many;
    return whose;
}

void intake_read(const struct intake_rules *rules, const struct intake_in *in, struct intake *ret)
{
    struct body body;

    memset(ret, 0, offsetof(struct intake, items)); /* most requests have one item: the rest is not touched */
    body_init(&body);
    ret->reason = read_all(rules, in, &body, ret);
    if (ret->reason == REASON_TAKEN)
        judge_all(&body, ret);
    body_free(&body);
}
