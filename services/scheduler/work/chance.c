/* What of a portal could go now, and when more of it will. */
#include "chance.h"

#include "access/access.h"
#include "events/call.h"
#include "spend.h"

#include "base/mem.h"

#include <string.h>

bool chance_job_ready(const struct job *job, uint64_t now_ms)
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

uint64_t chance_method_wait(const struct portal *p, int mirror, enum job_kind kind, uint64_t now_ms)
{
    char method[64];

    if (portal_method(&p->mirrors[mirror], kind, method) == NULL)
        return 0;
    return operate_wait(&p->operate, method, now_ms);
}

uint32_t chance_pages(const struct portal *p, int mirror, uint64_t now_ms)
{
    char method[64];

    return operate_parts(
        &p->operate, portal_method(&p->mirrors[mirror], JOB_RANGE, method), BATCH_COMMANDS, now_ms);
}

bool chance_probe_ready(const struct mirror *m, uint64_t now_ms)
{
    return (m->probe_wanted || m->run_state == RUN_PROBING) && !m->probe_flying && !m->refused &&
           !m->paused && m->probe_not_before_ms <= now_ms;
}

static void chances_of_mirror(const struct portal *p, int mirror, struct chance *c, uint64_t now_ms)
{
    const struct mirror *m = &p->mirrors[mirror];
    bool list = chance_method_wait(p, mirror, JOB_RANGE, now_ms) == 0,
         get = chance_method_wait(p, mirror, JOB_GET, now_ms) == 0;
    bool part = list || chance_pages(p, mirror, now_ms) > 0;
    int alive[2] = { 0, 0 };

    for (const struct job *job = p->jobs; job != NULL; job = job->next) {
        if (job->entity != mirror)
            continue;
        if (job_kind_walks(job->kind))
            c->ranges += part && chance_job_ready(job, now_ms);
        else
            c->again += (job->kind == JOB_GET ? get : list) && chance_job_ready(job, now_ms);
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
    return chance_probe_ready(m, now_ms);
}

bool chance_look(struct portal *p, struct chance *list, uint64_t now_ms)
{
    bool probe = false;

    memset(list, 0, PORTAL_ENTITIES_MAX * sizeof(*list));
    for (int i = 0; i < p->mirror_count; i++) {
        if (mirror_open(&p->mirrors[i])) {
            chances_of_mirror(p, i, &list[i], now_ms);
            probe |= feel_operating(p, i, &list[i], now_ms);
        }
        probe |= chance_probe_ready(&p->mirrors[i], now_ms);
    }
    return probe;
}

/* How many jobs may go now, by what the buckets of requests do not say. */
int chance_room(const struct scheduler *s, int portal, uint64_t now_ms)
{
    const struct portal *p = &s->portals[portal].portal;
    int64_t limits[] = { crew_credit(&s->crew), s->jobs_unfinished - flights_unfinished(&s->flights),
        (portal_is_unwell(p) ? 1 : s->portal_parallel) - flights_calls(&s->flights, portal),
        ARRAY_SIZE(((struct store_dispatch *)0)->items) };
    int64_t n = limits[0];

    if (portal_is_shut(p) || p->pause_ms > now_ms || !access_ready(s, portal))
        return 0;
    for (size_t i = 1; i < ARRAY_SIZE(limits); i++)
        if (limits[i] < n)
            n = limits[i];
    int tries = breaker_room(&p->breaker, flights_calls(&s->flights, portal), now_ms);
    if (tries >= 0 && tries < n)
        n = tries;
    return n > 0 ? (int)n : 0;
}

bool chance_is_urgent(const struct chance *list, int entities)
{
    for (int i = 0; i < entities; i++)
        if (list[i].again + list[i].get + list[i].ids > 0)
            return true;
    return false;
}

bool chance_is_bulk(const struct chance *list, int entities, bool probe)
{
    for (int i = 0; i < entities; i++)
        probe |= list[i].ranges > 0;
    return probe;
}

void chance_wants(struct scheduler *s, int portal, bool *ret_urgent, bool *ret_bulk, uint64_t now_ms)
{
    struct portal *p = &s->portals[portal].portal;
    struct chance list[PORTAL_ENTITIES_MAX];

    *ret_urgent = *ret_bulk = false;
    if (chance_room(s, portal, now_ms) == 0)
        return;
    bool probe = chance_look(p, list, now_ms);
    *ret_urgent = call_next(p, now_ms) != NULL || chance_is_urgent(list, p->mirror_count);
    *ret_bulk = chance_is_bulk(list, p->mirror_count, probe);
}

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

uint64_t chance_wait(struct scheduler *s, int portal, uint64_t now_ms)
{
    struct portal *p = &s->portals[portal].portal;
    uint64_t wait = 1000;

    sooner(&wait, now_ms + spend_wait(s, p, now_ms), now_ms);
    sooner(&wait, p->pause_ms, now_ms);
    for (int i = 0; i < p->mirror_count; i++) {
        sooner(&wait, now_ms + chance_method_wait(p, i, JOB_RANGE, now_ms), now_ms);
        sooner(&wait, p->mirrors[i].probe_not_before_ms, now_ms);
        sooner_marks(&wait, &p->mirrors[i], now_ms);
    }
    for (const struct job *job = p->jobs; job != NULL; job = job->next)
        if (!job->busy)
            sooner(&wait, job->not_before_ms, now_ms);
    return wait;
}
