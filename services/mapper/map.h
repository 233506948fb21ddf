/* map.h - RECORDS to ROWS: records and their schema in, typed rows with hashes out. Pure: no socket, no clock, no
 * database, nothing kept from message to message but memory and the shape of the last schema.
 * Work is done in steps, so that a large message never holds a loop. One struct map per thread. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "row_hash.h"
#include "shape.h"

#include <stdint.h>

#define MAP_REJECT_VALUE_MAX 65536
/* Reason of the values of a field that is set aside (schema.h). */
#define MAP_QUARANTINE "new field: quarantine until `potok schema accept`"

struct map_stats {
    uint64_t rows;
    uint64_t rejects;           /* values that did not fit */
    uint64_t unknown;           /* values of fields the schema lacks: dropped (a get shows a few extra ones) */
};

struct map_reject {             /* of the record being read; told once its id is known */
    int field;
    struct str raw;             /* wire bytes of the value */
    const char *reason;
};

struct map {
    struct shape shape;
    struct convert convert;
    struct row_hash hash;
    struct value *values;       /* by column */
    uint64_t *seen;             /* by field: number of the last record that had it */
    int *next;                  /* by field: the field that followed it in the last record (records resemble) */
    struct map_reject *rejected;    /* room for one a field */
    int rejected_count;

    struct wire in;
    uint64_t record, count;     /* done, and all */
    struct buf rows;            /* output: [id, hash, values…] one after another */
    struct buf rejects;         /* output: array of [id, field, value, reason]; empty when there are none */
    struct map_stats stats;     /* of this message */
};

void map_init(struct map *m);
void map_fini(struct map *m);

/* Begins a message. Schema and payload stay the caller's and stay unchanged until the last step.
 * ERR_PERM: the schema is none, or the payload cannot hold `count` records. */
int map_begin(struct map *m, struct str schema, struct str payload, uint64_t count, struct err *err) MUST_CHECK;
/* Maps records until some `slice_bytes` were written. 1 = there are more, 0 = all done: take rows and rejects, the
 * columns are m->shape.encoded. -1: ERR_PERM (a record without a positive id, not msgpack) or ERR_LIMIT (rows too
 * big for one message): nothing of the message is to be used. */
int map_step(struct map *m, size_t slice_bytes, struct err *err) MUST_CHECK;
