/* bitrix_limits.h - how much of what a portal says is believed. One place for every bound; the README of this
 * folder tells what happens beyond each (those of the HTTP client stand in run/http_call.h, of JSON in
 * base/json.h). */
#pragma once

#include "base/str.h"

/* an answer */
#define LIMIT_TRANSCODED_BYTES ((size_t)128 << 20) /* its msgpack form: ERR_LIMIT */
#define LIMIT_LEARNT_BYTES     ((size_t)8 << 20)   /* descriptions of a probe: ERR_LIMIT */
#define LIMIT_UNKNOWN_BYTES    4000                /* names of fields not described: the rest is told later */
#define LIMIT_UNKNOWN_FIELDS   64  /* of them in one answer: ERR_PERM, or each would get a column */
#define LIMIT_FIELD_NAME_BYTES 128 /* nonsense */
#define LIMIT_KEYS_REMEMBERED  512 /* beyond: looked up each time */

/* its times */
#define LIMIT_UNIX_S           253402300800.0 /* year 10000: later is not told */
#define LIMIT_OPERATING_S      86400.0        /* in a window of ten minutes: more is not told */
#define LIMIT_BLOCKED_MOST_MS  600000         /* the window is ten minutes: nothing is blocked longer */
#define LIMIT_BLOCKED_LEAST_MS 1000
