/* config_portal.h - one portal of potok.yaml: its keys and what they take. For config*.c only. */
#pragma once

#include "base/config_loader.h"

#define TARIFF_RULE                                                                                          \
    "is no tariff: standard (2/50), enterprise (5/250) or RATE/BURST with BURST at least RATE + 2"

bool config_tariff_parse(struct str text, uint32_t *ret_drain, uint32_t *ret_burst);

/* A portal with the defaults. The caller has looked at CONFIG_PORTALS_MAX. */
struct config_portal *config_portal_add(struct config *c, const char *name);
/* A member of `portals:`. ERR_CONF. */
int config_portal_take(struct loader *l, const struct node *node) MUST_CHECK;
