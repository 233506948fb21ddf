/* spool_drain.h - what a gateway keeps, handed to the scheduler until nothing is left. Blocks. */
#pragma once

#include "base/err.h"
#include "home.h"

#include <stdint.h>

/* instance: "gateway.1"; path: its spool. A gateway that runs takes nothing more from then on; where none
 * runs, one is started that does nothing else. *ret_left: what waits still when the time is over, 0 =
 * drained. ERR_TEMP: it cannot be started. */
int spool_drain(const struct home *home, const char *instance, const char *path, uint64_t timeout_ms,
    uint64_t *ret_left, struct err *err) MUST_CHECK;
