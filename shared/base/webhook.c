#include "base/webhook.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <stdio.h>

struct parts {
    bool is_https;
    struct str host, user, secret;
    struct str rest; /* what follows the secret and its slash */
};

static struct str trim(struct str s)
{
    while (s.n > 0 && (unsigned char)s.p[0] <= ' ') {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && (unsigned char)s.p[s.n - 1] <= ' ')
        s.n--;
    return s;
}

/* Takes everything up to the first of `stops` (kept in *s). */
static struct str take(struct str *s, const char *stops)
{
    size_t n = 0;

    while (n < s->n && !strchr(stops, s->p[n]))
        n++;

    struct str piece = { s->p, n };
    s->p += n;
    s->n -= n;
    return piece;
}

static bool skip(struct str *s, const char *word)
{
    size_t n = strlen(word);

    if (s->n < n || !str_case_eq((struct str){ s->p, n }, (struct str){ word, n }))
        return false;
    s->p += n;
    s->n -= n;
    return true;
}

static bool consists_of(struct str s, const char *extra)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                (c && strchr(extra, c))))
            return false;
    }
    return s.n > 0;
}

static bool is_number(struct str s)
{
    uint64_t value;

    return str_u64(s, &value);
}

static bool is_loopback(struct str host)
{
    char text[64];
    struct in_addr v4;

    if (str_case_eq(host, STR("localhost")) || str_is(host, "[::1]"))
        return true;
    if (host.n >= sizeof(text))
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    return inet_pton(AF_INET, text, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

/* "host", "host:port", "[::1]:port"; the port is checked and dropped. */
static const char *parse_host(struct str authority, struct str *ret_host)
{
    struct str host = authority;
    uint64_t port;

    if (authority.n > 0 && memchr(authority.p, '@', authority.n))
        return "a user and password do not belong into it";
    if (host.n > 0 && host.p[0] == '[') {
        host = take(&authority, "]");
        if (!skip(&authority, "]"))
            return "the host is not one";
        host.n++;
        struct str inner = { host.p + 1, host.n - 2 };
        if (!consists_of(inner, ":."))
            return "the host is not one";
    } else {
        host = take(&authority, ":");
        if (!consists_of(host, ".-"))
            return "the host is not one";
    }
    if (authority.n > 0 &&
        (!skip(&authority, ":") || !str_u64(authority, &port) || port == 0 || port > 65535))
        return "the port is not one";
    *ret_host = host;
    return NULL;
}

static const char *parse_path(struct str path, struct parts *ret)
{
    static const char shape[] =
        "it must look like https://portal.bitrix24.ru/rest/1/secret/ (Bitrix24: Developer resources,"
        " Inbound webhook)";

    if (!skip(&path, "/rest/"))
        return shape;
    ret->user = take(&path, "/");
    if (!is_number(ret->user) || !skip(&path, "/"))
        return shape;
    ret->secret = take(&path, "/");
    if (!consists_of(ret->secret, "_-"))
        return shape;
    skip(&path, "/");
    ret->rest = path;
    return NULL;
}

/* NULL or what is wrong. */
static const char *parse(struct str text, struct parts *ret)
{
    const char *why;

    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7F)
            return "there is a space or a line end in it";
    if (text.n > 0 && (text.p[0] == '"' || text.p[0] == '\''))
        return "take the quotes away";
    ret->is_https = skip(&text, "https://");
    if (!ret->is_https && !skip(&text, "http://"))
        return "it must begin with https://";
    why = parse_host(take(&text, "/?#"), &ret->host);
    if (why)
        return why;
    if (!ret->is_https && !is_loopback(ret->host))
        return "plain http would show the secret to everybody on the way: use https";
    if (text.n > 0 && (memchr(text.p, '?', text.n) || memchr(text.p, '#', text.n)))
        return "take away what begins with ? or #";
    why = parse_path(text, ret);
    if (why)
        return why;
    return ret->rest.n > 0 ? "it goes on after the secret: take the method name away" : NULL;
}

/* Scheme and host: the secret may be anywhere in an address that is wrong. */
static void show(struct str text, char *ret, size_t size)
{
    struct str rest = text, scheme = take(&rest, ":/"), authority = { 0 };

    if (skip(&rest, "://"))
        authority = take(&rest, "/?#");
    if (consists_of(scheme, "") && consists_of(authority, ".-:[]"))
        snprintf(ret, size, STR_FMT "://" STR_FMT "%s", STR_ARG(scheme), STR_ARG(authority),
            rest.n ? "/(masked)" : "");
    else
        snprintf(ret, size, "(masked)");
}

int webhook_parse(struct str text, char **ret, struct err *err)
{
    struct parts parts = { 0 };
    char shown[128];

    text = trim(text);
    if (text.n == 0)
        return err_set(err, ERR_CONF, "the webhook address is empty");
    if (text.n > 2048)
        return err_set(err, ERR_CONF, "the webhook address is longer than 2048 bytes");

    const char *why = parse(text, &parts);
    if (why) {
        show(text, shown, sizeof(shown));
        return err_set(err, ERR_CONF, "\"%s\": %s", shown, err_tr(why));
    }
    *ret = xasprintf(STR_FMT "%s", STR_ARG(text), text.p[text.n - 1] == '/' ? "" : "/");
    return 0;
}

void webhook_identity(const char *url, char ret[static WEBHOOK_IDENTITY_SIZE])
{
    struct str text = str_of(url), authority, host = { 0 }, port;
    bool is_https = skip(&text, "https://");

    if (!is_https)
        skip(&text, "http://");
    authority = take(&text, "/?#");
    if (parse_host(authority, &host) != NULL)
        host = authority;
    port = (struct str){ authority.p + host.n, authority.n - host.n };
    if (is_https && str_is(port, ":443"))
        port.n = 0;
    if (host.n > 0 && host.p[host.n - 1] == '.') /* "portal.example." is the same host */
        host.n--;
    if (is_loopback(host))
        snprintf(ret, WEBHOOK_IDENTITY_SIZE, "localhost");
    else
        snprintf(ret, WEBHOOK_IDENTITY_SIZE, STR_FMT STR_FMT, STR_ARG(host), STR_ARG(port));
    for (char *p = ret; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
}

/* ---- the address alone, and another one ---- */

struct address {
    bool is_https;
    struct str authority, host, path; /* authority: without a default port */
};

/* NULL or what is wrong. */
static const char *split(struct str text, struct address *ret)
{
    const char *why;

    ret->is_https = skip(&text, "https://");
    if (!ret->is_https && !skip(&text, "http://"))
        return "it must begin with https://";
    ret->authority = take(&text, "/?#");
    why = parse_host(ret->authority, &ret->host);
    if (why)
        return why;
    if (str_is((struct str){ ret->authority.p + ret->host.n, ret->authority.n - ret->host.n },
            ret->is_https ? ":443" : ":80"))
        ret->authority.n = ret->host.n;
    if (!ret->is_https && !is_loopback(ret->host))
        return "plain http would show the secret to everybody on the way: use https";
    ret->path = text;
    return ret->authority.n < WEBHOOK_HOST_SIZE ? NULL : "the host is not one";
}

static void small_letters(char *p)
{
    for (; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
}

static char *address_text(const struct address *a)
{
    char *text = xasprintf("%s" STR_FMT "/", a->is_https ? "https://" : "http://", STR_ARG(a->authority));

    small_letters(text);
    return text;
}

int webhook_host_parse(struct str text, char **ret, struct err *err)
{
    struct address a = { 0 };
    char whole[320], shown[128];
    const char *why;

    text = trim(text);
    if (text.n == 0)
        return err_set(err, ERR_CONF, "the address is empty");
    snprintf(whole, sizeof(whole), "%s%.*s", memmem(text.p, text.n, "://", 3) ? "" : "https://",
        (int)(text.n < 300 ? text.n : 300), text.p);
    why = text.n > 300 ? "the host is not one" : split(str_of(whole), &a);
    if (!why && a.path.n > 0 && !str_is(a.path, "/"))
        why = "it is scheme and host alone, as https://portal.bitrix24.ru";
    if (why) {
        show(str_of(whole), shown, sizeof(shown));
        return err_set(err, ERR_CONF, "\"%s\": %s", shown, err_tr(why));
    }
    *ret = address_text(&a);
    return 0;
}

char *webhook_address(const char *url)
{
    struct address a = { 0 };

    return split(str_of(url), &a) == NULL ? address_text(&a) : xstrdup("");
}

void webhook_host(const char *url, char ret[static WEBHOOK_HOST_SIZE])
{
    struct address a = { 0 };

    ret[0] = '\0';
    if (split(str_of(url), &a) != NULL)
        return;
    snprintf(ret, WEBHOOK_HOST_SIZE, STR_FMT, STR_ARG(a.authority));
    small_letters(ret);
}

struct str webhook_host_in(struct str url)
{
    const char *from = url.n > 0 ? memmem(url.p, url.n, "://", 3) : NULL;
    size_t n = 0;

    if (from == NULL)
        return (struct str){ NULL, 0 };
    for (from += 3; from + n < url.p + url.n && from[n] != '/'; n++)
        ;
    return (struct str){ from, n };
}

char *webhook_at(const char *url, struct str host)
{
    struct address from = { 0 };
    struct str bare;

    if (split(str_of(url), &from) != NULL || host.n == 0 || parse_host(host, &bare) != NULL)
        return NULL;
    return xasprintf("%s" STR_FMT STR_FMT, !from.is_https && is_loopback(bare) ? "http://" : "https://",
        STR_ARG(host), STR_ARG(from.path));
}

bool webhook_moved(const char *asked, const char *location, char ret[static WEBHOOK_HOST_SIZE])
{
    struct address from = { 0 }, to = { 0 };

    if (split(str_of(asked), &from) != NULL || split(str_of(location), &to) != NULL)
        return false;
    if ((from.is_https && !to.is_https) || !str_eq(from.path, to.path) ||
        str_case_eq(from.authority, to.authority))
        return false;
    webhook_host(location, ret);
    return true;
}

/* "new.bitrix24.com.br:8443" -> "bitrix24.com.br"; the whole host where it is a number. */
static struct str parent_of(struct str host)
{
    static const char *const shared[] = { "ac", "co", "com", "edu", "gov", "net", "org" };
    size_t n = 0, dot[3] = { 0 }; /* where the last labels begin, the last one first */
    bool numeric = true;
    int labels = 0;

    while (n < host.n && host.p[n] != ':') {
        numeric &= host.p[n] == '.' || (host.p[n] >= '0' && host.p[n] <= '9');
        n++;
    }
    if (numeric || n == 0)
        return (struct str){ host.p, n };
    for (size_t i = n; i-- > 0 && labels < 3;)
        if (host.p[i] == '.')
            dot[labels++] = i + 1;
    int keep = 2;
    if (labels >= 2)
        for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
            if (str_is((struct str){ host.p + dot[1], dot[0] - 1 - dot[1] }, shared[i]))
                keep = 3;
    size_t from = labels >= keep ? dot[keep - 1] : 0;
    return (struct str){ host.p + from, n - from };
}

bool webhook_is_kin(const char *url, struct str host)
{
    char ours[WEBHOOK_HOST_SIZE];

    webhook_host(url, ours);
    return ours[0] != '\0' && str_case_eq(parent_of(str_of(ours)), parent_of(host));
}
