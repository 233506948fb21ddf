#include "proto/news.h"

#include "proto/wire.h"

#define MEMBERS       4
#define MEMBERS_LEAST 3 /* older schedulers tell no former token */

static bool is_word(struct str s)
{
    return s.n > 0 && memchr(s.p, ' ', s.n) == NULL && memchr(s.p, '=', s.n) == NULL;
}

bool news_host_put(struct buf *hosts, struct str portal, struct str host)
{
    size_t n = portal.n + host.n + 1 + (hosts->n > 0);

    if (!is_word(portal) || !is_word(host) || hosts->n + n > NEWS_HOSTS_MAX)
        return false;
    buf_fmt(hosts, "%s" STR_FMT "=" STR_FMT, hosts->n > 0 ? " " : "", STR_ARG(portal), STR_ARG(host));
    return !hosts->failed;
}

static struct str next_word(struct str *rest)
{
    struct str word = { rest->p, 0 };

    while (word.n < rest->n && rest->p[word.n] != ' ')
        word.n++;
    rest->p += word.n + (word.n < rest->n);
    rest->n -= word.n + (word.n < rest->n);
    return word;
}

bool news_host_next(struct str *rest, struct str *ret_portal, struct str *ret_host)
{
    while (rest->n > 0) {
        struct str word = next_word(rest);
        const char *sign = word.n > 0 ? memchr(word.p, '=', word.n) : NULL;

        if (sign == NULL)
            continue;
        *ret_portal = (struct str){ word.p, (size_t)(sign - word.p) };
        *ret_host = (struct str){ sign + 1, word.n - ret_portal->n - 1 };
        if (is_word(*ret_portal) && is_word(*ret_host))
            return true;
    }
    return false;
}

void news_portals_encode(const struct news_portal *list, int count, struct buf *out)
{
    wire_put_array(out, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        wire_put_array(out, MEMBERS);
        wire_put_str(out, list[i].portal);
        wire_put_str(out, list[i].member);
        wire_put_str(out, list[i].token);
        wire_put_str(out, list[i].former);
    }
}

static void decode_one(struct wire *w, struct news_portal *p)
{
    uint32_t members = wire_array(w);

    p->portal = wire_str(w);
    p->member = wire_str(w);
    p->token = wire_str(w);
    p->former = members > MEMBERS_LEAST ? wire_str(w) : STR("");
    for (uint32_t i = MEMBERS; i < members && wire_ok(w); i++)
        wire_skip(w);
    if (members < MEMBERS_LEAST)
        wire_fail(w);
}

int news_portals_decode(struct news_portal *list, int most, int *ret_count, struct str bytes, struct err *err)
{
    struct wire w;
    uint32_t n;

    *ret_count = 0;
    wire_init(&w, bytes.p, bytes.n);
    n = wire_array(&w);
    for (uint32_t i = 0; i < n && wire_ok(&w); i++) {
        struct news_portal one;

        decode_one(&w, &one);
        if (wire_ok(&w) && one.portal.n > 0 && *ret_count < most)
            list[(*ret_count)++] = one;
    }
    if (wire_done(&w))
        return 0;
    *ret_count = 0;
    return err_set(err, ERR_PERM, "news of portals: malformed");
}
