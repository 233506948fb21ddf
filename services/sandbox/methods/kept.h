/* kept.h - rows of lists as they were printed once, for benches in which the portal should cost next to nothing. Only
 * rows of records that nobody changed are kept, for a few selections of fields of each entity; an edited field begins
 * anew. About the size of the answers in memory. Loop thread. */
#pragma once

#include "list.h"
#include "render.h"

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct kept;

struct kept *kept_new(void);
void kept_free(struct kept **k);
/* What the rows that follow are: of this query's entity and fields, in this form. */
void kept_choose(struct kept *k, const struct list_query *q, const struct crm *c, const struct wire *wire);
/* Appends the row of record n; false: it is not here. */
bool kept_get(struct kept *k, uint32_t n, const struct wire *wire, struct buf *out);
/* The row as it was just printed. */
void kept_put(struct kept *k, uint32_t n, const struct wire *wire, struct str row);
