#include "held.h"

#include "base/setting.h"
#include "services/gateway/gateway.h"
#include "services/ports.h"

#include <errno.h>
#include <stdio.h>

struct held {
    char *listen, *tokens, *keys, *bearers, *cert;
};

static const struct setting SETTINGS[] = {
    SET_STR(struct held, listen, "GATEWAY_LISTEN", NULL, "where webhooks come in"),
    SET_SECRET(struct held, tokens, "BITRIX_APPLICATION_TOKEN", "application tokens of the portals"),
    SET_SECRET(struct held, keys, "API_KEY", "keys of programs that send changes"),
    SET_SECRET(struct held, bearers, "WEBHOOK_BEARER_TOKEN", "tokens of programs that send changes"),
    SET_STR(struct held, cert, "GATEWAY_TLS_CERT", NULL, "file of a certificate"),
    SET_END,
};

/* As the gateway sees it: rules.c. */
static bool can_be_installed(const struct home *h)
{
    bool app = false;

    for (int i = 0; i < h->config.portal_count; i++)
        app |= config_portal_is_app(&h->config.portals[i]);
    return app && h->secret_key != NULL && h->secret_key[0] != '\0';
}

int held_wish(struct held_wish *ret, const struct home *h, struct err *err)
{
    struct held s = { .listen = NULL };

    if (settings_load(SETTINGS, &s, config_setting, (void *)&h->config, err) < 0)
        return -1;
    ret->secret = s.tokens[0] != '\0' || s.keys[0] != '\0' || s.bearers[0] != '\0';
    ret->tls = s.cert[0] != '\0';
    ret->gives_way = s.listen[0] == '\0' && !ret->secret;
    snprintf(ret->address, sizeof(ret->address), "%s",
        s.listen[0] != '\0' ? s.listen
        : ret->secret       ? GATEWAY_LISTEN_OPEN
                            : GATEWAY_LISTEN_CLOSED);
    ret->installs = !ret->secret && !rules_loopback(ret->address) && can_be_installed(h);
    settings_free(SETTINGS, &s);
    return 0;
}

int held_open(
    const struct home *h, int *ret_fd, char ret_address[static LISTEN_ADDRESS_SIZE], struct err *err)
{
    struct held_wish wish;

    if (held_wish(&wish, h, err) < 0)
        return -1;
    if (listen_open(wish.address, ret_fd, ret_address, err) == 0)
        return 0;
    if (err->code == EADDRINUSE && wish.gives_way)
        return listen_open("127.0.0.1:0", ret_fd, ret_address, err);
    return err_wrap(err, "GATEWAY_LISTEN");
}
