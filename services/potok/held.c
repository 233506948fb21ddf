#include "held.h"

#include "base/setting.h"
#include "services/ports.h"

#include <errno.h>

struct held {
    char *listen, *tokens, *keys;
};

static const struct setting SETTINGS[] = {
    SET_STR(struct held, listen, "GATEWAY_LISTEN", NULL, "where webhooks come in"),
    SET_SECRET(struct held, tokens, "BITRIX_APPLICATION_TOKEN", "application tokens of the portals"),
    SET_SECRET(struct held, keys, "API_KEY", "keys of programs that send changes"),
    SET_END,
};

static int open_default(bool open, int *ret_fd, char ret_address[static LISTEN_ADDRESS_SIZE], struct err *err)
{
    if (open)
        return listen_open(GATEWAY_LISTEN_OPEN, ret_fd, ret_address, err);
    if (listen_open(GATEWAY_LISTEN_CLOSED, ret_fd, ret_address, err) == 0)
        return 0;
    return err->code == EADDRINUSE ? listen_open("127.0.0.1:0", ret_fd, ret_address, err) : -1;
}

int held_open(
    const struct home *h, int *ret_fd, char ret_address[static LISTEN_ADDRESS_SIZE], struct err *err)
{
    struct held s = { NULL, NULL, NULL };
    int result;

    if (settings_load(SETTINGS, &s, config_setting, (void *)&h->config, err) < 0)
        return -1;
    if (s.listen[0] != '\0')
        result = listen_open(s.listen, ret_fd, ret_address, err);
    else
        result = open_default(s.tokens[0] != '\0' || s.keys[0] != '\0', ret_fd, ret_address, err);
    settings_free(SETTINGS, &s);
    return result;
}
