/* restart.h - what becomes of a service that ended: start it again and when, or give up. Pure: the caller passes the
 * clock. Zero is a fresh start. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RESTART_FIRST_MS 100        /* doubled with each exit */
#define RESTART_MOST_MS 5000
#define RESTART_MOST_READY_MS 1000  /* it had got ready: somebody ended it, and others wait for it */
#define RESTART_CALM_MS 10000       /* alive that long: the next exit waits RESTART_FIRST_MS again */
#define RESTART_EXITS 5             /* before it was ever ready, or for its configuration, within … */
#define RESTART_WITHIN_MS 60000     /* … this: it will not come up. Who was ready before has all it needs but a database or disk
                                     * that is away, and its neighbours, which are well, must not end for that */
#define RESTART_EXIT_CONF 2         /* exit code of bad usage or configuration */

struct restart {
    uint64_t started_ms;
    bool ready;                     /* since started_ms */
    bool ever_ready;
    uint64_t delay_ms;              /* waited before this start */
    uint64_t exits_ms[RESTART_EXITS];   /* latest exits before ready, oldest first */
    int exit_count;
};

enum restart_verdict {
    RESTART_AGAIN,
    RESTART_GIVE_UP,                /* too many exits before ready */
    RESTART_CONF,                   /* its configuration is wrong: a new start cannot help */
};

void restart_started(struct restart *r, uint64_t now_ms);
void restart_ready(struct restart *r);
/* exit_code: of the process, or -1 when a signal ended it. ret_delay_ms: wait this long (RESTART_AGAIN). */
enum restart_verdict restart_exited(struct restart *r, uint64_t now_ms, int exit_code, uint64_t *ret_delay_ms);
