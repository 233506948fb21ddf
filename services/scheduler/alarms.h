/* alarms.h - what of the scheduler's own is worth an alarm (base/alarm.def), and the table in which alarms are kept. Loop
 * thread, but for alarms_read(). */
#pragma once

#include "scheduler.h"

int alarms_read(struct scheduler *s, struct db *db, struct err *err) MUST_CHECK;    /* while the leases are taken */
int alarms_last(struct scheduler *s, struct db *db, struct err *err) MUST_CHECK;    /* at the stop: what is not kept yet */
void alarms_begin(struct scheduler *s);                 /* what was read holds from now on */
void alarms_refresh(struct scheduler *s, uint64_t now_ms);      /* what is seen by looking */
struct step *alarms_step(struct scheduler *s);          /* NULL: the table holds all */
/* text NULL: it is over. */
void alarms_portal(struct scheduler *s, int portal, const char *name, const char *text);
void alarms_mirror(struct scheduler *s, int portal, int mirror, const char *name, const char *text);
/* A run ended: `done`, or why not. */
void alarms_run(struct scheduler *s, int portal, int mirror, const char *state, const char *error);
/* Age of the oldest mark of a mirror; 0: none waits. */
void alarms_mark(struct scheduler *s, struct str portal, struct str entity, int64_t age_ms);
void alarms_fields_gone(struct scheduler *s, int portal, struct str entity, const char *names);
