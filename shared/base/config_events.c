#include "base/config_events.h"

#include "base/config.h"

static const char *const names[EVENTS_WAYS] = { "", "online", "offline", "both" };

const char *events_way_name(enum events_way way)
{
    return way < EVENTS_WAYS ? names[way] : "";
}

bool events_way_parse(struct str text, enum events_way *ret)
{
    for (int i = EVENTS_ONLINE; i < EVENTS_WAYS; i++) {
        if (str_is(text, names[i])) {
            *ret = (enum events_way)i;
            return true;
        }
    }
    return false;
}

bool config_events_online(const struct config_portal *portal)
{
    return portal->events != EVENTS_OFFLINE;
}

bool config_events_offline(const struct config_portal *portal)
{
    return portal->events == EVENTS_OFFLINE || portal->events == EVENTS_BOTH;
}
