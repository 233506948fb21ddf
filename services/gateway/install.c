#include "install.h"

#include "base/access.h"
#include "base/form.h"
#include "base/mem.h"
#include "intake_body.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BODY_MOST 16384 /* of such an event */

/* ---- sealed ---- */

/* Takes `given` over. */
static enum reason put(const struct intake_portal *portal, const struct seal_keys *keys, struct access *given,
    const char *event, struct intake *ret, struct install *got)
{
    struct intake_item *item = &ret->items[0];
    char purpose[80];
    struct buf plain;
    int result;

    snprintf(purpose, sizeof(purpose), "access:%s", portal->name);
    buf_init(&plain, 1 << 15);
    buf_init(&got->sealed, CHANGE_SEALED_MAX);
    access_encode(given, &plain);
    result = plain.failed ? -1 : seal(keys, str_of(purpose), buf_view(&plain), &got->sealed, NULL);
    seal_wipe(&plain);
    access_free(given);
    if (result < 0)
        return keys->n == 0 ? REASON_NO_KEY : REASON_NO_FORM;
    *item = (struct intake_item){ .reason = REASON_TAKEN, .portal = portal, .kind = CHANGE_KIND_ACCESS };
    snprintf(item->event, sizeof(item->event), "%s", event);
    ret->portal = portal;
    ret->count = 1;
    return REASON_TAKEN;
}

/* ---- events of the application ---- */

/* Nearly no body does, and few of its letters are a P: each is looked at, instead of each place. */
static bool names_application(struct str body)
{
    const char *end = body.p + body.n;

    for (const char *p = body.p; p < end && (p = memchr(p, 'P', (size_t)(end - p))) != NULL; p++)
        if (p - body.p >= 3 && end - p >= 2 && memcmp(p - 3, "ONAPP", 5) == 0)
            return true;
    return false;
}

static bool is_webhook(const struct intake_in *in)
{
    return strcmp(in->method, "POST") == 0 && in->body.n > 0 && in->body.n <= BODY_MOST &&
           (strcmp(in->path, "/webhook/bitrix") == 0 || strcmp(in->path, "/api/v1/webhooks/bitrix") == 0) &&
           names_application(in->body);
}

/* A renamed portal is known by its member_id, which the OAuth server tells: here it may be the only one there
 * is. Where strangers reach us and nothing else would keep them away, it must be told. */
static const struct intake_portal *portal_of(
    const struct intake_rules *rules, const char *domain, struct str member)
{
    const struct intake_portal *known = intake_portal_of(rules, domain, member), *only = NULL;
    int apps = 0;

    if (known != NULL || rules->closed)
        return known;
    for (int i = 0; i < rules->portal_count; i++)
        if (rules->portals[i].app && apps++ == 0)
            only = &rules->portals[i];
    return apps == 1 ? only : NULL;
}

#define LIFE_MOST_S 31536000

/* When the access token ends; 0: not told. The vendor's page of ONAPPINSTALL tells its life alone, which
 * counts from the sending (ts); portals were seen to tell its end, too. */
static int64_t ends_ms(const struct form *f)
{
    int64_t end_s, sent_s, life_s;

    if (str_i64(form_get(f, "auth[expires]"), &end_s) && end_s > 0 && end_s <= INT64_MAX / 1000)
        return end_s * 1000;
    if (!str_i64(form_get(f, "ts"), &sent_s) || !str_i64(form_get(f, "auth[expires_in]"), &life_s) ||
        sent_s <= 0 || sent_s > INT64_MAX / 2000 || life_s <= 0 || life_s > LIFE_MOST_S)
        return 0;
    return (sent_s + life_s) * 1000;
}

static void read_auth(const struct form *f, struct access *a)
{
    access_set(&a->access_token, form_get(f, "auth[access_token]"));
    access_set(&a->refresh_token, form_get(f, "auth[refresh_token]"));
    access_set(&a->application_token, form_get(f, "auth[application_token]"));
    access_set(&a->member_id, form_get(f, "auth[member_id]"));
    access_set(&a->domain, form_get(f, "auth[domain]"));
    access_set(&a->server, webhook_host_in(form_get(f, "auth[server_endpoint]")));
    access_set(&a->scope, form_get(f, "auth[scope]"));
    access_set(&a->status, form_get(f, "auth[status]"));
    a->expires_ms = ends_ms(f);
}

static enum reason judge(const struct intake_rules *rules, const struct seal_keys *keys, const struct form *f,
    bool removed, const struct intake_portal *portal, struct intake *ret, struct install *got)
{
    struct str token = form_get(f, "auth[application_token]");
    struct access given = { .kind = removed ? ACCESS_REMOVED : ACCESS_TOKENS };

    got->stranger = !intake_knows(rules, portal, token);
    if (removed && got->stranger && rules->closed)
        return intake_learnt(rules) ? REASON_BAD_TOKEN : REASON_NOT_INSTALLED;
    if (removed && token.n == 0)
        return REASON_NO_TOKEN;
    if (keys->n == 0)
        return REASON_NO_KEY;
    read_auth(f, &given);
    access_set(&given.by, str_of(got->stranger ? "stranger" : "event"));
    if (!removed && (given.access_token == NULL || given.refresh_token == NULL)) {
        access_free(&given);
        return REASON_NO_TOKENS;
    }
    return put(portal, keys, &given, removed ? "ONAPPUNINSTALL" : "ONAPPINSTALL", ret, got);
}

static bool read_event(const struct intake_rules *rules, const struct seal_keys *keys,
    const struct intake_in *in, struct intake *ret, struct install *got)
{
    struct form f;
    bool removed, mine;

    if (!is_webhook(in) || form_parse(&f, in->body, NULL) < 0)
        return false;
    removed = str_case_eq(form_get(&f, "event"), STR("ONAPPUNINSTALL"));
    mine = removed || str_case_eq(form_get(&f, "event"), STR("ONAPPINSTALL"));
    shown(form_get(&f, "auth[domain]"), ret->domain, sizeof(ret->domain));

    const struct intake_portal *portal = portal_of(rules, ret->domain, form_get(&f, "auth[member_id]"));

    mine = mine && portal != NULL && portal->app; /* others are noted as all events of applications are */
    if (mine)
        ret->reason = judge(rules, keys, &f, removed, portal, ret, got);
    explicit_bzero(f.bytes, in->body.n);
    form_free(&f);
    return mine;
}

/* ---- the browser ---- */

static const struct intake_portal *portal_of_state(
    const struct intake_rules *rules, const struct seal_keys *keys, struct str state, uint64_t wall_ms)
{
    for (int i = 0; i < rules->portal_count; i++)
        if (rules->portals[i].app &&
            access_state_check(keys, rules->portals[i].name, state, wall_ms, NULL) == 0)
            return &rules->portals[i];
    return NULL;
}

static enum reason read_callback(const struct intake_rules *rules, const struct seal_keys *keys,
    const struct form *f, uint64_t wall_ms, struct intake *ret, struct install *got)
{
    struct access given = { .kind = ACCESS_CODE };
    const struct intake_portal *portal;

    shown(form_get(f, "domain"), ret->domain, sizeof(ret->domain));
    if (form_get(f, "code").n == 0 || form_get(f, "state").n == 0)
        return REASON_NO_CODE;
    if (keys->n == 0)
        return REASON_NO_KEY;
    portal = portal_of_state(rules, keys, form_get(f, "state"), wall_ms);
    if (portal == NULL)
        return REASON_STATE;
    access_set(&given.code, form_get(f, "code"));
    access_set(&given.member_id, form_get(f, "member_id"));
    access_set(&given.domain, form_get(f, "domain"));
    access_set(&given.server, form_get(f, "server_domain"));
    access_set(&given.by, STR("login"));
    return put(portal, keys, &given, "login", ret, got);
}

bool install_read(const struct intake_rules *rules, const struct seal_keys *keys, const struct intake_in *in,
    uint64_t wall_ms, struct intake *ret, struct install *got)
{
    struct form f;

    *got = (struct install){ .page = strcmp(in->path, INSTALL_CALLBACK) == 0 };
    if (!got->page && !is_webhook(in))
        return false;
    memset(ret, 0, offsetof(struct intake, items));
    if (!got->page)
        return read_event(rules, keys, in, ret, got);
    if (strcmp(in->method, "GET") != 0) {
        ret->reason = REASON_METHOD;
    } else if (form_parse(&f, in->query, NULL) < 0) {
        ret->reason = REASON_MANY_PAIRS;
    } else {
        ret->reason = read_callback(rules, keys, &f, wall_ms, ret, got);
        explicit_bzero(f.bytes, in->query.n);
        form_free(&f);
    }
    return true;
}

/* ---- the page ---- */

static const struct {
    enum reason reason;
    const char *ru, *en;
} PAGES[] = {
    { REASON_TAKEN, "Портал подключается: вернитесь в терминал.",
        "The portal is being connected: return to the terminal." },
    { REASON_STATE, "Этот вход начат не здесь или больше 15 минут назад. Начните снова: potok portal login",
        "This login was not begun here, or more than 15 minutes ago. Begin again: potok portal login" },
    { REASON_NO_CODE, "В адресе нет кода: портал не дал доступа. Начните снова: potok portal login",
        "There is no code in the address: the portal gave no access. Begin again: potok portal login" },
    { REASON_NO_KEY, "На шлюзе не задан POTOK_SECRET_KEY: доступ негде хранить.",
        "POTOK_SECRET_KEY is not set at the gateway: access cannot be kept." },
    { REASON_SPOOL, "Сейчас это негде сохранить. Попробуйте снова: potok portal login",
        "It cannot be kept now. Try again: potok portal login" },
    { REASON_DRAINING, "Этот шлюз останавливают, он ничего не берёт. Вход через другой: potok portal login",
        "This gateway is about to be removed and takes nothing. Log in by another: potok portal login" },
};

void install_page(enum reason reason, struct buf *out)
{
    size_t i = 0;

    while (i < ARRAY_SIZE(PAGES) && PAGES[i].reason != reason)
        i++;
    buf_fmt(out,
        "<!doctype html>\n<html lang=\"ru\"><head><meta charset=\"utf-8\"><title>Potok</title></head>\n"
        "<body><h1>Potok</h1>\n<p>%s</p>\n<p lang=\"en\">%s</p>\n</body></html>\n",
        i < ARRAY_SIZE(PAGES) ? PAGES[i].ru : "Не получилось.",
        i < ARRAY_SIZE(PAGES) ? PAGES[i].en : reason_text(reason));
}
