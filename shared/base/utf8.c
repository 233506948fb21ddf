#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>

static bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

size_t utf8_step(const char *p, size_t n)
{
    const unsigned char *s = (const unsigned char *)p;

    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF)
        return n >= 2 && is_tail(s[1]) ? 2 : 0;
    if ((s[0] & 0xF0) == 0xE0) {
        if (n < 3 || !is_tail(s[1]) || !is_tail(s[2]))
            return 0;
        if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F))
            return 0;       /* longer than needed; a surrogate */
        return 3;
    }
    if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        if (n < 4 || !is_tail(s[1]) || !is_tail(s[2]) || !is_tail(s[3]))
            return 0;
        if ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
            return 0;       /* longer than needed; beyond U+10FFFF */
        return 4;
    }
    return 0;
}

size_t utf8_cut(const char *p, size_t n, size_t most)
{
    if (n <= most)
        return n;
    for (size_t back = 0; back < 4 && back <= most; back++)     /* a sequence has at most three tail bytes */
        if (!is_tail((unsigned char)p[most - back]))
            return most - back;
    return most;
}
