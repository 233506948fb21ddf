/* news.h - what EVENT_ACK tells gateways of portals: at which host each answers now (`hosts`), and whose events an
 * application_token proves (`sealed`, under POTOK_SECRET_KEY for NEWS_PURPOSE).
 * hosts: "portal=host" separated by blanks. Sealed: msgpack array of [portal, member_id, application_token, former token];
 * the last may be missing, what a member has beyond these is skipped. Memory: strings are views into the bytes decoded. Any thread. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

#define NEWS_PURPOSE    "gateway"
#define NEWS_HOSTS_MAX  4096
#define NEWS_SEALED_MAX 8192

/* Appends; false: there is no room, or one of them cannot be told so (empty, with a blank or '='). */
bool news_host_put(struct buf *hosts, struct str portal, struct str host);
/* The next of them, false: there is none. What is no "portal=host" is passed over. */
bool news_host_next(struct str *rest, struct str *ret_portal, struct str *ret_host);

struct news_portal {
    struct str portal;      /* name in the configuration */
    struct str member;      /* member_id; empty: not known */
    struct str token;       /* secret; empty: not known */
    struct str former;      /* secret; empty: none. Of an installation before the last login: taken, and no reason to refuse others */
};
void news_portals_encode(const struct news_portal *list, int count, struct buf *out);
/* At most `most` of them; a portal without a name is left out. ERR_PERM: malformed. */
int news_portals_decode(
    struct news_portal *list, int most, int *ret_count, struct str bytes, struct err *err) MUST_CHECK;
