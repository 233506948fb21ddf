#include "budget.h"

#include "access/access.h"
#include "overload.h"
#include "spend.h"
#include "told.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_AGAIN_MS 1000 /* all places are taken, or too many calls are under way */
#define SEALED_MAX   4096
#define ASKED_MS     10000 /* who asked so lately will ask again */

/* ---- answers ---- */

struct answer {
    const char *correlation;
    struct bus_peer peer;
    struct str sender, portal;
    uint64_t seq;
};

/* Without a token nobody can ask. A webhook's portal that is stopped may be asked by others: they see for
 * themselves. */
static bool is_shut(const struct portal *p)
{
    return portal_is_shut(p) && config_portal_is_app(p->config);
}

/* Lost, or its sender is gone: it asks again, or its calls run out. */
static void send_grant(struct scheduler *s, const struct answer *to, const struct msg_budget_grant *what)
{
    struct msg *m = msg_new(MSG_BUDGET_GRANT);

    memcpy(m->correlation, to->correlation, sizeof(m->correlation));
    m->budget_grant = *what;
    m->budget_grant.sender = to->sender;
    m->budget_grant.portal = to->portal;
    m->budget_grant.seq = to->seq;
    if (bus_send_to(s->router, to->peer, &m) != BUS_SENT)
        msg_free(&m);
}

static void answer(struct scheduler *s, struct sender *of, uint64_t wait_ms)
{
    const struct portal *p = scheduler_portal(s, of->portal);
    struct answer to = { of->correlation, of->peer, str_of(of->name), p->name, of->seq };
    struct msg_budget_grant what = { .granted = of->granted, .wait_ms = wait_ms };
    struct msg_job how = { .job = 0 };
    struct buf room;
    char text[ERR_TEXT_SIZE + 40];

    of->waits = false;
    of->wait_ms = wait_ms;
    if (is_shut(p) && of->want > 0) {
        snprintf(text, sizeof(text), "portal %s%s: %s", p->config->name,
            p->state == PORTAL_STOPPED ? " is stopped" : "", p->error);
        what.error = str_of(text);
    }
    buf_init(&room, SEALED_MAX);
    if (of->granted > 0)
        access_put(s, of->portal, &how, &room);
    what.host = how.host;
    what.token = how.token;
    what.sealed = how.sealed;
    send_grant(s, &to, &what);
    buf_fini(&room);
}

/* ---- what a sender tells ---- */

static void call_over(struct scheduler *s, int portal, const struct sender_call *call, bool was_made)
{
    struct pace *pace = spend_pace(s, call->bucket);

    if (was_made)
        pace_arrived(pace, clock_mono_ms());
    else
        pace_cancel(pace);
    if (call->method[0] != '\0')
        operate_end(&scheduler_portal(s, portal)->operate, call->method);
}

/* More than it was granted by us: by our predecessor, or made while none of us was there. */
static void calls_over(struct scheduler *s, struct sender *of, uint64_t arrived, uint64_t unsent)
{
    struct sender_call call;

    if (arrived > 0)
        figures_count("potok_portal_requests_total", "Calls made to the portal",
            scheduler_portal(s, of->portal)->config->name, (double)arrived);
    for (; unsent > 0 && sender_ends_call(of, &call); unsent--)
        call_over(s, of->portal, &call, false);
    for (; arrived > 0 && sender_ends_call(of, &call); arrived--)
        call_over(s, of->portal, &call, true);
    if (arrived > 0)
        pace_seen(spend_pace(s, of->bucket), arrived, clock_mono_ms());
}

static void take_in(struct scheduler *s, struct sender *of, const struct msg_budget_ask *a)
{
    struct told told = { a->blocked, a->code, a->refused, a->retry_ms };

    calls_over(s, of, a->arrived, a->unsent);
    told_operating(scheduler_portal(s, of->portal), a->operating);
    if (a->refused > 0)
        told_limit(s, of->portal, of->bucket, &told);
    overload_told(s, of->portal, a->code);
    if (a->code.n > 0)
        told_word(s, of->portal, a->code, a->token);
}

void budget_on_ask(struct scheduler *s, struct bus_peer from, const struct msg *m)
{
    const struct msg_budget_ask *a = &m->budget_ask;
    struct answer to = { m->correlation, from, a->sender, a->portal, a->seq };
    uint64_t now_ms = clock_mono_ms();
    int portal = scheduler_portal_of(s, a->portal);
    char name[65], method[SENDER_METHOD_SIZE], source[BUCKET_SOURCE_SIZE];

    if (portal < 0) {
        send_grant(s, &to, &(struct msg_budget_grant){ .error = STR("there is no such portal") });
        return;
    }
    snprintf(name, sizeof(name), STR_FMT, STR_ARG(a->sender));
    snprintf(method, sizeof(method), STR_FMT, STR_ARG(a->method));
    snprintf(source, sizeof(source), STR_FMT, STR_ARG(a->source));
    struct sender *of = senders_of(&s->senders, name, portal, now_ms);
    if (of == NULL) {
        send_grant(s, &to, &(struct msg_budget_grant){ .wait_ms = ASK_AGAIN_MS });
        return;
    }
    of->peer = from;
    memcpy(of->correlation, m->correlation, sizeof(of->correlation));
    if (!sender_asks(of, a->seq, (uint32_t)(a->want < SENDER_CALLS_MAX ? a->want : SENDER_CALLS_MAX), method,
            now_ms)) {
        if (of->seq == a->seq && !of->waits)
            answer(s, of, of->wait_ms);
        return;
    }
    of->bucket = spend_bucket(s, scheduler_portal(s, portal), source, now_ms);
    take_in(s, of, a);
    if (!of->waits)
        answer(s, of, 0);
    else
        budget_turn(s, now_ms);
}

/* ---- levels are saved before they are spent: whoever starts after us must know of them ---- */

struct cover {
    struct step step;
    struct store_who who;
    int portal;
    double level;
};

static int cover_work(struct step *step, struct db *db, struct err *err)
{
    const struct cover *x = (struct cover *)step;

    return store_bucket(db, &x->who, x->level, err);
}

static void cover_done(struct step *step)
{
    const struct cover *x = (struct cover *)step;

    step->s->covering = false;
    buckets_cover(&step->s->buckets, scheduler_portal(step->s, x->portal)->bucket_host, clock_mono_ms());
}

static void cover_failed(struct step *step, const struct err *err)
{
    step->s->covering = false;
    if (err->kind == ERR_PERM || err->kind == ERR_BUG || err->kind == ERR_CONF)
        app_fail(step->s->app, err);
}

static void cover_free(struct step *step)
{
    free(step);
}

static void cover_soon(struct scheduler *s, int portal, uint64_t now_ms)
{
    if (s->covering)
        return;
    const struct portal *p = scheduler_portal(s, portal);
    struct cover *x = xcalloc(1, sizeof(*x));

    x->step = (struct step){ .name = "bucket",
        .work = cover_work,
        .done = cover_done,
        .failed = cover_failed,
        .free = cover_free,
        .once = true };
    x->who = scheduler_who(p);
    x->portal = portal;
    x->level = buckets_level(&s->buckets, p->bucket_host, now_ms) + BUCKET_COVER;
    s->covering = true;
    scheduler_step(s, &x->step);
}

/* ---- grants ---- */

/* Kinds of senders are few, their numbers are not: "verify.0199…" counts as "verify". */
static void count_grant(const struct portal *p, const struct sender *of)
{
    char labels[160], kind[24];
    size_t n = 0;

    while (n < sizeof(kind) - 1 && isalpha((unsigned char)of->name[n]))
        n++;
    snprintf(kind, sizeof(kind), "%.*s", (int)n, of->name);
    snprintf(labels, sizeof(labels), "{portal=\"%s\",sender=\"%s\"}", p->config->name, kind);
    metric_add(metric_series("potok_budget_granted_total", "Calls granted to senders that are no fetchers",
                   METRIC_COUNTER, labels),
        1);
}

static void grant_one(struct scheduler *s, struct sender *of, uint64_t now_ms)
{
    struct bucket *b = &s->buckets.list[of->bucket];
    struct portal *p = scheduler_portal(s, of->portal);

    pace_take(&b->pace, now_ms);
    share_took(&b->share, (struct share_claim){ SHARE_OTHER, of->number });
    b->covered--;
    if (of->method[0] != '\0')
        operate_start(&p->operate, of->method);
    sender_granted(of, now_ms);
    count_grant(p, of);
}

/* Why it cannot go whosever turn it is: ms to wait, 0 = it can. */
static uint64_t held_back(const struct scheduler *s, const struct sender *of, uint64_t now_ms)
{
    const struct portal *p = scheduler_portal(s, of->portal);
    uint64_t pause = p->pause_ms > now_ms ? p->pause_ms - now_ms : 0;
    uint64_t work = of->method[0] != '\0' ? operate_wait(&p->operate, of->method, now_ms) : 0;

    if (!sender_has_room(of) || !access_ready(s, of->portal))
        return ASK_AGAIN_MS;
    if (p->breaker.open) /* whether it is over, a call of our own tries */
        return p->breaker.until_ms > now_ms ? p->breaker.until_ms - now_ms : ASK_AGAIN_MS;
    return pause > work ? pause : work;
}

static bool may_go(struct scheduler *s, const struct sender *of, uint64_t now_ms)
{
    struct share_claim claims[SPEND_CLAIMS_MAX], me = { SHARE_OTHER, of->number };
    struct bucket *b = &s->buckets.list[of->bucket];
    uint32_t free = pace_free(&b->pace, now_ms);

    if (free == 0)
        return false;
    int n = spend_claims(s, of->bucket, -1, claims, now_ms);
    if (!share_may(&b->share, claims, n, me, free))
        return false;
    if (!bucket_covered(b, now_ms))
        cover_soon(s, of->portal, now_ms);
    return bucket_covered(b, now_ms);
}

/* True: it was answered. */
static bool serve(struct scheduler *s, struct sender *of, uint64_t now_ms)
{
    uint64_t wait = held_back(s, of, now_ms);

    if (wait > 0 || is_shut(scheduler_portal(s, of->portal))) {
        answer(s, of, wait);
        return true;
    }
    while (of->granted < of->want && held_back(s, of, now_ms) == 0 && may_go(s, of, now_ms))
        grant_one(s, of, now_ms);
    if (of->granted == 0 && now_ms < of->asked_ms + SENDER_HOLD_MS)
        return false;
    answer(s, of, of->granted > 0 ? 0 : 1);
    return true;
}

static void give_up_late(struct scheduler *s, struct sender *of, uint64_t now_ms)
{
    struct sender_call call;
    int n = 0;

    while (sender_late_call(of, now_ms, &call)) {
        call_over(s, of->portal, &call, true);
        n++;
    }
    if (n > 0)
        log_ev(LOG_INFO, "budget.given_up", kv_s("sender", of->name), kv_i("calls", n));
}

void budget_turn(struct scheduler *s, uint64_t now_ms)
{
    bool served = true;

    spend_follow(s, now_ms);
    for (int i = 0; i < s->senders.count; i++)
        give_up_late(s, &s->senders.list[i], now_ms);
    while (served) { /* one that was passed over may be next after the other's turn */
        served = false;
        for (int i = 0; i < s->senders.count; i++)
            if (s->senders.list[i].waits)
                served |= serve(s, &s->senders.list[i], now_ms);
    }
}

uint64_t budget_wait(const struct scheduler *s, uint64_t now_ms)
{
    uint64_t at = UINT64_MAX;

    for (int i = 0; i < s->senders.count; i++) {
        const struct sender *of = &s->senders.list[i];
        uint64_t pace = of->waits ? pace_wait(&s->buckets.list[of->bucket].pace, now_ms) : 0;

        if (of->waits && of->asked_ms + SENDER_HOLD_MS < at)
            at = of->asked_ms + SENDER_HOLD_MS;
        if (of->waits && pace > 0 && pace != PACE_NEVER && now_ms + pace < at)
            at = now_ms + pace;
        if (of->call_count > 0 && of->calls[0].until_ms < at)
            at = of->calls[0].until_ms;
    }
    return at == UINT64_MAX ? at : at > now_ms ? at - now_ms : 0;
}

bool budget_is_asked(const struct scheduler *s, uint64_t now_ms)
{
    for (int i = 0; i < s->senders.count; i++)
        if (now_ms < s->senders.list[i].heard_ms + ASKED_MS)
            return true;
    return false;
}
