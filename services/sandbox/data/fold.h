/* fold.h - text without regard to case, as the portal's database compares it: ASCII and Cyrillic. Pure. */
#pragma once

#include "arena.h"

#include <stdbool.h>

struct str fold(struct str s, struct arena *a);                     /* lower-case copy */
bool fold_like(struct str folded, struct str pattern);              /* % any run, _ one byte; both folded */
