#include "base/zone_rule.h"

#define DAY_S 86400

/* ---- the calendar ---- */

/* Years that begin with March have their odd day at the end. */
int64_t zone_days(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void zone_date(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int month = (int)((5 * of_year + 2) / 153);

    *ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
    *ret_month = month < 10 ? month + 3 : month - 9;
    *ret_year = year + era * 400 + (*ret_month <= 2);
}

int zone_weekday(int64_t days)
{
    return (int)(((days + 4) % 7 + 7) % 7);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The day of a change in a year, since 1970. */
static int64_t day_of(const struct zone_change *c, int64_t year)
{
    if (c->kind == ZONE_DAY_JULIAN)
        return zone_days(year, 1, 1) + c->day - 1 + (is_leap(year) && c->day >= 60);
    if (c->kind == ZONE_DAY_ZERO)
        return zone_days(year, 1, 1) + c->day;

    int64_t first = zone_days(year, c->month, 1);
    int64_t next = c->month == 12 ? zone_days(year + 1, 1, 1) : zone_days(year, c->month + 1, 1);
    int64_t day = first + (c->day - zone_weekday(first) + 7) % 7 + (c->week - 1) * 7;

    while (day >= next)
        day -= 7;
    return day;
}

int32_t zone_rule_offset(const struct zone_rule *r, int64_t t)
{
    if (!r->has_summer)
        return r->standard;

    int64_t local = t + r->standard, year;
    int month, day;

    zone_date(local >= 0 ? local / DAY_S : (local - DAY_S + 1) / DAY_S, &year, &month, &day);
    int64_t begin = day_of(&r->begin, year) * DAY_S + r->begin.time - r->standard;
    int64_t end = day_of(&r->end, year) * DAY_S + r->end.time - r->summer;
    bool summer = begin < end ? t >= begin && t < end : t >= begin || t < end;

    return summer ? r->summer : r->standard;
}

/* ---- the text ---- */

struct scan {
    struct str s;
    size_t at;
    bool bad;
};

static char peek(const struct scan *x)
{
    return x->at < x->s.n ? x->s.p[x->at] : '\0';
}

static bool take(struct scan *x, char c)
{
    if (peek(x) != c || x->at == x->s.n)
        return false;
    x->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int number(struct scan *x, int least, int most)
{
    int n = 0;

    x->bad |= !is_digit(peek(x));
    while (is_digit(peek(x)) && n <= most)
        n = n * 10 + (x->s.p[x->at++] - '0');
    x->bad |= n < least || n > most;
    return n;
}

/* [+-]h[h[h]][:mm[:ss]] */
static int32_t clock_time(struct scan *x)
{
    int sign = take(x, '-') ? -1 : 1;

    if (sign > 0)
        take(x, '+');
    int32_t s = number(x, 0, 167) * 3600;
    if (take(x, ':'))
        s += number(x, 0, 59) * 60;
    if (take(x, ':'))
        s += number(x, 0, 59);
    return sign * s;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* MSK or <+03> */
static void abbreviation(struct scan *x)
{
    size_t from = x->at;

    if (take(x, '<')) {
        while (peek(x) != '>' && x->at < x->s.n)
            x->at++;
        x->bad |= !take(x, '>');
        return;
    }
    while (is_letter(peek(x)))
        x->at++;
    x->bad |= x->at - from < 3;
}

static void change(struct scan *x, struct zone_change *c)
{
    *c = (struct zone_change){ .time = 7200 };
    if (take(x, 'M')) {
        c->kind = ZONE_DAY_MONTH;
        c->month = number(x, 1, 12);
        x->bad |= !take(x, '.');
        c->week = number(x, 1, 5);
        x->bad |= !take(x, '.');
        c->day = number(x, 0, 6);
    } else {
        c->kind = take(x, 'J') ? ZONE_DAY_JULIAN : ZONE_DAY_ZERO;
        c->day = number(x, c->kind == ZONE_DAY_JULIAN, 365);
    }
    if (take(x, '/'))
        c->time = clock_time(x);
}

bool zone_rule_parse(struct str text, struct zone_rule *ret)
{
    struct scan x = { .s = text };
    struct zone_rule r = { .standard = 0 };

    if (text.n == 0) {
        *ret = r;
        return true;
    }
    abbreviation(&x);
    r.standard = -clock_time(&x); /* POSIX counts west */
    if (x.at < text.n) {
        r.has_summer = true;
        abbreviation(&x);
        r.summer = r.standard + 3600;
        if (peek(&x) != ',')
            r.summer = -clock_time(&x);
        x.bad |= !take(&x, ',');
        change(&x, &r.begin);
        x.bad |= !take(&x, ',');
        change(&x, &r.end);
    }
    if (x.bad || x.at != text.n)
        return false;
    *ret = r;
    return true;
}
