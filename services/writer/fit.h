/* fit.h - a value of one kind into a column of another, exactly or not at all. A column keeps its kind when the portal's
 * field is retyped; what is read from then on is written where the column holds the very same value. Pure; any thread. */
#pragma once

#include "base/buf.h"
#include "db/db.h"
#include "proto/wire.h"

/* True: *ret is the value for the column, made text of it in `made` (which must have WIDEN_ROOM(value) left and not move).
 * False: it does not fit, *ret is NULL. NULL fits everywhere. */
bool fit_value(enum col_kind from, enum col_kind to, const struct db_val *value, struct buf *made, struct db_val *ret);

/* Why not, for people, and what to do about it. */
#define FIT_REASON 320
void fit_reason(enum col_kind field, enum col_kind column, struct str entity, struct str name, char ret[FIT_REASON]);

/* Takes a value of ROWS at the cursor; false: it is not of the kind. Text that a database cannot keep (takes_nul false: it
 * holds U+0000) is NULL. */
bool value_read(struct wire *w, enum col_kind kind, bool takes_nul, struct db_val *ret);
