/* Reads an application's offline queue: what a reading reserved becomes marks in one transaction, and only
 * then it is confirmed. What a reading of unknown outcome reserved, or does yet while the portal's own time
 * for a call lasts, is listed, marked and confirmed; at a start too: a former process may have asked. */
#include "guard.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "call.h"
#include "run/crash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOTH_TIMES 12 /* the queue is looked at by so much less often when events are also called in */
#define FAILED_MS  60000

static struct offline *offline_of(struct scheduler *s, int portal)
{
    return &s->portals[portal].portal.offline;
}

/* Bits of ENTITIES as bits of the portal's mirrors. */
static uint64_t mirrors_of(const struct portal *p, uint64_t entities)
{
    uint64_t set = 0;

    for (int i = 0; i < p->mirror_count; i++)
        if (entities >> (p->mirrors[i].entity - ENTITIES) & 1)
            set |= (uint64_t)1 << i;
    return set;
}

/* ---- into marks ---- */

struct keep {
    struct step step;
    int portal;
    struct store_marks groups[2 * PORTAL_ENTITIES_MAX];
    int mirrors[2 * PORTAL_ENTITIES_MAX];
    int count;
    struct offline_read read;
};

static int keep_work(struct step *step, struct db *db, struct err *err)
{
    struct keep *x = (struct keep *)step;

    return store_events(db, x->groups, x->count, err);
}

static void keep_free(struct step *step)
{
    struct keep *x = (struct keep *)step;

    for (int i = 0; i < x->count; i++)
        free(x->groups[i].ids);
    offline_read_free(&x->read);
    free(x);
}

static void to_be_confirmed(struct offline *o, const struct offline_read *r)
{
    if (r->line_count == 0)
        return;
    o->kept = xrealloc(o->kept, (size_t)(o->kept_count + r->line_count) * sizeof(*o->kept));
    memcpy(o->kept + o->kept_count, r->lines, (size_t)r->line_count * sizeof(*o->kept));
    o->kept_count += r->line_count;
}

static void keep_done(struct step *step)
{
    struct keep *x = (struct keep *)step;
    struct portal *p = &step->s->portals[x->portal].portal;
    struct offline *o = &p->offline;

    crash_point(SCHEDULER_BEFORE_OFFLINE_CLEAR);
    for (int i = 0; i < x->count; i++)
        events_kept(&p->mirrors[x->mirrors[i]], &x->groups[i]);
    to_be_confirmed(o, &x->read);
    o->keeping = false;
    o->at_ms = clock_mono_ms() + (o->full ? 0 : OFFLINE_CONFIRM_MS);
}

static struct store_marks *group_of(struct keep *x, const struct portal *p, int mirror, int ask)
{
    int i = 0;

    while (i < x->count && (x->mirrors[i] != mirror || x->groups[i].ask != ask))
        i++;
    if (i == x->count) {
        x->mirrors[x->count] = mirror;
        x->groups[x->count++] = (struct store_marks){ .who = scheduler_who(p),
            .entity = str_of(p->mirrors[mirror].entity->plural),
            .ask = ask,
            .again = true,
            .ids = xmalloc((size_t)x->read.change_count * sizeof(uint64_t)) };
    }
    return &x->groups[i];
}

static void add_change(struct keep *x, const struct portal *p, const struct offline_change *c)
{
    const int mirror = portal_mirror(p, str_of(ENTITIES[c->entity].plural));
    struct store_marks *g = group_of(x, p, mirror, c->gone);

    g->ids[g->count++] = c->id;
}

static void add_wishes(struct keep *x, const struct portal *p)
{
    const uint64_t fields = mirrors_of(p, x->read.fields), gone = mirrors_of(p, x->read.gone);

    for (int i = 0; i < p->mirror_count; i++) {
        if (fields >> i & 1)
            group_of(x, p, i, 0)->wishes |= 1U << CURSOR_FIELDS;
        if (gone >> i & 1)
            group_of(x, p, i, 0)->wishes |= 1U << CURSOR_SWEEP;
    }
}

/* Takes the reading over. */
static void keep(struct scheduler *s, int portal, struct offline_read *r)
{
    struct portal *p = &s->portals[portal].portal;
    struct keep *x = xcalloc(1, sizeof(*x));

    x->step = (struct step){ .name = "offline", .work = keep_work, .done = keep_done, .free = keep_free };
    x->portal = portal;
    x->read = *r;
    *r = (struct offline_read){ 0 };
    for (int i = 0; i < x->read.change_count; i++)
        add_change(x, p, &x->read.changes[i]);
    add_wishes(x, p);
    changed_look_now(s, portal, mirrors_of(p, x->read.changed));
    p->offline.keeping = true;
    scheduler_step(s, &x->step);
}

/* ---- what was answered ---- */

static void count_outcomes(const struct portal *p, const struct offline_read *r)
{
    for (int i = 0; i < OFFLINE_OUTCOMES; i++) {
        char labels[128];

        if (r->outcomes[i] == 0)
            continue;
        snprintf(labels, sizeof(labels), "{portal=\"%s\",outcome=\"%s\"}", p->config->name,
            offline_outcome_name((enum offline_outcome)i));
        metric_add(metric_series("potok_offline_events_total",
                       "Events of offline queues, by what became of them", METRIC_COUNTER, labels),
            r->outcomes[i]);
    }
}

static void failed(struct scheduler *s, int portal, struct str text)
{
    const struct portal *p = &s->portals[portal].portal;
    struct offline *o = offline_of(s, portal);

    if (o->error[0] == '\0')
        log_ev(LOG_WARNING, "offline.failed", kv_str("portal", p->name), kv_str("error", text));
    snprintf(
        o->error, sizeof(o->error), "%.*s", (int)(text.n < 190 ? text.n : 190), text.n > 0 ? text.p : "");
    o->at_ms = clock_mono_ms() + FAILED_MS;
}

/* What was confirmed, or is no longer there. What failed for a while is asked again. */
static void confirmed(struct offline *o, const struct call_answers *answers)
{
    int left = 0;

    for (int i = 0, asked = 0; i < o->kept_count; i++) {
        const struct call_answer *a = NULL;
        char key[24];

        if (o->kept[i].asked) {
            snprintf(key, sizeof(key), "clear%d", asked++);
            a = call_answers_find(answers, key);
        }
        o->kept[i].asked = false;
        if (a == NULL || str_is(a->kind, "temp") || str_is(a->kind, "wait"))
            o->kept[left++] = o->kept[i];
    }
    o->kept_count = left;
}

static int take_answer(
    const struct portal *p, const struct call_answer *a, struct offline_read *r, struct err *err)
{
    if (a->result.n == 0)
        return err_set(err, ERR_TEMP, "%.*s %.*s: %.*s", (int)a->key.n, a->key.p, (int)a->code.n, a->code.p,
            (int)(a->text.n < 120 ? a->text.n : 120), a->text.p);
    if (str_is(a->key, "left"))
        return offline_left(r, a->result, portal_entities(p), p->offline.kept, p->offline.kept_count, err);
    return offline_got(r, a->result, portal_entities(p), err);
}

/* A reading that is not understood stays reserved: the look for what nobody confirmed finds it again. */
static bool take_answers(
    struct scheduler *s, int portal, const struct call_answers *answers, struct offline_read *r)
{
    const struct portal *p = &s->portals[portal].portal;
    struct offline *o = offline_of(s, portal);
    struct err err = { .kind = ERR_NONE };
    bool good = true;

    for (int i = 0; i < answers->count; i++) {
        const struct call_answer *a = &answers->list[i];
        const int before = r->events;

        if (a->key.n >= 5 && memcmp(a->key.p, "clear", 5) == 0)
            continue;
        if (take_answer(p, a, r, &err) < 0) {
            if (!str_is(a->key, "left"))
                offline_unsure(o, clock_mono_ms()); /* it is answered: nothing of it happens later */
            failed(s, portal, str_of(err.text));
            good = false;
        } else if (str_is(a->key, "left")) {
            offline_looked(o, r->events > before, r->left_full, clock_mono_ms());
            if (r->events > before)
                log_ev(
                    LOG_INFO, "offline.left", kv_str("portal", p->name), kv_i("events", r->events - before));
        }
    }
    if (call_answers_find(answers, "get0") == NULL)
        offline_unsure(o, clock_mono_ms());
    if (good)
        o->error[0] = '\0';
    return good;
}

/* What an event without a record's id stands for must be on its way in the database, as a job, before it is
 * confirmed. */
static bool may_confirm(const struct portal *p, const struct offline_lines *l)
{
    const uint64_t changed = mirrors_of(p, l->changed), gone = mirrors_of(p, l->gone);

    for (int i = 0; i < p->mirror_count; i++)
        if ((changed >> i & 1 && p->mirrors[i].changed_wanted) ||
            (gone >> i & 1 && p->mirrors[i].sweep_wanted))
            return false;
    return true;
}

/* While an entity is paused its lines may wait for long: nobody hurries for them. */
static bool any_to_confirm(const struct portal *p)
{
    for (int i = 0; i < p->offline.kept_count; i++)
        if (may_confirm(p, &p->offline.kept[i]))
            return true;
    return false;
}

static uint64_t interval_ms(const struct scheduler *s, const struct portal *p)
{
    return (uint64_t)s->offline_s * 1000 * (p->guardian.ways.online ? BOTH_TIMES : 1);
}

static void answered(
    struct scheduler *s, int portal, const struct call_answers *answers, const struct err *err)
{
    struct portal *p = &s->portals[portal].portal;
    struct offline *o = &p->offline;
    struct offline_read r = { 0 };

    confirmed(o, answers);
    if (err != NULL) {
        offline_unsure(o, clock_mono_ms());
        failed(s, portal, str_of(err->text));
        return;
    }
    if (take_answers(s, portal, answers, &r))
        o->at_ms =
            offline_reads_at(o, any_to_confirm(p) ? OFFLINE_CONFIRM_MS : interval_ms(s, p), clock_mono_ms());
    o->full = r.full;
    o->read_wall_ms = clock_wall_ms();
    o->events += (uint64_t)r.events;
    count_outcomes(p, &r);
    if (r.events > 0) {
        crash_point(SCHEDULER_AFTER_OFFLINE_GET);
        guard_heard(s, portal);
        log_ev(LOG_DEBUG, "offline.read", kv_str("portal", p->name), kv_i("events", r.events),
            kv_i("changes", r.change_count));
        keep(s, portal, &r);
    }
    offline_read_free(&r);
}

/* ---- what is asked ---- */

/* What was sent before now has had its effect by then, or never will. */
static uint64_t over_ms(const struct scheduler *s)
{
    return clock_mono_ms() + (uint64_t)(s->portal_limit_ms + WRITE_PACE.margin_ms);
}

static void ask(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct portal *p = &s->portals[portal].portal;
    struct offline *o = &p->offline;
    struct offline_lines clears[OFFLINE_CLEARS];

    if (o->asked_ms == 0)
        offline_unsure(o, over_ms(s)); /* by what a former process asked */
    o->asked_ms = now_ms;
    struct offline_ask ask = { .clears = clears,
        .left = now_ms >= o->left_ms,
        .readings = o->full ? OFFLINE_READINGS : 1,
        .connector = p->guardian.has_connector };
    struct call calls[CALLS_MAX];
    struct buf room;

    o->woken = false;
    for (int i = 0; i < o->kept_count && ask.clear_count < OFFLINE_CLEARS; i++) {
        if (!may_confirm(p, &o->kept[i]))
            continue;
        o->kept[i].asked = true;
        clears[ask.clear_count++] = o->kept[i];
    }
    buf_init(&room, 1 << 20);
    const int n = offline_calls(&ask, calls, &room);
    call_job(s, portal, calls, n, answered, true);
    buf_fini(&room);
}

void queue_turn(struct scheduler *s, int portal, uint64_t now_ms)
{
    const struct portal *p = &s->portals[portal].portal;
    const struct offline *o = &p->offline;

    if (!p->guardian.ways.offline || p->guardian.state == GUARDIAN_REFUSED || o->keeping ||
        (now_ms < o->at_ms && !o->woken) || call_waits(p, answered))
        return;
    ask(s, portal, now_ms);
}

void queue_wake(struct scheduler *s, int portal)
{
    offline_of(s, portal)->woken = true;
    scheduler_wake(s);
}

void queue_unsure(struct scheduler *s, int portal, const struct job *job)
{
    if (job->done == answered)
        offline_unsure(offline_of(s, portal), over_ms(s));
}

/* Whose it was is forgotten: a call has no row, and told no description of an entity. */
void queue_ignored(struct scheduler *s, int portal, const struct msg_report *r)
{
    struct offline *o = offline_of(s, portal);
    const bool was_answered = str_is(r->outcome, "learnt");

    if (r->job > 0 || r->learnt.n > 0 || str_is(r->outcome, "sent"))
        return;
    offline_unsure(o, was_answered ? clock_mono_ms() : over_ms(s));
    if (o->at_ms > clock_mono_ms() + OFFLINE_CONFIRM_MS)
        o->at_ms = clock_mono_ms() + OFFLINE_CONFIRM_MS;
    scheduler_wake(s);
}

json_t *queue_json(const struct portal *p)
{
    const struct offline *o = &p->offline;
    json_t *j = json_pack(
        "{s:I, s:i, s:s}", "events", (json_int_t)o->events, "unconfirmed", o->kept_count, "error", o->error);

    json_object_set_new(
        j, "read_ms", o->read_wall_ms > 0 ? json_integer((json_int_t)o->read_wall_ms) : json_null());
    return j;
}
