#include "proto/wire.h"

#include <msgpack.h>

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

/* Most of a body is texts up to 255 bytes: their head is written here, and room is made once for both. */
void wire_put_str(struct buf *b, struct str s)
{
    msgpack_packer pk = packer(b);

    if (s.n > UINT8_MAX) {
        msgpack_pack_str(&pk, s.n);
        buf_add(b, s.p, s.n);
        return;
    }
    if (!buf_room(b, (s.n < 32 ? 1 : 2) + s.n))
        return;
    if (s.n >= 32)
        b->p[b->n++] = (char)0xd9;
    b->p[b->n++] = (char)(s.n < 32 ? 0xa0 | s.n : s.n);
    if (s.n > 0)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
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
