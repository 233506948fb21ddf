#include "row_hash.h"

#include <endian.h>
#include <sodium.h>
#include <string.h>

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

/* Prefix, size, value, in one piece: a row has dozens of them. */
static void add(struct buf *b, struct str prefix, const void *value, size_t n)
{
    const uint64_t size = htole64(n);

    if (!buf_room(b, prefix.n + sizeof(size) + n))
        return;
    char *p = b->p + b->n;
    memcpy(p, prefix.p, prefix.n);
    memcpy(p + prefix.n, &size, sizeof(size));
    if (n > 0)
        memcpy(p + prefix.n + sizeof(size), value, n);
    b->n += prefix.n + sizeof(size) + n;
}

void row_hash_add(struct row_hash *h, struct str prefix, struct str value)
{
    add(&h->bytes, prefix, value.p, value.n);
}

void row_hash_add_i64(struct row_hash *h, struct str prefix, int64_t value)
{
    const uint64_t bytes = htole64((uint64_t)value);

    add(&h->bytes, prefix, &bytes, sizeof(bytes));
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
