/* How far the mirrors are behind their portals, as metrics: a read of its own beside the steps, now and then.
 */
#include "scheduler.h"

#include "alarms.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metric.h"

#include <stdio.h>
#include <stdlib.h>

#define FRESH_EVERY_MS 5000

struct fresh_entity {
    char portal[33], entity[65];
    int64_t mark_ms, agreed_ms; /* when; 0 = no mark waits, never agreed */
};

struct fresh {
    struct scheduler *s;
    struct fresh_entity *list;
    int count;
};

static int on_entity(void *ctx, const struct db_val *row, int columns)
{
    struct fresh *x = ctx;

    x->list = xrealloc(x->list, (size_t)(x->count + 1) * sizeof(*x->list));
    struct fresh_entity *e = &x->list[x->count++];

    snprintf(e->portal, sizeof(e->portal), STR_FMT, STR_ARG(row[0].s));
    snprintf(e->entity, sizeof(e->entity), STR_FMT, STR_ARG(row[1].s));
    e->mark_ms = row[2].i;
    e->agreed_ms = row[3].i;
    return 0;
}

static int fresh_work(void *ctx, struct db *db, struct err *err)
{
    return db_run(db,
        "SELECT e.portal, e.entity, coalesce(m.oldest_ms, 0), coalesce(e.agreed_ms, 0) FROM potok_entity e "
        "LEFT JOIN (SELECT portal, entity, min(set_ms) AS oldest_ms FROM potok_mark GROUP BY portal, entity) "
        "m "
        "ON m.portal = e.portal AND m.entity = e.entity",
        DB_NOARGS, on_entity, ctx, NULL, err);
}

static void gauge(const char *name, const char *help, const struct fresh_entity *e, int64_t age_ms)
{
    char labels[160];

    snprintf(labels, sizeof(labels), "{portal=\"%s\",entity=\"%s\"}", e->portal, e->entity);
    metric_set(metric_series(name, help, METRIC_GAUGE, labels), age_ms > 0 ? (double)age_ms / 1000 : 0);
}

static void fresh_done(void *ctx, int status, const struct err *err)
{
    struct fresh *x = ctx;
    int64_t now_ms = (int64_t)clock_wall_ms();

    for (int i = 0; i < x->count && status == 0; i++) {
        const struct fresh_entity *e = &x->list[i];

        if (scheduler_portal_of(x->s, str_of(e->portal)) < 0)
            continue;
        gauge("potok_mark_age_seconds", "Age of the oldest mark that waits; 0: none does", e,
            e->mark_ms > 0 ? now_ms - e->mark_ms : 0);
        alarms_mark(x->s, str_of(e->portal), str_of(e->entity), e->mark_ms > 0 ? now_ms - e->mark_ms : 0);
        if (e->agreed_ms > 0)
            gauge("potok_agreed_age_seconds", "Time since the mirror agreed with its portal as a whole", e,
                now_ms - e->agreed_ms);
    }
    x->s->fresh_at_ms = clock_mono_ms() + FRESH_EVERY_MS;
    free(x->list);
    free(x);
}

void fresh_refresh(struct scheduler *s, uint64_t now_ms)
{
    if (s->pool == NULL || s->stopping || now_ms < s->fresh_at_ms)
        return;
    struct fresh *x = xcalloc(1, sizeof(*x));

    x->s = s;
    s->fresh_at_ms = UINT64_MAX; /* until this one is done */
    db_pool_do(s->pool, DB_BULK, fresh_work, fresh_done, x);
}
