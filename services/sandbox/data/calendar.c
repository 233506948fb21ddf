#include "calendar.h"

#include <stdio.h>

#include "base/clock.h"

static void two(char *p, unsigned v)
{
    p[0] = (char)('0' + v / 10 % 10);
    p[1] = (char)('0' + v % 10);
}

void calendar_day(int64_t days, char *ret)
{
    int year;
    unsigned month, day;

    clock_date(days, &year, &month, &day);
    two(ret, (unsigned)year / 100);
    two(ret + 2, (unsigned)year % 100);
    ret[4] = ret[7] = '-';
    two(ret + 5, month);
    two(ret + 8, day);
}

static void day_and_time(int64_t s, char *ret)
{
    int64_t days = s / DAY_S, rest = s % DAY_S;

    if (rest < 0) {
        rest += DAY_S;
        days--;
    }
    calendar_day(days, ret);
    ret[10] = 'T';
    two(ret + 11, (unsigned)(rest / 3600));
    ret[13] = ret[16] = ':';
    two(ret + 14, (unsigned)(rest / 60 % 60));
    two(ret + 17, (unsigned)(rest % 60));
}

void calendar_iso(int64_t unix_s, char *ret)
{
    static const char zone[6] = { '+', '0', '3', ':', '0', '0' };

    day_and_time(unix_s + PORTAL_OFFSET_S, ret);
    memcpy(ret + 19, zone, sizeof(zone));
}

void calendar_utc(int64_t unix_s, char *ret)
{
    day_and_time(unix_s, ret);
    ret[19] = 'Z';
}

/* The clock part after a date: "", "[T ]hh:mm[:ss][.fff]", then a zone or nothing. */
static bool parse_clock(const char *p, int64_t days, int64_t *ret_unix_s)
{
    unsigned h = 0, m = 0, s = 0, oh = 0, om = 0;
    int64_t offset = PORTAL_OFFSET_S;
    int used = 0;

    if (*p == 'T' || *p == ' ') {
        if (sscanf(p + 1, "%2u:%2u%n", &h, &m, &used) != 2 || h > 23 || m > 59)
            return false;
        p += 1 + used;
        if (*p == ':') {
            if (sscanf(p + 1, "%2u%n", &s, &used) != 1 || s > 60)
                return false;
            p += 1 + used;
        }
        if (*p == '.')
            p += 1 + strspn(p + 1, "0123456789");
        if (*p == 'Z') {
            offset = 0;
            p++;
        } else if (*p == '+' || *p == '-') {
            if (sscanf(p + 1, "%2u:%2u%n", &oh, &om, &used) != 2 || oh > 14 || om > 59)
                return false;
            offset = (*p == '-' ? -1 : 1) * (int64_t)(oh * 3600 + om * 60);
            p += 1 + used;
        }
    }
    *ret_unix_s = days * DAY_S + h * 3600 + m * 60 + s - offset;
    return *p == '\0';
}

bool calendar_parse(struct str text, int64_t *ret_unix_s, int64_t *ret_days)
{
    char t[64];
    unsigned y, m, d;
    int used = 0;
    int64_t unix_s;

    if (text.n < 10 || text.n >= sizeof(t))
        return false;
    memcpy(t, text.p, text.n);
    t[text.n] = '\0';
    if (strspn(t, "0123456789-.") < 10)
        return false;
    if (!((sscanf(t, "%4u-%2u-%2u%n", &y, &m, &d, &used) == 3 && used == 10) ||
            (sscanf(t, "%2u.%2u.%4u%n", &d, &m, &y, &used) == 3 && used == 10)))
        return false;
    static const unsigned char LENGTH[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    const bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (m < 1 || m > 12 || d < 1 || d > LENGTH[m - 1] + (m == 2 && leap ? 1u : 0u))
        return false;
    const int64_t days = clock_days((int)y, m, d);
    if (!parse_clock(t + 10, days, &unix_s))
        return false;
    *ret_unix_s = unix_s;
    *ret_days = days;
    return true;
}
