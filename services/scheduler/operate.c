#include "operate.h"

#include <string.h>

#define MINUTE_MS 60000
#define PRIOR_JOBS 2        /* the first guess weighs as much as so many jobs */
#define MEAN_JOBS 32

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
    *m = (struct operate_method){ .cost_ms = OPERATE_COST_MS, .spent_ms = PRIOR_JOBS * OPERATE_COST_MS,
        .spent_jobs = PRIOR_JOBS };
    strcpy(m->name, name);
    return m;
}

uint64_t operate_used(const struct operate_method *m, uint64_t now_ms)
{
    uint64_t sum = 0;

    for (int i = 0; i < m->buckets; i++)
        if (m->bucket[i].expires_ms > now_ms)
            sum += m->bucket[i].used_ms;
    return sum;
}

uint64_t operate_reset(const struct operate_method *m, uint64_t now_ms)
{
    for (int i = 0; i < m->buckets; i++)
        if (m->bucket[i].expires_ms > now_ms)
            return m->bucket[i].expires_ms - now_ms;
    return 0;
}

/* What one more job would bring it to; a quarter more than usual, since jobs differ. */
static uint64_t expected(const struct operate_method *m, uint64_t used_ms)
{
    return used_ms + (m->flying + 1) * (m->cost_ms + m->cost_ms / 4);
}

static uint64_t method_wait(const struct operate *o, const struct operate_method *m, uint64_t now_ms)
{
    uint64_t blocked = m->blocked_ms > now_ms ? m->blocked_ms - now_ms : 0, wait = blocked;
    uint64_t used = operate_used(m, now_ms);
    uint64_t most = o->limit_ms > OPERATE_MARGIN_MS ? o->limit_ms - OPERATE_MARGIN_MS : o->limit_ms;

    if (o->limit_ms == 0 || (used == 0 && m->flying == 0))
        return wait;            /* a job dearer than the whole limit still runs, alone */
    for (int i = 0; expected(m, used) > most && i < m->buckets; i++) {
        const struct operate_bucket *b = &m->bucket[i];

        if (b->expires_ms <= now_ms)
            continue;
        used -= b->used_ms;
        if (b->expires_ms - now_ms > wait)
            wait = b->expires_ms - now_ms;
    }
    if (expected(m, used) > most && m->flying > 0 && wait < 1000)
        wait = 1000;            /* only what is under way stands against it: its answer decides */
    if (m->flying == 0 && m->vague_ms > now_ms && wait > blocked) {
        uint64_t feel = m->feel_ms > now_ms ? m->feel_ms - now_ms : 0;

        wait = feel > blocked ? feel : blocked;
    }
    return wait;
}

uint64_t operate_wait(const struct operate *o, const char *method, uint64_t now_ms)
{
    const struct operate_method *m = find(o, method);
    const struct operate_method *batch = find(o, "batch");  /* some portals bill the envelope instead */
    uint64_t a = m != NULL ? method_wait(o, m, now_ms) : 0;
    uint64_t b = batch != NULL && batch->told ? method_wait(o, batch, now_ms) : 0;

    return a > b ? a : b;
}

void operate_start(struct operate *o, const char *method)
{
    struct operate_method *m = find_or_add(o, method);
    struct operate_method *batch = find_or_add(o, "batch");

    if (m != NULL)
        m->flying++;
    if (batch != NULL)
        batch->flying++;
}

void operate_end(struct operate *o, const char *method)
{
    struct operate_method *m = find_or_add(o, method);
    struct operate_method *batch = find_or_add(o, "batch");

    if (m != NULL && m->flying > 0)
        m->flying--;
    if (batch != NULL && batch->flying > 0)
        batch->flying--;
}

static void drop_expired(struct operate_method *m, uint64_t now_ms)
{
    int kept = 0;

    for (int i = 0; i < m->buckets; i++)
        if (m->bucket[i].expires_ms > now_ms && m->bucket[i].used_ms > 0)
            m->bucket[kept++] = m->bucket[i];
    m->buckets = kept;
}

static void put(struct operate_method *m, uint64_t used_ms, uint64_t from_ms, uint64_t expires_ms)
{
    struct operate_bucket *last = m->buckets > 0 ? &m->bucket[m->buckets - 1] : NULL;

    if (last != NULL && (from_ms < last->from_ms + MINUTE_MS || m->buckets == OPERATE_BUCKETS)) {
        last->used_ms += used_ms;
        if (m->buckets == OPERATE_BUCKETS)
            last->expires_ms = expires_ms;
        return;
    }
    m->bucket[m->buckets++] = (struct operate_bucket){ from_ms, expires_ms, used_ms };
}

/* Several jobs end in a row and only the first shows what all of them cost: only a mean over many tells. */
static void learn_cost(struct operate_method *m, uint64_t spent_ms)
{
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

/* The first figure: ours alone when its oldest minute has just begun. Else of unknown age, thought to stay whole as
 * long as it can: the portal's next figures take from it, and one job alone asks for them when nothing else may. */
static void first_told(struct operate_method *m, uint64_t used_ms, uint64_t reset_ms, uint64_t now_ms)
{
    m->buckets = 0;
    put(m, used_ms, now_ms, now_ms + OPERATE_WINDOW_MS);
    if (reset_ms + MINUTE_MS > OPERATE_WINDOW_MS) {
        m->bucket[0].expires_ms = now_ms + reset_ms;
        learn_cost(m, used_ms);
        return;
    }
    m->unclear = m->flying;
    m->vague_ms = now_ms + OPERATE_WINDOW_MS;
}

static void take_from_oldest(struct operate_method *m, uint64_t less_ms)
{
    for (int i = 0; i < m->buckets && less_ms > 0; i++) {
        uint64_t part = m->bucket[i].used_ms < less_ms ? m->bucket[i].used_ms : less_ms;

        m->bucket[i].used_ms -= part;
        less_ms -= part;
    }
}

void operate_told(struct operate *o, const char *method, uint64_t used_ms, uint64_t reset_s, uint64_t now_ms,
    uint64_t now_wall_ms)
{
    struct operate_method *m = find_or_add(o, method);
    uint64_t reset_ms = reset_s * 1000 > now_wall_ms ? reset_s * 1000 - now_wall_ms : 0;

    if (m == NULL)
        return;
    if (reset_ms == 0 || reset_ms > OPERATE_WINDOW_MS)
        reset_ms = OPERATE_WINDOW_MS;       /* not told, or another clock than ours */
    drop_expired(m, now_ms);

    uint64_t known = operate_used(m, now_ms);
    m->feel_ms = now_ms + (reset_ms > MINUTE_MS ? reset_ms : MINUTE_MS);
    if (m->told++ == 0) {
        first_told(m, used_ms, reset_ms, now_ms);
        return;
    }
    if (used_ms >= known) {
        if (used_ms > known)
            put(m, used_ms - known, now_ms, now_ms + OPERATE_WINDOW_MS);
        learn_cost(m, used_ms - known);
    } else {
        take_from_oldest(m, known - used_ms);
    }
    drop_expired(m, now_ms);
    if (m->buckets > 0 && m->vague_ms <= now_ms && m->bucket[0].expires_ms > now_ms + reset_ms)
        m->bucket[0].expires_ms = now_ms + reset_ms;
}

void operate_block(struct operate *o, const char *method, uint64_t for_ms, uint64_t now_ms)
{
    struct operate_method *m = find_or_add(o, method);

    if (m != NULL && m->blocked_ms < now_ms + for_ms)
        m->blocked_ms = now_ms + for_ms;
}
