/* decimal.h - exact decimals as text: one spelling per number, so that equal numbers are equal bytes.
 * Pure; any thread. */
#pragma once

#include "base/str.h"

#define DECIMAL_DIGITS_MAX 1000
#define DECIMAL_SIZE (DECIMAL_DIGITS_MAX + 4)   /* sign, "0", point, NUL */

enum { DECIMAL_NOT_A_NUMBER = -1, DECIMAL_TOO_LONG = -2 };

/* "+007.50" -> "7.5", "1.5E+3" -> "1500", "-0.0" -> "0". No exponent, no leading or trailing zeros, no "-0".
 * Returns the length of the NUL-terminated text in ret, or DECIMAL_NOT_A_NUMBER (blanks, commas, "NaN", …), or
 * DECIMAL_TOO_LONG when written out it has more than DECIMAL_DIGITS_MAX digits. */
int decimal_canon(struct str in, char ret[static DECIMAL_SIZE]);
