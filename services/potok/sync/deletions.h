/* deletions.h - `potok sync --deletions`: the scheduler lists all ids and has looked up what is gone. */
#pragma once

#include "home.h"

#include <stdbool.h>

/* `question`: of question_of(). Returns the exit code; does not wait for the end. */
int sync_deletions(const struct home *home, const char *question, bool json);
