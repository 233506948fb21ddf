#include "base/json_walk.h"

#include "base/json_token.h"

/* What may come next. */
enum { WANT_VALUE, WANT_FIRST_ITEM, WANT_FIRST_KEY, WANT_KEY, WANT_COLON, WANT_MORE };

void json_walk_init(struct json_walk *w, struct str text)
{
    *w = (struct json_walk){ .p = text.p, .end = text.p + text.n, .state = WANT_VALUE };
}

static int broken(const struct json_walk *w, const char *what, struct err *err)
{
    return err_set(err, ERR_PERM, "not JSON: %s, %zu bytes before the end", what, (size_t)(w->end - w->p));
}

static void skip_space(struct json_walk *w)
{
    if (w->state == WANT_VALUE && w->depth == 0 && w->end - w->p >= 3 && memcmp(w->p, "\xEF\xBB\xBF", 3) == 0)
        w->p += 3;
    while (w->p < w->end && (*w->p == ' ' || *w->p == '\t' || *w->p == '\n' || *w->p == '\r'))
        w->p++;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Bytes of the escape at p, 0: there is none such. */
static size_t escape_size(const char *p, const char *end)
{
    if (end - p < 2)
        return 0;
    if (p[1] != 'u')
        return p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL ? 2 : 0;
    if (end - p < 6)
        return 0;
    for (int i = 2; i < 6; i++)
        if (!is_hex(p[i]))
            return 0;
    return 6;
}

static int take_string(struct json_walk *w, struct err *err)
{
    const char *from = w->p++;

    while (w->p < w->end) {
        unsigned char c = (unsigned char)*w->p;
        size_t step = c == '\\' ? escape_size(w->p, w->end) : 1;

        if (c < 0x20 || step == 0)
            return broken(w, "a string with a bad character", err);
        w->p += step;
        if (c == '"') {
            w->token = (struct str){ from, (size_t)(w->p - from) };
            w->kind = JSON_IS_STRING;
            return 1;
        }
    }
    return broken(w, "a string without its end", err);
}

static int take_plain(struct json_walk *w, struct err *err)
{
    const char *from = w->p;
    bool whole;

    while (w->p < w->end && (is_hex(*w->p) || (*w->p != '\0' && strchr("+-.lrsunt", *w->p) != NULL)))
        w->p++;
    w->token = (struct str){ from, (size_t)(w->p - from) };
    if (str_is(w->token, "true") || str_is(w->token, "false") || str_is(w->token, "null"))
        w->kind = JSON_IS_WORD;
    else if (json_number_is(w->token, &whole))
        w->kind = JSON_IS_NUMBER;
    else
        return broken(w, "an unknown word", err);
    return 1;
}

static int open_container(struct json_walk *w, struct err *err)
{
    if (w->depth >= JSON_DEPTH_MAX)
        return broken(w, "nested too deep", err);
    w->token = (struct str){ w->p, 1 };
    w->kind = JSON_IS_OPEN;
    w->state = *w->p++ == '{' ? WANT_FIRST_KEY : WANT_FIRST_ITEM;
    return 1;
}

static int close_container(struct json_walk *w, struct err *err)
{
    if (*w->p != (w->level[w->depth].open == '{' ? '}' : ']'))
        return broken(w, "the wrong bracket", err);
    w->depth--;
    w->token = (struct str){ w->p++, 1 };
    w->kind = JSON_IS_CLOSE;
    w->state = WANT_MORE;
    return 1;
}

static int take_value(struct json_walk *w, struct err *err)
{
    w->state = WANT_MORE;
    if (*w->p == '"')
        return take_string(w, err);
    if (*w->p == '{' || *w->p == '[')
        return open_container(w, err);
    return take_plain(w, err);
}

static int take_key(struct json_walk *w, struct err *err)
{
    if (*w->p != '"')
        return broken(w, "no key", err);
    if (take_string(w, err) < 0)
        return -1;
    w->is_key = true;
    w->level[w->depth].key = (struct str){ w->token.p + 1, w->token.n - 2 };
    w->state = WANT_COLON;
    return 1;
}

/* Passes commas and colons, which belong to the gap. */
static int skip_punctuation(struct json_walk *w, struct err *err)
{
    for (;;) {
        skip_space(w);
        if (w->p == w->end)
            return 0;
        if (w->state == WANT_COLON && *w->p == ':') {
            w->state = WANT_VALUE;
        } else if (w->state == WANT_MORE && w->depth > 0 && *w->p == ',') {
            w->level[w->depth].index++;
            w->state = w->level[w->depth].open == '{' ? WANT_KEY : WANT_VALUE;
        } else {
            return w->state == WANT_COLON ? broken(w, "no colon", err) : 0;
        }
        w->p++;
    }
}

/* What was opened by the token before is entered only now: the bracket itself lies outside. */
static void enter(struct json_walk *w)
{
    if (w->token.n == 0 || w->kind != JSON_IS_OPEN)
        return;
    w->depth++;
    w->level[w->depth] = (struct json_level){ .open = *w->token.p };
}

int json_walk_next(struct json_walk *w, struct err *err)
{
    const char *from = w->p;

    enter(w);
    w->is_key = false;
    if (skip_punctuation(w, err) < 0)
        return -1;
    w->gap = (struct str){ from, (size_t)(w->p - from) };
    if (w->p == w->end) {
        w->token = (struct str){ w->p, 0 };
        w->kind = JSON_IS_WORD;
        return w->depth == 0 && w->state == WANT_MORE ? 0 : broken(w, "it breaks off", err);
    }
    switch (w->state) {
    case WANT_MORE:
        return w->depth > 0 ? close_container(w, err) : broken(w, "more than one value", err);
    case WANT_FIRST_KEY:
        return *w->p == '}' ? close_container(w, err) : take_key(w, err);
    case WANT_FIRST_ITEM:
        return *w->p == ']' ? close_container(w, err) : take_value(w, err);
    case WANT_KEY:
        return take_key(w, err);
    default:
        return take_value(w, err);
    }
}

struct str json_walk_key(const struct json_walk *w, int n)
{
    for (int d = w->depth; d > 0; d--)
        if (w->level[d].open == '{' && n-- == 0)
            return w->level[d].key;
    return STR("");
}

int json_walk_value(struct json_walk *w, struct str *ret, struct err *err)
{
    const char *from = w->token.p;
    const int depth = w->depth;

    if (w->kind == JSON_IS_OPEN) {
        do {
            if (json_walk_next(w, err) < 0)
                return -1;
        } while (w->kind != JSON_IS_CLOSE || w->depth != depth);
    }
    *ret = (struct str){ from, (size_t)(w->p - from) };
    return 0;
}
