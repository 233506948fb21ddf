#include "scheduler.h"

#include "work/spend.h"

#include "alarms.h"
#include "base/clock.h"
#include "base/metric.h"

#include <stdio.h>

void figures_count(const char *name, const char *help, const char *portal, double by)
{
    char labels[96];

    snprintf(labels, sizeof(labels), "{portal=\"%s\"}", portal);
    metric_add(metric_series(name, help, METRIC_COUNTER, labels), by);
}

void figures_refused(const struct portal *p, unsigned status)
{
    char labels[128];

    snprintf(labels, sizeof(labels), "{portal=\"%s\",status=\"%u\"}", p->config->name, status);
    metric_add(metric_series("potok_portal_refusals_total", "Calls the portal refused for a limit",
                   METRIC_COUNTER, labels),
        1);
}

static void gauge(const char *name, const char *help, const char *labels, double value)
{
    metric_set(metric_series(name, help, METRIC_GAUGE, labels), value);
}

static void portal_figures(struct scheduler *s, int portal, uint64_t now_ms)
{
    const struct portal *p = &s->portals[portal].portal;
    char labels[160];
    int open = 0;

    for (const struct job *job = p->jobs; job != NULL; job = job->next)
        open++;
    snprintf(labels, sizeof(labels), "{portal=\"%s\"}", p->config->name);
    gauge("potok_scheduler_jobs_open", "Jobs not yet done", labels, open);
    gauge("potok_scheduler_calls", "Calls under way", labels, flights_calls(&s->flights, portal));
    gauge("potok_scheduler_bucket_level", "Requests in the portal's bucket, as planned", labels,
        pace_level(spend_of(s, portal), now_ms));
    gauge("potok_scheduler_bucket_room", "Requests the bucket is planned to hold", labels,
        spend_of(s, portal)->room);
    gauge("potok_scheduler_portal_state", "0 ok, 1 waiting, 2 stopped, 3 blocked, 4 not connected yet",
        labels, portal_state_at(p, now_ms));
    gauge("potok_scheduler_tick", "Number of the last dispatch", labels, (double)p->tick);
    gauge("potok_scheduler_floor", "Attempts up to this number are refused", labels, (double)p->floor);
    for (int i = 0; i < p->operate.count; i++) {
        const struct operate_method *m = &p->operate.list[i];

        snprintf(labels, sizeof(labels), "{portal=\"%s\",method=\"%s\"}", p->config->name, m->name);
        if (m->told > 0)
            gauge("potok_scheduler_operating_seconds", "Operating time used in ten minutes", labels,
                (double)operate_used(m, now_ms) / 1000);
    }
}

void figures_refresh(struct scheduler *s)
{
    uint64_t now_ms = clock_mono_ms();

    if (now_ms < s->figures_at_ms + 500)
        return;
    s->figures_at_ms = now_ms;
    fresh_refresh(s, now_ms);
    alarms_refresh(s, now_ms);
    gauge("potok_scheduler_jobs_in_flight", "Attempts awaited", NULL, flights_unfinished(&s->flights));
    gauge("potok_scheduler_fetchers", "Fetchers known", NULL, s->crew.count);
    gauge("potok_scheduler_credit", "Jobs the fetchers can take now", NULL, crew_credit(&s->crew));
    gauge("potok_scheduler_steps_waiting", "Database steps begun or waiting", NULL,
        s->pool != NULL ? db_pool_queued(s->pool) : 0);
    for (int i = 0; i < s->portal_count; i++)
        portal_figures(s, i, now_ms);
}
