/* public_url.h - PUBLIC_URL: where portals reach the gateway, as "https://potok.example.com" or with a path
 * before ours, "https://example.com/potok". Further addresses by commas are former ones of the same
 * installation: what was bound to them is unbound. Owned by the caller; pure. */
#pragma once

#include "base/err.h"

#define PUBLIC_URLS_MAX     4
#define PUBLIC_WEBHOOK_PATH "/api/v1/webhooks/bitrix" /* of the gateway */

struct public_urls {
    char *handlers[PUBLIC_URLS_MAX]; /* each with PUBLIC_WEBHOOK_PATH; the first is the one in use */
    int count;                       /* 0: not set */
};

/* setting NULL or "": none. ERR_CONF: https it is (http to this machine only), without user, query and
 * fragment. */
int public_urls_read(struct public_urls *ret, const char *setting, struct err *err) MUST_CHECK;
void public_urls_free(struct public_urls *u);
