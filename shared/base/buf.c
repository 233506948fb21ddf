#include "base/buf.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST 256

void buf_init(struct buf *b, size_t max_bytes)
{
    *b = (struct buf){ .max = max_bytes };
}

void buf_fini(struct buf *b)
{
    if (!b)
        return;
    free(b->p);
    *b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->failed = false;
}

/* One byte beyond the contents is always there once memory is, for the NUL of buf_cstr(). */
bool buf_grow(struct buf *b, size_t n)
{
    if (b->failed || n > b->max - b->n) {
        b->failed = true;
        return false;
    }

    size_t need = b->n + n + 1;
    if (need <= b->cap)
        return true;

    size_t cap = b->cap ? b->cap : BUF_FIRST;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > b->max + 1 && need <= b->max + 1)
        cap = b->max + 1;
    b->p = xrealloc(b->p, cap);
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (!buf_room(b, n) || n == 0)
        return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

void buf_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_i64(struct buf *b, int64_t value)
{
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char text[20], *p = text + sizeof(text);

    do
        *--p = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (value < 0)
        *--p = '-';
    buf_add(b, p, (size_t)(text + sizeof(text) - p));
}

void buf_fmt(struct buf *b, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n >= 0 && buf_room(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

const char *buf_cstr(struct buf *b)
{
    if (!b->p)
        return "";
    b->p[b->n] = '\0';
    return b->p;
}

static void add_escaped(struct buf *b, unsigned char c)
{
    static const char short_form[256] = {
        ['"'] = '"',
        ['\\'] = '\\',
        ['\b'] = 'b',
        ['\f'] = 'f',
        ['\n'] = 'n',
        ['\r'] = 'r',
        ['\t'] = 't',
    };

    if (short_form[c]) {
        buf_char(b, '\\');
        buf_char(b, short_form[c]);
    } else {
        buf_fmt(b, "\\u%04x", c);
    }
}

void buf_json(struct buf *b, struct str s)
{
    size_t done = 0, i = 0;

    buf_char(b, '"');
    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        size_t step = utf8_step(s.p + i, s.n - i);

        if (step > 0 && c >= 0x20 && c != '"' && c != '\\') { /* stands for itself: copied with its run */
            i += step;
            continue;
        }
        buf_add(b, s.p + done, i - done);
        if (step == 0) {
            buf_str(b, UTF8_REPLACEMENT);
            i += utf8_bad(s.p + i, s.n - i);
        } else {
            add_escaped(b, c);
            i++;
        }
        done = i;
    }
    buf_add(b, s.p + done, s.n - done);
    buf_char(b, '"');
}

void buf_f64(struct buf *b, double value)
{
    char text[40];

    if (!isfinite(value)) {
        buf_str(b, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    for (char *p = text; *p; p++)
        if (*p == ',') /* some locales print their own point */
            *p = '.';
    buf_str(b, text);
}

static bool is_unreserved(char c) /* RFC 3986 2.3; not isalnum(), which asks the locale */
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void buf_urlenc(struct buf *b, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (is_unreserved(s.p[i]))
            buf_char(b, s.p[i]);
        else
            buf_add(b, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
    }
}
