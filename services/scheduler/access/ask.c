/* Tokens asked for at the OAuth server. */
#include "access.h"

#include "alarms.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/crash.h"

#include <stdio.h>
#include <stdlib.h>

#define ASK_DEADLINE_MS 20000
#define ANSWER_MOST     65536

struct ask {
    struct scheduler *s;
    int portal;
    bool of_offer;
    uint64_t number;      /* of the pair that asks; a login or a removal may replace it meanwhile */
    char *refresh, *code; /* as sent */
};

/* ---- the end of access ---- */

struct refuse {
    struct step step;
    struct store_who who;
    uint64_t number;
    char text[ERR_TEXT_SIZE];
};

static int refuse_work(struct step *step, struct db *db, struct err *err)
{
    struct refuse *x = (struct refuse *)step;

    return store_pair_bad(db, &x->who, x->number, str_of(x->text), err);
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
    x->number = access_of(s, portal)->oauth.number;
    oauth_lost(&access_of(s, portal)->oauth, x->text);
    alarms_portal(s, portal, "access.lost", x->text);
    x->step =
        (struct step){ .name = "access", .work = refuse_work, .done = refuse_done, .free = refuse_free };
    x->who = scheduler_who(scheduler_portal(s, portal));
    mend_stop_portal(s, portal, x->text);
    scheduler_step(s, &x->step);
}

/* ---- asking ---- */

/* What the answer leaves out stays as it was. */
static void carry(struct access *pair, const struct access *was)
{
    char **const to[] = { &pair->application_token, &pair->former_token, &pair->member_id, &pair->domain,
        &pair->server, &pair->scope, &pair->status, &pair->by };
    char *const from[] = { was->application_token, was->former_token, was->member_id, was->domain,
        was->server, was->scope, was->status, was->by };

    for (size_t i = 0; i < ARRAY_SIZE(to); i++)
        if (*to[i] == NULL)
            access_set(to[i], str_of(from[i]));
}

static void tell_undecided(struct scheduler *s, int portal, const char *text, bool warn)
{
    const struct oauth *o = &access_of(s, portal)->oauth;

    log_ev(warn ? LOG_WARNING : LOG_INFO, "access.waits", kv_str("portal", scheduler_portal(s, portal)->name),
        kv_u("calls_failed", o->fails), kv_s("error", text));
}

static void renewal_answered(
    struct scheduler *s, int portal, uint64_t number, struct oauth_answer *answer, bool unanswered)
{
    struct oauth *o = &access_of(s, portal)->oauth;

    if (!oauth_is_of_today(o, number)) {
        access_late(s, portal, number);
        return;
    }
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
        access_look_again(s, portal, answer->text);
        break;
    }
}

/* The server spent the old refresh token: what it gave for it is kept even by who is stopped or deposed. */
static void last_answer(struct scheduler *s, const struct ask *x, struct oauth_answer *answer)
{
    if (answer->meaning != OAUTH_PAIR)
        return;
    if (x->of_offer)
        offer_answered(s, x->portal, answer, false);
    else
        renewal_answered(s, x->portal, x->number, answer, false);
}

static void ask_free(struct ask *x)
{
    seal_free(x->refresh);
    seal_free(x->code);
    free(x);
}

static void on_answer(void *ctx, struct http_answer *http)
{
    struct ask *x = ctx;
    struct scheduler *s = x->s;
    struct oauth_answer answer;
    struct oauth_sent sent = { access_app(s, x->portal)->client_secret, x->refresh, x->code };

    s->access->calls--;
    oauth_read(&answer, http->status, buf_view(&http->body), http->err.text, &sent, clock_wall_ms());
    seal_wipe(&http->body);
    if (s->stopping)
        last_answer(s, x, &answer);
    else if (x->of_offer)
        offer_answered(s, x->portal, &answer, http->status == 0);
    else
        renewal_answered(s, x->portal, x->number, &answer, http->status == 0);
    access_free(&answer.pair);
    ask_free(x);
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

    *x = (struct ask){ .s = s, .portal = portal, .of_offer = of_offer, .number = a->oauth.number };
    x->refresh = by->refresh_token != NULL ? xstrdup(by->refresh_token) : NULL;
    x->code = by->code != NULL ? xstrdup(by->code) : NULL;
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
                .once = true, /* a refresh token works once */
                .on_done = on_answer,
                .ctx = x },
            &err) == NULL) {
        struct oauth_answer none;

        oauth_read(&none, 0, STR(""), err.text, &(struct oauth_sent){ 0 }, 0);
        of_offer ? offer_answered(s, portal, &none, false)
                 : renewal_answered(s, portal, a->oauth.number, &none, false);
        seal_wipe(&form);
        ask_free(x);
    } else {
        s->access->calls++;
    }
    free(url);
}
