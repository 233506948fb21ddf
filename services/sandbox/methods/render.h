/* render.h - a value as the portal prints it: strings for numbers, ISO for dates, and every wire form of "empty" that
 * facts sections 6.3 and 16 list for its type and method. Pure. */
#pragma once

#include "data/attr.h"
#include "data/record.h"

#include "base/buf.h"

#include <stdbool.h>

struct wire {
    bool get;                   /* crm.X.get, else crm.X.list */
    bool lead;                  /* booleans of crm.lead.list are JSON ones (section 6.3) */
    bool ascii;
    bool numbers;               /* option: ids and numbers as JSON numbers */
    bool local_midnight;        /* option: dates at T00:00:00+03:00 */
    char token[33];             /* auth= of file links: another in every answer */
};

/* false: the key is left out (a multifield without values). */
bool render_value(struct buf *out, const struct wire *w, const struct attr *a, const struct value *v);
/* {"ID":"1",…} of the fields attrs[0..count). The arena of r is reset by the caller. */
void render_row(struct buf *out, const struct wire *w, const struct record *r, const struct attr *const *attrs, int count);
