/* config_app.h - a portal that is reached as an application (OAuth 2.0) and not by a webhook.
 *
 *   portals:
 *     main:
 *       app:
 *         address: https://example.bitrix24.ru            # the portal
 *         client_id: local.0123456789abcd.01234567
 *         client_secret_file: /run/secrets/potok-app      # or client_secret: …
 *         oauth: https://oauth.bitrix24.tech              # the default; http to this machine for tests
 *
 * BITRIX_DOMAIN, BITRIX_CLIENT_ID and BITRIX_CLIENT_SECRET (or _FILE) say the same of the portal "main". All or none of
 * the three; and not a webhook beside them. BITRIX_OAUTH_URL beside the three says `oauth`. For config*.c only, but the struct. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

#define CONFIG_OAUTH_DEFAULT "https://oauth.bitrix24.tech/"

struct config_portal;
struct loader;
struct node;

struct config_app {
    char *client_id;            /* NULL: the portal is reached by a webhook */
    char *client_secret;        /* secret */
    char *oauth;                /* "https://oauth.bitrix24.tech/" */
    bool told;                  /* some of it was given */
};

/* `app:` of potok.yaml. ERR_CONF. */
int config_app_take(struct loader *l, struct config_portal *portal, const struct node *node) MUST_CHECK;
/* One of the environment's four; `name` without BITRIX_. ERR_CONF. */
int config_app_set(struct config_portal *portal, const char *name, const char *value, struct err *err) MUST_CHECK;
/* All there, and no webhook beside it; fills in what is left to defaults. ERR_CONF. */
int config_app_check(struct config_portal *portal, struct err *err) MUST_CHECK;
void config_app_free(struct config_app *app);
