/* ids.h - `potok sync ENTITY --id N[,N…]`: single records are read again. */
#pragma once

#include "home.h"

#include <stdbool.h>

/* question: the arguments of CONTROL, with ids. The exit code. */
int sync_ids(const struct home *home, const char *question, bool wait, bool json);
