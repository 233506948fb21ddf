/* here.h - this process as a holder of leases, and what can be known of another one on this machine. Any thread. */
#pragma once

#include "rules/holder.h"

#include <stdbool.h>

/* All of *ret, which is zeroed; its id is new with each call. */
void here_holder(struct holder *ret, const char *instance, const char *run_dir);
/* Of the same run folder, and without the lock that every service holds while it lives. Our own instance's is ours. */
bool here_is_dead(const struct holder *me, const struct holder *other, const char *run_dir);
