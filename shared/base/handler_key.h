/* handler_key.h - the key in the address that an application's events are bound to: whoever sends them there was told the
 * address by the portal, so they are the portal's though nobody knows its application_token. Made of POTOK_SECRET_KEY and
 * the portal's name: scheduler and gateways have the same without telling each other. A secret; pure. */
#pragma once

#include "base/seal.h"

#include <stdbool.h>

#define HANDLER_KEY_NAME "key" /* in the query; url_mask() knows it */
#define HANDLER_KEY_SIZE SEAL_DERIVED_SIZE

/* The first of the keys is the one that is bound, any is taken: which < keys->n. */
void handler_key(const struct seal_keys *keys, int which, const char *portal, char ret[static HANDLER_KEY_SIZE]);
/* "https://potok.example.com/api/v1/webhooks/bitrix?key=…"; without keys `bare` as it is. Owned by the caller. */
char *handler_keyed(const char *bare, const struct seal_keys *keys, const char *portal);
/* `handler` is `bare` with some key of ours, or of somebody who makes them as we do. */
bool handler_is_keyed(const char *handler, const char *bare);
