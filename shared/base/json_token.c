#include "base/json_token.h"

#include "base/utf8.h"

static size_t digits(struct str s, size_t from)
{
    size_t i = from;

    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    return i - from;
}

bool json_number_is(struct str s, bool *ret_whole)
{
    size_t i = s.n > 0 && s.p[0] == '-';
    size_t whole = digits(s, i);

    if (whole == 0 || (whole > 1 && s.p[i] == '0'))
        return false;
    i += whole;
    *ret_whole = i == s.n;
    if (i < s.n && s.p[i] == '.') {
        size_t fraction = digits(s, i + 1);
        if (fraction == 0)
            return false;
        i += 1 + fraction;
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
            i++;
        size_t exponent = digits(s, i);
        if (exponent == 0)
            return false;
        i += exponent;
    }
    return i == s.n;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits at p, or -1. The closing quote ends the search before the text does. */
static int32_t hex4(const char *p)
{
    int32_t value = 0;

    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);

        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* The character of "\uXXXX" at *p (behind the 'u'), with its second half where it is a pair. -1 = not hex. */
static int32_t take_unicode(const char **p, uint64_t *repaired)
{
    int32_t code = hex4(*p);

    if (code < 0)
        return -1;
    *p += 4;
    if (code < 0xD800 || code > 0xDFFF)
        return code;
    if (code <= 0xDBFF && (*p)[0] == '\\' && (*p)[1] == 'u') {
        int32_t low = hex4(*p + 2);

        if (low >= 0xDC00 && low <= 0xDFFF) {
            *p += 6;
            return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    (*repaired)++;
    return 0xFFFD;
}

static char short_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

const char *json_unescape(char **p, uint64_t *repaired)
{
    const char *from = *p;
    char *out = *p;

    while (*from != '"') {
        if (*from != '\\') {
            *out++ = *from++;
            continue;
        }
        if (from[1] == 'u') {
            const char *at = from;
            from += 2;
            int32_t code = take_unicode(&from, repaired);
            if (code < 0)
                return at;
            out = utf8_put(out, (uint32_t)code);
            continue;
        }
        char c = short_escape(from[1]);
        if (!c)
            return from;
        *out++ = c;
        from += 2;
    }
    *p = out;
    return NULL;
}
