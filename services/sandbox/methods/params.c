#include "params.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes into room (as long as s); returns the length. */
static size_t decode(struct str s, char *room)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
            room[n++] = (char)((unsigned)hex(s.p[i + 1]) << 4 | (unsigned)hex(s.p[i + 2]));
            i += 2;
        } else {
            room[n++] = s.p[i] == '+' ? ' ' : s.p[i];
        }
    }
    return n;
}

/* `a[]=`: the next number. Only the order matters to anybody. */
static json_t *append_place(json_t *object, json_t *value)
{
    char key[24];
    size_t index = json_object_size(object);

    do
        snprintf(key, sizeof(key), "%zu", index++);
    while (json_object_get(object, key) != NULL);
    json_object_set_new_nocheck(object, key, value);
    return value;
}

static json_t *set_at(json_t *object, struct str key, json_t *value)
{
    if (key.n == 0)
        return append_place(object, value);
    json_object_setn_new_nocheck(object, key.p, key.n, value);
    return value;
}

/* The container named `key`, made when missing; a scalar there gives way. */
static json_t *container_at(json_t *object, struct str key)
{
    json_t *found = key.n > 0 ? json_object_getn(object, key.p, key.n) : NULL;

    return found != NULL && json_is_object(found) ? found : set_at(object, key, json_object());
}

/* The first segment: PHP turns '.', ' ' and an unclosed '[' of it into '_'. */
static size_t top_name(char *key, size_t n)
{
    size_t end = 0;

    while (end < n && key[end] != '[') {
        if (key[end] == '.' || key[end] == ' ')
            key[end] = '_';
        end++;
    }
    if (end < n && memchr(key + end, ']', n - end) == NULL) {
        key[end] = '_';
        return n;
    }
    return end;
}

static void assign(json_t *into, char *key, size_t n, struct str value)
{
    while (n > 0 && *key == ' ') {
        key++;
        n--;
    }
    size_t at = top_name(key, n);
    if (at == 0)
        return;
    struct str segment = { key, at };
    json_t *where = into;
    for (int depth = 0; at < n && key[at] == '['; depth++) {
        const char *close = memchr(key + at, ']', n - at);
        if (close == NULL)
            break;
        if (depth >= PARAMS_DEPTH_MAX)
            return;
        where = container_at(where, segment);
        segment = (struct str){ key + at + 1, (size_t)(close - (key + at + 1)) };
        at = (size_t)(close - key) + 1;
    }
    set_at(where, segment, json_stringn_nocheck(value.p ? value.p : "", value.n));
}

static void add_pair(json_t *into, struct str pair, char *room)
{
    const char *equals = memchr(pair.p, '=', pair.n);
    struct str name = { pair.p, equals ? (size_t)(equals - pair.p) : pair.n };
    struct str text = { equals ? equals + 1 : pair.p + pair.n, equals ? pair.n - name.n - 1 : 0 };

    const size_t name_n = decode(name, room);
    const size_t text_n = decode(text, room + name_n);
    assign(into, room, name_n, (struct str){ room + name_n, text_n });
}

void params_add_pair(json_t *into, struct str name, struct str value)
{
    char *key = xmalloc(name.n + 1);

    memcpy(key, name.p, name.n);
    assign(into, key, name.n, value);
    free(key);
}

void params_add_query(json_t *into, struct str text)
{
    char *room = xmalloc(text.n + 1);
    const char *p = text.p, *end = text.p + text.n;

    for (int count = 0; p < end && count < PARAMS_COUNT_MAX; count++) {
        const char *stop = memchr(p, '&', (size_t)(end - p));
        if (stop == NULL)
            stop = end;
        if (stop > p)
            add_pair(into, (struct str){ p, (size_t)(stop - p) }, room);
        p = stop + 1;
    }
    free(room);
}

bool params_add_json(json_t *into, struct str text)
{
    json_t *j = json_loadb(text.p ? text.p : "", text.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    const char *key;
    json_t *value;

    if (j == NULL)
        return false;
    struct params_walk walk = { .of = j };
    while (params_next(&walk, &key, &value))
        json_object_set_nocheck(into, key, value);
    json_decref(j);
    return true;
}

json_t *params_get(const json_t *params, const char *name)
{
    json_t *found = NULL, *value;
    const char *key;

    json_object_foreach((json_t *)params, key, value) {
        if (strcasecmp(key, name) == 0)
            found = value;
    }
    return found;
}

bool params_is_array(const json_t *v)
{
    return json_is_object(v) || json_is_array(v);
}

bool params_next(struct params_walk *w, const char **ret_key, json_t **ret_value)
{
    if (json_is_array(w->of)) {
        *ret_value = json_array_get(w->of, w->index);
        snprintf(w->key, sizeof(w->key), "%zu", w->index++);
        *ret_key = w->key;
        return *ret_value != NULL;
    }
    if (!json_is_object(w->of))
        return false;
    w->member = w->index++ == 0 ? json_object_iter(w->of) : json_object_iter_next(w->of, w->member);
    if (w->member == NULL)
        return false;
    *ret_key = json_object_iter_key(w->member);
    *ret_value = json_object_iter_value(w->member);
    return true;
}

struct str params_text(const json_t *v, char room[static 40])
{
    if (json_is_string(v))
        return (struct str){ json_string_value(v), json_string_length(v) };
    if (json_is_integer(v))
        snprintf(room, 40, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        snprintf(room, 40, "%.15g", json_real_value(v));
    else
        snprintf(room, 40, "%s", json_is_true(v) ? "1" : "");
    return str_of(room);
}

int64_t params_int(const json_t *v)
{
    char room[40];

    if (json_is_integer(v))
        return json_integer_value(v);
    return strtoll(params_text(v, room).p, NULL, 10); /* ends of the range when beyond it */
}
