#include "fold.h"

struct str fold(struct str s, struct arena *a)
{
    unsigned char *p = arena_get(a, s.n + 1);

    for (size_t i = 0; i < s.n; i++) {
        const unsigned char c = (unsigned char)s.p[i];
        const unsigned char next = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;
        p[i] = c >= 'A' && c <= 'Z' ? c | 32 : c;
        if (c != 0xD0 || next < 0x80 || next > 0xAF)
            continue;
        /* U+0400..U+040F, U+0410..U+041F, U+0420..U+042F: three runs with other second bytes in lower case */
        p[i] = next < 0x90 || next > 0x9F ? 0xD1 : 0xD0;
        p[i + 1] = next < 0x90 ? next + 0x10 : next < 0xA0 ? next + 0x20 : next - 0x20;
        i++;
    }
    p[s.n] = '\0';
    return (struct str){ (const char *)p, s.n };
}

bool fold_like(struct str s, struct str pattern)
{
    size_t i = 0, j = 0, star = (size_t)-1, mark = 0;

    while (i < s.n) {
        if (j < pattern.n && pattern.p[j] == '%') {
            star = j++;
            mark = i;
        } else if (j < pattern.n && (pattern.p[j] == '_' || pattern.p[j] == s.p[i])) {
            i++;
            j++;
        } else if (star != (size_t)-1) {
            j = star + 1;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (j < pattern.n && pattern.p[j] == '%')
        j++;
    return j == pattern.n;
}
