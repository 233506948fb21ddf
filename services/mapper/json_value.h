/* json_value.h - a wire value as compact JSON text; numbers keep the token the portal sent.
 * Pure; any thread. */
#pragma once

#include "base/buf.h"
#include "proto/wire.h"

/* Writes a string element as JSON, perhaps changed on the way. */
typedef void json_on_string(struct buf *out, struct str s);

void json_plain(struct buf *out, struct str s);     /* as it is */
void json_date(struct buf *out, struct str s);      /* a date or an instant: its first ten characters */
void json_time(struct buf *out, struct str s);      /* an instant: in UTC */
void json_address(struct buf *out, struct str s);   /* addresses lose the values of auth=: they open the file to anyone */

/* One value; nesting over 60 or bytes that are not JSON fail the cursor. */
void json_write(struct wire *w, json_on_string *on_string, struct buf *out);
