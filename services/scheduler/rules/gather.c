#include "gather.h"

#define LOOK_STEP_MS 250 /* second looks that fall due one soon after the other are made together */

bool gather_ready(const struct gather *g, uint64_t now_ms)
{
    return g->next_ms <= now_ms;
}

void gather_read(struct gather *g, uint32_t drain_per_s, bool full, uint64_t now_ms)
{
    uint32_t drain = drain_per_s > 0 ? drain_per_s : 1;

    g->next_ms = full ? now_ms : now_ms + (1000 + drain - 1) / drain;
}

void gather_look_later(struct gather *g, uint64_t now_ms)
{
    g->look_last_ms = now_ms + GATHER_LOOK_MS;
    if (g->look_ms == 0)
        g->look_ms = g->look_last_ms;
}

bool gather_look_due(struct gather *g, uint64_t now_ms)
{
    if (g->look_ms == 0 || g->look_ms > now_ms)
        return false;
    if (g->look_last_ms <= now_ms)
        g->look_ms = 0;
    else
        g->look_ms = g->look_last_ms < now_ms + LOOK_STEP_MS ? g->look_last_ms : now_ms + LOOK_STEP_MS;
    return true;
}
