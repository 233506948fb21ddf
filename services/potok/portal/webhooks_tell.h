/* webhooks_tell.h - how changes of a portal come to us and what a person has to do for it: `potok webhooks`.
 * Pure text from what is configured and what the scheduler knows. */
#pragma once

#include "base/buf.h"
#include "base/config.h"
#include "base/public_url.h"

#include <jansson.h>
#include <stdint.h>

struct webhooks_view {
    const struct config_portal *portal;
    const struct public_urls *urls;
    bool token;            /* BITRIX_APPLICATION_TOKEN is set */
    bool keyed;            /* its handler's address has a key, which is not shown (base/handler_key.h) */
    int64_t incremental_s; /* SYNC_INCREMENTAL_SECONDS */
    const json_t *events;  /* the portal's "events" of the scheduler's status; NULL: it does not answer */
    int64_t tokens_wrong;  /* of its events, refused since the gateways' start for a wrong token or none */
    int64_t tokens_wrong_ms; /* the last of them; 0: none */
    uint64_t now_ms;
};

/* The portal's events come with the key in their handler: bound by us, and not dropped by the portal. Else an
 * application's events are known by its token alone. */
bool webhooks_have_key(const struct webhooks_view *v);
void webhooks_tell(const struct webhooks_view *v, struct buf *out);
json_t *webhooks_json(const struct webhooks_view *v); /* a new reference */

/* How events stay away, for `potok doctor`. */
enum webhooks_health {
    WEBHOOKS_WELL,
    WEBHOOKS_UNKNOWN, /* the scheduler does not answer */
    WEBHOOKS_NO_URL,  /* nothing can come in, and no queue is read */
    WEBHOOKS_UNBOUND, /* an application's subscriptions are missing */
    WEBHOOKS_SILENT,  /* no event for a day, though records changed */
    WEBHOOKS_REFUSED, /* the last event came with a token that is not ours */
};
enum webhooks_health webhooks_health(const struct webhooks_view *v);
