/* file.h - a small text file read whole: secrets and configuration. Any thread. */
#pragma once

#include "base/err.h"

#include <stddef.h>

/* *ret = the NUL-terminated content, caller frees. ERR_CONF "path: why" when it cannot be read, is longer
 * than most_bytes or holds a NUL byte. */
int file_read(const char *path, size_t most_bytes, char **ret, struct err *err) MUST_CHECK;
/* The same for a secret: at most 64 KB, without one trailing line end. */
int file_read_secret(const char *path, char **ret, struct err *err) MUST_CHECK;
