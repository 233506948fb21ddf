/* webhooks_look.h - what `potok webhooks` and `potok doctor` know of the ways by which changes come:
 * settings, and what scheduler and gateways say. */
#pragma once

#include "home.h"
#include "webhooks_tell.h"

struct webhooks_look {
    struct public_urls urls;
    bool token;
    int64_t incremental_s;
    json_t *portals; /* of the scheduler's status; NULL: nobody answers */
    json_t *gateways; /* an array: what each says in its STATUS */
    uint64_t now_ms;
};

/* Waits for a second or two for the services that run here. ERR_CONF: a setting is wrong. */
int webhooks_look(struct webhooks_look *ret, const struct home *home, struct err *err) MUST_CHECK;
void webhooks_look_free(struct webhooks_look *l);
struct webhooks_view webhooks_view(const struct webhooks_look *l, const struct home *home, int portal);
