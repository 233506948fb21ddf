/* bitrix_labels.h - titles and enumerations out of a probe's two descriptions of an entity (facts 6.1, 6.4). Pure. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* fields, user_fields: results of crm.X.fields and crm.X.userfield.list as msgpack; either may be empty. Writes
 * labels.h: what does not fit into `out` is left out, items first. */
void bitrix_labels(struct str fields, struct str user_fields, struct buf *out);
