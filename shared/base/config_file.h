/* config_file.h - potok.yaml into struct config. For config.c only. */
#pragma once

#include "base/config.h"

/* Adds what the file says to *c, which holds a half-read file on failure. checks is not NULL, its functions
 * may be. */
int config_file_read(
    struct config *c, const char *path, const struct config_checks *checks, struct err *err) MUST_CHECK;
