/* offline.h - the offline queue of an application's events (facts 9.5): what a reading of it tells, and what
 * is to be confirmed once that is kept. A reading reserves; only what was understood, or is certainly nothing
 * of ours, is confirmed, line by line. Pure; any thread. */
#pragma once

#include "base/err.h"
#include "connectors/bitrix_event.h"
#include "proto/calls.h"

#include <stdbool.h>
#include <stdint.h>

#define OFFLINE_LIMIT        50 /* events a reading asks for; more than that no portal promises */
#define OFFLINE_READINGS     10 /* in one batch, while there is more than one brings */
#define OFFLINE_CLEARS       20 /* likewise */
#define OFFLINE_PROCESS_SIZE 72
#define OFFLINE_CONFIRM_MS   1000    /* what came is confirmed, and what came meanwhile read, so long after */
#define OFFLINE_LOOK_MS      10000   /* between two looks for reservations while there may be some */
#define OFFLINE_LEFT_MS      3600000 /* likewise while nothing says so */

enum offline_outcome {
    OFFLINE_MARKED, /* a record may have changed */
    OFFLINE_FIELDS, /* fields of an entity did */
    OFFLINE_BLIND,  /* which record it was is not told: the entity is looked through */
    OFFLINE_NOT_MIRRORED,
    OFFLINE_UNKNOWN, /* no event of a mirror's */
    OFFLINE_OUTCOMES
};
const char *offline_outcome_name(enum offline_outcome o);

struct offline_change {
    int entity; /* index in ENTITIES */
    uint64_t id;
    bool gone; /* the event says deleted */
};

struct offline_lines { /* of one reservation */
    char process[OFFLINE_PROCESS_SIZE];
    uint64_t ids[OFFLINE_LIMIT]; /* of the queue's lines */
    int count;
    bool asked;             /* its confirmation is under way */
    bool whole;             /* not every line has a number: the reservation is confirmed as one */
    uint64_t changed, gone; /* bit i: what changed in ENTITIES[i], or is gone, is to be looked for first */
};

struct offline_read {
    struct offline_change *changes;
    int change_count, change_cap;
    struct offline_lines *lines;
    int line_count, line_cap;
    uint64_t fields, changed,
        gone; /* bit i: ENTITIES[i] is to be described anew, looked through for changes, for deletions */
    int outcomes[OFFLINE_OUTCOMES];
    int events;
    bool full;      /* there may be more */
    bool left_full; /* of reservations likewise */
};
void offline_read_free(struct offline_read *r);

/* Adds what event.offline.get answered. mirrored: bit set of ENTITIES. ERR_TEMP: it is not understood, and
 * nothing added. */
int offline_got(struct offline_read *r, struct str text, uint64_t mirrored, struct err *err) MUST_CHECK;
/* Adds reservations that nobody confirmed, from event.offline.list; none of those in `known`. */
int offline_left(struct offline_read *r, struct str text, uint64_t mirrored,
    const struct offline_lines *known, int count, struct err *err) MUST_CHECK;

struct offline_ask {
    const struct offline_lines *clears; /* to be confirmed; "clear0", "clear1", … */
    int clear_count;                    /* at most OFFLINE_CLEARS */
    bool left;                          /* "left": reservations that nobody confirmed */
    int readings;                       /* "get0", "get1", … */
    bool connector;                     /* of the queue with our auth_connector, else of that without one */
};
/* In this order, since a reading would be listed as well. room: the caller's, inited. How many. */
int offline_calls(const struct offline_ask *ask, struct call ret[static CALLS_MAX], struct buf *room);

/* What the scheduler remembers of a portal's queue. */
struct offline {
    uint64_t at_ms;     /* monotonic: the next reading */
    uint64_t left_ms;   /* the next look for reservations that nobody confirmed */
    uint64_t asked_ms;  /* when the calls under way, or the last ones, were put together; 0: none ever */
    uint64_t unsure_ms; /* readings of unknown outcome may reserve until then; 0: there is none */
    bool full;          /* the last reading brought as much as it might */
    bool woken;         /* something came since the last reading was asked for */
    bool keeping;       /* what it told is on its way to the database */
    struct offline_lines *kept; /* it is there, and to be confirmed; owned */
    int kept_count;
    uint64_t events;       /* since our start */
    uint64_t read_wall_ms; /* the last reading that was answered; 0: none */
    char error[200];       /* why the last one was not */
};
void offline_fini(struct offline *o);

/* A reading may have reserved what it did not tell, or do so until `until_ms`: it is looked for at once, and
 * again until a look that was asked for after that moment finds nothing. */
void offline_unsure(struct offline *o, uint64_t until_ms);
/* Such a look was answered. found: something that nobody confirmed; more: it lists as much as it may, and
 * perhaps that hides some. */
void offline_looked(struct offline *o, bool found, bool more, uint64_t now_ms);
/* When the queue is read next, which is pause_ms from now when nothing is to be looked for. */
uint64_t offline_reads_at(const struct offline *o, uint64_t pause_ms, uint64_t now_ms);
