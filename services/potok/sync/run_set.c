#include "run_set.h"

#include <jansson.h>

void run_set_add(struct run_set *s, uint64_t id)
{
    if (s->count < SNAPSHOT_RUNS_MAX && !run_set_has(s, id))
        s->ids[s->count++] = id;
}

void run_set_take(struct run_set *s, struct str answer)
{
    json_t *root = json_loadb(answer.p, answer.n, 0, NULL), *run;
    size_t i;

    json_array_foreach(json_object_get(root, "runs"), i, run)
        run_set_add(s, (uint64_t)json_integer_value(json_object_get(run, "id")));
    json_decref(root);
}

bool run_set_has(const struct run_set *s, uint64_t id)
{
    for (int i = 0; i < s->count; i++) {
        if (s->ids[i] == id)
            return true;
    }
    return false;
}

uint64_t run_set_since(const struct run_set *s)
{
    uint64_t least = s->count > 0 ? s->ids[0] : 1;

    for (int i = 1; i < s->count; i++)
        least = s->ids[i] < least ? s->ids[i] : least;
    return least - 1;
}
