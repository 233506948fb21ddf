#include "json_out.h"

#include "data/calendar.h"

#include <stdlib.h>

/* 0: as it is; 'u': \u00XX; else the letter after the backslash. */
static const unsigned char escape[256] = {
    [0 ... 7] = 'u',
    ['\b'] = 'b',
    ['\t'] = 't',
    ['\n'] = 'n',
    [11] = 'u',
    ['\f'] = 'f',
    ['\r'] = 'r',
    [14 ... 31] = 'u',
    ['"'] = 'u',
    ['&'] = 'u',
    ['\''] = 'u',
    ['<'] = 'u',
    ['>'] = 'u',
    ['/'] = '/',
    ['\\'] = '\\',
};

static char *put_u(char *o, unsigned v)
{
    static const char hex[] = "0123456789ABCDEF";

    *o++ = '\\';
    *o++ = 'u';
    *o++ = hex[v >> 12 & 15];
    *o++ = hex[v >> 8 & 15];
    *o++ = hex[v >> 4 & 15];
    *o++ = hex[v & 15];
    return o;
}

static char *put_escape(char *o, unsigned char c)
{
    if (escape[c] == 'u')
        return put_u(o, c);
    *o++ = '\\';
    *o++ = (char)escape[c];
    return o;
}

/* One character beyond ASCII, as escapes; returns how many bytes it had. */
static size_t put_wide(char **o, const unsigned char *p, size_t left)
{
    const size_t n = *p >= 0xF0 ? 4 : *p >= 0xE0 ? 3 : 2;
    unsigned v = *p & (0xFFu >> (n + 1));

    if (n > left) {
        *o = put_u(*o, 0xFFFD);
        return left;
    }
    for (size_t i = 1; i < n; i++)
        v = v << 6 | (p[i] & 0x3Fu);
    if (v >= 0x10000) {
        v -= 0x10000;
        *o = put_u(*o, 0xD800 | v >> 10);
        v = 0xDC00 | (v & 0x3FF);
    }
    *o = put_u(*o, v);
    return n;
}

void json_out_str(struct buf *out, struct str s, bool ascii)
{
    const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;

    if (!buf_room(out, s.n * 6 + 2))
        return;
    char *o = out->p + out->n;
    *o++ = '"';
    while (p < end) {
        if (escape[*p]) {
            o = put_escape(o, *p++);
        } else if (ascii && *p >= 0x80) {
            p += put_wide(&o, p, (size_t)(end - p));
        } else {
            *o++ = (char)*p++;
        }
    }
    *o++ = '"';
    out->n = (size_t)(o - out->p);
}

void json_out_int(struct buf *out, int64_t value)
{
    char text[24], *end = text + sizeof(text), *p = end;
    uint64_t u = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do
        *--p = (char)('0' + u % 10);
    while ((u /= 10) > 0);
    if (value < 0)
        *--p = '-';
    json_out_raw(out, p, (size_t)(end - p));
}

static void out_array(struct buf *out, const json_t *value, bool ascii)
{
    size_t i;
    const json_t *item;

    buf_char(out, '[');
    json_array_foreach(value, i, item) {
        if (i > 0)
            buf_char(out, ',');
        json_out_value(out, item, ascii);
    }
    buf_char(out, ']');
}

static void out_object(struct buf *out, const json_t *value, bool ascii)
{
    const char *key;
    json_t *item;
    bool first = true;

    buf_char(out, '{');
    json_object_foreach((json_t *)value, key, item) {
        if (!first)
            buf_char(out, ',');
        first = false;
        json_out_str(out, str_of(key), ascii);
        buf_char(out, ':');
        json_out_value(out, item, ascii);
    }
    buf_char(out, '}');
}

void json_out_value(struct buf *out, const json_t *value, bool ascii)
{
    char *number;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        out_object(out, value, ascii);
        return;
    case JSON_ARRAY:
        out_array(out, value, ascii);
        return;
    case JSON_STRING:
        json_out_str(out, (struct str){ json_string_value(value), json_string_length(value) }, ascii);
        return;
    case JSON_INTEGER:
        json_out_int(out, json_integer_value(value));
        return;
    case JSON_REAL:
        number = json_dumps(value, JSON_ENCODE_ANY);
        buf_str(out, number ? number : "0");
        free(number);
        return;
    default:
        buf_str(out, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
    }
}

void json_out_iso(struct buf *out, int64_t unix_s)
{
    char text[CALENDAR_ISO];

    calendar_iso(unix_s, text);
    buf_char(out, '"');
    buf_add(out, text, sizeof(text));
    buf_char(out, '"');
}

/* The sign that an escape at p stands for, if plain JSON needs none for it; 0: it stays. */
static char plain_of(const char *p, size_t left)
{
    static const struct {
        char text[5], sign;
    } signs[] = { { "0026", '&' }, { "0027", '\'' }, { "0022", '"' }, { "003C", '<' }, { "003E", '>' } };

    if (left >= 2 && p[1] == '/')
        return '/';
    for (size_t i = 0; left >= 6 && p[1] == 'u' && i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (memcmp(p + 2, signs[i].text, 4) == 0)
            return signs[i].sign;
    }
    return 0;
}

void json_out_plain(struct buf *text)
{
    char *to = text->p;

    for (size_t i = 0; i < text->n;) {
        const char *from = text->p + i, sign = *from == '\\' ? plain_of(from, text->n - i) : 0;
        if (sign == 0) {
            const size_t n =
                *from == '\\' && i + 1 < text->n ? 2 : 1; /* a backslash takes its letter along */
            memmove(to, from, n);
            to += n;
            i += n;
            continue;
        }
        if (sign == '"')
            *to++ = '\\';
        *to++ = sign;
        i += sign == '/' ? 2 : 6;
    }
    text->n = (size_t)(to - text->p);
}
