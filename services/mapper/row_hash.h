/* row_hash.h - the fingerprint by which the writer knows that a row did not change. It covers the names, kinds and
 * values of the columns that hold something, in the order of their names: a new column that is NULL changes nothing.
 * Pure; one struct row_hash per thread. */
#pragma once

#include "base/buf.h"
#include "proto/schema.h"

#include <stdint.h>

#define ROW_HASH_BYTES 16

struct row_hash {
    struct buf bytes;       /* what is hashed; memory kept from row to row */
};

void row_hash_init(struct row_hash *h, size_t max_bytes);
void row_hash_fini(struct row_hash *h);
void row_hash_begin(struct row_hash *h);
/* In the order of column names. `prefix` comes from row_hash_prefix(). */
void row_hash_add(struct row_hash *h, struct str prefix, struct str value);
void row_hash_add_i64(struct row_hash *h, struct str prefix, int64_t value);
/* -1 when the row was larger than max_bytes. */
int row_hash_end(struct row_hash *h, uint8_t ret[static ROW_HASH_BYTES]) MUST_CHECK;

/* What stands before each value of a column: its name, a zero byte and its kind. Appends to out. */
void row_hash_prefix(struct buf *out, struct str column, enum col_kind kind);
