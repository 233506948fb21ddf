/* offline.h - the application's queues of events that nobody is called for: kept in the data file, one line an object and
 * event (an object is its type and its number), reserved and confirmed by those who read them (facts section 9.5). Loop
 * thread. */
#pragma once

#include "event.h"

#include "base/err.h"

#include <jansson.h>
#include <sqlite3.h>

struct offline {
    struct sqlite3 *db;         /* the store's */
    struct sqlite3_stmt *put;
    uint64_t seed, serial;      /* of process ids */
};

#define OFFLINE_PROCESS 33
#define OFFLINE_KEEP_S (30 * 86400)     /* reservations that nobody confirms are dropped after that */

int offline_open(struct offline *ret, struct sqlite3 *db, uint64_t seed, struct err *err) MUST_CHECK;
void offline_close(struct offline *o);
struct offline_line {
    const char *connector, *event;
    const struct event_about *about;
};
/* Of one object and event there is one line that is not reserved; it gets the new time and the new members. */
int offline_put(struct offline *o, const struct offline_line *line, int64_t now_s, struct err *err) MUST_CHECK;
/* Option: what an object's line says gives way to the event that comes next, whatever it is called (facts section 15). */
int offline_merge(struct offline *o, const struct offline_line *line, struct err *err) MUST_CHECK;
uint64_t offline_count(struct offline *o);

struct offline_ask {
    const char *connector;      /* "" = the queue of those who gave none */
    const json_t *filter, *order;   /* NULL: none */
    int64_t limit, start;
    bool error;                 /* get: those marked as failed */
    bool data_false;            /* EVENT_DATA is false (section 16) */
};
/* Reserves up to `limit` for a new process id. */
int offline_reserve(struct offline *o, const struct offline_ask *ask, int64_t now_s, char ret_process[static OFFLINE_PROCESS],
    struct err *err) MUST_CHECK;
/* The lines of a process as a JSON list; whole: with PROCESS_ID and ERROR, and of all processes when process is NULL. */
int offline_print(struct offline *o, const struct offline_ask *ask, const char *process, bool whole, struct buf *out,
    uint64_t *ret_total, struct err *err) MUST_CHECK;
/* What is done to the lines of a process: all of them when ids and messages are NULL. messages count when ids is NULL. */
struct offline_lines {
    const char *process;
    const json_t *ids, *messages;
};
int offline_clear(struct offline *o, const struct offline_lines *which, struct err *err) MUST_CHECK;
int offline_fail(struct offline *o, const struct offline_lines *which, struct err *err) MUST_CHECK;
