#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>

static bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* What may follow a first byte: how many tails, and the narrower range of the first of them, which keeps out
 * forms longer than needed, surrogates and what lies beyond U+10FFFF. */
static size_t tails_of(unsigned char first, unsigned char *ret_least, unsigned char *ret_most)
{
    *ret_least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    *ret_most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (first >= 0xC2 && first <= 0xDF)
        return 1;
    if (first >= 0xE0 && first <= 0xEF)
        return 2;
    return first >= 0xF0 && first <= 0xF4 ? 3 : 0;
}

/* Bytes that belong together from p on; *ret_whole = they make a character. */
static size_t scan(const unsigned char *p, size_t n, bool *ret_whole)
{
    unsigned char least, most;
    size_t tails = tails_of(p[0], &least, &most), i = 1;

    while (i <= tails && i < n && p[i] >= least && p[i] <= most) {
        least = 0x80;
        most = 0xBF;
        i++;
    }
    *ret_whole = p[0] < 0x80 || (tails > 0 && i == tails + 1);
    return i;
}

size_t utf8_step(const char *p, size_t n)
{
    bool whole;

    if ((unsigned char)p[0] < 0x80)
        return 1;

    size_t bytes = scan((const unsigned char *)p, n, &whole);
    return whole ? bytes : 0;
}

size_t utf8_bad(const char *p, size_t n)
{
    bool whole;

    return scan((const unsigned char *)p, n, &whole);
}

size_t utf8_cut(const char *p, size_t n, size_t most)
{
    if (n <= most)
        return n;
    for (size_t back = 0; back < 4 && back <= most; back++) /* a sequence has at most three tail bytes */
        if (!is_tail((unsigned char)p[most - back]))
            return most - back;
    return most;
}

char *utf8_put(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xC0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *out++ = (char)(0xE0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
        *out++ = (char)(0x80 | (code & 0x3F));
    } else {
        *out++ = (char)(0xF0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3F));
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
        *out++ = (char)(0x80 | (code & 0x3F));
    }
    return out;
}

/* А-П are D0 90-D0 9F, Р-Я D0 A0-D0 AF, Ё D0 81; а-п D0 B0-D0 BF, р-я D1 80-D1 8F, ё D1 91. */
static void fold_russian(unsigned char *p)
{
    if (p[0] == 0xD0 && p[1] >= 0x90 && p[1] <= 0x9F) {
        p[1] += 0x20;
    } else if (p[0] == 0xD0 && p[1] >= 0xA0 && p[1] <= 0xAF) {
        p[0] = 0xD1;
        p[1] -= 0x20;
    } else if ((p[0] == 0xD0 && p[1] == 0x81) || (p[0] == 0xD1 && p[1] == 0x91)) {
        p[0] = 0xD0;
        p[1] = 0xB5;
    }
}

void utf8_fold(char *text, size_t n)
{
    unsigned char *p = (unsigned char *)text;

    for (size_t i = 0; i < n; i++) {
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] += 'a' - 'A';
        else if ((p[i] == 0xD0 || p[i] == 0xD1) && i + 1 < n)
            fold_russian(p + i++);
    }
}
