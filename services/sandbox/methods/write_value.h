/* write_value.h - what the portal keeps of a value that a method sends for a field (facts sections 6.3, 7, 8): "Y" of 1,
 * an instant of any of the input forms, the items of an enumeration that exist. Pure. */
#pragma once

#include "data/attr.h"

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>

enum write_verdict { WRITE_FINE, WRITE_UNKNOWN_CURRENCY, WRITE_NOT_VALID };

/* Appends "=" and the JSON that wire_value_parse() reads; "=" alone: nothing is kept, the field is empty. Not for
 * multifields. file_id: of the first file that is uploaded. WRITE_NOT_VALID: garbage, and an empty value is written. */
enum write_verdict write_value(struct buf *out, const struct attr *a, const json_t *given, uint32_t file_id);
/* A text as JSON whatever bytes it has. */
void write_text(struct buf *out, struct str s);
bool write_currency_known(struct str code);
