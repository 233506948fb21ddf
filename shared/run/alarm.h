/* alarm.h - alarms of a service on its loop: told by log, metric and HTTP calls to whoever ALARM_… names. Which there are:
 * base/alarm.def; when something is told: base/alarm_book.h. Nothing here waits or fails: a target that does not answer is
 * tried again for an hour. Loop thread only.
 *
 *     alarm_raise(alarms, &(struct alarm){ "portal.stopped", portal, "", why });     any number of times
 *     alarm_clear(alarms, portal, "", "portal.stopped");                             likewise
 */
#pragma once

#include "base/alarm_book.h"
#include "run/alarm_call.h"

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

struct alarms;

/* The settings live as long as the alarms. ERR_CONF: they contradict each other. kept: somebody keeps them in a table
 * (alarms_take); what is over is remembered until it did. */
int alarms_new(struct alarms **ret, uv_loop_t *loop, const struct alarm_settings *set, const char *instance, bool kept,
    struct err *err) MUST_CHECK;
/* What is under way is given up. The loop must turn once more. */
void alarms_free(struct alarms **alarms);

/* alarms may be NULL: then nothing happens. */
void alarm_raise(struct alarms *alarms, const struct alarm *what);
void alarm_clear(struct alarms *alarms, const char *portal, const char *entity, const char *name);
bool alarm_is_raised(const struct alarms *alarms, const char *portal, const char *entity, const char *name);
/* All that is raised, as objects {"name","portal","entity","text","since_ms","told_ms"}; a new reference. */
json_t *alarms_json(const struct alarms *alarms);

/* For who keeps them in a table. What was read from it at start, before anything is raised: */
void alarms_load(struct alarms *alarms, const struct alarm_row *row);
/* Rows that the table does not hold as they are now; they count as kept. What a target was not told yet is kept as not told.
 * alarms_keep_again() takes that back when they could not be written. */
int alarms_take(struct alarms *alarms, struct alarm_row *rows, int most);
void alarms_keep_again(struct alarms *alarms, const struct alarm_row *rows, int count);
bool alarms_changed(const struct alarms *alarms);
