/* config_drift.h - what becomes of fields that appear at a portal after its entity was first read. Constant; any thread. */
#pragma once

#include "base/str.h"

#include <stdbool.h>

enum drift_policy {
    DRIFT_UNSET,        /* of an entity: as its portal says */
    DRIFT_EVOLVE,       /* a new field gets its column; the default */
    DRIFT_FREEZE,       /* it is recorded and shown, and left out until it is accepted */
    DRIFT_QUARANTINE,   /* the same, and each of its values goes to potok_reject */
    DRIFTS
};

const char *drift_name(enum drift_policy drift);
bool drift_parse(struct str text, enum drift_policy *ret);     /* false: no such policy, *ret untouched */

struct config_portal;
/* Of one entity (plural name) of the portal, never DRIFT_UNSET. */
enum drift_policy config_drift(const struct config_portal *portal, const char *entity);
