/* multipart.h - a multipart/form-data body as pairs of names and values (facts section 1.2). Pure. */
#pragma once

#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>

/* Adds its fields to the object `into` as params_add_query() does; files are left out. false: it is not such a body, or the
 * type does not tell its boundary. */
bool multipart_add(json_t *into, const char *content_type, struct str body);
