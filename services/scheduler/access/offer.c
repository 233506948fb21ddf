/* What is brought to a portal's access: an event of the application, a login, the operator's word. Nothing of
 * it is believed: tokens and codes are taken to the OAuth server with our client_secret, and what it answers
 * is kept. */
#include "access.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_LIFE_MS 30000 /* facts section 10 */
#define AGAIN_MS     1000
#define AGAIN_MOST   30000
#define PROVE_MOST   8

static struct portal *portal_of(struct scheduler *s, int portal)
{
    return &s->portals[portal].portal;
}

/* ---- rows of gateways that are dealt with ---- */

static bool is_done(const struct access_book *b, uint64_t spool, uint64_t seq)
{
    for (int i = 0; i < ACCESS_DONE; i++)
        if (b->done[i].seq == seq && b->done[i].spool == spool)
            return true;
    return false;
}

static void note_done(struct access_book *b, uint64_t spool, uint64_t seq)
{
    if (seq == 0 || is_done(b, spool, seq))
        return;
    b->done[b->done_next].spool = spool;
    b->done[b->done_next].seq = seq;
    b->done_next = (b->done_next + 1) % ACCESS_DONE;
}

/* ---- offers that wait ---- */

struct dealt {
    struct step step;
    struct store_who who;
    uint64_t spool, seq;
};

static int dealt_work(struct step *step, struct db *db, struct err *err)
{
    const struct dealt *x = (const struct dealt *)step;

    return store_offer_end(db, &x->who, x->spool, x->seq, err);
}

static void dealt_done(struct step *step)
{
}

static void dealt_free(struct step *step)
{
    free(step);
}

/* A row of a gateway is dealt with. A crash before it is gone from the database: it is looked at once more,
 * and known by then. */
static void dealt_with(struct scheduler *s, int portal, uint64_t spool, uint64_t seq)
{
    struct dealt *x;

    note_done(s->access, spool, seq);
    if (seq == 0)
        return;
    x = xcalloc(1, sizeof(*x));
    x->step = (struct step){ .name = "offer", .work = dealt_work, .done = dealt_done, .free = dealt_free };
    x->who = scheduler_who(portal_of(s, portal));
    x->spool = spool;
    x->seq = seq;
    scheduler_step(s, &x->step);
}

static void take_first(struct portal_access *a, struct store_offer *ret)
{
    *ret = a->waiting[0];
    a->waiting_count--;
    memmove(&a->waiting[0], &a->waiting[1], (size_t)a->waiting_count * sizeof(a->waiting[0]));
}

static bool is_here(const struct portal_access *a, uint64_t spool, uint64_t seq)
{
    bool here = a->offer.any && a->offer.spool == spool && a->offer.seq == seq;

    for (int i = 0; i < a->waiting_count; i++)
        here |= a->waiting[i].spool == spool && a->waiting[i].seq == seq;
    return here;
}

/* ---- its end ---- */

static void reply(struct scheduler *s, int portal, const struct offer *o, const char *error)
{
    json_t *body;

    if (o->seq != 0 || o->peer.n == 0)
        return;
    body = json_pack("{s:s, s:s}", "portal", portal_of(s, portal)->config->name, "access",
        oauth_state_name(access_of(s, portal)->oauth.state));
    control_reply(s, o->peer, o->correlation, error, body);
    json_decref(body);
}

void offer_end(struct scheduler *s, int portal, const char *error)
{
    struct portal_access *a = access_of(s, portal);

    if (error != NULL)
        log_ev(LOG_WARNING, "access.refused", kv_str("portal", portal_of(s, portal)->name),
            kv_s("by", a->offer.given.by != NULL ? a->offer.given.by : ""), kv_s("error", error));
    dealt_with(s, portal, a->offer.spool, a->offer.seq);
    reply(s, portal, &a->offer, error);
    access_free(&a->offer.given);
    a->offer = (struct offer){ .any = false };
    scheduler_wake(s); /* others may wait */
}

/* ---- removal ---- */

struct forget {
    struct step step;
    int portal;
    struct store_who who;
    char text[160];
};

static int forget_work(struct step *step, struct db *db, struct err *err)
{
    struct forget *x = (struct forget *)step;

    return store_pair_error(db, &x->who, str_of(x->text), true, err);
}

static void forget_done(struct step *step)
{
    struct forget *x = (struct forget *)step;
    struct scheduler *s = step->s;
    struct oauth *o = &access_of(s, x->portal)->oauth;

    oauth_forgotten(o);
    o->number++; /* as in the database */
    snprintf(o->error, sizeof(o->error), "%s", x->text);
    gateways_changed(s);
    log_ev(LOG_INFO, "access.removed", kv_str("portal", portal_of(s, x->portal)->name));
    offer_end(s, x->portal, NULL);
    scheduler_wake(s);
}

static void forget_free(struct step *step)
{
    free(step);
}

static void forget(struct scheduler *s, int portal)
{
    struct offer *offer = &access_of(s, portal)->offer;
    bool by_operator = offer->given.by != NULL && strcmp(offer->given.by, "operator") == 0;
    struct forget *x = xcalloc(1, sizeof(*x));

    offer->storing = true;
    x->step =
        (struct step){ .name = "forget", .work = forget_work, .done = forget_done, .free = forget_free };
    x->portal = portal;
    x->who = scheduler_who(portal_of(s, portal));
    snprintf(x->text, sizeof(x->text), "%s",
        by_operator ? "the operator took the access back" : "the application was removed from the portal");
    scheduler_step(s, &x->step);
}

/* ---- its way ---- */

static void look_at_next(struct scheduler *s, int portal);

void offer_turn(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct offer *o = &access_of(s, portal)->offer;

    if (!o->any)
        look_at_next(s, portal);
    if (!o->any || o->asking || o->storing || now_ms < o->not_before_ms)
        return;
    if (o->given.kind == ACCESS_REMOVED)
        forget(s, portal);
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

    webhook_host(portal_of(s, portal)->config->address, ours);
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

/* The answer knows more than what was brought, but not the application_token. Before a login the application
 * may have been installed anew, which changes it: the old one would keep its events away. They come in by the
 * key of their handler (base/handler_key.h) until an installation tells it. */
static void complete(struct access *pair, const struct access *given, const struct access *had)
{
    const char *was = given->kind != ACCESS_CODE ? had->application_token : NULL;
    const char *token = given->application_token != NULL ? given->application_token : was;

    access_set(&pair->application_token, str_of(token));
    access_set(&pair->by, str_of(given->by));
}

/* Handed over once more by a gateway that was not told: it was of use already, and is spent. */
static bool is_known(const struct portal_access *a)
{
    return a->offer.seq != 0 && a->oauth.state == OAUTH_GOOD && a->kept_ms >= a->offer.at_ms;
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
    uint64_t wait = AGAIN_MS << (o->fails < 5 ? o->fails : 5);

    o->asking = false;
    switch (answer->meaning) {
    case OAUTH_PAIR:
        if (!is_ours(s, portal, answer, why)) {
            if (!s->stopping)
                offer_end(s, portal, why);
            return;
        }
        complete(&answer->pair, &o->given, &a->oauth.pair);
        if (oauth_needs_admin(&a->oauth, &o->given)) {
            o->asking = true;
            access_prove(s, portal, &answer->pair);
            return;
        }
        o->storing = true;
        access_keep(s, portal, &answer->pair, true);
        return;
    case OAUTH_LATER:
        o->fails++;
        o->not_before_ms = clock_mono_ms() + (wait < AGAIN_MOST ? wait : AGAIN_MOST);
        log_ev(o->fails == 3 ? LOG_WARNING : LOG_INFO, "access.waits",
            kv_str("portal", portal_of(s, portal)->name), kv_u("calls_failed", o->fails),
            kv_s("error", answer->text));
        return;
    case OAUTH_REFUSED:
        if (is_known(a)) {
            log_ev(LOG_INFO, "access.known", kv_str("portal", portal_of(s, portal)->name));
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

/* Takes `given` over. */
static void begin(struct scheduler *s, int portal, struct access *given, const struct offer *from)
{
    struct portal_access *a = access_of(s, portal);
    const char *why = oauth_judge(&a->oauth, given);

    a->offer = *from;
    a->offer.any = true;
    a->offer.given = *given;
    *given = (struct access){ 0 };
    a->offer.begun_ms = clock_mono_ms();
    if (is_stale(a)) {
        log_ev(LOG_INFO, "access.known", kv_str("portal", portal_of(s, portal)->name));
        offer_end(s, portal, NULL);
    } else if (why != NULL) {
        offer_end(s, portal, why);
    } else {
        offer_turn(s, portal, a->offer.begun_ms);
    }
}

static int open_given(struct scheduler *s, int portal, struct str sealed, struct access *ret, struct err *err)
{
    char purpose[80];
    struct buf plain;
    int result;

    if (!config_portal_is_app(portal_of(s, portal)->config))
        return err_set(err, ERR_CONF, "portal %s is reached by a webhook: it needs no access",
            portal_of(s, portal)->config->name);
    snprintf(purpose, sizeof(purpose), "access:%s", portal_of(s, portal)->config->name);
    buf_init(&plain, 1 << 16);
    result = seal_open(&s->access->keys, str_of(purpose), sealed, &plain, err);
    if (result == 0)
        result = access_decode(ret, buf_view(&plain), err);
    seal_wipe(&plain);
    return result;
}

/* ---- from gateways ---- */

static void look_at_next(struct scheduler *s, int portal)
{
    struct portal_access *a = access_of(s, portal);

    while (!a->offer.any && a->waiting_count > 0) {
        struct store_offer o;
        struct access given = { 0 };
        struct err err;

        take_first(a, &o);
        if (open_given(s, portal, buf_view(&o.sealed), &given, &err) == 0) {
            begin(s, portal, &given, &(struct offer){ .spool = o.spool, .seq = o.seq, .at_ms = o.at_ms });
        } else {
            log_ev(LOG_WARNING, "access.refused", kv_str("portal", portal_of(s, portal)->name),
                kv_s("by", "gateway"), kv_err(&err));
            dealt_with(s, portal, o.spool, o.seq);
        }
        store_offer_fini(&o);
    }
}

/* While nobody can tell what they are worth the newest are kept: anybody may bring one. */
static void make_room(struct scheduler *s, int portal)
{
    struct portal_access *a = access_of(s, portal);
    struct store_offer o;

    while (a->waiting_count >= ACCESS_WAITING) {
        take_first(a, &o);
        log_ev(LOG_WARNING, "access.refused", kv_str("portal", portal_of(s, portal)->name),
            kv_s("by", "gateway"),
            kv_s("error", "newer ones came while the OAuth server was away: install the application again"));
        dealt_with(s, portal, o.spool, o.seq);
        store_offer_fini(&o);
    }
}

void access_offered(struct scheduler *s, int portal, struct store_offer *o)
{
    struct portal_access *a = access_of(s, portal);

    if (is_here(a, o->spool, o->seq))
        return;
    if (is_done(s->access, o->spool, o->seq)) { /* its gateway was not told, and the row is there again */
        dealt_with(s, portal, o->spool, o->seq);
        return;
    }
    make_room(s, portal);
    a->waiting[a->waiting_count++] = *o;
    *o = (struct store_offer){ 0 };
    if (!a->offer.any)
        look_at_next(s, portal);
}

int access_offers_load(struct scheduler *s, struct db *db, int portal, struct err *err)
{
    struct portal_access *a = access_of(s, portal);

    access_offers_free(a);
    return store_offers(db, portal_of(s, portal)->name, a->waiting, ACCESS_LEFT, &a->waiting_count, err);
}

void access_offers_free(struct portal_access *a)
{
    for (int i = 0; i < a->waiting_count; i++)
        store_offer_fini(&a->waiting[i]);
    a->waiting_count = 0;
}

/* ---- from the operator ---- */

static int read_command(
    struct scheduler *s, const json_t *args, int *ret_portal, struct access *ret, struct err *err)
{
    const char *name = json_string_value(json_object_get(args, "portal"));
    const char *text = json_string_value(json_object_get(args, "sealed"));
    struct buf sealed;
    int result;

    *ret_portal = name != NULL ? scheduler_portal_of(s, str_of(name)) : -1;
    if (*ret_portal < 0 || text == NULL)
        return err_set(err, ERR_CONF, "access wants a portal and what is given, sealed");
    if (access_of(s, *ret_portal)->offer.any)
        return err_set(err, ERR_TEMP, "something was brought a moment ago and is still looked at: try again");
    buf_init(&sealed, 1 << 16);
    result = seal_bytes(str_of(text), &sealed, err);
    if (result == 0)
        result = open_given(s, *ret_portal, buf_view(&sealed), ret, err);
    buf_fini(&sealed);
    return result;
}

void access_on_command(struct scheduler *s, struct bus_peer from, const struct msg *m, json_t *args)
{
    struct offer offer = { .peer = from };
    struct access given = { 0 };
    struct err err;
    int portal;

    if (read_command(s, args, &portal, &given, &err) < 0) {
        control_reply(s, from, m->correlation, err.text, NULL);
        return;
    }
    memcpy(offer.correlation, m->correlation, sizeof(offer.correlation));
    begin(s, portal, &given, &offer);
}
