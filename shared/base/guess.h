/* guess.h - "did you mean": the known word nearest to a mistyped one. Pure; any thread. */
#pragma once

#include "base/str.h"

#include <stdbool.h>

#define GUESS_SIZE 64

/* Changes (a letter added, left out, replaced, two swapped) from a to b; 99 for words of GUESS_SIZE and
 * longer. */
int guess_distance(const char *a, const char *b);
/* The nearest of a NULL-terminated list, or NULL when none is near. */
const char *guess_word(const char *word, const char *const *known);
/* Where the list is behind a question: asks about every word one change away. ask may be NULL. */
bool guess_entity(const char *word, const char *(*ask)(struct str name), char ret[static GUESS_SIZE]);
bool guess_setting(const char *word, bool (*ask)(const char *name), char ret[static GUESS_SIZE]);
