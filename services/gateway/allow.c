#include "allow.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static_assert(sizeof(((struct secrets *)0)->key) == crypto_generichash_KEYBYTES, "a key of BLAKE2b");

static struct str trim(struct str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\n' || s.p[0] == '\r')) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && strchr(" \t\r\n", s.p[s.n - 1]) != NULL)
        s.n--;
    return s;
}

/* The part before the next comma, trimmed; *rest goes on behind it. */
static struct str next_item(struct str *rest)
{
    const char *comma = rest->n > 0 ? memchr(rest->p, ',', rest->n) : NULL;
    size_t n = comma != NULL ? (size_t)(comma - rest->p) : rest->n;
    struct str item = { rest->p, n };

    rest->p += n + (comma != NULL);
    rest->n -= n + (comma != NULL);
    return trim(item);
}

static void hash_of(const struct secrets *s, struct str text, uint8_t ret[32])
{
    crypto_generichash(ret, 32, (const unsigned char *)text.p, text.n, s->key, sizeof(s->key));
}

int secrets_parse(struct secrets *ret, const char *text, const char *name, struct err *err)
{
    struct str rest = str_of(text);
    struct secrets s = { .count = 0 };

    if (sodium_init() < 0)
        return err_set(err, ERR_BUG, "libsodium does not start");
    randombytes_buf(s.key, sizeof(s.key));
    for (int place = 1; rest.n > 0; place++) {
        struct str item = next_item(&rest);

        if (item.n == 0)
            continue;
        if (item.n < ALLOW_SECRET_MIN)
            return err_set(err, ERR_CONF, "%s: number %d is %zu long, a secret needs at least %d characters",
                name, place, item.n, ALLOW_SECRET_MIN);
        if (s.count == ALLOW_MAX)
            return err_set(err, ERR_CONF, "%s: more than %d secrets", name, ALLOW_MAX);
        hash_of(&s, item, s.hashes[s.count++]);
    }
    *ret = s;
    return 0;
}

bool secrets_match(const struct secrets *s, struct str given)
{
    uint8_t hash[32];
    int found = 0;

    if (s->count == 0)
        return false;
    hash_of(s, given.p != NULL ? given : STR(""), hash);
    for (int i = 0; i < s->count; i++) /* all of them: how long it takes says nothing */
        found |= sodium_memcmp(hash, s->hashes[i], sizeof(hash)) == 0;
    return found != 0;
}

void secret_make(const struct secrets *beside, struct str text, struct secret *ret)
{
    *ret = (struct secret){ .any = text.n >= ALLOW_SECRET_MIN };
    if (ret->any)
        hash_of(beside, text, ret->hash);
}

bool secret_is(const struct secrets *beside, const struct secret *s, struct str given)
{
    uint8_t hash[32];

    if (!s->any)
        return false;
    hash_of(beside, given.p != NULL ? given : STR(""), hash);
    return sodium_memcmp(hash, s->hash, sizeof(hash)) == 0;
}

static struct str without_port(struct str host)
{
    const char *colon = host.n > 0 ? memrchr(host.p, ':', host.n) : NULL;

    if (host.n > 0 && host.p[host.n - 1] != ']' && colon != NULL)
        host.n = (size_t)(colon - host.p);
    return host;
}

static bool matches(struct str pattern, struct str host)
{
    pattern = without_port(pattern);
    if (pattern.n > 2 && pattern.p[0] == '*' && pattern.p[1] == '.') {
        size_t n = pattern.n - 1; /* ".example.com" */

        return host.n > n &&
               str_case_eq((struct str){ host.p + host.n - n, n }, (struct str){ pattern.p + 1, n });
    }
    return str_case_eq(pattern, host);
}

bool domain_match(struct str patterns, struct str host)
{
    host = without_port(host);
    while (patterns.n > 0) {
        struct str pattern = next_item(&patterns);

        if (pattern.n > 0 && host.n > 0 && matches(pattern, host))
            return true;
    }
    return false;
}
