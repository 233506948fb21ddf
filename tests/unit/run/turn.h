/* turn.h - for tests of what lives on a loop: turns it until something is so, with a deadline instead of a
 * sleep. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "support/check.h"

#define TURN_DEADLINE_MS 10000

static void turn_on_deadline(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void turn_on_tick(uv_timer_t *timer)
{
}

/* Turns the loop until *flag reaches `goal` or the deadline passes; true = reached. */
static inline bool turn_until_within(uv_loop_t *loop, const int *count, int goal, uint64_t ms)
{
    uv_timer_t deadline, tick;
    bool late = false;

    uv_update_time(loop);
    uv_timer_init(loop, &deadline);
    uv_timer_init(loop, &tick);
    deadline.data = &late;
    uv_timer_start(&deadline, turn_on_deadline, ms, 0);
    uv_timer_start(&tick, turn_on_tick, 5, 5);
    while (!late && *count < goal)
        uv_run(loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&deadline, NULL);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
    return *count >= goal;
}

static inline void turn_until(uv_loop_t *loop, const int *count, int goal)
{
    CHECK(turn_until_within(loop, count, goal, TURN_DEADLINE_MS));
}

/* For something that must not happen: turns the loop so long. */
static inline void turn_for(uv_loop_t *loop, uint64_t ms)
{
    const int never = 0;

    turn_until_within(loop, &never, 1, ms);
}

/* Everything was closed: nothing may be left on the loop. */
static inline void turn_end(uv_loop_t *loop)
{
    for (int i = 0; i < 1000 && uv_run(loop, UV_RUN_NOWAIT) != 0; i++)
        ;
    CHECK_EQ(uv_loop_close(loop), 0);
}
