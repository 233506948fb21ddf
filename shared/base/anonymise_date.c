#include "base/anonymise_date.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* 9 is any digit. */
static const char *const tails[] = { "", "T99:99:99+99:99", "T99:99:99-99:99", "T99:99:99Z", "T99:99:99",
    "T99:99:99.999+99:99", " 99:99:99", " 99:99" };

static bool fits(const char *text, const char *form)
{
    for (; *form != '\0'; text++, form++) {
        if (*form == '9' ? *text < '0' || *text > '9' : *text != *form)
            return false;
    }
    return *text == '\0';
}

static bool fits_tail(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(tails); i++)
        if (fits(text, tails[i]))
            return true;
    return false;
}

static bool starts(const char *text, const char *form)
{
    char head[11];

    snprintf(head, sizeof(head), "%.10s", text);
    return fits(head, form);
}

static int number(const char *text, int n)
{
    int value = 0;

    for (int i = 0; i < n; i++)
        value = value * 10 + (text[i] - '0');
    return value;
}

bool anon_date_parse(const char *text, int64_t *ret_days)
{
    const bool iso = starts(text, "9999-99-99"), dotted = starts(text, "99.99.9999");
    int year, y;
    unsigned month, day, m, d;

    if ((!iso && !dotted) || !fits_tail(text + 10))
        return false;
    year = number(text + (iso ? 0 : 6), 4);
    month = (unsigned)number(text + (iso ? 5 : 3), 2);
    day = (unsigned)number(text + (iso ? 8 : 0), 2);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    *ret_days = clock_days(year, month, day);
    clock_date(*ret_days, &y, &m, &d);
    return y == year && m == month && d == day;
}

void anon_date_set(char *text, int64_t days)
{
    const int64_t least = clock_days(1, 1, 1), most = clock_days(9999, 12, 31);
    char head[32];
    unsigned month, day;
    int year;

    if (days < least)
        days = least + (least - days);
    if (days > most)
        days = most;
    clock_date(days, &year, &month, &day);
    if (text[4] == '-')
        snprintf(head, sizeof(head), "%04d-%02u-%02u", year % 10000, month % 100, day % 100);
    else
        snprintf(head, sizeof(head), "%02u.%02u.%04d", day % 100, month % 100, year % 10000);
    memcpy(text, head, 10);
}
