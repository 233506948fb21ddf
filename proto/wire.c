#include "proto/wire.h"

#include <inttypes.h>
#include <math.h>
#include <msgpack.h>

#define DEPTH_MAX 64

/* ---- packing ---- */

static int pack_write(void *data, const char *p, size_t n)
{
    struct buf *b = data;

    buf_add(b, p, n);
    return b->failed ? -1 : 0;
}

static msgpack_packer packer(struct buf *b)
{
    return (msgpack_packer){ .data = b, .callback = pack_write };
}

void wire_put_nil(struct buf *b)
{
    msgpack_packer pk = packer(b);

    msgpack_pack_nil(&pk);
}

void wire_put_bool(struct buf *b, bool v)
{
    msgpack_packer pk = packer(b);

    v ? msgpack_pack_true(&pk) : msgpack_pack_false(&pk);
}

void wire_put_i64(struct buf *b, int64_t v)
{
    msgpack_packer pk = packer(b);

    msgpack_pack_int64(&pk, v);
}

void wire_put_u64(struct buf *b, uint64_t v)
{
    msgpack_packer pk = packer(b);

    msgpack_pack_uint64(&pk, v);
}

void wire_put_str(struct buf *b, struct str s)
{
    msgpack_packer pk = packer(b);

    msgpack_pack_str(&pk, s.n);
    buf_add(b, s.p, s.n);
}

void wire_put_bin(struct buf *b, const void *p, size_t n)
{
    msgpack_packer pk = packer(b);

    msgpack_pack_bin(&pk, n);
    buf_add(b, p, n);
}

void wire_put_number(struct buf *b, struct str token)
{
    msgpack_packer pk = packer(b);

    msgpack_pack_ext(&pk, token.n, WIRE_NUMBER);
    buf_add(b, token.p, token.n);
}

void wire_put_array(struct buf *b, uint32_t n)
{
    msgpack_packer pk = packer(b);

    msgpack_pack_array(&pk, n);
}

void wire_put_map(struct buf *b, uint32_t n)
{
    msgpack_packer pk = packer(b);

    msgpack_pack_map(&pk, n);
}

size_t wire_open_array(struct buf *b)
{
    size_t at = b->n;

    buf_add(b, "\xdd\0\0\0\0", 5);
    return at;
}

size_t wire_open_map(struct buf *b)
{
    size_t at = b->n;

    buf_add(b, "\xdf\0\0\0\0", 5);
    return at;
}

void wire_close(struct buf *b, size_t at, uint32_t count)
{
    if (b->failed)
        return;
    for (int i = 0; i < 4; i++)
        b->p[at + 1 + i] = (char)(count >> (24 - 8 * i));
}

/* ---- reading ---- */

/* One value's head: what it is, and the length of its content: bytes of STR, BIN, NUM, OTHER; else count. */
struct head {
    enum wire_type type;
    uint8_t size;           /* of the head itself */
    int8_t ext;             /* OTHER: extension type; 0 with a float */
    uint64_t value;         /* integers (two's complement), BOOL, floats (bits); else length or count */
};

/* Heads above 0x7f that have a fixed shape: bytes after the first that hold the number, its signedness. */
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

static uint64_t big_endian(const uint8_t *p, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

static struct head head_short(uint8_t c)    /* the first byte says all */
{
    if (c <= 0x7f)
        return (struct head){ WIRE_INT, 1, 0, c };
    if (c >= 0xe0)
        return (struct head){ WIRE_INT, 1, 0, (uint64_t)(int64_t)(int8_t)c };
    if (c <= 0x8f)
        return (struct head){ WIRE_MAP, 1, 0, c & 0x0fu };
    if (c <= 0x9f)
        return (struct head){ WIRE_ARRAY, 1, 0, c & 0x0fu };
    return (struct head){ WIRE_STR, 1, 0, c & 0x1fu };
}

static struct head head_ext(const uint8_t *p, size_t left, uint8_t shape, uint8_t bytes)
{
    uint8_t length = shape == SHAPE_EXT ? bytes : 0;
    struct head h = { WIRE_OTHER, (uint8_t)(2 + length), 0, bytes };

    if (left < h.size)
        return (struct head){ WIRE_END, 0, 0, 0 };
    if (shape == SHAPE_EXT)
        h.value = big_endian(p + 1, bytes);
    h.ext = (int8_t)p[1 + length];
    if (h.ext == WIRE_NUMBER)
        h.type = WIRE_NUM;
    return h;
}

static struct head head_long(const uint8_t *p, size_t left)
{
    static const uint8_t types[] = {
        [SHAPE_NIL] = WIRE_NIL, [SHAPE_FALSE] = WIRE_BOOL, [SHAPE_TRUE] = WIRE_BOOL, [SHAPE_UINT] = WIRE_INT,
        [SHAPE_INT] = WIRE_INT, [SHAPE_STR] = WIRE_STR, [SHAPE_BIN] = WIRE_BIN, [SHAPE_ARRAY] = WIRE_ARRAY,
        [SHAPE_MAP] = WIRE_MAP, [SHAPE_FLOAT] = WIRE_OTHER,
    };
    uint8_t shape = shapes[p[0] - 0xc0].shape, bytes = shapes[p[0] - 0xc0].bytes;

    if (shape == SHAPE_EXT || shape == SHAPE_FIXEXT)
        return head_ext(p, left, shape, bytes);
    if (shape == SHAPE_NONE || left < 1u + bytes)
        return (struct head){ WIRE_END, 0, 0, 0 };

    struct head h = { (enum wire_type)types[shape], (uint8_t)(1 + bytes), 0, big_endian(p + 1, bytes) };
    if (shape == SHAPE_TRUE)
        h.value = 1;
    else if (shape == SHAPE_UINT && h.value > INT64_MAX)
        h.type = WIRE_UINT;
    else if (shape == SHAPE_INT && bytes < 8 && (h.value >> (8 * bytes - 1)) != 0)
        h.value |= UINT64_MAX << (8 * bytes);       /* sign */
    return h;
}

static bool is_float(uint8_t first)     /* the number itself counts as head */
{
    return first == 0xca || first == 0xcb;
}

/* WIRE_END when nothing is left, after a failure, or when what is left is no head with all of its content. */
static struct head head_of(const struct wire *w)
{
    size_t left = (size_t)(w->end - w->p);
    struct head none = { WIRE_END, 0, 0, 0 };

    if (w->failed || left == 0)
        return none;
    struct head h = *w->p <= 0xbf || *w->p >= 0xe0 ? head_short(*w->p) : head_long(w->p, left);
    left -= h.size;
    switch (h.type) {
    case WIRE_STR: case WIRE_BIN: case WIRE_NUM: case WIRE_ARRAY:
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
static struct head take(struct wire *w, enum wire_type type)
{
    struct head h = head_of(w);

    if (h.type != type) {
        w->failed = true;
        return (struct head){ WIRE_END, 0, 0, 0 };
    }
    w->p += h.size;
    return h;
}

static struct str take_bytes(struct wire *w, enum wire_type type)
{
    struct head h = take(w, type);
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

bool wire_ok(const struct wire *w)
{
    return !w->failed;
}

bool wire_done(const struct wire *w)
{
    return !w->failed && w->p == w->end;
}

void wire_fail(struct wire *w)
{
    w->failed = true;
}

enum wire_type wire_peek(const struct wire *w)
{
    return head_of(w).type;
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
    struct head h = head_of(w);

    if (h.type == WIRE_INT && (int64_t)h.value < 0)
        w->failed = true;
    return take(w, h.type == WIRE_UINT ? WIRE_UINT : WIRE_INT).value;
}

struct str wire_str(struct wire *w)
{
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
static uint64_t content(const struct wire *w, const struct head *h)
{
    if (h->type == WIRE_STR || h->type == WIRE_BIN || h->type == WIRE_NUM)
        return h->value;
    return h->type == WIRE_OTHER && !is_float(*w->p) ? h->value : 0;
}

void wire_skip(struct wire *w)
{
    uint64_t left[DEPTH_MAX + 1] = { 1 };   /* values still to skip at each depth */
    int depth = 0;

    while (depth >= 0) {
        if (left[depth] == 0) {
            depth--;
            continue;
        }
        left[depth]--;
        struct head h = head_of(w);
        bool holds = h.type == WIRE_ARRAY || h.type == WIRE_MAP;
        if (h.type == WIRE_END || (holds && w->depth + depth >= DEPTH_MAX)) {
            w->failed = true;
            return;
        }
        uint64_t bytes = content(w, &h);
        w->p += h.size + bytes;
        if (holds)
            left[++depth] = h.type == WIRE_MAP ? h.value * 2 : h.value;
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

/* ---- as JSON ---- */

/* A number's token is passed on only when it is one in JSON too: -?digits[.digits][e[+-]digits]. */
static bool is_json_number(struct str s)
{
    size_t i = 0, from;

    if (i < s.n && s.p[i] == '-')
        i++;
    for (from = i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
        i++;
    if (i == from || (s.p[from] == '0' && i - from > 1))
        return false;
    if (i < s.n && s.p[i] == '.') {
        for (from = ++i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
            i++;
        if (i == from)
            return false;
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
            i++;
        for (from = i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
            i++;
        if (i == from)
            return false;
    }
    return i == s.n;
}

static void json_other(struct wire *w, struct buf *out)
{
    struct head h = head_of(w);
    bool wide = *w->p == 0xcb;

    if (wide || *w->p == 0xca) {
        uint32_t bits = (uint32_t)h.value;
        float f;
        double d;
        memcpy(&f, &bits, sizeof(f));
        memcpy(&d, &h.value, sizeof(d));
        if (!wide)
            d = (double)f;
        if (isfinite(d))
            buf_fmt(out, "%.17g", d);
        else
            buf_str(out, "null");
    } else {
        buf_fmt(out, "{\"extension\":%d,\"bytes\":%" PRIu64 "}", h.ext, h.value);
    }
    wire_skip(w);
}

static void json_key(struct wire *w, struct buf *out)
{
    if (wire_peek(w) == WIRE_STR) {
        buf_json(out, wire_str(w));
        return;
    }
    struct buf key;
    buf_init(&key, 4096);
    wire_json(w, &key);
    buf_json(out, str_of(key.failed ? "(long key)" : buf_cstr(&key)));
    buf_fini(&key);
}

static void json_items(struct wire *w, struct buf *out)
{
    bool map = wire_peek(w) == WIRE_MAP;
    uint32_t n = map ? wire_map(w) : wire_array(w);

    if (++w->depth > DEPTH_MAX)
        w->failed = true;
    buf_char(out, map ? '{' : '[');
    for (uint32_t i = 0; i < n && !w->failed; i++) {
        if (i > 0)
            buf_char(out, ',');
        if (map) {
            json_key(w, out);
            buf_char(out, ':');
        }
        wire_json(w, out);
    }
    buf_char(out, map ? '}' : ']');
    w->depth--;
}

static void json_number(struct wire *w, struct buf *out)
{
    struct str token = wire_number(w);

    if (is_json_number(token))
        buf_add(out, token.p, token.n);
    else
        buf_json(out, token);
}

void wire_json(struct wire *w, struct buf *out)
{
    switch (wire_peek(w)) {
    case WIRE_NIL:
        wire_nil(w);
        buf_str(out, "null");
        break;
    case WIRE_BOOL:
        buf_str(out, wire_bool(w) ? "true" : "false");
        break;
    case WIRE_INT:
        buf_fmt(out, "%" PRId64, wire_i64(w));
        break;
    case WIRE_UINT:
        buf_fmt(out, "%" PRIu64, wire_u64(w));
        break;
    case WIRE_NUM:
        json_number(w, out);
        break;
    case WIRE_STR:
        buf_json(out, wire_str(w));
        break;
    case WIRE_BIN:
        buf_fmt(out, "{\"bytes\":%zu}", wire_bin(w).n);
        break;
    case WIRE_ARRAY:
    case WIRE_MAP:
        json_items(w, out);
        break;
    case WIRE_OTHER:
        json_other(w, out);
        break;
    case WIRE_END:
        w->failed = true;
        break;
    }
}
