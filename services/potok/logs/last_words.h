/* last_words.h - the line of a log that says why a service ended. Pure. */
#pragma once

#include "base/str.h"

/* The error of the latest ERROR line, else the first line that is no log line (a crash report says it there), else
 * the latest event; "" when there is none. */
void last_words(struct str log, char *ret, size_t size);
