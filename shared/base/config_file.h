/* config_file.h - potok.yaml into struct config. For config.c only. */
#pragma once

#include "base/config.h"

/* Adds what the file says to *c, which holds a half-read file on failure. checks is not NULL, its functions
 * may be. */
int config_file_read(
    struct config *c, const char *path, const struct config_checks *checks, struct err *err) MUST_CHECK;

/* A portal with the defaults. The caller has looked at CONFIG_PORTALS_MAX. */
struct config_portal *config_portal_add(struct config *c, const char *name);

#define TARIFF_RULE                                                                                          \
    "is no tariff: standard (2/50), enterprise (5/250) or RATE/BURST with BURST at least RATE + 2"

bool config_tariff_parse(struct str text, uint32_t *ret_drain, uint32_t *ret_burst);

/* What a user wrote, for a message: masked (it may be the webhook in a wrong place) and cut. */
#define SHOWN_SIZE 72
const char *config_shown(const char *text, char ret[static SHOWN_SIZE]);
