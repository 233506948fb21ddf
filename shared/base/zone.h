/* zone.h - local time of a place: offsets from UTC by the time zone database ("Europe/Moscow") or fixed ("+03:00", "UTC").
 * Pure but for zone_load(), which reads one small file. Knows nothing of the process's own TZ.
 * Memory: a struct zone owns its tables; zone_free(). Read-only afterwards: any thread. Times are Unix seconds. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/zone_rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone {
    int64_t *at;                /* ascending: the offset changes */
    int32_t *offset;            /* seconds east of UTC, from at[i] on */
    size_t count;
    int32_t first;              /* before at[0] */
    struct zone_rule rule;      /* after the last */
};

/* "UTC", "+03:00", "-0930", a name of the database, or "" = that of this machine. ERR_CONF: there is no such zone. */
int zone_load(struct zone *ret, const char *name, struct err *err) MUST_CHECK;
/* A TZif file (RFC 8536). ERR_CONF: it is none. */
int zone_read(struct zone *ret, struct str file, struct err *err) MUST_CHECK;
void zone_free(struct zone *z);

int32_t zone_offset(const struct zone *z, int64_t t);
/* The instants at which clocks of the place show `local` (seconds since 1970 as the clock shows them): usually one, none in a gap
 * (then *ret is the instant after it), two where clocks were put back. Returns how many, ascending. */
int zone_instants(const struct zone *z, int64_t local, int64_t ret[2]);
