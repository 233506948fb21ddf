#include "key.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "methods/params.h"

#define KEY_BYTES_MAX (8u << 20)

struct pairs {
    char **list;
    size_t n;
};

static void lower(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] | 0x20);
}

static void add_pair(struct pairs *pairs, struct str path, struct str text)
{
    struct buf pair;

    buf_init(&pair, KEY_BYTES_MAX);
    buf_add(&pair, path.p, path.n);
    buf_char(&pair, '=');
    buf_add(&pair, text.p, text.n);
    if (pairs->n % 64 == 0)
        pairs->list = xrealloc(pairs->list, (pairs->n + 64) * sizeof(*pairs->list));
    pairs->list[pairs->n++] = xstrdup(buf_cstr(&pair));
    buf_fini(&pair);
}

static bool is_senders(const char *name)
{
    return strcasecmp(name, "auth") == 0 || strcasecmp(name, "bx24_request_id") == 0;
}

static void add_value(struct pairs *pairs, struct buf *path, const json_t *value)
{
    struct params_walk walk = { .of = (json_t *)value };
    const size_t before = path->n;
    const char *name;
    json_t *member;
    char room[40];

    if (!params_is_array(value)) {
        add_pair(pairs, buf_view(path), params_text(value, room));
        return;
    }
    while (params_next(&walk, &name, &member)) {
        if (before == 0 && is_senders(name))
            continue;
        buf_fmt(path, before == 0 ? "%s" : "[%s]", name);
        if (before == 0)
            lower(path->p, path->n);
        add_value(pairs, path, member);
        path->n = before;
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *replay_key(struct str method, const json_t *params)
{
    struct pairs pairs = { NULL, 0 };
    struct buf path, key;

    buf_init(&path, 1 << 20);
    buf_init(&key, KEY_BYTES_MAX);
    add_value(&pairs, &path, params);
    if (pairs.n > 0)
        qsort(pairs.list, pairs.n, sizeof(*pairs.list), by_text);
    buf_add(&key, method.p, method.n);
    lower(key.p, key.n);
    buf_char(&key, '?');
    for (size_t i = 0; i < pairs.n; i++) {
        buf_fmt(&key, "%s%s", i > 0 ? "&" : "", pairs.list[i]);
        free(pairs.list[i]);
    }
    free(pairs.list);
    char *ret = xstrdup(buf_cstr(&key));
    buf_fini(&path);
    buf_fini(&key);
    return ret;
}

const char *replay_key_near(const char *key, const char *const *keys, int count)
{
    size_t most = strcspn(key, "?");
    const char *near = NULL;

    for (int i = 0; i < count; i++) {
        size_t n = 0;
        while (key[n] != '\0' && key[n] == keys[i][n])
            n++;
        if (n > most) {
            most = n;
            near = keys[i];
        }
    }
    return near;
}
