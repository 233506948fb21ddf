#include "restart.h"

#include <string.h>

void restart_started(struct restart *r, uint64_t now_ms)
{
    r->started_ms = now_ms;
    r->ready = false;
}

void restart_ready(struct restart *r)
{
    r->ready = true;
    r->ever_ready = true;
    r->exit_count = 0;
}

static bool exits_too_many(struct restart *r, uint64_t now_ms)
{
    if (r->exit_count == RESTART_EXITS)
        memmove(r->exits_ms, r->exits_ms + 1, sizeof(r->exits_ms) - sizeof(r->exits_ms[0]));
    else
        r->exit_count++;
    r->exits_ms[r->exit_count - 1] = now_ms;
    return r->exit_count == RESTART_EXITS && now_ms - r->exits_ms[0] <= RESTART_WITHIN_MS;
}

static uint64_t doubled(uint64_t delay_ms, uint64_t most_ms)
{
    return delay_ms * 2 < most_ms ? delay_ms * 2 : most_ms;
}

enum restart_verdict restart_exited(struct restart *r, uint64_t now_ms, int exit_code, uint64_t *ret_delay_ms)
{
    if (exit_code == 0) { /* somebody told it to stop: an operator who wants it anew */
        *ret_delay_ms = r->delay_ms = RESTART_FIRST_MS;
        return RESTART_AGAIN;
    }
    if (exit_code == RESTART_EXIT_CONF && !r->ever_ready)
        return RESTART_CONF;
    if (!r->ready && (!r->ever_ready || exit_code == RESTART_EXIT_CONF) && exits_too_many(r, now_ms))
        return RESTART_GIVE_UP;
    if (r->delay_ms == 0 || now_ms - r->started_ms >= RESTART_CALM_MS)
        r->delay_ms = RESTART_FIRST_MS;
    else
        r->delay_ms = doubled(r->delay_ms, r->ready ? RESTART_MOST_READY_MS : RESTART_MOST_MS);
    *ret_delay_ms = r->delay_ms;
    return RESTART_AGAIN;
}
