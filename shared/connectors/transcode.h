/* transcode.h - JSON text to msgpack in one pass, in the forms of proto/wire.h: keys and strings as str,
 * integers as integers, every other number as its exact token. Any thread. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "proto/wire.h"

#include <stdint.h>

/* Appends the one value of text to ret; text has JSON_PADDING writable bytes after n and may be repaired in
 * place. *repaired is raised by the strings that were. ret_ends (NULL allowed): the great containers, which end where
 * it says while ret is not appended to. ERR_TEMP: no JSON (cut short, garbage, too deep); ERR_LIMIT: over ret->max. */
int transcode(char *text, size_t n, struct buf *ret, struct wire_ends *ret_ends, uint64_t *repaired, struct err *err)
    MUST_CHECK;

/* An empty buffer for it, whose memory the thread keeps from one answer to the next while it is not too much: clearing
 * fresh pages takes as long as a fifth of the reading. One at a time; given back when it is read. */
struct buf *transcode_take_room(size_t max);
void transcode_give_room(struct buf *room);
