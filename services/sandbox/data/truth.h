/* truth.h - a record as a faithful mirror must hold it: the sandbox's own reading of facts section 6.3, written apart
 * from how values are rendered and from how Potok maps them. Pure.
 * Text as text; decimals as strings without needless zeros; instants in UTC; dates as YYYY-MM-DD; money in two columns,
 * <col> and <col>_currency; multiples, files and multifields as JSON. Empty is left out, but "" in a text stays "". */
#pragma once

#include "attr.h"
#include "record.h"

#include "base/buf.h"

void truth_record(struct buf *out, const struct record *r);             /* {"id":42,"values":{…}} */
void truth_columns(struct buf *out, const struct attr_list *attrs);     /* {"title":"text",…} */
