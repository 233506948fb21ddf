/* The same bytes as hosts and as portals that a gateway is told of. What was read and is written again reads
 * the same. */
#include "proto/news.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 32

static void as_hosts(struct str bytes)
{
    struct str name, host, again_name, again_host, rest;
    struct buf b;

    while (news_host_next(&bytes, &name, &host)) {
        buf_init(&b, NEWS_HOSTS_MAX + 1);
        if (news_host_put(&b, name, host) && memchr(b.p, '\0', b.n) == NULL) {
            rest = buf_view(&b);
            if (!news_host_next(&rest, &again_name, &again_host) || !str_eq(name, again_name) ||
                !str_eq(host, again_host))
                abort();
        }
        buf_fini(&b);
    }
}

static void as_portals(struct str bytes)
{
    struct news_portal list[MOST], again[MOST];
    struct buf b;
    struct err err;
    int count, n;

    if (news_portals_decode(list, MOST, &count, bytes, &err) < 0)
        return;
    buf_init(&b, 1 << 20);
    news_portals_encode(list, count, &b);
    if (!b.failed && (news_portals_decode(again, MOST, &n, buf_view(&b), &err) < 0 || n != count))
        abort();
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_hosts((struct str){ (const char *)data, size });
    as_portals((struct str){ (const char *)data, size });
    return 0;
}
