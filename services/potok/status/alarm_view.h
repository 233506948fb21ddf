/* alarm_view.h - what is raised, for people and programs: from the table, where it is kept whether services run or not, and from
 * the services that keep theirs themselves. Waits for the database: not on a loop. */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

struct reading;
struct ask;

/* [{"portal","entity","name","level","subject","text","act","since_ms","told_ms","gone_ms"}], what is raised first; gone_ms null:
 * it lasts. What is over is there for a week. NULL: r->err says why. A new reference. */
json_t *alarm_view_read(struct reading *r);
/* Adds what services say that keep no table. */
void alarm_view_add(json_t *list, const struct ask *a);
int alarm_view_count(const json_t *list);               /* raised */
/* A line each with what to do; with `past` also what was over within a day. */
void alarm_view_show(const json_t *list, bool past);
