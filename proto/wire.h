/* wire.h - msgpack: wire_put.c is the only file that includes msgpack-c. Reading (wire.c) is a cursor over the bytes,
 * because msgpack-c's C unpacker builds a tree of every value and a body here is megabytes.
 * Errors are sticky: read everything, check wire_ok() once. Nothing is allocated from a size in the input.
 * Extension type 1 (WIRE_NUMBER) is a number's exact token that does not fit int64, e.g. "999.90". */
#pragma once

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define WIRE_NUMBER 1

/* Packing: into a struct buf (its `failed` flag tells of overflow). Shortest forms. */
void wire_put_nil(struct buf *b);
void wire_put_bool(struct buf *b, bool v);
void wire_put_i64(struct buf *b, int64_t v);
void wire_put_u64(struct buf *b, uint64_t v);
void wire_put_str(struct buf *b, struct str s);
void wire_put_bin(struct buf *b, const void *p, size_t n);
void wire_put_number(struct buf *b, struct str token);
void wire_put_array(struct buf *b, uint32_t n);
void wire_put_map(struct buf *b, uint32_t n);
/* A container whose size is known only at its end: always the 5-byte form, patched by wire_close(). */
size_t wire_open_array(struct buf *b);
size_t wire_open_map(struct buf *b);
void wire_close(struct buf *b, size_t at, uint32_t count);

enum wire_type { WIRE_END, WIRE_NIL, WIRE_BOOL, WIRE_INT, WIRE_UINT, WIRE_NUM, WIRE_STR, WIRE_BIN, WIRE_ARRAY,
                 WIRE_MAP, WIRE_OTHER };    /* UINT: above INT64_MAX; OTHER: floats, other extensions */

/* Where great containers end, for readers that step over them: told by whoever made the bytes, never by a peer. */
#define WIRE_ENDS_MAX 64
struct wire_ends {
    const uint8_t *base;    /* what the places count from */
    size_t count;
    struct {
        size_t at, end;
    } list[WIRE_ENDS_MAX];
};

struct wire {
    const uint8_t *p, *end;
    int depth;              /* of wire_skip */
    bool failed;
    const struct wire_ends *ends;   /* NULL: not told */
};

void wire_init(struct wire *w, const void *p, size_t n);
/* Nothing failed so far. */
static inline bool wire_ok(const struct wire *w)
{
    return !w->failed;
}
bool wire_done(const struct wire *w);               /* ok and at the end */
enum wire_type wire_look(const struct wire *w);     /* wire_peek()'s own */
/* WIRE_END at the end or after a failure. A string of up to 255 bytes, or nothing at all: most of what portals send. */
static inline enum wire_type wire_peek(const struct wire *w)
{
    if (!w->failed && w->p < w->end && *w->p == 0xc0)
        return WIRE_NIL;
    if (!w->failed && w->p < w->end && (*w->p & 0xe0u) == 0xa0 && (*w->p & 0x1fu) < w->end - w->p)
        return WIRE_STR;
    if (!w->failed && w->end - w->p > 1 && *w->p == 0xd9 && w->p[1] <= w->end - w->p - 2)
        return WIRE_STR;
    return wire_look(w);
}
void wire_nil(struct wire *w);
bool wire_bool(struct wire *w);
int64_t wire_i64(struct wire *w);
uint64_t wire_u64(struct wire *w);
struct str wire_str(struct wire *w);                /* a view into the input */
struct str wire_bin(struct wire *w);
struct str wire_number(struct wire *w);             /* WIRE_NUM's token */
uint32_t wire_array(struct wire *w);                /* count; never more than bytes left */
uint32_t wire_map(struct wire *w);
extern const uint8_t WIRE_SIZES[256];               /* bytes of a scalar by its first one; 0: that does not tell */
void wire_skip_any(struct wire *w);                 /* wire_skip()'s own */
/* Any value; depth over 64 fails. */
static inline void wire_skip(struct wire *w)
{
    size_t left = (size_t)(w->end - w->p), size = left > 0 ? WIRE_SIZES[*w->p] : 0;

    if (size > 0 && size <= left && !w->failed)
        w->p += size;
    else
        wire_skip_any(w);
}
struct str wire_raw(struct wire *w);                /* skips a value and gives its bytes */
/* Cursor stands at a map: true and the cursor at the value of `key`; false: past the map, no failure. Another
 * value (a portal prints an empty map as []) has no such key: false, and the cursor past it. */
bool wire_find(struct wire *w, const char *key);
/* Any value as JSON text, for people and dumps. */
void wire_json(struct wire *w, struct buf *out);
/* A value that was JSON as JSON again, each string written by on_string. Nesting over 64, bytes, extensions but
 * WIRE_NUMBER, and keys that are no strings fail. */
typedef void wire_on_string(struct buf *out, struct str s);
void wire_json_back(struct wire *w, wire_on_string *on_string, struct buf *out);
void wire_fail(struct wire *w);
