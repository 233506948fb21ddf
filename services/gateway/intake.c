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

/* All that was given is compared, whatever the first said: how long it takes says nothing. */
static enum reason check_secret(const struct intake_rules *rules, const struct credentials *c)
{
    int good = 0, given = c->token.n > 0 || c->bearer.n > 0;

    if (rules->tokens.count == 0 && rules->keys.count == 0 && rules->bearers.count == 0)
        return REASON_TAKEN;
    good |= secrets_match(&rules->tokens, c->token);
    good |= secrets_match(&rules->bearers, c->bearer);
    for (size_t i = 0; i < ARRAY_SIZE(c->keys); i++) {
        good |= secrets_match(&rules->keys, c->keys[i]);
        given |= c->keys[i].n > 0;
    }
    if (good)
        return REASON_TAKEN;
    return given ? REASON_BAD_TOKEN : REASON_NO_TOKEN;
}

/* ---- whose portal ---- */

static const struct intake_portal *portal_by_host(const struct intake_rules *rules, const char *host)
{
    char url[200], identity[WEBHOOK_IDENTITY_SIZE];

    for (int i = 0; i < rules->portal_count; i++) /* as they write it themselves */
        if (strcmp(rules->portals[i].identity, host) == 0)
            return &rules->portals[i];
    snprintf(url, sizeof(url), "https://%.127s/", host);
    webhook_identity(url, identity);
    for (int i = 0; i < rules->portal_count; i++) /* two may stand behind ports of one host */
        if (strcmp(rules->portals[i].identity, identity) == 0)
            return &rules->portals[i];
    for (int i = 0; i < rules->portal_count; i++)
        if (domain_match(str_of(rules->portals[i].identity), str_of(identity)))
            return &rules->portals[i];
    return NULL;
}

const struct intake_portal *intake_portal_of(const struct intake_rules *rules, const char *host)
{
    return portal_by_host(rules, host);
}

static const struct intake_portal *portal_by_name(const struct intake_rules *rules, struct str name)
{
    for (int i = 0; i < rules->portal_count; i++)
        if (str_is(name, rules->portals[i].name))
            return &rules->portals[i];
    return NULL;
}

/* A sender with the right token may leave the domain out; then ?portal=NAME tells, or there is but one. */
static enum reason find_portal(
    const struct intake_rules *rules, const struct credentials *c, struct intake *ret)
{
    if (ret->domain[0] != '\0') {
        ret->portal = portal_by_host(rules, ret->domain);
        if (rules->domains[0] != '\0' ? !domain_match(str_of(rules->domains), str_of(ret->domain))
                                      : ret->portal == NULL)
            return REASON_DOMAIN_;
    } else if (c->portal.n > 0) {
        ret->portal = portal_by_name(rules, c->portal);
    } else if (rules->portal_count == 1) {
        ret->portal = &rules->portals[0];
    }
    return REASON_TAKEN;
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
        if (e.class_ == EVENT_QUEUE) {
            item->kind = e.kind;
            item->portal = all->portal;
            return item->portal != NULL ? REASON_TAKEN : REASON_APP;
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

    enum reason secret =
        check_secret(rules, &body->credentials); /* strangers are not told what is wrong with a body */

    if (secret != REASON_TAKEN || reason != REASON_TAKEN)
        return secret != REASON_TAKEN ? secret : reason;
    ret->many = body->many;
    return find_portal(rules, &body->credentials, ret);
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
