/* service_state.h - how a service is, for people: from the state and the detail of its STATUS. Pure. */
#pragma once

#include <jansson.h>

/* "ready", "busy", …; of a gateway that is emptied "draining" or "drained": it is not ready, and will not be. */
const char *service_state(const char *state, const json_t *detail);
/* In the language of people; one that has no name as it is. */
const char *service_state_name(const char *state);
