#include "base/clock.h"

#include "base/str.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)

static pthread_once_t offset_once = PTHREAD_ONCE_INIT;
static int64_t offset_ms;
static uint64_t fixed_mono_ms, fixed_wall_ms; /* atomics; 0 = the real clock */

static void read_offset(void)
{
    int64_t value;

    if (str_i64(str_of(getenv("POTOK_CLOCK_OFFSET_MS")), &value))
        offset_ms = value;
}

static int64_t read_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t clock_mono_ms(void)
{
    uint64_t fixed = __atomic_load_n(&fixed_mono_ms, __ATOMIC_RELAXED);

    return fixed ? fixed : (uint64_t)read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ms(void)
{
    uint64_t fixed = __atomic_load_n(&fixed_wall_ms, __ATOMIC_RELAXED);

    if (fixed)
        return fixed;
    pthread_once(&offset_once, read_offset);

    int64_t now;
    if (__builtin_add_overflow(read_clock(CLOCK_REALTIME), offset_ms, &now) || now < 0)
        return 0;
    return (uint64_t)now;
}

void clock_set(uint64_t mono_ms, uint64_t wall_ms)
{
    __atomic_store_n(&fixed_mono_ms, mono_ms, __ATOMIC_RELAXED);
    __atomic_store_n(&fixed_wall_ms, wall_ms, __ATOMIC_RELAXED);
}

/* Both conversions count in eras of 400 years that begin on 1 March, so that the leap day is the last of a
 * year: https://howardhinnant.github.io/date_algorithms.html */
int64_t clock_days(int year, unsigned month, unsigned day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int64_t)day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

void clock_date(int64_t days, int *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    unsigned month = (unsigned)(shifted < 10 ? shifted + 3 : shifted - 9);

    *ret_year = (int)(year_of_era + era * 400 + (month <= 2));
    *ret_month = month;
    *ret_day = (unsigned)(day_of_year - (153 * shifted + 2) / 5 + 1);
}

void clock_iso(uint64_t wall_ms, char ret[static CLOCK_ISO_SIZE])
{
    static const uint64_t last_ms = UINT64_C(253402300799999); /* the year has four digits */
    uint64_t ms = wall_ms < last_ms ? wall_ms : last_ms;
    unsigned in_day = (unsigned)(ms % DAY_MS), month, day;
    int year;
    unsigned numbers[] = { 0, 0, 0, in_day / 3600000, in_day / 60000 % 60, in_day / 1000 % 60,
        in_day % 1000 };
    static const struct {
        uint8_t digits;
        char after;
    } shape[] = { { 4, '-' }, { 2, '-' }, { 2, 'T' }, { 2, ':' }, { 2, ':' }, { 2, '.' }, { 3, 'Z' } };

    clock_date((int64_t)(ms / DAY_MS), &year, &month, &day);
    numbers[0] = (unsigned)year;
    numbers[1] = month;
    numbers[2] = day;
    for (size_t i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) { /* each webhook's answer says it */
        for (int k = shape[i].digits; k-- > 0; numbers[i] /= 10)
            ret[k] = (char)('0' + numbers[i] % 10);
        ret += shape[i].digits;
        *ret++ = shape[i].after;
    }
    *ret = '\0';
}

struct reader {
    const char *p, *end;
    bool failed;
};

static unsigned take_number(struct reader *r, int digits, unsigned least, unsigned most)
{
    unsigned value = 0;

    for (int i = 0; i < digits; i++) {
        if (r->p == r->end || *r->p < '0' || *r->p > '9') {
            r->failed = true;
            return least;
        }
        value = value * 10 + (unsigned)(*r->p++ - '0');
    }
    if (value < least || value > most) {
        r->failed = true;
        return least;
    }
    return value;
}

static bool take_char(struct reader *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static void need_char(struct reader *r, char c)
{
    if (!take_char(r, c))
        r->failed = true;
}

static unsigned take_fraction(struct reader *r)
{
    unsigned ms = 0, scale = 100, digits = 0;

    if (!take_char(r, '.'))
        return 0;
    for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++, digits++) {
        ms += (unsigned)(*r->p - '0') * scale;
        scale /= 10;
    }
    if (digits == 0 || digits > 9)
        r->failed = true;
    return ms;
}

static int take_offset(struct reader *r)
{
    int sign = 1;

    if (take_char(r, 'Z'))
        return 0;
    if (take_char(r, '-'))
        sign = -1;
    else
        need_char(r, '+');

    unsigned hours = take_number(r, 2, 0, 15);
    need_char(r, ':');
    unsigned minutes = take_number(r, 2, 0, 59);
    return sign * (int)(hours * 60 + minutes);
}

bool clock_parse_iso(const char *p, size_t n, int64_t *ret_ms, int *ret_offset_min)
{
    struct reader r = { p, p + n, false };
    unsigned year = take_number(&r, 4, 1, 9999);

    need_char(&r, '-');
    unsigned month = take_number(&r, 2, 1, 12);
    need_char(&r, '-');
    unsigned day = take_number(&r, 2, 1, 31);
    need_char(&r, 'T');
    unsigned hour = take_number(&r, 2, 0, 23);
    need_char(&r, ':');
    unsigned minute = take_number(&r, 2, 0, 59);
    need_char(&r, ':');
    unsigned second = take_number(&r, 2, 0, 59);
    unsigned ms = take_fraction(&r);
    int offset_min = take_offset(&r);

    if (r.failed || r.p != r.end)
        return false;

    int64_t days = clock_days((int)year, month, day);
    int same_year;
    unsigned same_month, same_day;
    clock_date(days, &same_year, &same_month, &same_day);
    if (same_day != day) /* 30 February came out as 1 March */
        return false;

    int64_t in_day = ((int64_t)hour * 60 + minute - offset_min) * 60000 + (int64_t)second * 1000 + ms;
    int64_t value = days * DAY_MS + in_day;
    if (value < clock_days(1, 1, 1) * DAY_MS || value >= clock_days(10000, 1, 1) * DAY_MS)
        return false;
    *ret_ms = value;
    if (ret_offset_min)
        *ret_offset_min = offset_min;
    return true;
}
