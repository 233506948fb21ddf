/* What is brought to a portal's access: an event of the application, a login, the operator's word. Nothing of
 * it is believed: tokens and codes are taken to the OAuth server with our client_secret, and what it answers
 * is kept. */
#include "access.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_LIFE_MS 30000 /* facts section 10 */
#define AGAIN_MS     1000
#define AGAIN_MOST   30000
#define PROVE_MOST   8

/* ---- its end ---- */

static void reply(struct scheduler *s, int portal, const struct offer *o, const char *error)
{
    json_t *body;

    if (o->seq != 0 || o->peer.n == 0)
        return;
    body = json_pack("{s:s, s:s}", "portal", scheduler_portal(s, portal)->config->name, "access",
        oauth_state_name(access_of(s, portal)->oauth.state));
    control_reply(s, o->peer, o->correlation, error, body);
    json_decref(body);
}

/* Who waits for a login asks for it by `status`. */
static void note_failure(struct portal_access *a, const char *error)
{
    a->offers_failed++;
    snprintf(a->offer_error, sizeof(a->offer_error), "%s", error);
}

void offer_end(struct scheduler *s, int portal, const char *error)
{
    struct portal_access *a = access_of(s, portal);

    if (error != NULL)
        log_ev(LOG_WARNING, "access.refused", kv_str("portal", scheduler_portal(s, portal)->name),
            kv_s("by", a->offer.given.by != NULL ? a->offer.given.by : ""), kv_s("error", error));
    if (error != NULL)
        note_failure(a, error);
    else
        a->offer_error[0] = '\0';
    offer_dealt_with(s, portal, a->offer.spool, a->offer.seq);
    reply(s, portal, &a->offer, error);
    access_free(&a->offer.given);
    a->offer = (struct offer){ .any = false };
    scheduler_wake(s); /* others may wait */
}

/* ---- its way ---- */

void offer_turn(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct offer *o = &access_of(s, portal)->offer;

    if (!o->any)
        offer_next(s, portal);
    if (!o->any || o->asking || o->storing || now_ms < o->not_before_ms)
        return;
    if (o->given.kind == ACCESS_REMOVED)
        offer_forget(s, portal);
    else if (o->given.kind == ACCESS_CODE && now_ms > o->begun_ms + CODE_LIFE_MS)
        offer_end(s, portal,
            "the code of this login lived 30 seconds, and the OAuth server did not answer: begin again");
    else
        access_ask(s, portal, true);
}

/* The portal that the tokens are of, as the OAuth server says, is the one that is configured, or the same one
 * under another name. */
static bool is_ours(struct scheduler *s, int portal, const struct oauth_answer *answer, char why[static 400])
{
    const struct portal_access *a = access_of(s, portal);
    char theirs[WEBHOOK_HOST_SIZE], ours[WEBHOOK_HOST_SIZE];

    webhook_host(scheduler_portal(s, portal)->config->address, ours);
    webhook_host(answer->portal, theirs);
    if (a->member[0] != '\0' && answer->pair.member_id != NULL &&
        strcmp(a->member, answer->pair.member_id) == 0)
        return true;
    if (theirs[0] != '\0' && (strcmp(theirs, ours) == 0 || strcmp(theirs, a->kept_host) == 0))
        return true;
    snprintf(why, 400, "the tokens are of the portal %.150s, and %.150s is configured",
        theirs[0] != '\0' ? theirs : "(not told)", ours);
    return false;
}

/* Handed over once more by a gateway that was not told: it was of use already, and is spent. */
static bool is_known(const struct portal_access *a)
{
    return a->offer.seq != 0 && a->oauth.state == OAUTH_GOOD && a->kept_ms >= a->offer.at_ms;
}

static void offer_waits(struct scheduler *s, int portal, const char *error)
{
    struct portal_access *a = access_of(s, portal);
    struct offer *o = &a->offer;
    uint64_t wait = AGAIN_MS << (o->fails < 5 ? o->fails : 5);
    char host[WEBHOOK_HOST_SIZE], text[ERR_TEXT_SIZE];

    o->fails++;
    o->not_before_ms = clock_mono_ms() + (wait < AGAIN_MOST ? wait : AGAIN_MOST);
    webhook_host(scheduler_portal(s, portal)->config->app.oauth, host);
    snprintf(text, sizeof(text), "%s: %.500s", host, error);
    note_failure(a, text);
    log_ev(o->fails == 3 ? LOG_WARNING : LOG_INFO, "access.waits",
        kv_str("portal", scheduler_portal(s, portal)->name), kv_u("calls_failed", o->fails),
        kv_s("error", text));
}

/* The pair that was brought is spent: its successor is proved next time. */
static void prove_later(struct scheduler *s, int portal, struct access *pair)
{
    struct offer *o = &access_of(s, portal)->offer;
    uint64_t wait = AGAIN_MS << (o->fails < 5 ? o->fails : 5);

    if (++o->fails >= PROVE_MOST) {
        offer_end(s, portal,
            "the portal does not say whether the tokens are an administrator's: potok portal login");
        return;
    }
    access_set(&o->given.access_token, str_of(pair->access_token));
    access_set(&o->given.refresh_token, str_of(pair->refresh_token));
    o->not_before_ms = clock_mono_ms() + (wait < AGAIN_MOST ? wait : AGAIN_MOST);
}

void offer_proved(struct scheduler *s, int portal, struct access *pair, enum oauth_rights rights)
{
    struct offer *o = &access_of(s, portal)->offer;

    o->asking = false;
    if (rights == OAUTH_ADMIN) {
        o->storing = true;
        access_keep(s, portal, pair, true);
    } else if (s->stopping) {
        return;
    } else if (rights == OAUTH_UNTOLD) {
        prove_later(s, portal, pair);
    } else {
        offer_end(s, portal,
            "the tokens are of a user who is no administrator of the portal: let an administrator install "
            "the "
            "application, or potok portal login");
    }
}

void offer_answered(struct scheduler *s, int portal, struct oauth_answer *answer, bool unanswered)
{
    struct portal_access *a = access_of(s, portal);
    struct offer *o = &a->offer;
    char why[400];

    o->asking = false;
    switch (answer->meaning) {
    case OAUTH_PAIR:
        if (!is_ours(s, portal, answer, why)) {
            if (!s->stopping)
                offer_end(s, portal, why);
            return;
        }
        oauth_complete(&answer->pair, &o->given, &a->oauth.pair);
        if (oauth_needs_admin(&a->oauth, &o->given)) {
            o->asking = true;
            offer_goes_on(s, portal, &answer->pair);
            return;
        }
        o->storing = true;
        access_keep(s, portal, &answer->pair, true);
        return;
    case OAUTH_LATER:
        offer_waits(s, portal, answer->text);
        return;
    case OAUTH_REFUSED:
        if (is_known(a)) {
            log_ev(LOG_INFO, "access.known", kv_str("portal", scheduler_portal(s, portal)->name));
            offer_end(s, portal, NULL);
            return;
        }
        offer_end(s, portal, answer->text);
        return;
    }
}

/* A removal that a gateway took before the tokens of today were brought: they are of a later installation. */
static bool is_stale(const struct portal_access *a)
{
    return a->offer.seq != 0 && a->offer.given.kind == ACCESS_REMOVED && a->oauth.state == OAUTH_GOOD &&
           a->offer.at_ms < a->given_ms;
}

void offer_begin(struct scheduler *s, int portal, struct access *given, const struct offer *from)
{
    struct portal_access *a = access_of(s, portal);
    const char *why = oauth_judge(&a->oauth, given);

    a->offer = *from;
    a->offer.any = true;
    a->offer.given = *given;
    *given = (struct access){ 0 };
    a->offer.begun_ms = clock_mono_ms();
    if (is_stale(a)) {
        log_ev(LOG_INFO, "access.known", kv_str("portal", scheduler_portal(s, portal)->name));
        offer_end(s, portal, NULL);
    } else if (why != NULL) {
        offer_end(s, portal, why);
    } else {
        offer_turn(s, portal, a->offer.begun_ms);
    }
}

int offer_open(struct scheduler *s, int portal, struct str sealed, struct access *ret, struct err *err)
{
    char purpose[80];
    struct buf plain;
    int result;

    if (!config_portal_is_app(scheduler_portal(s, portal)->config))
        return err_set(err, ERR_CONF, "portal %s is reached by a webhook: it needs no access",
            scheduler_portal(s, portal)->config->name);
    snprintf(purpose, sizeof(purpose), "access:%s", scheduler_portal(s, portal)->config->name);
    buf_init(&plain, 1 << 16);
    result = seal_open(&s->access->keys, str_of(purpose), sealed, &plain, err);
    if (result == 0)
        result = access_decode(ret, buf_view(&plain), err);
    seal_wipe(&plain);
    return result;
}
