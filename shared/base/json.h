/* json.h - JSON of portals, read once, front to back, by simdjson (json.cc, the one C++ file;
 * facts/performance.md section 5 says why). No tree is built: events go to a sink as they are read.
 * Numbers: integers that fit int64 by on_int, everything else by on_number with its exact token.
 * Bad UTF-8 and lone surrogates are repaired with U+FFFD and counted; no record is lost for one bad byte.
 * Depth over JSON_DEPTH_MAX, trailing garbage and truncated text are errors (ERR_TEMP, with the byte offset).
 * Small JSON (control messages, API) is jansson's. Any thread; nothing is kept between calls. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JSON_DEPTH_MAX 64
#define JSON_PADDING 64     /* the caller's buffer has this many writable bytes after the text */

struct json_sink {
    void *ctx;
    void (*on_null)(void *ctx);
    void (*on_bool)(void *ctx, int value);
    void (*on_int)(void *ctx, int64_t value);
    void (*on_number)(void *ctx, struct str token);
    void (*on_str)(void *ctx, struct str value);
    void (*on_key)(void *ctx, struct str key);      /* before each member's value */
    void (*on_map)(void *ctx);
    void (*on_map_end)(void *ctx, uint32_t count);
    void (*on_array)(void *ctx);
    void (*on_array_end)(void *ctx, uint32_t count);
};

struct json_stats {
    uint64_t repaired;      /* strings or bytes replaced by U+FFFD */
};

/* text[n..n+JSON_PADDING) must be writable; text itself may be repaired in place or copied. On failure the
 * sink may have seen a part: the caller throws its output away. */
int json_read(char *text, size_t n, const struct json_sink *sink, struct json_stats *stats, struct err *err)
    MUST_CHECK;

#ifdef __cplusplus
}
#endif
