#include "overload.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct block {
    struct step step;
    struct store_who who;
    struct store_block store;
};

static int block_work(struct step *step, struct db *db, struct err *err)
{
    struct block *x = (struct block *)step;

    return store_keep_block(db, &x->who, &x->store, err);
}

static void block_done(struct step *step)
{
}

static void block_free(struct step *step)
{
    free(step);
}

/* Before anything else is sent: steps run one after another. */
static void keep(struct scheduler *s, int portal, uint64_t now_ms)
{
    const struct portal *p = &s->portals[portal].portal;
    struct block *x = xcalloc(1, sizeof(*x));

    x->step = (struct step){ .name = "block", .work = block_work, .done = block_done, .free = block_free };
    x->who = scheduler_who(p);
    x->store.until_ms = overload_try_at(p, now_ms);
    if (x->store.until_ms > p->breaker.pause_ms)
        x->store.begun_ms = x->store.until_ms - p->breaker.pause_ms;
    scheduler_step(s, &x->step);
}

uint64_t overload_try_at(const struct portal *p, uint64_t now_ms)
{
    uint64_t wall_ms = clock_wall_ms();

    if (!p->breaker.open)
        return 0;
    return p->breaker.until_ms > now_ms ? wall_ms + (p->breaker.until_ms - now_ms) : wall_ms;
}

static enum breaker_answer answer_of(const struct msg_report *r)
{
    if (breaker_is_word(r->code))
        return BREAKER_OVERLOAD;
    return str_is(r->outcome, "failed") && err_kind_of(r->error_kind.p, r->error_kind.n) == ERR_TEMP
               ? BREAKER_NOTHING
               : BREAKER_WELL;
}

static void tell(const struct portal *p, bool was_open, enum breaker_answer answer, struct str error)
{
    if (p->breaker.open && answer == BREAKER_OVERLOAD)
        log_ev(LOG_WARNING, was_open ? "portal.blocked_still" : "portal.blocked", kv_str("portal", p->name),
            kv_u("wait_ms", p->breaker.pause_ms), kv_str("error", error));
    else if (!p->breaker.open)
        log_ev(LOG_INFO, "portal.unblocked", kv_str("portal", p->name));
}

static void answered(
    struct scheduler *s, int portal, enum breaker_answer answer, uint64_t sent_ms, struct str error)
{
    struct portal *p = &s->portals[portal].portal;
    uint64_t now_ms = clock_mono_ms();
    bool was_open = p->breaker.open;
    char text[ERR_TEXT_SIZE];

    if (!breaker_told(&p->breaker, answer, sent_ms, (uint64_t)s->overload_pause_ms, now_ms))
        return;
    snprintf(text, sizeof(text), STR_FMT, STR_ARG(error));
    if (answer == BREAKER_OVERLOAD)
        portal_pause(p, 0, text, now_ms);
    tell(p, was_open, answer, error);
    keep(s, portal, now_ms);
}

void overload_report(struct scheduler *s, const struct flight *f, const struct msg_report *r)
{
    if (r->requests > 0)
        answered(s, f->portal, answer_of(r), f->sent_ms, r->error);
}

void overload_told(struct scheduler *s, int portal, struct str code)
{
    if (breaker_is_word(code)) /* of a call that began at some time before */
        answered(s, portal, BREAKER_OVERLOAD, 0, code);
}

void overload_force(struct scheduler *s, int portal)
{
    breaker_force(&s->portals[portal].portal.breaker, clock_mono_ms());
}

int overload_read(struct scheduler *s, struct portal *p, struct db *db, struct err *err)
{
    struct store_block b = { 0 };

    if (store_load_block(db, p->name, &b, err) < 0)
        return -1;
    if (b.until_ms == 0)
        return 0;
    breaker_restore(&p->breaker, b.begun_ms, b.until_ms, (uint64_t)s->overload_pause_ms, clock_wall_ms(),
        clock_mono_ms());
    portal_pause(p, 0, "OVERLOAD_LIMIT: the portal blocked its REST API", clock_mono_ms());
    return 0;
}
