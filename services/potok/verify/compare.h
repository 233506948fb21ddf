/* compare.h - what a row of the mirror should hold by the portal's record, and whether it does. No hash is believed:
 * each value is looked at. Pure; any thread. */
#pragma once

#include "base/buf.h"
#include "db/db.h"
#include "proto/wire.h"

struct verify_column {
    struct str name;
    enum col_kind field;        /* what the mapper makes */
    enum col_kind column;       /* what the table's column holds */
    bool there;                 /* the table has it */
};

/* The next value of a mapped row (msgpack) as the writer would put it into that column: NULL where it does not fit. Text
 * made for it lies in `made`, which must have room (it may not move): 6 bytes for each of the value's and 24 more.
 * -1: not a value of the field's kind. */
int verify_want(const struct verify_column *c, struct wire *w, bool takes_nul, struct buf *made, struct db_val *ret)
    MUST_CHECK;
/* Whether the database's value is that very one: numbers by their value, instants to the last digit, all else by its
 * bytes. */
bool verify_same(enum col_kind column, const struct db_val *want, const struct db_val *have);

#define VERIFY_SHOWN 80
/* A value for people's eyes, on one line; of a long text the part where it begins to differ from `other`. */
void verify_show(const struct db_val *value, const struct db_val *other, struct buf *out);
/* A fingerprint of all values of a row: another one when anything changed. */
uint64_t verify_fingerprint(const struct db_val *row, int columns);
