/* cron.h - schedules of five fields: minute hour day month weekday. Pure; by value; any thread.
 * Each field: * or values, a-b ranges, lists by comma, a step after / of * or a range; months jan-dec, weekdays sun-sat (0 and 7 are
 * Sunday). When day and weekday are both restricted, either is enough. @hourly, @daily, @weekly, @monthly, @yearly too.
 * Clocks that are put forward: a time in the gap is taken to be the instant after it. Put back: a schedule of certain hours goes at the
 * first of the two; one of every hour goes through both. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/zone.h"

#include <stdbool.h>
#include <stdint.h>

#define CRON_NEVER INT64_MAX

struct cron {
    uint64_t minutes;           /* bit sets */
    uint32_t hours, days, months, weekdays;
    bool any_day, any_weekday, any_hour;
};

/* ERR_CONF names the field and what is wrong with it. */
int cron_parse(struct str text, struct cron *ret, struct err *err) MUST_CHECK;
/* The first instant after `after` (Unix seconds); CRON_NEVER: there is none, such as on 30 February. */
int64_t cron_next(const struct cron *c, const struct zone *zone, int64_t after);

/* What becomes of runs whose time passed while nothing ran. */
enum cron_missed { CRON_ONCE, CRON_ALL, CRON_SKIP };

bool cron_missed_parse(struct str text, enum cron_missed *ret);
#define CRON_LATE_S 60          /* later than this is missed */
#define CRON_ALL_MOST 100       /* so many are made up for */

struct cron_due {
    int64_t runs;               /* to be made now, one after the other */
    int64_t last;               /* the schedule is done up to here: what to remember */
    int64_t next;               /* when to look again */
};
/* last: as remembered; at the first start it is now. */
struct cron_due cron_due(const struct cron *c, const struct zone *zone, enum cron_missed missed, int64_t last, int64_t now);
