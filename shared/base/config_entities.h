/* config_entities.h - `entities:` of a portal: which are copied, and what some of them have of their own. For config*.c
 * only. */
#pragma once

#include "base/config_loader.h"

int config_entities_take(struct loader *l, struct config_portal *portal, const struct node *node) MUST_CHECK;   /* ERR_CONF */
