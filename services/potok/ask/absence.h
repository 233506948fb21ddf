/* absence.h - why nobody answers: nothing runs, what runs is silent, or we may not look. Looks at the files of the
 * run folder, and at the lease in the database. */
#pragma once

#include "base/err.h"
#include "home.h"
#include "status/reading.h"

#include <stdbool.h>
#include <stddef.h>

/* The pid of the `potok up` of this home; 0 = none runs; -1 = one runs and its pid is not to be had. */
int absence_up_pid(const struct home *home);
/* For people: "var has nothing running: start it with `potok up`" and its like. Where a scheduler lives and another one has
 * the lease of the database: that it stands by, and who works. Asks the database when a scheduler is silent. */
void absence_tell(const struct home *home, char *ret, size_t size);
void absence_tell_by(struct reading *r, char *ret, size_t size);
/* How a command ends whose question nobody answered: ERR_TEMP with why, as above; else as command_failed(). */
int absence_failed(const struct home *home, const struct err *err);
/* Calls on_instance for each service of this home that is alive ("fetcher.1"), by its pid file. */
void absence_each_alive(const char *run_dir, void (*on_instance)(void *ctx, const char *instance, int pid), void *ctx);
/* ERR_CONF: the run folder is there and may not be read. */
int absence_may_look(const struct home *home, struct err *err) MUST_CHECK;
