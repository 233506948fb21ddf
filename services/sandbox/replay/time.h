/* time.h - the clock of a recorded answer put to another time, its form kept: whole seconds or
 * fractions, offset, which members there are. Pure. */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* When the answer of this envelope, or this `time` object itself, was finished; 0: it does not tell. */
int64_t replay_time_finish(struct str json);
/* Appends `json` (an envelope, or with bare a `time` object) with its times moved by so much. of_result: a
 * plain `result` is a time too. */
void replay_time_move(struct str json, bool bare, bool of_result, int64_t by_ms, struct buf *out);
