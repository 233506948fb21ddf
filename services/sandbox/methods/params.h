/* params.h - parameters of a request as PHP sees them: brackets of query strings and form bodies, JSON bodies, both
 * merged into one tree (facts section 1.3). PHP's arrays are JSON objects here, or JSON arrays when they came as such;
 * params_next() walks either. Strings are bytes as they came, not always UTF-8: never dump such a tree as JSON. */
#pragma once

#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>

#define PARAMS_COUNT_MAX 20000      /* more name=value pairs are left out, as PHP does */
#define PARAMS_DEPTH_MAX 64

/* Adds the pairs of "a=1&b[x][]=2" to the object `into`. Percent escapes and + are decoded once. */
void params_add_query(json_t *into, struct str text);
/* One pair as it is, nothing is decoded; an empty name adds nothing. */
void params_add_pair(json_t *into, struct str name, struct str value);
/* Adds a JSON text: an object's members, or a top-level array's elements by index. false: it is not JSON. */
bool params_add_json(json_t *into, struct str text);
/* Top-level parameter, name in any case; NULL: absent. The last of several spellings counts. */
json_t *params_get(const json_t *params, const char *name);

struct params_walk {
    json_t *of;
    void *member;           /* of an object */
    size_t index;           /* of an array, and a count */
    char key[24];           /* text of the index */
};
bool params_is_array(const json_t *v);
/* Walks an array or object in order; anything else has no elements. */
bool params_next(struct params_walk *w, const char **ret_key, json_t **ret_value);
/* What PHP makes of a scalar in a text: numbers as digits, true "1", false and null "". *room holds the digits. */
struct str params_text(const json_t *v, char room[static 40]);
/* Whole part at the start of the text, as intval() would: garbage is 0, out of range the nearest end. */
int64_t params_int(const json_t *v);
