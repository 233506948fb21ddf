/* key.h - a request as one text, the same for all ways of writing it: method in lower case, parameters
 * by name. Pure. */
#pragma once

#include "base/str.h"

#include <jansson.h>

/* "crm.deal.list?filter[>ID]=5&start=-1"; the caller frees. What belongs to the sender (auth) is left out. */
char *replay_key(struct str method, const json_t *params);
/* The key among `count` that begins most like `key`; NULL: none shares its method. */
const char *replay_key_near(const char *key, const char *const *keys, int count);
