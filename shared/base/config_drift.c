#include "base/config_drift.h"

#include "base/config.h"

static const char *const names[DRIFTS] = { "", "evolve", "freeze", "quarantine" };

const char *drift_name(enum drift drift)
{
    return drift < DRIFTS ? names[drift] : "";
}

bool drift_parse(struct str text, enum drift *ret)
{
    for (int i = DRIFT_EVOLVE; i < DRIFTS; i++) {
        if (str_is(text, names[i])) {
            *ret = (enum drift)i;
            return true;
        }
    }
    return false;
}

enum drift config_drift(const struct config_portal *portal, const char *entity)
{
    enum drift drift = portal->drift == DRIFT_UNSET ? DRIFT_EVOLVE : portal->drift;

    for (int i = 0; i < portal->entity_count; i++)
        if (strcmp(portal->entities[i], entity) == 0 && portal->entity_drift[i] != DRIFT_UNSET)
            drift = portal->entity_drift[i];
    return drift;
}
