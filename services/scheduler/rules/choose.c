#include "choose.h"

#include <stddef.h>

enum choice choose_urgent(struct chooser *c, struct chance *chances, int entities, int *ret_entity)
{
    for (int i = 0; i < entities; i++) {
        int e = (c->turn_urgent + i) % entities;
        struct chance *x = &chances[e];
        int *counter[] = { &x->again, &x->get, &x->ids };
        static const enum choice what[] = { CHOOSE_AGAIN, CHOOSE_GET, CHOOSE_IDS };

        for (int k = 0; k < 3; k++) {
            if (*counter[k] == 0)
                continue;
            --*counter[k];
            c->turn_urgent = e + 1;
            *ret_entity = e;
            return what[k];
        }
    }
    return CHOOSE_NOTHING;
}

enum choice choose_bulk(struct chooser *c, struct chance *chances, int entities, bool *probe, int *ret_entity)
{
    if (*probe) {
        *probe = false;
        return CHOOSE_PROBE;
    }
    for (int i = 0; i < entities; i++) {
        int e = (c->turn_bulk + i) % entities;

        if (chances[e].ranges == 0)
            continue;
        chances[e].ranges--;
        c->turn_bulk = e + 1;
        *ret_entity = e;
        return CHOOSE_RANGE;
    }
    return CHOOSE_NOTHING;
}

enum choice choose(struct chooser *c, struct chance *chances, int entities, bool *probe, int *ret_entity)
{
    enum choice found = CHOOSE_NOTHING;

    if (c->row < CHOOSE_URGENT_ROW)
        found = choose_urgent(c, chances, entities, ret_entity);
    if (found != CHOOSE_NOTHING) {
        c->row++;
        return found;
    }
    found = choose_bulk(c, chances, entities, probe, ret_entity);
    if (found == CHOOSE_NOTHING && c->row >= CHOOSE_URGENT_ROW)
        found = choose_urgent(c, chances, entities, ret_entity);
    c->row = 0;
    return found;
}
