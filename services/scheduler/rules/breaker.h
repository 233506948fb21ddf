/* breaker.h - a portal whose REST API was blocked for overload (OVERLOAD_LIMIT, facts 2.3): people lift that, and who goes on
 * asking makes it worse. So nothing is asked for a while, then one call alone tries; each refusal doubles the pause. Pure:
 * the clock is an argument (monotonic). */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_MOST 24             /* times the first pause: 10 min and 4 h */

struct breaker {
    bool open;
    uint64_t pause_ms;              /* the one that goes on */
    uint64_t until_ms;              /* then one call may try */
};

enum breaker_answer {
    BREAKER_OVERLOAD,               /* refused again */
    BREAKER_WELL,                   /* the portal answered, whatever it said */
    BREAKER_NOTHING,                /* no answer: it says nothing about the block */
};

/* Is this the portal's word for it? */
bool breaker_is_word(struct str code);
/* How many calls may begin now: -1 any, else 0 or 1. under_way: calls at the portal. */
int breaker_room(const struct breaker *b, int under_way, uint64_t now_ms);
/* An answer to a call that was sent at sent_ms. True: open or closed by it, or the pause is another one. */
bool breaker_told(struct breaker *b, enum breaker_answer answer, uint64_t sent_ms, uint64_t first_ms, uint64_t now_ms);
/* The operator wants one try now. */
void breaker_force(struct breaker *b, uint64_t now_ms);
/* As it was kept: times of the wall clock. One that lasts longer than any pause was written by a clock that stepped back. */
void breaker_restore(struct breaker *b, uint64_t begun_wall_ms, uint64_t until_wall_ms, uint64_t first_ms, uint64_t wall_ms,
    uint64_t now_ms);
