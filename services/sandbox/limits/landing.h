/* landing.h - requests whose effect comes after their answer (facts sections 1.5, 2.5): copies that wait for
 * their time. Loop thread. */
#pragma once

#include "portal.h"

struct landing {
    struct portal_request request; /* all its texts are owned */
    uint64_t due_ms;
    struct landing *next;
};

void landings_add(struct landings *l, const struct portal_request *in, uint64_t due_ms);
struct landing *landings_take(struct landings *l, uint64_t now_ms); /* the first that is due; NULL: none */
void landing_free(struct landing *l);
void landings_clear(struct landings *l);
