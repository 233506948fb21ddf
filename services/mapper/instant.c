#include "instant.h"

#include "base/clock.h"

#include <stdint.h>

#define MS_PER_DAY 86400000LL

static unsigned two(const char *p)
{
    return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const unsigned char days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

bool date_is(struct str s)
{
    static const char shape[] = "dddd-dd-dd";

    if (s.n < 10 || (s.n > 10 && s.p[10] != 'T' && s.p[10] != ' '))
        return false;
    for (int i = 0; i < 10; i++) {
        if (shape[i] == 'd' ? s.p[i] < '0' || s.p[i] > '9' : s.p[i] != '-')
            return false;
    }
    unsigned year = two(s.p) * 100 + two(s.p + 2), month = two(s.p + 5), day = two(s.p + 8);

    return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= month_days(year, month);
}

static void put(char **p, unsigned value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        (*p)[i] = (char)('0' + value % 10);
    *p += digits;
}

/* Digits behind the third of a fraction would be lost: columns hold milliseconds. */
static bool is_finer(struct str s)
{
    const char *p = s.n > 0 ? memchr(s.p, '.', s.n) : NULL, *end = s.p + s.n;

    for (p = p != NULL && end - p > 4 ? p + 4 : end; p < end && *p >= '0' && *p <= '9'; p++)
        if (*p != '0')
            return true;
    return false;
}

int instant_utc(struct str s, char ret[static INSTANT_SIZE])
{
    int64_t ms;
    int offset_min, year;
    unsigned month, day;
    char *p = ret;

    if (!clock_parse_iso(s.p, s.n, &ms, &offset_min))
        return 0;
    if (is_finer(s))
        return INSTANT_TOO_FINE;
    int64_t days = ms / MS_PER_DAY - (ms % MS_PER_DAY < 0);
    unsigned rest = (unsigned)(ms - days * MS_PER_DAY);

    clock_date(days, &year, &month, &day);
    put(&p, (unsigned)year, 4);
    *p++ = '-';
    put(&p, month, 2);
    *p++ = '-';
    put(&p, day, 2);
    *p++ = 'T';
    put(&p, rest / 3600000, 2);
    *p++ = ':';
    put(&p, rest / 60000 % 60, 2);
    *p++ = ':';
    put(&p, rest / 1000 % 60, 2);
    if (rest % 1000 != 0) {
        *p++ = '.';
        put(&p, rest % 1000, 3);
    }
    *p++ = 'Z';
    *p = '\0';
    return (int)(p - ret);
}
