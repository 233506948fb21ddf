/* buf.h - a growing buffer with a maximum. An append past the maximum sets `failed` and adds nothing more
 * (sticky): append everything, check once. Memory: owned by the struct, buf_fini() frees. */
#pragma once

#include "base/str.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *p;
    size_t n, cap, max;
    bool failed;
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_fini(struct buf *b);                   /* frees; NULL-safe; the struct may be used again after buf_init */
void buf_clear(struct buf *b);                  /* n = 0, failed = false, memory kept */
bool buf_grow(struct buf *b, size_t n);         /* buf_room()'s own */
/* Room for n more bytes; false and failed at the maximum. */
static inline bool buf_room(struct buf *b, size_t n)
{
    return (!b->failed && n < b->cap - b->n) || buf_grow(b, n);
}
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_i64(struct buf *b, int64_t value);     /* decimal */
void buf_fmt(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *buf_cstr(struct buf *b);            /* NUL-terminated, valid until the next append */
/* JSON string literal with quotes; bad UTF-8 becomes U+FFFD. */
void buf_json(struct buf *b, struct str s);
/* Shortest text that reads back as the same double, with a point in any locale; NaN, +Inf, -Inf. */
void buf_f64(struct buf *b, double value);
void buf_urlenc(struct buf *b, struct str s);   /* percent-encoding, all but unreserved characters */
static inline struct str buf_view(const struct buf *b)
{
    return (struct str){ b->p, b->n };
}
