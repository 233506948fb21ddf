#include "operate.h"

#include <stddef.h>
#include <string.h>

#define PRIOR_JOBS     2 /* the first guess weighs as much as so many jobs */
#define MEAN_JOBS      32
#define RESET_SLACK_MS 1000 /* the portal tells whole seconds, up or down */
#define LEAST_PART     5    /* a job of less than a fifth is a call for little */
#define FLYING_WAIT_MS 1000 /* what is under way decides: its answer wakes the scheduler anyway */

void operate_init(struct operate *o, uint64_t limit_ms)
{
    *o = (struct operate){ .limit_ms = limit_ms };
}

static const struct operate_method *find(const struct operate *o, const char *name)
{
    for (int i = 0; i < o->count; i++)
        if (strcmp(o->list[i].name, name) == 0)
            return &o->list[i];
    return NULL;
}

/* NULL only when a portal names more methods than there are. */
static struct operate_method *find_or_add(struct operate *o, const char *name)
{
    struct operate_method *m = (struct operate_method *)find(o, name);

    if (m != NULL || o->count == OPERATE_METHODS_MAX || strlen(name) >= sizeof(m->name))
        return m;
    m = &o->list[o->count++];
    *m = (struct operate_method){
        .cost_ms = OPERATE_COST_MS, .spent_ms = PRIOR_JOBS * OPERATE_COST_MS, .spent_jobs = PRIOR_JOBS
    };
    memcpy(m->name, name, strlen(name) + 1);
    return m;
}

uint64_t operate_used(const struct operate_method *m, uint64_t now_ms)
{
    return now_ms < m->told_ms + OPERATE_WINDOW_MS ? m->used_ms : 0;
}

uint64_t operate_reset(const struct operate_method *m, uint64_t now_ms)
{
    return m->reset_ms > now_ms ? m->reset_ms - now_ms : 0;
}

/* What is counted on: a quarter more than usual, since jobs differ. */
static uint64_t dear(const struct operate_method *m)
{
    return m->cost_ms + m->cost_ms / 4;
}

static uint64_t most(const struct operate *o)
{
    return o->limit_ms > OPERATE_MARGIN_MS ? o->limit_ms - OPERATE_MARGIN_MS : o->limit_ms;
}

/* With one more job. A job dearer than the whole limit runs alone. */
static bool fits(const struct operate *o, const struct operate_method *m, uint64_t now_ms)
{
    uint64_t used = operate_used(m, now_ms);

    if (o->limit_ms == 0 || (used == 0 && m->flying == 0))
        return true;
    return used + (m->flying + 1) * dear(m) <= most(o);
}

static uint64_t method_wait(const struct operate *o, const struct operate_method *m, uint64_t now_ms)
{
    uint64_t blocked = m->blocked_ms > now_ms ? m->blocked_ms - now_ms : 0, wait = 0;

    if (!fits(o, m, now_ms))
        wait = m->flying > 0 ? FLYING_WAIT_MS : m->feel_ms > now_ms ? m->feel_ms - now_ms : 0;
    return wait > blocked ? wait : blocked;
}

static bool method_stale(const struct operate *o, const struct operate_method *m, uint64_t now_ms)
{
    return m->flying == 0 && m->blocked_ms <= now_ms && m->feel_ms <= now_ms && !fits(o, m, now_ms);
}

/* Some portals bill the envelope instead of the method (facts 3.2). */
static const struct operate_method *envelope(const struct operate *o)
{
    const struct operate_method *batch = find(o, "batch");

    return batch != NULL && batch->told && batch->used_ms > 0 ? batch : NULL;
}

uint64_t operate_wait(const struct operate *o, const char *method, uint64_t now_ms)
{
    const struct operate_method *m = find(o, method), *batch = envelope(o);
    uint64_t a = m != NULL ? method_wait(o, m, now_ms) : 0;
    uint64_t b = batch != NULL ? method_wait(o, batch, now_ms) : 0;

    return a > b ? a : b;
}

bool operate_stale(const struct operate *o, const char *method, uint64_t now_ms)
{
    const struct operate_method *m = find(o, method), *batch = envelope(o);

    return (m != NULL && method_stale(o, m, now_ms)) || (batch != NULL && method_stale(o, batch, now_ms));
}

static uint32_t method_parts(
    const struct operate *o, const struct operate_method *m, uint32_t whole, uint64_t now_ms)
{
    uint64_t used = operate_used(m, now_ms), left = most(o) > used ? most(o) - used : 0;

    if (m->blocked_ms > now_ms)
        return 0;
    if (fits(o, m, now_ms))
        return whole;
    if (m->flying > 0)
        return 0;
    uint64_t parts = left * whole / dear(m);
    return parts * LEAST_PART < whole ? 0 : (uint32_t)parts;
}

uint32_t operate_parts(const struct operate *o, const char *method, uint32_t whole, uint64_t now_ms)
{
    const struct operate_method *m = find(o, method), *batch = envelope(o);
    uint32_t a = m != NULL ? method_parts(o, m, whole, now_ms) : whole;
    uint32_t b = batch != NULL ? method_parts(o, batch, whole, now_ms) : whole;

    return a < b ? a : b;
}

void operate_start_part(struct operate *o, const char *method)
{
    struct operate_method *m = find_or_add(o, method), *batch = find_or_add(o, "batch");

    operate_start(o, method);
    if (m != NULL)
        m->part = true;
    if (batch != NULL)
        batch->part = true;
}

void operate_start(struct operate *o, const char *method)
{
    struct operate_method *m = find_or_add(o, method), *batch = find_or_add(o, "batch");

    if (m != NULL)
        m->flying++;
    if (batch != NULL)
        batch->flying++;
}

void operate_end(struct operate *o, const char *method)
{
    struct operate_method *m = find_or_add(o, method), *batch = find_or_add(o, "batch");

    if (m != NULL && m->flying > 0)
        m->flying--;
    if (batch != NULL && batch->flying > 0)
        batch->flying--;
}

/* Several jobs end in a row and the first answer shows what all of them cost: only the mean over many tells.
 */
static void learn_cost(struct operate_method *m, uint64_t spent_ms)
{
    if (m->part) {
        m->part = false;
        return;
    }
    if (m->unclear > 0 && spent_ms == 0) {
        m->unclear--;
        return;
    }
    m->spent_ms += spent_ms;
    m->spent_jobs++;
    m->cost_ms = m->spent_ms / m->spent_jobs + 1;
    if (m->spent_jobs < MEAN_JOBS)
        return;
    m->spent_ms /= 2;
    m->spent_jobs /= 2;
}

void operate_told(struct operate *o, const char *method, uint64_t used_ms, uint64_t reset_s, uint64_t now_ms,
    uint64_t now_wall_ms)
{
    struct operate_method *m = find_or_add(o, method);
    uint64_t reset_ms = reset_s * 1000 > now_wall_ms ? reset_s * 1000 - now_wall_ms + RESET_SLACK_MS : 0;

    if (m == NULL)
        return;
    /* Far, not told, or another clock than ours. */
    if (reset_ms == 0 || reset_ms > OPERATE_FEEL_MS + 2 * RESET_SLACK_MS)
        m->feel_ms = now_ms + OPERATE_FEEL_MS;
    else
        m->feel_ms = now_ms + reset_ms;
    if (!m->told)
        m->unclear = m->flying;
    else if (now_ms < m->reset_ms && used_ms >= m->used_ms) /* nothing has fallen out in between */
        learn_cost(m, used_ms - m->used_ms);
    /* Answers overtake each other: until something may have fallen out, the figure only grows. */
    if (!m->told || now_ms + 2 * RESET_SLACK_MS >= m->reset_ms || used_ms > m->used_ms)
        m->used_ms = used_ms;
    m->told = true;
    m->told_ms = now_ms;
    m->reset_ms = now_ms + (reset_ms < OPERATE_WINDOW_MS ? reset_ms : OPERATE_WINDOW_MS);
}

void operate_block(struct operate *o, const char *method, uint64_t for_ms, uint64_t now_ms)
{
    struct operate_method *m = find_or_add(o, method);

    if (m != NULL && m->blocked_ms < now_ms + for_ms)
        m->blocked_ms = now_ms + for_ms;
}
