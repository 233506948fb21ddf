/* completion.h - the script that completes `potok` on a bash command line, made from the table of commands. Pure. */
#pragma once

#include "base/buf.h"
#include "command.h"

/* Appends the script: it needs nothing but bash, and defines `_potok`. */
void completion_bash(const struct command *const *commands, int count, struct buf *out);
