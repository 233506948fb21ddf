/* arena.h - memory of one record while it is written out: taken piece by piece, given back all at once.
 * Pieces keep their address until arena_reset(). Loop thread. */
#pragma once

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

struct arena {
    struct arena_chunk *chunk;      /* newest first; the oldest stays through a reset */
};

void arena_fini(struct arena *a);
void arena_reset(struct arena *a);
void *arena_get(struct arena *a, size_t n);     /* 16-byte aligned, not zeroed */
struct str arena_copy(struct arena *a, struct str s);
struct str arena_fmt(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct str arena_int(struct arena *a, int64_t value);
/* units / 10^scale with all `scale` digits: 1234567, 2 -> "12345.67". */
struct str arena_decimal(struct arena *a, int64_t units, int scale);
struct str arena_cat(struct arena *a, const char *const *parts, size_t count);
/* The parts, C strings, one after another. */
#define arena_join(a, ...) \
    arena_cat(a, (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))
