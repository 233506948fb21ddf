/* zone_rule.h - the POSIX rule of a time zone, as TZif files end with it: "MSK-3", "CET-1CEST,M3.5.0,M10.5.0/3". Pure. */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum zone_day { ZONE_DAY_JULIAN, ZONE_DAY_ZERO, ZONE_DAY_MONTH };

struct zone_change {            /* a day of every year and the local time of the change */
    enum zone_day kind;
    int day;                    /* 1-365 without 29 February; 0-365; weekday 0 = Sunday */
    int week, month;            /* of ZONE_DAY_MONTH: 1-5 (5: the last), 1-12 */
    int32_t time;               /* seconds after midnight, may be negative or beyond a day */
};

struct zone_rule {
    int32_t standard, summer;   /* seconds east of UTC */
    bool has_summer;
    struct zone_change begin, end;      /* of summer time */
};

bool zone_rule_parse(struct str text, struct zone_rule *ret);   /* "" is UTC */
int32_t zone_rule_offset(const struct zone_rule *r, int64_t t);

/* Days since 1970-01-01 of the Gregorian calendar. */
int64_t zone_days(int64_t year, int month, int day);
void zone_date(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);
int zone_weekday(int64_t days);     /* 0 = Sunday */
