#include "deletions.h"

#include "ask/absence.h"
#include "command.h"
#include "ask/control.h"
#include "words/say.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static void told(const char *body, bool json)
{
    json_t *root = json_loads(body, 0, NULL), *sweep;
    size_t i;

    if (json)
        printf("%s\n", body);
    json_array_foreach(json_object_get(root, "sweeps"), i, sweep)
        if (!json)
            printf("%s %s/%s\n", say("ищем удалённое:", "looking for what was deleted:"),
                json_string_value(json_object_get(sweep, "portal")),
                json_string_value(json_object_get(sweep, "entity")));
    json_decref(root);
}

int sync_deletions(const struct home *home, const char *question, bool json)
{
    json_t *root = json_loads(question, 0, NULL);
    struct err err = { 0 };
    char *body = NULL;

    json_object_set_new(root, "deletions", json_true());
    char *wanted = json_dumps(root, JSON_COMPACT);
    int result = absence_may_look(home, &err);
    if (result == 0)
        result = control_call(home->run_dir, home->bus_scheduler, "sync", wanted, &body, &err);
    if (result == 0)
        told(body, json);
    free(wanted);
    free(body);
    json_decref(root);
    return result < 0 ? absence_failed(home, &err) : EXIT_WELL;
}
