#include "base/handler_key.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define QUERY "?" HANDLER_KEY_NAME "="

void handler_key(
    const struct seal_keys *keys, int which, const char *portal, char ret[static HANDLER_KEY_SIZE])
{
    char purpose[80];

    snprintf(purpose, sizeof(purpose), "handler:%s", portal);
    seal_derive(keys, which, str_of(purpose), ret);
}

char *handler_keyed(const char *bare, const struct seal_keys *keys, const char *portal)
{
    char key[HANDLER_KEY_SIZE], *address;

    if (keys->n == 0)
        return xstrdup(bare);
    handler_key(keys, 0, portal, key);
    address = xasprintf("%s" QUERY "%s", bare, key);
    explicit_bzero(key, sizeof(key));
    return address;
}

bool handler_is_keyed(const char *handler, const char *bare)
{
    const size_t n = strlen(bare), m = strlen(QUERY);

    return strncmp(handler, bare, n) == 0 && strncmp(handler + n, QUERY, m) == 0 &&
           strspn(handler + n + m, "0123456789abcdef") == HANDLER_KEY_SIZE - 1 &&
           handler[n + m + HANDLER_KEY_SIZE - 1] == '\0';
}
