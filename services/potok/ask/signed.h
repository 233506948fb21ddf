/* signed.h - a call of a command to a portal: the address with a webhook's secret in it, or the body with an application's
 * access token. Pure. Both hold secrets: seal_free(), seal_wipe(). */
#pragma once

#include "base/buf.h"
#include "base/config.h"
#include "base/seal.h"

#include <stdbool.h>

#define SIGNED_MORE_BYTES 8192      /* by so much a body grows at most */

/* host: where the portal answers now; empty: as configured. wrong_secret: with another one of the same length. NULL: it
 * cannot be asked at that host. */
char *signed_url(const struct config_portal *portal, const char *method, struct str host, bool wrong_secret);
/* params: a JSON object. `sealed`: the access token, purpose "job:<portal>". */
int signed_body(const struct seal_keys *keys, const struct config_portal *portal, struct str params, struct str sealed,
    bool wrong_secret, struct buf *ret, struct err *err) MUST_CHECK;
