/* field_edit.h - what people do to user fields in the portal's settings, by name and as data, so that it can be kept in
 * a file and done again. Changes memory alone. Loop thread. */
#pragma once

#include "crm.h"

#include "base/err.h"

/* what: add {"type":"string","multiple":false,"fill":40}, delete {}, rename {"label":"…"},
 * type {"type":"string","multiple":false}, items {"add":["…"],"rename":{"45":"…"},"delete":["47"]}. ERR_PERM: the
 * text says what is wrong, and nothing was done. */
int field_edit(struct crm *c, struct str what, const char *name, struct str json, struct err *err) MUST_CHECK;
