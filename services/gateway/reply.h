/* reply.h - what the sender of a webhook is told, as JSON. Pure. Requirement 002, 1.2. */
#pragma once

#include "base/buf.h"
#include "intake.h"

void reply_body(const struct intake *i, uint64_t wall_ms, struct buf *out);
const char *reply_headers(enum reason reason);      /* NULL = none */
/* All that it says is its reason and the time: whoever has the same gets the same. */
bool reply_is_plain(const struct intake *i);
enum reason reply_reason(const struct intake *i);
