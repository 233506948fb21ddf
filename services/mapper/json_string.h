/* json_string.h - what becomes of a string inside a value that is kept as JSON. The writers are wire_json_back()'s, which
 * walks the value; numbers keep the token the portal sent. Pure; any thread. */
#pragma once

#include "base/buf.h"

void json_date(struct buf *out, struct str s);      /* a date or an instant: its first ten characters */
void json_time(struct buf *out, struct str s);      /* an instant: in UTC */
void json_address(struct buf *out, struct str s);   /* addresses lose the values of auth=: they open the file to anyone */
