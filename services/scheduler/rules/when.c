#include "when.h"

void when_init(struct when *w, const struct config_when *plan, int64_t default_ms, bool ever_full,
    uint64_t started_ms, uint64_t wall_ms)
{
    *w = (struct when){ .plan = *plan, .interval_ms = plan->told ? plan->interval_ms : default_ms };
    if (plan->by_cron) {
        w->done_s = (int64_t)((started_ms > 0 ? started_ms : wall_ms) / 1000);
        w->owed = !ever_full;
        w->next_ms = 1;
    } else if (w->interval_ms > 0) {
        w->next_ms = ever_full ? started_ms + (uint64_t)w->interval_ms : 1;
    }
}

static void look(struct when *w, const struct zone *zone, bool busy, int64_t wall_s)
{
    struct cron_due due = cron_due(&w->plan.cron, zone, w->plan.missed, w->done_s, wall_s);

    w->done_s = due.last;
    w->next_ms = due.next == CRON_NEVER ? UINT64_MAX : (uint64_t)due.next * 1000;
    if (w->plan.missed == CRON_ALL)
        w->owed = w->owed + due.runs < CRON_ALL_MOST ? w->owed + due.runs : CRON_ALL_MOST;
    else if (due.runs > 0 && (w->plan.missed == CRON_ONCE || !busy))
        w->owed = 1;
}

bool when_due(struct when *w, const struct zone *zone, bool busy, uint64_t wall_ms)
{
    if (!w->plan.by_cron) {
        bool back = w->next_ms > wall_ms && w->next_ms - wall_ms > (uint64_t)w->interval_ms;

        return w->next_ms > 0 && !busy && (w->next_ms <= wall_ms || back);
    }
    int64_t wall_s = (int64_t)(wall_ms / 1000);

    if (wall_ms >= w->next_ms || wall_s < w->done_s)
        look(w, zone, busy, wall_s);
    return w->owed > 0 && !busy;
}

void when_began(struct when *w, uint64_t wall_ms)
{
    w->owed -= w->owed > 0;
    if (!w->plan.by_cron && w->interval_ms > 0)
        w->next_ms = wall_ms + (uint64_t)w->interval_ms;
}
