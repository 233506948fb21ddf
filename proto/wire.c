/* wire.c - the reading cursor. */
#include "proto/wire_head.h"

#include <assert.h>

/* Heads above 0x7f that have a fixed shape: bytes after the first that hold the number, its signedness. */
/* clang-format off */
enum shape { SHAPE_NONE, SHAPE_NIL, SHAPE_FALSE, SHAPE_TRUE, SHAPE_UINT, SHAPE_INT, SHAPE_STR, SHAPE_BIN,
             SHAPE_ARRAY, SHAPE_MAP, SHAPE_EXT, SHAPE_FIXEXT, SHAPE_FLOAT };
static const struct {
    uint8_t shape, bytes;
} shapes[32] = {                    /* 0xc0 + index */
    { SHAPE_NIL, 0 },    { SHAPE_NONE, 0 },   { SHAPE_FALSE, 0 },  { SHAPE_TRUE, 0 },       /* c0 */
    { SHAPE_BIN, 1 },    { SHAPE_BIN, 2 },    { SHAPE_BIN, 4 },    { SHAPE_EXT, 1 },
    { SHAPE_EXT, 2 },    { SHAPE_EXT, 4 },    { SHAPE_FLOAT, 4 },  { SHAPE_FLOAT, 8 },      /* c8 */
    { SHAPE_UINT, 1 },   { SHAPE_UINT, 2 },   { SHAPE_UINT, 4 },   { SHAPE_UINT, 8 },
    { SHAPE_INT, 1 },    { SHAPE_INT, 2 },    { SHAPE_INT, 4 },    { SHAPE_INT, 8 },        /* d0 */
    { SHAPE_FIXEXT, 1 }, { SHAPE_FIXEXT, 2 }, { SHAPE_FIXEXT, 4 }, { SHAPE_FIXEXT, 8 },
    { SHAPE_FIXEXT, 16 }, { SHAPE_STR, 1 },   { SHAPE_STR, 2 },    { SHAPE_STR, 4 },        /* d8 */
    { SHAPE_ARRAY, 2 },  { SHAPE_ARRAY, 4 },  { SHAPE_MAP, 2 },    { SHAPE_MAP, 4 },
};
/* clang-format on */

/* `above`: the bits above the ones read, all set for a negative number. */
static uint64_t big_endian(const uint8_t *p, unsigned bytes, uint64_t above)
{
    uint64_t v = above;

    for (unsigned i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

static struct wire_head head_short(uint8_t c) /* the first byte says all */
{
    if (c <= 0x7f)
        return (struct wire_head){ WIRE_INT, 1, 0, c };
    if (c >= 0xe0)
        return (struct wire_head){ WIRE_INT, 1, 0, (uint64_t)(int64_t)(int8_t)c };
    if (c <= 0x8f)
        return (struct wire_head){ WIRE_MAP, 1, 0, c & 0x0fu };
    if (c <= 0x9f)
        return (struct wire_head){ WIRE_ARRAY, 1, 0, c & 0x0fu };
    return (struct wire_head){ WIRE_STR, 1, 0, c & 0x1fu };
}

static struct wire_head head_ext(const uint8_t *p, size_t left, uint8_t shape, uint8_t bytes)
{
    uint8_t length = shape == SHAPE_EXT ? bytes : 0;
    struct wire_head h = { WIRE_OTHER, (uint8_t)(2 + length), 0, bytes };

    if (left < h.size)
        return (struct wire_head){ WIRE_END, 0, 0, 0 };
    if (shape == SHAPE_EXT)
        h.value = big_endian(p + 1, bytes, 0);
    h.ext = (int8_t)p[1 + length];
    if (h.ext == WIRE_NUMBER)
        h.type = WIRE_NUM;
    return h;
}

static struct wire_head head_long(const uint8_t *p, size_t left)
{
    static const uint8_t types[] = {
        [SHAPE_NIL] = WIRE_NIL,
        [SHAPE_FALSE] = WIRE_BOOL,
        [SHAPE_TRUE] = WIRE_BOOL,
        [SHAPE_UINT] = WIRE_INT,
        [SHAPE_INT] = WIRE_INT,
        [SHAPE_STR] = WIRE_STR,
        [SHAPE_BIN] = WIRE_BIN,
        [SHAPE_ARRAY] = WIRE_ARRAY,
        [SHAPE_MAP] = WIRE_MAP,
        [SHAPE_FLOAT] = WIRE_OTHER,
    };
    uint8_t shape = shapes[p[0] - 0xc0].shape, bytes = shapes[p[0] - 0xc0].bytes;

    if (shape == SHAPE_EXT || shape == SHAPE_FIXEXT)
        return head_ext(p, left, shape, bytes);
    if (shape == SHAPE_NONE || left < 1u + bytes)
        return (struct wire_head){ WIRE_END, 0, 0, 0 };

    bool negative = shape == SHAPE_INT && (p[1] & 0x80) != 0;
    struct wire_head h = { (enum wire_type)types[shape], (uint8_t)(1 + bytes), 0, 0 };
    h.value = big_endian(p + 1, bytes, negative ? UINT64_MAX : 0);
    if (shape == SHAPE_TRUE)
        h.value = 1;
    else if (shape == SHAPE_UINT && h.value > INT64_MAX)
        h.type = WIRE_UINT;
    return h;
}

static bool is_float(uint8_t first) /* the number itself counts as head */
{
    return first == 0xca || first == 0xcb;
}

struct wire_head wire_head(const struct wire *w)
{
    size_t left = (size_t)(w->end - w->p);
    struct wire_head none = { WIRE_END, 0, 0, 0 };

    if (w->failed || left == 0)
        return none;
    struct wire_head h = *w->p <= 0xbf || *w->p >= 0xe0 ? head_short(*w->p) : head_long(w->p, left);
    left -= h.size;
    switch (h.type) {
    case WIRE_STR:
    case WIRE_BIN:
    case WIRE_NUM:
    case WIRE_ARRAY:
        return h.value <= left ? h : none;
    case WIRE_MAP:
        return h.value <= left / 2 ? h : none;
    case WIRE_OTHER:
        return is_float(*w->p) || h.value <= left ? h : none;
    default:
        return h;
    }
}

/* Takes a head of the type wanted; a head of zeros and a failed cursor otherwise. */
static struct wire_head take(struct wire *w, enum wire_type type)
{
    struct wire_head h = wire_head(w);

    if (h.type != type) {
        w->failed = true;
        return (struct wire_head){ WIRE_END, 0, 0, 0 };
    }
    w->p += h.size;
    return h;
}

static struct str take_bytes(struct wire *w, enum wire_type type)
{
    struct wire_head h = take(w, type);
    struct str s = { w->failed ? "" : (const char *)w->p, h.value };

    if (!w->failed)
        w->p += h.value;
    return s;
}

void wire_init(struct wire *w, const void *p, size_t n)
{
    static const uint8_t nothing;

    *w = (struct wire){ .p = n > 0 ? p : &nothing };
    w->end = w->p + n;
}

bool wire_done(const struct wire *w)
{
    return !w->failed && w->p == w->end;
}

void wire_fail(struct wire *w)
{
    w->failed = true;
}

enum wire_type wire_look(const struct wire *w)
{
    return wire_head(w).type;
}

void wire_nil(struct wire *w)
{
    take(w, WIRE_NIL);
}

bool wire_bool(struct wire *w)
{
    return take(w, WIRE_BOOL).value != 0;
}

int64_t wire_i64(struct wire *w)
{
    return (int64_t)take(w, WIRE_INT).value;
}

uint64_t wire_u64(struct wire *w)
{
    struct wire_head h = wire_head(w);

    if (h.type == WIRE_INT && (int64_t)h.value < 0)
        w->failed = true;
    return take(w, h.type == WIRE_UINT ? WIRE_UINT : WIRE_INT).value;
}

struct str wire_str(struct wire *w)
{
    size_t left = (size_t)(w->end - w->p);

    if (!w->failed && left > 0 && (*w->p & 0xe0u) == 0xa0 &&
        (*w->p & 0x1fu) < left) { /* up to 31 bytes: most */
        struct str s = { (const char *)w->p + 1, *w->p & 0x1fu };
        w->p += 1 + s.n;
        return s;
    }
    if (!w->failed && left > 1 && *w->p == 0xd9 && 2u + w->p[1] <= left) { /* up to 255: most of the rest */
        struct str s = { (const char *)w->p + 2, w->p[1] };
        w->p += 2 + s.n;
        return s;
    }
    return take_bytes(w, WIRE_STR);
}

struct str wire_bin(struct wire *w)
{
    return take_bytes(w, WIRE_BIN);
}

struct str wire_number(struct wire *w)
{
    return take_bytes(w, WIRE_NUM);
}

uint32_t wire_array(struct wire *w)
{
    return (uint32_t)take(w, WIRE_ARRAY).value;
}

uint32_t wire_map(struct wire *w)
{
    return (uint32_t)take(w, WIRE_MAP).value;
}

/* Bytes of content that follow the head of a scalar. */
static uint64_t content(const struct wire *w, const struct wire_head *h)
{
    if (h->type == WIRE_STR || h->type == WIRE_BIN || h->type == WIRE_NUM)
        return h->value;
    return h->type == WIRE_OTHER && !is_float(*w->p) ? h->value : 0;
}

/* Bytes of a whole scalar by its first one: of those whose length that byte tells. 0: look closer. */
/* clang-format off */
#define X8(n) n, n, n, n, n, n, n, n
#define UP8(n) (n), (n) + 1, (n) + 2, (n) + 3, (n) + 4, (n) + 5, (n) + 6, (n) + 7
const uint8_t WIRE_SIZES[] = {
    X8(1), X8(1), X8(1), X8(1), X8(1), X8(1), X8(1), X8(1), X8(1), X8(1), X8(1), X8(1), X8(1), X8(1), X8(1), X8(1),
    X8(0), X8(0), X8(0), X8(0),             /* 80: maps, arrays */
    UP8(1), UP8(9), UP8(17), UP8(25),       /* a0: short strings */
    1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 5, 9,     /* c0: nil, booleans; ca: floats */
    2, 3, 5, 9, 2, 3, 5, 9,                 /* cc: integers */
    3, 4, 6, 10, 18, 0, 0, 0, 0, 0, 0, 0,   /* d4: extensions of fixed length */
    X8(1), X8(1), X8(1), X8(1),             /* e0: small negative integers */
};
/* clang-format on */
#undef X8
#undef UP8
static_assert(sizeof(WIRE_SIZES) == 256, "one for each first byte");

/* As many of `left` scalars with a short head as stand one after another. The cursor is in registers: bytes
 * are of the type that may alias it. */
static uint64_t skip_scalars(struct wire *w, uint64_t left)
{
    const uint8_t *p = w->p, *end = w->end;

    while (left > 0 && p < end) {
        size_t size = WIRE_SIZES[*p], room = (size_t)(end - p);
        if (*p == 0xd9 && room > 1)
            size = 2 + (size_t)p[1];
        if (size == 0 || size > room)
            break;
        p += size;
        left--;
    }
    w->p = p;
    return left;
}

/* Steps over a container whose end is known. */
static bool skip_known(struct wire *w)
{
    const struct wire_ends *ends = w->ends;

    for (size_t i = 0; ends != NULL && i < ends->count; i++)
        if (ends->base + ends->list[i].at == w->p) {
            w->p = ends->base + ends->list[i].end;
            return true;
        }
    return false;
}

void wire_skip_any(struct wire *w)
{
    uint64_t outer[WIRE_DEPTH_MAX + 1]; /* values still to skip in the containers around */
    uint64_t left = 1;
    int depth = 0;

    while (!w->failed) {
        left = skip_scalars(w, left);
        if (left == 0 && depth == 0)
            return;
        if (left == 0) {
            left = outer[--depth];
            continue;
        }
        left--;
        struct wire_head h = wire_head(w);
        bool holds = h.type == WIRE_ARRAY || h.type == WIRE_MAP;
        if (h.type == WIRE_END || (holds && w->depth + depth >= WIRE_DEPTH_MAX)) {
            w->failed = true;
            return;
        }
        if (holds && skip_known(w))
            continue;
        w->p += h.size + content(w, &h);
        if (holds) {
            outer[depth++] = left;
            left = h.type == WIRE_MAP ? h.value * 2 : h.value;
        }
    }
}

struct str wire_raw(struct wire *w)
{
    const uint8_t *from = w->p;

    wire_skip(w);
    return w->failed ? (struct str){ "", 0 } : (struct str){ (const char *)from, (size_t)(w->p - from) };
}

bool wire_find(struct wire *w, const char *key)
{
    struct str wanted = str_of(key);

    if (wire_peek(w) != WIRE_MAP) {
        wire_skip(w);
        return false;
    }
    uint32_t n = wire_map(w);
    while (n-- > 0 && !w->failed) {
        if (wire_peek(w) != WIRE_STR)
            wire_skip(w);
        else if (str_eq(wire_str(w), wanted))
            return wire_ok(w);
        wire_skip(w);
    }
    return false;
}
