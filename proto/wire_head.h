/* wire_head.h - one value's head, for the files of wire.h only: the cursor (wire.c) and the printing (wire_json.c). */
#pragma once

#include "proto/wire.h"

#define WIRE_DEPTH_MAX 64

struct wire_head {
    enum wire_type type;
    uint8_t size;           /* of the head itself; a float's number counts as head */
    int8_t ext;             /* OTHER: extension type; 0 with a float */
    uint64_t value;         /* integers (two's complement), BOOL, floats (bits); else bytes of content (STR, BIN,
                               NUM, OTHER) or count */
};

/* Looks, moves nothing. WIRE_END when nothing is left, after a failure, or when what is left is no head with all of
 * its content. */
struct wire_head wire_head(const struct wire *w);
