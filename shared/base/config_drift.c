#include "base/config_drift.h"

#include "base/config.h"

static const char *const names[DRIFTS] = { "", "evolve", "freeze", "quarantine" };

const char *drift_name(enum drift_policy drift)
{
    return drift < DRIFTS ? names[drift] : "";
}

bool drift_parse(struct str text, enum drift_policy *ret)
{
    for (int i = DRIFT_EVOLVE; i < DRIFTS; i++) {
        if (str_is(text, names[i])) {
            *ret = (enum drift_policy)i;
            return true;
        }
    }
    return false;
}

enum drift_policy config_drift(const struct config_portal *portal, const char *entity)
{
    enum drift_policy drift = portal->drift == DRIFT_UNSET ? DRIFT_EVOLVE : portal->drift;

    for (int i = 0; i < portal->entity_count; i++)
        if (strcmp(portal->entities[i], entity) == 0 && portal->entity_drift[i] != DRIFT_UNSET)
            drift = portal->entity_drift[i];
    return drift;
}
