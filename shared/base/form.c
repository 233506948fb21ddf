#include "base/form.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool has(struct str s, char c)
{
    return s.n > 0 && memchr(s.p, c, s.n) != NULL;
}

static struct str decode(struct str raw, char **to)
{
    char *from = *to;

    if (!has(raw, '%') && !has(raw, '+')) { /* as most are */
        if (raw.n > 0)
            memcpy(from, raw.p, raw.n);
        *to += raw.n;
        return (struct str){ from, raw.n };
    }
    for (size_t i = 0; i < raw.n; i++) {
        int high = raw.p[i] == '%' && i + 2 < raw.n ? hex_digit(raw.p[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(raw.p[i + 2]) : -1;

        if (low >= 0) {
            *(*to)++ = (char)(high << 4 | low);
            i += 2;
        } else {
            *(*to)++ = raw.p[i] == '+' ? ' ' : raw.p[i];
        }
    }
    return (struct str){ from, (size_t)(*to - from) };
}

static size_t count_pairs(struct str text)
{
    size_t n = text.n > 0;
    const char *end = text.p + text.n;

    for (const char *p = text.p; p < end && (p = memchr(p, '&', (size_t)(end - p))) != NULL; p++)
        n++;
    return n;
}

static void add(struct form *f, struct str raw, char **to)
{
    const char *equals = raw.n > 0 ? memchr(raw.p, '=', raw.n) : NULL;
    size_t key = equals != NULL ? (size_t)(equals - raw.p) : raw.n;

    if (key == 0)
        return;
    struct form_pair *pair = &f->pairs[f->count++];

    pair->key = decode((struct str){ raw.p, key }, to);
    pair->value = equals != NULL ? decode((struct str){ equals + 1, raw.n - key - 1 }, to) : STR("");
}

int form_parse(struct form *ret, struct str text, struct err *err)
{
    struct form f = { 0 };
    size_t pairs = count_pairs(text);
    char *to;

    if (pairs > FORM_PAIRS_MAX)
        return err_set(err, ERR_LIMIT, "a form of %zu pairs, at most %d", pairs, FORM_PAIRS_MAX);
    f.pairs = xcalloc(pairs + 1, sizeof(*f.pairs));
    f.bytes = to = xmalloc(text.n + 1);
    for (size_t at = 0; at < text.n;) {
        const char *end = memchr(text.p + at, '&', text.n - at);
        size_t n = end != NULL ? (size_t)(end - text.p) - at : text.n - at;

        add(&f, (struct str){ text.p + at, n }, &to);
        at += n + 1;
    }
    *ret = f;
    return 0;
}

void form_free(struct form *f)
{
    free(f->pairs);
    free(f->bytes);
    *f = (struct form){ 0 };
}

struct str form_get(const struct form *f, const char *key)
{
    for (size_t i = f->count; i-- > 0;)
        if (str_is(f->pairs[i].key, key))
            return f->pairs[i].value;
    return (struct str){ NULL, 0 };
}

struct str form_item(const struct form *f, const char *name, int i)
{
    char key[80];
    struct str found;

    snprintf(key, sizeof(key), "%s[%d]", name, i);
    found = form_get(f, key);
    if (found.p != NULL)
        return found;
    snprintf(key, sizeof(key), "%s[]", name);
    for (size_t k = 0; k < f->count; k++)
        if (str_is(f->pairs[k].key, key) && i-- == 0)
            return f->pairs[k].value;
    return (struct str){ NULL, 0 };
}
