/* services.h - services.def as this machine runs it: which services, how many of each, where their programs are.
 * Constant tables; one thread. */
#pragma once

#include "base/config.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct service {
    const char *name;
    int instances;              /* on one machine, unless the environment says otherwise */
    int up;                     /* started by `potok up`: 0 never, 1 always, 2 not with --once */
};

extern const struct service SERVICES[];
extern const int SERVICE_COUNT;

bool service_is_up(const char *name);   /* does a `potok up` that stays start it? */

#define INSTANCES_MAX 32

/* FETCHERS, MAPPERS, WRITERS of the environment, else of `settings:`; the table's number when unset. ERR_CONF: not
 * 1..INSTANCES_MAX. Of several schedulers one works, the others stand by. config NULL: the environment only. */
int service_instances(const struct service *s, const struct config *config, int *ret, struct err *err) MUST_CHECK;
/* "<folder of this program>/potok-<name>". */
void service_program(const char *name, char *ret, size_t size);
/* Asks each program that is there whether its settings are right (--check). ERR_CONF with the first one's words. */
int services_check(const struct config *config, struct err *err) MUST_CHECK;
/* All that is wrong, in the words of people; not what `heard` has (in English, as services speak): our own finds. */
void services_check_all(const struct config *config, struct mistakes *heard, struct mistakes *all);
