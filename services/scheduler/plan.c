/* Chooses what goes out next within all budgets. */
#include "dispatch.h"

#include "access.h"
#include "call.h"
#include "spend.h"

#include "proto/msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS_MOST  2500
#define GETS_MOST 50

/* ---- what could go ---- */

static bool job_ready(const struct job *job, uint64_t now_ms)
{
    return !job->busy && !job->gone && job->not_before_ms <= now_ms;
}

static bool mirror_open(const struct mirror *m)
{
    return !m->refused && !m->paused && m->schema != NULL && !(m->probe_wanted && m->probe_first);
}

static bool marks_ready(const struct mirror *m, int ask, uint64_t now_ms)
{
    return m->marks_due[ask] && gather_ready(&m->gather[ask], now_ms);
}

static uint64_t method_wait(const struct portal *p, int mirror, enum job_kind kind, uint64_t now_ms)
{
    char method[64];

    if (portal_method(&p->mirrors[mirror], kind, method) == NULL)
        return 0;
    return operate_wait(&p->operate, method, now_ms);
}

/* Pages for which there is time when a whole job has to wait. */
static uint32_t pages_for(const struct portal *p, int mirror, uint64_t now_ms)
{
    char method[64];

    return operate_parts(
        &p->operate, portal_method(&p->mirrors[mirror], JOB_RANGE, method), BATCH_COMMANDS, now_ms);
}

static bool probe_ready(const struct mirror *m, uint64_t now_ms)
{
    return (m->probe_wanted || m->run_state == RUN_PROBING) && !m->probe_flying && !m->refused &&
           !m->paused && m->probe_not_before_ms <= now_ms;
}

static void chances_of_mirror(const struct portal *p, int mirror, struct chance *c, uint64_t now_ms)
{
    const struct mirror *m = &p->mirrors[mirror];
    bool list = method_wait(p, mirror, JOB_RANGE, now_ms) == 0,
         get = method_wait(p, mirror, JOB_GET, now_ms) == 0;
    bool part = list || pages_for(p, mirror, now_ms) > 0;
    int alive[2] = { 0, 0 };

    for (const struct job *job = p->jobs; job != NULL; job = job->next) {
        if (job->entity != mirror)
            continue;
        if (job_kind_walks(job->kind))
            c->ranges += part && job_ready(job, now_ms);
        else
            c->again += (job->kind == JOB_GET ? get : list) && job_ready(job, now_ms);
        if (job->kind == JOB_IDS || job->kind == JOB_GET)
            alive[job->kind == JOB_GET]++;
    }
    c->ids = marks_ready(m, 0, now_ms) && list && alive[0] < PORTAL_BY_ID_MOST;
    c->get = marks_ready(m, 1, now_ms) && get && alive[1] < PORTAL_BY_ID_MOST;
}

/* A list method whose operating figure is stale is asked after by a probe: a fraction of a second, not of a
 * minute. */
static bool feel_operating(struct portal *p, int mirror, struct chance *c, uint64_t now_ms)
{
    struct mirror *m = &p->mirrors[mirror];
    char method[64];

    if (c->again + c->ids + c->ranges == 0)
        return false;
    if (!operate_stale(&p->operate, portal_method(m, JOB_RANGE, method), now_ms))
        return false;
    c->again = c->ids = c->ranges = 0;
    m->probe_wanted = true;
    return probe_ready(m, now_ms);
}

static bool chances(struct portal *p, struct chance *list, uint64_t now_ms)
{
    bool probe = false;

    memset(list, 0, PORTAL_ENTITIES_MAX * sizeof(*list));
    for (int i = 0; i < p->mirror_count; i++) {
        if (mirror_open(&p->mirrors[i])) {
            chances_of_mirror(p, i, &list[i], now_ms);
            probe |= feel_operating(p, i, &list[i], now_ms);
        }
        probe |= probe_ready(&p->mirrors[i], now_ms);
    }
    return probe;
}

/* How many jobs may go now, by what the buckets of requests do not say. */
static int room(const struct scheduler *s, int portal, uint64_t now_ms)
{
    const struct portal *p = &s->portals[portal].portal;
    int64_t limits[] = { crew_credit(&s->crew), s->jobs_unfinished - flights_unfinished(&s->flights),
        (portal_is_unwell(p) ? 1 : s->portal_parallel) - flights_calls(&s->flights, portal),
        ARRAY_SIZE(((struct store_dispatch *)0)->items) };
    int64_t n = limits[0];

    if (p->state == PORTAL_STOPPED || p->pause_ms > now_ms || !access_ready(s, portal))
        return 0;
    for (size_t i = 1; i < ARRAY_SIZE(limits); i++)
        if (limits[i] < n)
            n = limits[i];
    int tries = breaker_room(&p->breaker, flights_calls(&s->flights, portal), now_ms);
    if (tries >= 0 && tries < n)
        n = tries;
    return n > 0 ? (int)n : 0;
}

static bool chance_is_urgent(const struct chance *list, int entities)
{
    for (int i = 0; i < entities; i++)
        if (list[i].again + list[i].get + list[i].ids > 0)
            return true;
    return false;
}

static bool chance_is_bulk(const struct chance *list, int entities, bool probe)
{
    for (int i = 0; i < entities; i++)
        probe |= list[i].ranges > 0;
    return probe;
}

void plan_wants(struct scheduler *s, int portal, bool *ret_urgent, bool *ret_bulk, uint64_t now_ms)
{
    struct portal *p = &s->portals[portal].portal;
    struct chance list[PORTAL_ENTITIES_MAX];

    *ret_urgent = *ret_bulk = false;
    if (room(s, portal, now_ms) == 0)
        return;
    bool probe = chances(p, list, now_ms);
    *ret_urgent = call_next(p, now_ms) != NULL || chance_is_urgent(list, p->mirror_count);
    *ret_bulk = chance_is_bulk(list, p->mirror_count, probe);
}

/* ---- the plan ---- */

static struct job *first_job(struct portal *p, int mirror, bool range, uint64_t now_ms)
{
    struct job *best = NULL;

    for (struct job *job = p->jobs; job != NULL; job = job->next)
        if (job->entity == mirror && job_kind_walks(job->kind) == range && job_ready(job, now_ms) &&
            (best == NULL || job->order < best->order))
            best = job;
    return best;
}

/* Ids that jobs under way or waiting already stand for: no mark is in flight twice. */
static void hold_ids(const struct portal *p, int mirror, struct dispatch_item *item)
{
    for (const struct job *job = p->jobs; job != NULL; job = job->next) {
        if (job->entity != mirror || job->id_count == 0)
            continue;
        item->held = xrealloc(item->held, (item->held_count + job->id_count) * sizeof(uint64_t));
        memcpy(item->held + item->held_count, job->ids, job->id_count * sizeof(uint64_t));
        item->held_count += job->id_count;
    }
}

/* A probe is for several: the first that has a run pays. */
static uint64_t run_of_probe(const struct portal *p, uint64_t probes)
{
    for (int i = 0; i < p->mirror_count; i++)
        if ((probes & (uint64_t)1 << i) != 0 && p->mirrors[i].run > 0)
            return p->mirrors[i].run;
    return 0;
}

static void item_of_job(struct dispatch_item *item, const struct portal *p, const struct job *job)
{
    item->kind = job->kind;
    item->job = job->id;
    item->entity = job->entity < 0 ? STR("") : str_of(p->mirrors[job->entity].entity->plural);
    item->pays = job->kind == JOB_PROBE ? run_of_probe(p, job->probes) : 0;
    if (job->id_count == 0)
        return;
    item->ids = xcalloc(job->id_count, sizeof(uint64_t));
    memcpy(item->ids, job->ids, job->id_count * sizeof(uint64_t));
    item->id_count = job->id_count;
}

static void item_of_marks(struct dispatch_item *item, const struct portal *p, int mirror, enum job_kind kind)
{
    const struct mirror *m = &p->mirrors[mirror];

    item->kind = kind;
    item->entity = str_of(m->entity->plural);
    item->from_marks = true;
    item->most = kind == JOB_GET ? GETS_MOST : cut_ids(m->record_bytes, IDS_MOST);
    hold_ids(p, mirror, item);
}

/* A probe of all entities that want one: the job is made here and waits like any other when it fails. */
static struct job *probe_job(struct portal *p, uint64_t now_ms)
{
    struct job *job = job_new(JOB_PROBE, -1);
    int n = 0;

    for (int i = 0; i < p->mirror_count && n < 10; i++) {
        if (!probe_ready(&p->mirrors[i], now_ms))
            continue;
        p->mirrors[i].probe_flying = true;
        job->probes |= (uint64_t)1 << i;
        n++;
    }
    job->born = job->order = p->next_order++;
    job_put(&p->jobs, job);
    return job;
}

static void plan_add(struct dispatch *x, struct portal *p, struct job *job, int mirror, enum job_kind kind,
    uint32_t pages_most, uint64_t now_ms)
{
    int i = x->store.count++;
    struct dispatch_item *item = &x->store.items[i];

    *item = (struct dispatch_item){ 0 };
    if (job != NULL)
        item_of_job(item, p, job);
    else
        item_of_marks(item, p, mirror, kind);
    x->plan[i].job = job;
    x->plan[i].mirror = mirror;
    x->plan[i].method[0] = '\0';
    if (mirror >= 0)
        portal_method(&p->mirrors[mirror], kind, x->plan[i].method);
    x->plan[i].pages_most = pages_most;
    if (x->plan[i].method[0] != '\0')
        (pages_most > 0 ? operate_start_part : operate_start)(&p->operate, x->plan[i].method);
    if (job != NULL) {
        job->busy = true;
        job->order = p->next_order++;
    }
}

/* One choice into the plan; false when the method's operating time is spent meanwhile. */
static void plan_choice(struct dispatch *x, struct portal *p, enum choice choice, int mirror, uint64_t now_ms)
{
    struct job *job = NULL;
    enum job_kind kind = choice == CHOOSE_GET ? JOB_GET : JOB_IDS;

    if (choice == CHOOSE_PROBE) {
        job = probe_job(p, now_ms);
        mirror = -1;
        kind = JOB_PROBE;
    } else if (choice == CHOOSE_AGAIN || choice == CHOOSE_RANGE) {
        job = first_job(p, mirror, choice == CHOOSE_RANGE, now_ms);
        if (job == NULL)
            return;
        kind = job->kind;
    }
    uint32_t pages_most = 0;
    if (mirror >= 0 && method_wait(p, mirror, kind, now_ms) > 0) {
        pages_most = job_kind_walks(kind) ? pages_for(p, mirror, now_ms) : 0;
        if (pages_most == 0)
            return;
    }
    plan_add(x, p, job, mirror, kind, pages_most, now_ms);
}

/* Fetchers are idle and nothing else waits: give the upper half of a long range to a job of its own. */
static void plan_steals(struct dispatch *x, struct portal *p, int left)
{
    for (int i = 0; i < x->store.count && left > 0; i++) {
        const struct job *job = x->plan[i].job;

        if (job == NULL || job->kind != JOB_RANGE)
            continue;
        x->store.items[i].split_at = cut_share(&p->mirrors[job->entity].bounds, job->first, job->last);
        left -= x->store.items[i].split_at > 0;
    }
}

/* Marks whose second look falls due. */
static void look_again(struct portal *p, uint64_t now_ms)
{
    for (int i = 0; i < p->mirror_count; i++)
        for (int ask = 0; ask < 2; ask++)
            p->mirrors[i].marks_due[ask] |= gather_look_due(&p->mirrors[i].gather[ask], now_ms);
}

/* ---- whose turn it is at which bucket ---- */

struct planning {
    struct scheduler *s;
    struct dispatch *x;
    struct portal *p;
    uint64_t now_ms;
    struct crew_seat seats[CREW_MAX];
    int seat_count;
    struct chance chances[PORTAL_ENTITIES_MAX];
    bool probe;
    bool shared; /* others may want requests of the same buckets */
};

/* Fetchers with most credit whose bucket has room; those of `passed` were looked at. NULL: none. */
static struct crew_seat *next_seat(struct planning *g, uint64_t passed, int *ret_bucket)
{
    struct crew_seat *best = NULL;

    for (int i = 0; i < g->seat_count; i++) {
        struct crew_seat *seat = &g->seats[i];

        if (passed & (uint64_t)1 << i || seat->credit == 0 || (best != NULL && best->credit >= seat->credit))
            continue;
        int bucket = spend_bucket(g->s, g->p, seat->source, g->now_ms);
        if (pace_free(spend_pace(g->s, bucket), g->now_ms) == 0)
            continue;
        best = seat;
        *ret_bucket = bucket;
    }
    return best;
}

/* What of ours may have the next request of this bucket. */
static void turn_at(struct planning *g, int bucket, bool *ret_urgent, bool *ret_bulk)
{
    struct share_claim claims[SPEND_CLAIMS_MAX + 2];
    const uint32_t me = (uint32_t)g->x->portal;
    const struct share *share = &g->s->buckets.list[bucket].share;
    bool urgent = call_next(g->p, g->now_ms) != NULL || chance_is_urgent(g->chances, g->p->mirror_count),
         bulk = chance_is_bulk(g->chances, g->p->mirror_count, g->probe);
    uint32_t free = pace_free(spend_pace(g->s, bucket), g->now_ms);
    int n = spend_claims(g->s, bucket, g->x->portal, claims, g->now_ms);

    if (urgent)
        claims[n++] = (struct share_claim){ SHARE_URGENT, me };
    if (bulk)
        claims[n++] = (struct share_claim){ SHARE_BULK, me };
    *ret_urgent = urgent && share_may(share, claims, n, (struct share_claim){ SHARE_URGENT, me }, free);
    *ret_bulk = bulk && share_may(share, claims, n, (struct share_claim){ SHARE_BULK, me }, free);
}

/* The request of the item that was planned last. */
static void take_request(struct planning *g, struct crew_seat *seat, int bucket)
{
    struct dispatch *x = g->x;
    const int i = x->store.count - 1;
    enum job_kind kind = x->store.items[i].kind;
    bool urgent = kind == JOB_GET || kind == JOB_IDS || kind == JOB_CALL;

    x->plan[i].bucket = bucket;
    snprintf(x->plan[i].source, sizeof(x->plan[i].source), "%s", seat->source);
    pace_take(spend_pace(g->s, bucket), g->now_ms);
    share_took(&g->s->buckets.list[bucket].share,
        (struct share_claim){ urgent ? SHARE_URGENT : SHARE_BULK, (uint32_t)x->portal });
    seat->credit--;
}

static enum choice choose_among(struct planning *g, bool urgent, bool bulk, int *ret_mirror)
{
    struct chooser *c = &g->s->portals[g->x->portal].chooser;
    enum choice choice = CHOOSE_NOTHING;

    if (!g->shared)
        return choose(c, g->chances, g->p->mirror_count, &g->probe, ret_mirror);
    if (urgent)
        choice = choose_urgent(c, g->chances, g->p->mirror_count, ret_mirror);
    if (choice == CHOOSE_NOTHING && bulk)
        choice = choose_bulk(c, g->chances, g->p->mirror_count, &g->probe, ret_mirror);
    return choice;
}

/* One more job, if any fetchers' bucket lets us. False: nothing more may go. */
static bool plan_one(struct planning *g)
{
    uint64_t passed = 0;
    struct crew_seat *seat;
    int bucket, mirror = -1;

    while ((seat = next_seat(g, passed, &bucket)) != NULL) {
        bool urgent = true, bulk = true;
        const int before = g->x->store.count;

        passed |= (uint64_t)1 << (seat - g->seats);
        if (g->shared)
            turn_at(g, bucket, &urgent, &bulk);
        struct job *call = urgent ? call_next(g->p, g->now_ms) : NULL;
        enum choice choice = call == NULL ? choose_among(g, urgent, bulk, &mirror) : CHOOSE_AGAIN;
        if (choice == CHOOSE_NOTHING)
            continue;
        if (call != NULL) /* few, and others wait for what they tell */
            plan_add(g->x, g->p, call, -1, JOB_CALL, 0, g->now_ms);
        else
            plan_choice(g->x, g->p, choice, mirror, g->now_ms);
        if (g->x->store.count > before)
            take_request(g, seat, bucket);
        return true;
    }
    return false;
}

/* How many more could have gone, had there been work. */
static int requests_left(struct planning *g, int most)
{
    uint32_t left = 0;

    for (int i = 0; i < g->seat_count; i++) {
        uint32_t free =
            pace_free(spend_pace(g->s, spend_bucket(g->s, g->p, g->seats[i].source, g->now_ms)), g->now_ms);

        left += free < g->seats[i].credit ? free : g->seats[i].credit;
    }
    return left < (uint32_t)most ? (int)left : most;
}

bool plan_fill(struct scheduler *s, struct dispatch *x, uint64_t now_ms)
{
    struct planning g = { s, x, &s->portals[x->portal].portal, now_ms,
        .shared = spend_is_shared(s, x->portal) };
    int n = room(s, x->portal, now_ms);

    look_again(g.p, now_ms);
    if (n == 0)
        return false;
    g.seat_count = crew_seats(&s->crew, g.seats);
    g.probe = chances(g.p, g.chances, now_ms);
    while (x->store.count < n && plan_one(&g))
        ;
    plan_steals(x, g.p, requests_left(&g, n - x->store.count));
    return x->store.count > 0;
}

/* ---- when to look again ---- */

static void sooner(uint64_t *wait, uint64_t at_ms, uint64_t now_ms)
{
    if (at_ms > now_ms && at_ms - now_ms < *wait)
        *wait = at_ms - now_ms;
}

static void sooner_marks(uint64_t *wait, const struct mirror *m, uint64_t now_ms)
{
    for (int ask = 0; ask < 2; ask++) {
        sooner(wait, m->gather[ask].look_ms, now_ms);
        if (m->marks_due[ask])
            sooner(wait, m->gather[ask].next_ms, now_ms);
    }
}

uint64_t plan_wait(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct portal *p = &s->portals[portal].portal;
    uint64_t wait = 1000;

    sooner(&wait, now_ms + spend_wait(s, p, now_ms), now_ms);
    sooner(&wait, p->pause_ms, now_ms);
    for (int i = 0; i < p->mirror_count; i++) {
        sooner(&wait, now_ms + method_wait(p, i, JOB_RANGE, now_ms), now_ms);
        sooner(&wait, p->mirrors[i].probe_not_before_ms, now_ms);
        sooner_marks(&wait, &p->mirrors[i], now_ms);
    }
    for (const struct job *job = p->jobs; job != NULL; job = job->next)
        if (!job->busy)
            sooner(&wait, job->not_before_ms, now_ms);
    return wait;
}
