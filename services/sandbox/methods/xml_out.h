/* xml_out.h - an answer as XML, for methods asked with ".xml" (facts section 1.1). Pure. */
#pragma once

#include "base/buf.h"

#include <jansson.h>

/* <response>…</response>: members by their names, what has none is an <item>. */
void xml_out(struct buf *out, const json_t *answer);
