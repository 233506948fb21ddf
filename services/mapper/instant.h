/* instant.h - dates and instants as the portal prints them, checked against the calendar. Pure; any thread. */
#pragma once

#include "base/str.h"

#include <stdbool.h>

#define INSTANT_SIZE 25         /* "2024-08-30T12:29:00.123Z" */

/* A calendar date, alone or before the clock part of an instant ("2024-08-30", "2024-08-30T02:00:00+02:00"). */
bool date_is(struct str s);
/* "2024-08-30T14:29:00+02:00" -> "2024-08-30T12:29:00Z", NUL-terminated (milliseconds only when there are any).
 * Length, or 0 when it is not an instant with an offset, or falls outside the years 1 to 9999. INSTANT_TOO_FINE: a fraction
 * that milliseconds do not hold. */
#define INSTANT_TOO_FINE (-1)
int instant_utc(struct str s, char ret[static INSTANT_SIZE]);
