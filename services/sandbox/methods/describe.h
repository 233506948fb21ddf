/* describe.h - what methods tell of a field (facts section 6.1). */
#pragma once

#include "data/attr.h"

#include "base/buf.h"

/* The object of a field, from '{' to '}'. upper: upperName of crm.item.fields, where titles are for people; NULL: as
 * classic methods do. */
void describe_field(struct buf *out, const struct attr *a, const char *upper);

/* An entry of userfield.list or userfield.get (facts section 6.4). */
enum labels { LABELS_NONE, LABELS_TEXT, LABELS_BY_LANGUAGE };
void describe_userfield(struct buf *out, const struct attr *a, const char *entity, enum labels labels);

bool describe_is_type(struct str name);    /* a row of crm.userfield.types */
