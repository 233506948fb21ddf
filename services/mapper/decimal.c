#include "decimal.h"

#include <stdbool.h>

#define EXPONENT_MAX 1000000 /* beyond any number that fits; keeps the sums below far from overflow */

/* The parts of a number as written: digits are `whole` followed by `fraction`. */
struct parts {
    bool negative;
    struct str whole, fraction;
    long exponent;
};

static size_t digits_at(const char *p, const char *end)
{
    const char *from = p;

    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return (size_t)(p - from);
}

/* Reads "e+12" up to the end; false if it is not that. A huge exponent is saturated. */
static bool exponent_read(const char *p, const char *end, long *ret)
{
    bool negative = false;
    long value = 0;

    if (p < end && (*p == '+' || *p == '-'))
        negative = *p++ == '-';
    if (p == end || digits_at(p, end) != (size_t)(end - p))
        return false;
    for (; p < end; p++)
        value = value < EXPONENT_MAX ? value * 10 + (*p - '0') : EXPONENT_MAX;
    *ret = negative ? -value : value;
    return true;
}

static bool parts_read(struct str in, struct parts *ret)
{
    const char *p = in.p, *end = in.p + in.n;

    *ret = (struct parts){ .negative = false };
    if (p < end && (*p == '+' || *p == '-'))
        ret->negative = *p++ == '-';
    ret->whole = (struct str){ p, digits_at(p, end) };
    p += ret->whole.n;
    ret->fraction = (struct str){ p, 0 };
    if (p < end && *p == '.') {
        p++;
        ret->fraction = (struct str){ p, digits_at(p, end) };
        p += ret->fraction.n;
    }
    if (ret->whole.n + ret->fraction.n == 0)
        return false;
    if (p < end && (*p == 'e' || *p == 'E'))
        return exponent_read(p + 1, end, &ret->exponent);
    return p == end;
}

static char digit(const struct parts *n, size_t i)
{
    return i < n->whole.n ? n->whole.p[i] : n->fraction.p[i - n->whole.n];
}

int decimal_canon(struct str in, char ret[static DECIMAL_SIZE])
{
    struct parts n;
    size_t first = 0, last, total;
    int len = 0;

    if (in.n == 0 || !parts_read(in, &n))
        return DECIMAL_NOT_A_NUMBER;
    total = n.whole.n + n.fraction.n;
    while (first < total && digit(&n, first) == '0')
        first++;
    last = total;
    while (last > first && digit(&n, last - 1) == '0')
        last--;
    if (first == last) {
        memcpy(ret, "0", 2);
        return 1;
    }
    /* The significant digits are [first, last); the point stands before digit `point`, which may lie outside.
     */
    long point = (long)n.whole.n + n.exponent;
    long from = point < (long)first ? point : (long)first;
    long to = point > (long)last ? point : (long)last;

    if (to - from > DECIMAL_DIGITS_MAX)
        return DECIMAL_TOO_LONG;
    if (n.negative)
        ret[len++] = '-';
    if (point <= (long)first)
        ret[len++] = '0';
    for (long i = from; i < to; i++) {
        if (i == point)
            ret[len++] = '.';
        ret[len++] = '0';
        if (i >= (long)first && i < (long)last)
            ret[len - 1] = digit(&n, (size_t)i);
    }
    ret[len] = '\0';
    return len;
}
