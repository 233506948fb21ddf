/* paths.h - where this machine's state lies: POTOK_HOME (default ./var) with potok.db, spool/, run/, log/. Any thread. */
#pragma once

#include "base/err.h"

/* Writes "<home>/<sub>" to ret; makes the folder of it (0700) when missing. ERR_CONF when it cannot. */
int paths_make(const char *home, const char *sub, char *ret, size_t size, struct err *err) MUST_CHECK;
const char *paths_home(void);       /* POTOK_HOME or "./var" */
