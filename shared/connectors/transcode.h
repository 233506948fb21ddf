/* transcode.h - JSON text to msgpack in one pass, in the forms of proto/wire.h: keys and strings as str,
 * integers as integers, every other number as its exact token. Any thread. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

/* Appends the one value of text to ret; text has JSON_PADDING writable bytes after n and may be repaired in
 * place. *repaired is raised by the strings that were. ERR_TEMP: no JSON (cut short, garbage, too deep);
 * ERR_LIMIT: over ret->max. */
int transcode(char *text, size_t n, struct buf *ret, uint64_t *repaired, struct err *err) MUST_CHECK;
