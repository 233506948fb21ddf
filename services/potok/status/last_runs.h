/* last_runs.h - the last run of each entity: from the database when no scheduler answers, and as a table.
 * Waits for the database: not on a loop. */
#pragma once

#include "base/err.h"
#include "ask/snapshot.h"

#include <jansson.h>

struct reading;

/* How many runs, or -1: r->err says why. */
int last_runs_read(struct reading *r, struct run_view *runs, int most);
/* answers: there is a scheduler, and a run that has not ended goes on. */
void last_runs_show(const struct run_view *runs, int count, bool answers);
json_t *last_runs_json(const struct run_view *runs, int count);
