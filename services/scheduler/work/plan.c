/* Chooses what goes out next within all budgets. */
#include "dispatch.h"

#include "events/call.h"
#include "chance.h"
#include "spend.h"

#include "proto/msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS_MOST   2500
#define GETS_MOST  50
#define ALONE_TURN 4 /* of so many choices of marks one begins with those that failed often */

/* ---- the plan ---- */

static struct job *first_job(struct portal *p, int mirror, bool range, uint64_t now_ms)
{
    struct job *best = NULL;

    for (struct job *job = p->jobs; job != NULL; job = job->next)
        if (job->entity == mirror && job_kind_walks(job->kind) == range && chance_job_ready(job, now_ms) &&
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

/* Marks that failed often wait for the others, but others may come for ever. */
static void item_of_marks(struct dispatch_item *item, struct portal *p, int mirror, enum job_kind kind)
{
    struct mirror *m = &p->mirrors[mirror];

    item->kind = kind;
    item->entity = str_of(m->entity->plural);
    item->from_marks = true;
    item->alone_first = ++m->chosen[kind == JOB_GET] % ALONE_TURN == 0;
    item->most = kind == JOB_GET ? GETS_MOST : cut_ids(m->record_bytes, IDS_MOST);
    hold_ids(p, mirror, item);
}

/* A probe of all entities that want one: the job is made here and waits like any other when it fails. */
static struct job *probe_job(struct portal *p, uint64_t now_ms)
{
    struct job *job = job_new(JOB_PROBE, -1);
    int n = 0;

    for (int i = 0; i < p->mirror_count && n < 10; i++) {
        if (!chance_probe_ready(&p->mirrors[i], now_ms))
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
    if (mirror >= 0 && chance_method_wait(p, mirror, kind, now_ms) > 0) {
        pages_most = job_kind_walks(kind) ? chance_pages(p, mirror, now_ms) : 0;
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
    int n = chance_room(s, x->portal, now_ms);

    look_again(g.p, now_ms);
    if (n == 0)
        return false;
    g.seat_count = crew_seats(&s->crew, g.seats);
    g.probe = chance_look(g.p, g.chances, now_ms);
    while (x->store.count < n && plan_one(&g))
        ;
    plan_steals(x, g.p, requests_left(&g, n - x->store.count));
    return x->store.count > 0;
}
