#include "base/public_url.h"

#include "base/mem.h"
#include "base/webhook.h"

#include <stdlib.h>
#include <string.h>

#define URL_MAX 500

static struct str trimmed(struct str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && strchr(" \t/", s.p[s.n - 1]) != NULL)
        s.n--;
    return s;
}

/* How long scheme and host are; without a scheme 0. */
static size_t base_of(struct str url)
{
    const char *slashes = url.n > 0 ? memmem(url.p, url.n, "://", 3) : NULL;
    size_t n = slashes != NULL ? (size_t)(slashes - url.p) + 3 : 0;

    while (n > 0 && n < url.n && strchr("/?#", url.p[n]) == NULL)
        n++;
    return n;
}

static bool path_is(struct str path)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/%";

    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '\0' || strchr(good, path.p[i]) == NULL)
            return false;
    return true;
}

static int add(struct public_urls *u, struct str url, struct err *err)
{
    const size_t n = base_of(url);
    const struct str path = { url.p + n, url.n - n };
    char *address;

    if (u->count == PUBLIC_URLS_MAX)
        return err_set(err, ERR_CONF, "more than %d addresses", PUBLIC_URLS_MAX);
    if (n == 0 || url.n > URL_MAX)
        return err_set(err, ERR_CONF, "it must begin with https:// and the host that portals reach us by");
    if (!path_is(path))
        return err_set(err, ERR_CONF, "only a path may follow the host: letters, digits and -._~/");
    if (webhook_host_parse((struct str){ url.p, n }, &address, err) < 0)
        return -1;
    address[strlen(address) - 1] = '\0'; /* its slash */
    u->handlers[u->count++] = xasprintf("%s" STR_FMT PUBLIC_WEBHOOK_PATH, address, STR_ARG(path));
    free(address);
    return 0;
}

int public_urls_read(struct public_urls *ret, const char *setting, struct err *err)
{
    struct str left = str_of(setting);

    *ret = (struct public_urls){ 0 };
    while (left.n > 0) {
        const char *comma = memchr(left.p, ',', left.n);
        const size_t n = comma != NULL ? (size_t)(comma - left.p) : left.n;
        const struct str one = trimmed((struct str){ left.p, n });

        left = (struct str){ left.p + n + (comma != NULL), left.n - n - (comma != NULL) };
        if (one.n > 0 && add(ret, one, err) < 0) {
            public_urls_free(ret);
            return err_wrap(err, "PUBLIC_URL");
        }
    }
    return 0;
}

void public_urls_free(struct public_urls *u)
{
    for (int i = 0; i < u->count; i++)
        free(u->handlers[i]);
    *u = (struct public_urls){ 0 };
}
