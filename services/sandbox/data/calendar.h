/* calendar.h - dates of the portal: its server lives at +03:00 all year. Pure. */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define PORTAL_OFFSET_S (3 * 3600)
#define DAY_S 86400

#define CALENDAR_ISO 25     /* bytes of "2024-08-30T14:29:00+03:00", no NUL is written */
#define CALENDAR_UTC 20     /* "2024-08-30T11:29:00Z" */
#define CALENDAR_DAY 10     /* "2024-08-30" */
void calendar_iso(int64_t unix_s, char *ret);
void calendar_utc(int64_t unix_s, char *ret);
void calendar_day(int64_t days, char *ret);

/* What a filter or a hand-set value may hold (facts section 7): ISO with an offset, "YYYY-MM-DD hh:mm:ss" in the
 * server's zone, "YYYY-MM-DD", "DD.MM.YYYY" with or without " hh:mm:ss". days: of the date as printed. */
bool calendar_parse(struct str text, int64_t *ret_unix_s, int64_t *ret_days);
