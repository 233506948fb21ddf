/* wire_value.h - a value set by hand, read back: what the JSON a portal prints for a field means (facts section 6.3). */
#pragma once

#include "arena.h"
#include "attr.h"
#include "value.h"

#include <jansson.h>
#include <stdbool.h>

/* raw: JSON text. Fills kind and content of *ret. false: it does not fit the field's type, then *ret is NULL. */
bool wire_value_parse(const struct attr *a, struct str raw, struct arena *arena, struct value *ret);
/* "-12.50" and the like: digits with at most one point, an exponent allowed; up to 1000 bytes. */
bool wire_is_decimal(struct str s);
