/* json_token.h - what a single token of JSON says: is it a number, what a string with escapes reads as. Bytes only: who
 * finds the tokens (json.cc) or prints them does so elsewhere. Allocates nothing; any thread. */
#pragma once

#include "base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The grammar of RFC 8259; *ret_whole = neither fraction nor exponent (not set when it is no number). */
bool json_number_is(struct str s, bool *ret_whole);

/* Resolves escapes in place. *p stands at the first backslash of a string that is closed by a quote further on, and
 * comes to stand behind the text that results, which is never longer. A lone half of a surrogate pair becomes U+FFFD
 * and counts in *repaired: portals cut texts in the middle of an emoji. Returns NULL, or where a bad escape begins. */
const char *json_unescape(char **p, uint64_t *repaired);

#ifdef __cplusplus
}
#endif
