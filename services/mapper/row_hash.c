#include "row_hash.h"

#include <sodium.h>

/* Stored hashes depend on these letters: they never change. */
static const char KIND_LETTERS[COL_KINDS] = {
    [COL_TEXT] = 't',
    [COL_INT] = 'i',
    [COL_DECIMAL] = 'n',
    [COL_BOOL] = 'b',
    [COL_DATE] = 'd',
    [COL_TIME] = 'm',
    [COL_JSON] = 'j',
};

void row_hash_init(struct row_hash *h, size_t max_bytes)
{
    buf_init(&h->bytes, max_bytes);
}

void row_hash_fini(struct row_hash *h)
{
    buf_fini(&h->bytes);
}

void row_hash_begin(struct row_hash *h)
{
    buf_clear(&h->bytes);
}

static void add_u64(struct buf *b, uint64_t v)
{
    char bytes[8];

    for (int i = 0; i < 8; i++, v >>= 8)
        bytes[i] = (char)(v & 0xff);
    buf_add(b, bytes, sizeof(bytes));
}

void row_hash_add(struct row_hash *h, struct str prefix, struct str value)
{
    buf_add(&h->bytes, prefix.p, prefix.n);
    add_u64(&h->bytes, value.n);
    buf_add(&h->bytes, value.p, value.n);
}

void row_hash_add_i64(struct row_hash *h, struct str prefix, int64_t value)
{
    buf_add(&h->bytes, prefix.p, prefix.n);
    add_u64(&h->bytes, sizeof(value));
    add_u64(&h->bytes, (uint64_t)value);
}

int row_hash_end(struct row_hash *h, uint8_t ret[static ROW_HASH_BYTES])
{
    if (h->bytes.failed)
        return -1;
    return crypto_generichash(ret, ROW_HASH_BYTES, (const unsigned char *)h->bytes.p, h->bytes.n, NULL, 0);
}

void row_hash_prefix(struct buf *out, struct str column, enum col_kind kind)
{
    buf_add(out, column.p, column.n);
    buf_char(out, '\0');
    buf_char(out, KIND_LETTERS[kind]);
}
