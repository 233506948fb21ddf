/* pace.h - one leaky bucket of requests (bucket.h has all), planned so that the portal never refuses
 * (facts/bitrix24.md section 3.1). Knows no loop and no portal: the caller passes the clock.
 * The portal counts a request when it arrives, which is some time between its sending and its answer. So a request
 * counts in full while it is under way and starts to drain only when its answer is here: whatever the true moment
 * was, the bucket of the portal is never fuller than this one. One leak a whole second instead of a steady one adds
 * at most one second's drain, hence the planned room is burst - drain - 1.
 * Memory: embedded in its owner, nothing to free. Threads: loop thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PACE_NEVER UINT64_MAX   /* no room until an answer comes */
#define PACE_GRACE_MS 2000      /* a predecessor's last requests may arrive this much later than it saved its level */

struct pace {
    uint32_t drain_per_s;       /* > 0 */
    uint32_t room;              /* requests planned for, > 0 */
    double level;               /* answered requests not yet leaked, at at_ms */
    uint64_t at_ms;             /* monotonic */
    uint32_t flying;            /* taken, no answer yet */
};

void pace_init(struct pace *p, uint32_t burst, uint32_t drain_per_s, uint64_t now_ms);
uint32_t pace_free(const struct pace *p, uint64_t now_ms);      /* requests that may start now */
/* Milliseconds until one may start: 0 = now, PACE_NEVER = an answer must come first. */
uint64_t pace_wait(const struct pace *p, uint64_t now_ms);
bool pace_take(struct pace *p, uint64_t now_ms);                /* false: no room, nothing taken */
void pace_arrived(struct pace *p, uint64_t now_ms);             /* a taken one was answered or given up */
void pace_cancel(struct pace *p);                               /* a taken one was certainly never sent */
void pace_refused(struct pace *p, uint64_t now_ms);             /* the portal says it is full: somebody else calls it too */
/* Calls that nobody took here were made: count more of them, never above the room. */
void pace_seen(struct pace *p, uint64_t count, uint64_t now_ms);
/* The answered ones are at least so many. */
void pace_raise(struct pace *p, double level, uint64_t now_ms);
double pace_level(const struct pace *p, uint64_t now_ms);       /* with those under way; what is saved */
/* Takes up a saved level. A wall clock that went back drains nothing. */
void pace_restore(struct pace *p, double level, uint64_t saved_wall_ms, uint64_t now_wall_ms, uint64_t now_ms);
