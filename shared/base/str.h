/* str.h - a view of bytes: valid until the buffer it points into is touched; whoever stores it, copies it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_of(const char *s)
{
    return (struct str){ s ? s : "", s ? strlen(s) : 0 };
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_is(struct str a, const char *s)
{
    return str_eq(a, str_of(s));
}

/* By their bytes, whatever the locale: below, at or above 0. */
static inline int str_order(struct str a, struct str b)
{
    const size_t n = a.n < b.n ? a.n : b.n;
    const int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* Whole of s is a decimal number in range; optional leading '-'. Output untouched on failure. */
bool str_i64(struct str s, int64_t *ret);
bool str_u64(struct str s, uint64_t *ret);
bool str_case_eq(struct str a, struct str b);   /* ASCII only */
char *str_dup(struct str s);                    /* NUL-terminated copy, caller frees */
