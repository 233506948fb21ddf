#include "service_state.h"

#include "base/mem.h"
#include "words/say.h"

#include <string.h>

const char *service_state(const char *state, const json_t *detail)
{
    const char *draining = json_string_value(json_object_get(detail, "draining"));

    if (draining == NULL || strcmp(state, "no answer") == 0 || strcmp(state, "stopping") == 0)
        return state;
    return strcmp(draining, "over") == 0 ? "drained" : "draining";
}

const char *service_state_name(const char *state)
{
    static const struct {
        const char *state, *ru, *en;
    } names[] = {
        { "starting", "запускается", "starting" },
        { "ready", "готов", "ready" },
        { "busy", "занят", "busy" },
        { "standby", "в резерве", "standby" },
        { "stopping", "завершается", "stopping" },
        { "draining", "опустошается", "draining" },
        { "drained", "опустошён", "drained" },
        { "no answer", "не отвечает", "no answer" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(names[i].state, state) == 0)
            return say(names[i].ru, names[i].en);
    }
    return state;
}
