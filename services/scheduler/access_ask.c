/* Tokens asked for at the OAuth server, and kept in the database before anybody uses them. */
#include "access.h"

#include "alarms.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "guard.h"
#include "run/crash.h"

#include <stdio.h>
#include <stdlib.h>

#define ASK_DEADLINE_MS 20000
#define ANSWER_MOST     65536

struct ask {
    struct scheduler *s;
    int portal;
    bool of_offer;
};

static struct portal *portal_of(struct scheduler *s, int portal)
{
    return &s->portals[portal].portal;
}

/* ---- what is kept ---- */

struct keep {
    struct step step;
    int portal;
    bool of_offer;
    struct access pair;
    struct buf sealed;
    char server[80], scope[256], status[16], member[STORE_MEMBER_SIZE], host[WEBHOOK_HOST_SIZE];
    struct store_pair store;
};

static int keep_work(struct step *step, struct db *db, struct err *err)
{
    return store_pair(db, &((struct keep *)step)->store, err);
}

static void keep_done(struct step *step)
{
    struct keep *x = (struct keep *)step;
    struct scheduler *s = step->s;
    struct portal_access *a = access_of(s, x->portal);
    bool was_good = a->oauth.state == OAUTH_GOOD || a->oauth.state == OAUTH_RENEWING;

    oauth_stored(&a->oauth, x->store.number, &x->pair);
    a->kept_ms = x->store.who.now_ms;
    if (x->of_offer)
        a->oauth.unproved = 0;
    if (x->of_offer || a->member[0] == '\0') { /* a renewal brings no application_token */
        snprintf(a->member, sizeof(a->member), "%s", a->member[0] != '\0' ? a->member : x->member);
        gateways_changed(s);
    }
    log_ev(LOG_INFO, x->of_offer ? "access.given" : "access.renewed",
        kv_str("portal", portal_of(s, x->portal)->name), kv_u("number", x->store.number));
    figures_count("potok_scheduler_tokens_total", "Pairs of tokens taken from the OAuth server",
        portal_of(s, x->portal)->config->name, 1);
    if (x->of_offer) {
        offer_end(s, x->portal, NULL);
        guard_now(s, x->portal); /* an installation begins without subscriptions */
    }
    access_kept(s, x->portal, was_good);
}

static void keep_failed(struct step *step, const struct err *err)
{
    struct keep *x = (struct keep *)step;

    if (x->of_offer)
        offer_end(step->s, x->portal, err->text);
    else
        access_refused(step->s, x->portal, err->text);
}

static void keep_free(struct step *step)
{
    struct keep *x = (struct keep *)step;

    access_free(&x->pair);
    seal_wipe(&x->sealed);
    free(x);
}

static struct str put(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text != NULL ? text : "");
    return str_of(to);
}

static int seal_pair(struct scheduler *s, struct keep *x, struct err *err)
{
    char purpose[80];
    struct buf plain;
    int result;

    snprintf(purpose, sizeof(purpose), "token:%s", portal_of(s, x->portal)->config->name);
    buf_init(&plain, 1 << 15);
    access_encode(&x->pair, &plain);
    result = plain.failed ? err_set(err, ERR_LIMIT, "the tokens are too long")
                          : seal(&s->access->keys, str_of(purpose), buf_view(&plain), &x->sealed, err);
    seal_wipe(&plain);
    return result;
}

void access_keep(struct scheduler *s, int portal, struct access *pair, bool of_offer)
{
    struct keep *x = xcalloc(1, sizeof(*x));
    struct err err;

    x->step = (struct step){
        .name = "tokens", .work = keep_work, .done = keep_done, .failed = keep_failed, .free = keep_free
    };
    x->portal = portal;
    x->of_offer = of_offer;
    x->pair = *pair;
    *pair = (struct access){ 0 };
    buf_init(&x->sealed, 1 << 16);
    x->store = (struct store_pair){ .who = scheduler_who(portal_of(s, portal)),
        .host = put(x->host, sizeof(x->host), x->pair.domain),
        .server = put(x->server, sizeof(x->server), x->pair.server),
        .member = put(x->member, sizeof(x->member), x->pair.member_id),
        .scope = put(x->scope, sizeof(x->scope), x->pair.scope),
        .status = put(x->status, sizeof(x->status), x->pair.status),
        .expires_ms = x->pair.expires_ms };
    x->step.s = s;
    if (seal_pair(s, x, &err) < 0) {
        keep_failed(&x->step, &err);
        keep_free(&x->step);
        return;
    }
    x->store.sealed = buf_view(&x->sealed);
    scheduler_step(s, &x->step);
}

/* Everything was waiting for it; what had failed for want of it begins again. */
void access_kept(struct scheduler *s, int portal, bool was_good)
{
    struct portal *p = portal_of(s, portal);
    struct sync_wish wish = { portal, 0 };
    struct bus_peer nobody = { { 0 }, 0 };
    bool stopped = p->state == PORTAL_STOPPED;

    alarms_portal(s, portal, "access.lost", NULL);
    portal_resume(p);
    for (int i = 0; i < p->mirror_count; i++)
        if (!p->mirrors[i].paused)
            wish.mirrors |= (uint64_t)1 << i;
    if ((!was_good || stopped) && wish.mirrors != 0)
        scheduler_step(s, sync_step(s, &wish, 1, nobody, NULL));
    scheduler_wake(s);
}

/* ---- the end of access ---- */

struct refuse {
    struct step step;
    struct store_who who;
    char text[ERR_TEXT_SIZE];
};

static int refuse_work(struct step *step, struct db *db, struct err *err)
{
    struct refuse *x = (struct refuse *)step;

    return store_pair_error(db, &x->who, str_of(x->text), false, err);
}

static void refuse_done(struct step *step)
{
}

static void refuse_free(struct step *step)
{
    free(step);
}

void access_refused(struct scheduler *s, int portal, const char *why)
{
    struct refuse *x = xcalloc(1, sizeof(*x));

    snprintf(x->text, sizeof(x->text), "%s", why);
    oauth_lost(&access_of(s, portal)->oauth, x->text);
    alarms_portal(s, portal, "access.lost", x->text);
    x->step =
        (struct step){ .name = "access", .work = refuse_work, .done = refuse_done, .free = refuse_free };
    x->who = scheduler_who(portal_of(s, portal));
    mend_stop_portal(s, portal, x->text);
    scheduler_step(s, &x->step);
}

/* ---- asking ---- */

/* What the answer leaves out stays as it was. */
static void carry(struct access *pair, const struct access *was)
{
    char **const to[] = { &pair->application_token, &pair->member_id, &pair->domain, &pair->server,
        &pair->scope, &pair->status, &pair->by };
    char *const from[] = { was->application_token, was->member_id, was->domain, was->server, was->scope,
        was->status, was->by };

    for (size_t i = 0; i < ARRAY_SIZE(to); i++)
        if (*to[i] == NULL)
            access_set(to[i], str_of(from[i]));
}

static void tell_undecided(struct scheduler *s, int portal, const char *text, bool warn)
{
    const struct oauth *o = &access_of(s, portal)->oauth;

    log_ev(warn ? LOG_WARNING : LOG_INFO, "access.waits", kv_str("portal", portal_of(s, portal)->name),
        kv_u("calls_failed", o->fails), kv_s("error", text));
}

static void renewal_answered(struct scheduler *s, int portal, struct oauth_answer *answer, bool unanswered)
{
    struct oauth *o = &access_of(s, portal)->oauth;

    switch (answer->meaning) {
    case OAUTH_PAIR:
        crash_point(SCHEDULER_AFTER_RENEW);
        carry(&answer->pair, &o->pair);
        o->asking = false;
        o->storing = true;
        access_keep(s, portal, &answer->pair, false);
        break;
    case OAUTH_LATER:
        tell_undecided(
            s, portal, answer->text, oauth_undecided(o, answer->text, unanswered, clock_mono_ms()));
        break;
    case OAUTH_REFUSED:
        if (o->unconfirmed) {
            size_t n = strlen(answer->text);

            snprintf(answer->text + n, sizeof(answer->text) - n,
                " (an answer with new tokens was lost on its way before)");
        }
        access_refused(s, portal, answer->text);
        break;
    }
}

static void on_answer(void *ctx, struct http_answer *http)
{
    struct ask *x = ctx;
    struct scheduler *s = x->s;
    struct oauth_answer answer;

    if (s->stopping || s->lease.lost) {
        free(x);
        return;
    }
    oauth_read(&answer, http->status, buf_view(&http->body), http->err.text, clock_wall_ms());
    seal_wipe(&http->body);
    if (x->of_offer)
        offer_answered(s, x->portal, &answer, http->status == 0);
    else
        renewal_answered(s, x->portal, &answer, http->status == 0);
    access_free(&answer.pair);
    free(x);
    scheduler_wake(s);
}

void access_ask(struct scheduler *s, int portal, bool of_offer)
{
    struct portal_access *a = access_of(s, portal);
    const struct access *by = of_offer ? &a->offer.given : &a->oauth.pair;
    char *url = oauth_url(access_app(s, portal), by);
    struct ask *x = xcalloc(1, sizeof(*x));
    struct buf form;
    struct err err;

    *x = (struct ask){ s, portal, of_offer };
    buf_init(&form, 1 << 14);
    oauth_form(access_app(s, portal), by, &form);
    if (of_offer)
        a->offer.asking = true;
    else
        oauth_asked(&a->oauth);
    if (http_start(s->http,
            &(struct http_request){ .method = "POST",
                .url = url,
                .content_type = "application/x-www-form-urlencoded",
                .body = buf_view(&form),
                .free_body = form.p,
                .deadline_ms = ASK_DEADLINE_MS,
                .max_bytes = ANSWER_MOST,
                .on_done = on_answer,
                .ctx = x },
            &err) == NULL) {
        struct oauth_answer none;

        oauth_read(&none, 0, STR(""), err.text, 0);
        of_offer ? offer_answered(s, portal, &none, false) : renewal_answered(s, portal, &none, false);
        seal_wipe(&form);
        free(x);
    }
    free(url);
}
