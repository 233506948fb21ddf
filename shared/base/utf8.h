/* utf8.h - the few questions about UTF-8 that text from outside makes us ask. Pure; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* Bytes of the valid sequence at p (1..4; shortest form, no surrogates, to U+10FFFF); 0 = not valid. */
size_t utf8_step(const char *p, size_t n);
/* Where utf8_step() said 0: bytes (1..3) that one U+FFFD stands for, as browsers and Python do it. n > 0. */
size_t utf8_bad(const char *p, size_t n);
/* Bytes of the longest prefix of at most `most` bytes that does not split a sequence. */
size_t utf8_cut(const char *p, size_t n, size_t most);
/* Writes the character, 1..4 bytes, and returns the place behind it. `code` is at most U+10FFFF. */
char *utf8_put(char *out, uint32_t code);
/* Makes the capitals of the Latin and the Russian alphabet small and ё an е, in place: no text becomes
 * longer. To compare, not to show. */
void utf8_fold(char *text, size_t n);
