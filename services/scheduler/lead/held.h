/* held.h - a process that is stopped while it may write to the SQLite file: nobody else can, a standby cannot take
 * over, and only a person can help. Looked at every second, beside everything that may wait for it; after two
 * seconds named in the log and in why a standby is not ready. Loop thread. */
#pragma once

#include <stdint.h>
#include <uv.h>

struct scheduler;

struct held {
    uv_timer_t *timer;  /* freed in its close callback */
    uint64_t pid;       /* stopped in its turn at the last look; 0 = none */
    unsigned looks;     /* in a row that found it so */
    char text[240];     /* for people; "" = nobody holds it */
};

void held_start(struct scheduler *s);
void held_stop(struct scheduler *s);
