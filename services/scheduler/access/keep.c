/* Pairs of tokens on their way to the database: kept before anybody uses them, and kept by who is stopped or
 * was deposed, since the server has spent the ones they replace. */
#include "access.h"

#include "alarms.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "events/guard.h"

#include <stdio.h>
#include <stdlib.h>

#define STOP_WAIT_MS 200

/* ---- a new pair ---- */

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
    if (x->of_offer) {
        a->oauth.unproved = 0;
        a->given_ms = a->kept_ms;
    }
    if (x->of_offer || a->member[0] == '\0') { /* a renewal brings no application_token */
        snprintf(a->member, sizeof(a->member), "%s", a->member[0] != '\0' ? a->member : x->member);
        gateways_changed(s);
    }
    log_ev(LOG_INFO, x->of_offer ? "access.given" : "access.renewed",
        kv_str("portal", scheduler_portal(s, x->portal)->name), kv_u("number", x->store.number));
    figures_count("potok_scheduler_tokens_total", "Pairs of tokens taken from the OAuth server",
        scheduler_portal(s, x->portal)->config->name, 1);
    if (x->of_offer) {
        offer_end(s, x->portal, NULL);
        guard_now(s, x->portal); /* an installation begins without subscriptions */
    }
    access_kept(s, x->portal, was_good);
}

static bool is_passed(const struct err *err)
{
    return err->kind == ERR_PERM && err->code == STORE_PAIR_PASSED;
}

/* A login or a removal was faster than the answer to a renewal: what they say holds. */
void access_late(struct scheduler *s, int portal, uint64_t number)
{
    log_ev(
        LOG_INFO, "access.late", kv_str("portal", scheduler_portal(s, portal)->name), kv_u("number", number));
}

static void keep_failed(struct step *step, const struct err *err)
{
    struct keep *x = (struct keep *)step;
    struct scheduler *s = step->s;

    if (x->of_offer)
        offer_end(s, x->portal, err->text);
    else if (!oauth_is_of_today(&access_of(s, x->portal)->oauth, x->store.from))
        access_late(s, x->portal, x->store.from);
    else if (is_passed(err)) /* by another scheduler: what it kept is of use */
        access_look_again(s, x->portal, err->text);
    else
        access_refused(s, x->portal, err->text);
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

    snprintf(purpose, sizeof(purpose), "token:%s", scheduler_portal(s, x->portal)->config->name);
    buf_init(&plain, 1 << 15);
    access_encode(&x->pair, &plain);
    result = plain.failed ? err_set(err, ERR_LIMIT, "the tokens are too long")
                          : seal(&s->access->keys, str_of(purpose), buf_view(&plain), &x->sealed, err);
    seal_wipe(&plain);
    return result;
}

void access_keep(struct scheduler *s, int portal, struct access *pair, bool of_offer)
{
    const struct portal_access *a = access_of(s, portal);
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
    x->store = (struct store_pair){ .who = scheduler_who(scheduler_portal(s, portal)),
        .host = put(x->host, sizeof(x->host), x->pair.domain),
        .server = put(x->server, sizeof(x->server), x->pair.server),
        .member = put(x->member, sizeof(x->member), x->pair.member_id),
        .scope = put(x->scope, sizeof(x->scope), x->pair.scope),
        .status = put(x->status, sizeof(x->status), x->pair.status),
        .expires_ms = x->pair.expires_ms,
        .from = a->oauth.number,
        .renewal = !of_offer,
        .spool = of_offer ? a->offer.spool : 0,
        .seq = of_offer ? a->offer.seq : 0 };
    x->step.s = s;
    if (seal_pair(s, x, &err) < 0) {
        if (!s->stopping)
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
    struct portal *p = scheduler_portal(s, portal);
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

/* ---- what another scheduler kept ---- */

struct look {
    struct step step;
    int portal;
    uint64_t number; /* of the pair in memory; another one by now needs none of this */
    struct store_access row;
    char text[ERR_TEXT_SIZE]; /* why it is refused; "" = it was lost before */
};

static int look_work(struct step *step, struct db *db, struct err *err)
{
    struct look *x = (struct look *)step;

    store_access_fini(&x->row);
    x->row = (struct store_access){ .portal = scheduler_portal(step->s, x->portal)->name };
    return store_access(db, &x->row, err);
}

static void found_nothing(struct scheduler *s, struct look *x)
{
    struct oauth *o = &access_of(s, x->portal)->oauth;

    if (x->text[0] == '\0')
        oauth_looked(o, clock_mono_ms());
    else if (oauth_is_of_today(o, x->number))
        access_refused(s, x->portal, x->text);
}

static void look_failed(struct step *step, const struct err *err)
{
    found_nothing(step->s, (struct look *)step);
}

static void look_done(struct step *step)
{
    struct look *x = (struct look *)step;
    struct scheduler *s = step->s;
    struct portal_access *a = access_of(s, x->portal);
    bool was_good = a->oauth.state == OAUTH_RENEWING, was_none = a->oauth.state == OAUTH_NONE;
    struct access pair = { 0 };
    struct err err;

    if (x->row.number <= a->oauth.number || x->row.error[0] != '\0' || x->row.sealed.n == 0 ||
        access_open(s, x->portal, buf_view(&x->row.sealed), &pair, &err) < 0) {
        found_nothing(s, x);
        return;
    }
    oauth_looked(&a->oauth, clock_mono_ms());
    oauth_stored(&a->oauth, x->row.number, &pair);
    a->kept_ms = x->row.at_ms;
    if (a->member[0] == '\0')
        snprintf(a->member, sizeof(a->member), "%s", x->row.member);
    gateways_changed(s);
    log_ev(LOG_INFO, "access.found", kv_str("portal", scheduler_portal(s, x->portal)->name),
        kv_u("number", x->row.number));
    access_free(&pair);
    if (was_none) { /* an installation, then */
        a->given_ms = a->kept_ms;
        guard_now(s, x->portal);
    }
    access_kept(s, x->portal, was_good);
}

static void look_free(struct step *step)
{
    store_access_fini(&((struct look *)step)->row);
    free(step);
}

static void look(struct scheduler *s, int portal, const char *why)
{
    struct look *x = xcalloc(1, sizeof(*x));

    x->step = (struct step){
        .name = "access", .work = look_work, .done = look_done, .failed = look_failed, .free = look_free
    };
    x->portal = portal;
    x->number = access_of(s, portal)->oauth.number;
    snprintf(x->text, sizeof(x->text), "%s", why);
    scheduler_step(s, &x->step);
}

void access_look_again(struct scheduler *s, int portal, const char *why)
{
    struct oauth *o = &access_of(s, portal)->oauth;

    o->asking = false;
    o->storing = true;
    look(s, portal, why);
}

/* A scheduler that was deposed in mid-renewal keeps its pair whenever it goes on: minutes later, perhaps. */
void access_look_around(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct oauth *o = &access_of(s, portal)->oauth;

    if (!oauth_may_be_found(o, now_ms))
        return;
    oauth_looks(o);
    look(s, portal, "");
}

/* ---- the stop ---- */

static void on_time(uv_timer_t *timer)
{
}

static void free_timer(uv_handle_t *handle)
{
    free(handle);
}

void access_finish(struct scheduler *s)
{
    uv_timer_t *timer;

    if (s->access == NULL || s->access->calls == 0)
        return;
    uint64_t until_ms = clock_mono_ms() + scheduler_closing(s, "waiting for tokens", ACCESS_STOP_MS);
    timer = xcalloc(1, sizeof(*timer));
    uv_timer_init(s->app->loop, timer);
    uv_timer_start(timer, on_time, STOP_WAIT_MS, STOP_WAIT_MS);
    while (s->access->calls > 0 && clock_mono_ms() < until_ms)
        uv_run(s->app->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)timer, free_timer);
}

bool access_is_pair(const struct step *step)
{
    return step->work == keep_work || offer_is_going_on(step);
}

bool access_is_unkept(const struct scheduler *s)
{
    for (const struct step *step = s->steps; step != NULL; step = step->next)
        if (access_is_pair(step))
            return true;
    return (s->running != NULL && access_is_pair(s->running)) || (s->access != NULL && s->access->calls > 0);
}

static int pair_portal(const struct step *step)
{
    return step->work == keep_work ? ((const struct keep *)step)->portal : offer_portal_of(step);
}

static int keep_now(struct scheduler *s, struct step *step, struct err *err)
{
    uint64_t left_ms = scheduler_closing(s, "keeping tokens", ACCESS_STOP_MS);
    struct db_opening soon = { .patience_ms = left_ms > 0 ? (int)left_ms : 1 };
    struct db *db = NULL;
    int failed = db_open_as(&db, s->database_url, &soon, err);

    if (failed == 0)
        failed = step->work(step, db, err);
    db_close(&db);
    return failed;
}

void access_last(struct scheduler *s, struct step *step)
{
    struct keep *x = (struct keep *)step;
    struct err err = { 0 };
    int failed;

    if (!access_is_pair(step))
        return;
    while (
        (failed = keep_now(s, step, &err)) < 0 && err.kind == ERR_TEMP && clock_mono_ms() < s->stop_until_ms)
        uv_sleep(STOP_WAIT_MS);
    if (failed < 0 && is_passed(&err))
        access_late(s, x->portal, x->store.from);
    else if (failed < 0)
        log_ev(LOG_WARNING, "access.unkept", kv_str("portal", scheduler_portal(s, pair_portal(step))->name),
            kv_err(&err));
    else if (step->work == keep_work)
        log_ev(LOG_INFO, x->of_offer ? "access.given" : "access.renewed",
            kv_str("portal", scheduler_portal(s, x->portal)->name), kv_u("number", x->store.number));
}
