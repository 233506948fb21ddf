/* lock.h - lock files: whoever holds one is alive. flock(2), so that a killed process holds nothing.
 * Taking waits up to 100 ms for somebody who only looks (lock_is_held); use it at start-up. Any thread. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/* Makes and locks the file. ERR_CONF: another process holds it (ret_holder, when not NULL, is its pid as far as
 * the first line of the file says, else 0), or the file cannot be made. */
int lock_take(const char *path, int *ret_fd, int *ret_holder, struct err *err) MUST_CHECK;
void lock_release(const char *path, int *fd);       /* removes the file; *fd becomes -1; fd < 0 is fine */
bool lock_is_held(const char *path);                /* false when the file is missing */
