/* config_events.h - how a portal tells of changes: `events:` of potok.yaml. Constant; any thread. */
#pragma once

#include "base/str.h"

#include <stdbool.h>

enum events_way {
    EVENTS_UNSET,   /* as EVENTS_ONLINE */
    EVENTS_ONLINE,  /* it calls the gateway; the default */
    EVENTS_OFFLINE, /* an application's queue at the portal is read: nothing need be reachable from outside */
    EVENTS_BOTH,    /* it calls, and what a call lost the queue still has */
    EVENTS_WAYS
};

const char *events_way_name(enum events_way way);
bool events_way_parse(struct str text, enum events_way *ret); /* false: no such way, *ret untouched */

struct config_portal;
bool config_events_online(const struct config_portal *portal);
bool config_events_offline(const struct config_portal *portal);
