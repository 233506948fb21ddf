#include "pace.h"

#include <math.h>

void pace_init(struct pace *p, uint32_t burst, uint32_t drain_per_s, uint64_t now_ms)
{
    uint32_t drain = drain_per_s > 0 ? drain_per_s : 1;

    *p = (struct pace){
        .drain_per_s = drain, .room = burst > drain + 2 ? burst - drain - 1 : 1, .at_ms = now_ms
    };
}

/* The level of the answered ones at now. */
static double drained(const struct pace *p, uint64_t now_ms)
{
    uint64_t past_ms = now_ms > p->at_ms ? now_ms - p->at_ms : 0;
    double level = p->level - (double)past_ms * p->drain_per_s / 1000.0;

    return level > 0 ? level : 0;
}

static void settle(struct pace *p, uint64_t now_ms)
{
    p->level = drained(p, now_ms);
    if (now_ms > p->at_ms)
        p->at_ms = now_ms;
}

double pace_level(const struct pace *p, uint64_t now_ms)
{
    return drained(p, now_ms) + p->flying;
}

uint32_t pace_free(const struct pace *p, uint64_t now_ms)
{
    double left = p->room - pace_level(p, now_ms);

    return left >= 1 ? (uint32_t)left : 0;
}

uint64_t pace_wait(const struct pace *p, uint64_t now_ms)
{
    if (pace_free(p, now_ms) > 0)
        return 0;
    if (p->flying + 1 > p->room)
        return PACE_NEVER;

    double over = pace_level(p, now_ms) + 1 - p->room;
    return (uint64_t)ceil(over * 1000.0 / p->drain_per_s);
}

bool pace_take(struct pace *p, uint64_t now_ms)
{
    if (pace_free(p, now_ms) == 0)
        return false;
    p->flying++;
    return true;
}

void pace_arrived(struct pace *p, uint64_t now_ms)
{
    settle(p, now_ms);
    p->level += 1;
    if (p->flying > 0)
        p->flying--;
}

void pace_cancel(struct pace *p)
{
    if (p->flying > 0)
        p->flying--;
}

void pace_raise(struct pace *p, double level, uint64_t now_ms)
{
    settle(p, now_ms);
    if (p->level < level)
        p->level = level;
}

void pace_refused(struct pace *p, uint64_t now_ms)
{
    pace_raise(p, p->room, now_ms);
}

void pace_seen(struct pace *p, uint64_t count, uint64_t now_ms)
{
    double left;

    settle(p, now_ms);
    left = p->room - p->level;
    if (left > 0)
        p->level += (double)count < left ? (double)count : left;
}

void pace_restore(struct pace *p, double level, uint64_t saved_wall_ms, uint64_t now_wall_ms, uint64_t now_ms)
{
    uint64_t past_ms = now_wall_ms > saved_wall_ms ? now_wall_ms - saved_wall_ms : 0;
    double rest =
        level - (double)(past_ms > PACE_GRACE_MS ? past_ms - PACE_GRACE_MS : 0) * p->drain_per_s / 1000.0;

    p->at_ms = now_ms;
    p->level = rest > 0 ? rest : 0;
    p->flying = 0;
}
