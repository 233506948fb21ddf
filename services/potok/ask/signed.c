#include "signed.h"

#include "base/mem.h"
#include "base/webhook.h"

#include <stdlib.h>
#include <string.h>

#define TOKEN_BYTES_MAX 4096

static void spoil(char *sign)
{
    *sign = *sign == 'x' ? 'y' : 'x';
}

char *signed_url(const struct config_portal *portal, const char *method, struct str host, bool wrong_secret)
{
    const char *url = config_portal_url(portal);
    const bool is_app = config_portal_is_app(portal);
    char *base = host.n > 0 ? webhook_at(url, host) : xstrdup(url);

    if (base == NULL)
        return NULL;
    char *ret = xasprintf("%s%s%s.json", base, is_app ? "rest/" : "", method);
    char *secret = strstr(ret, "/rest/");

    seal_free(base);
    secret = secret != NULL ? strchr(secret + 6, '/') : NULL;
    if (wrong_secret && !is_app && secret != NULL)
        spoil(secret + 1);
    return ret;
}

int signed_body(const struct seal_keys *keys, const struct config_portal *portal, struct str params,
    struct str sealed, bool wrong_secret, struct buf *ret, struct err *err)
{
    char *purpose = xasprintf("job:%s", portal->name);
    struct buf token;
    int result;

    buf_init(&token, TOKEN_BYTES_MAX);
    result = seal_open(keys, str_of(purpose), sealed, &token, err);
    if (result == 0 && wrong_secret && token.n > 0)
        spoil(token.p);
    if (result == 0) {
        buf_str(ret, "{\"auth\":");
        buf_json(ret, buf_view(&token));
        if (params.n > 2)
            buf_char(ret, ',');
        buf_add(ret, params.p + 1, params.n - 1);
    }
    seal_wipe(&token);
    free(purpose);
    return result;
}
