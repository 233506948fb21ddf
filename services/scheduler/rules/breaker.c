#include "breaker.h"

#define AGAIN_PART 10 /* of the pause: after a try that got no answer */

bool breaker_is_word(struct str code)
{
    return str_case_eq(code, STR("OVERLOAD_LIMIT"));
}

int breaker_room(const struct breaker *b, int under_way, uint64_t now_ms)
{
    if (!b->open)
        return -1;
    return now_ms >= b->until_ms && under_way == 0 ? 1 : 0;
}

static void pause_for(struct breaker *b, uint64_t pause_ms, uint64_t first_ms, uint64_t now_ms)
{
    b->open = true;
    b->pause_ms = pause_ms < first_ms * BREAKER_MOST ? pause_ms : first_ms * BREAKER_MOST;
    b->until_ms = now_ms + b->pause_ms;
}

bool breaker_told(
    struct breaker *b, enum breaker_answer answer, uint64_t sent_ms, uint64_t first_ms, uint64_t now_ms)
{
    if (!b->open) {
        if (answer == BREAKER_OVERLOAD)
            pause_for(b, first_ms, first_ms, now_ms);
        return b->open;
    }
    if (sent_ms < b->until_ms)
        return false; /* of before: it was under way when the first one was refused */
    if (answer == BREAKER_OVERLOAD)
        pause_for(b, 2 * b->pause_ms, first_ms, now_ms);
    else if (answer == BREAKER_WELL)
        b->open = false;
    else
        b->until_ms = now_ms + b->pause_ms / AGAIN_PART;
    return true;
}

void breaker_force(struct breaker *b, uint64_t now_ms)
{
    if (b->open && b->until_ms > now_ms)
        b->until_ms = now_ms;
}

void breaker_restore(struct breaker *b, uint64_t begun_wall_ms, uint64_t until_wall_ms, uint64_t first_ms,
    uint64_t wall_ms, uint64_t now_ms)
{
    uint64_t pause = until_wall_ms > begun_wall_ms ? until_wall_ms - begun_wall_ms : first_ms;
    uint64_t left = until_wall_ms > wall_ms ? until_wall_ms - wall_ms : 0;

    pause_for(b, pause, first_ms, now_ms);
    b->until_ms = now_ms + (left < b->pause_ms ? left : b->pause_ms);
}
