/* guardian.h - what an application's events should be bound to and what they are: the difference, and what
 * answers to it mean (facts 9.1, 9.5). Handlers of others are never touched. Pure; any thread. */
#pragma once

#include "base/err.h"
#include "base/public_url.h"
#include "connectors/bitrix_event.h"
#include "connectors/bitrix_write.h"
#include "proto/calls.h"

#include <stdbool.h>
#include <stdint.h>

#define GUARDIAN_CONNECTOR "potok" /* auth_connector of our offline events */

struct guardian_wish {
    uint64_t entities;              /* bit i: ENTITIES[i] is mirrored */
    bool online, offline;           /* by which ways events are to come */
    const struct public_urls *urls; /* count 0: nothing online */
    const char *handler;            /* the first of them with the portal's key (handler_key.h), or as it is */
    bool tried;                     /* `handler` was bound a moment ago, or before, and the portal took it */
    bool offline_sure; /* offline lines that do not name their connector are ours: we bound them */
    bool connector;    /* the plan has auth_connector; else our queue is the application's own, without one */
    const char (*unknown)[BITRIX_EVENT_NAME_SIZE]; /* events that this portal does not have */
    int unknown_count;
};

enum guardian_do { GUARDIAN_BIND, GUARDIAN_UNBIND };

struct guardian_line {
    enum guardian_do what;
    bool offline;
    char event[BITRIX_EVENT_NAME_SIZE];
    char *handler; /* owned; "" with an offline event. A secret */
};

struct guardian_plan {
    int wanted, bound; /* subscriptions; of these, already there */
    int strays;        /* handlers with our path at an address that is not ours */
    bool bare;         /* the portal shows addresses without their query: what is bound there counts */
    bool connector;    /* as in the wish */
    bool again;        /* is to be looked at once more when its lines are done: what they replace goes then */
    struct guardian_line *lines; /* what is to be done; owned */
    int count, cap;
};
void guardian_plan_free(struct guardian_plan *p);

/* have: JSON text of what event.get answered. ERR_TEMP: it is no list. What was bound to our address with
 * another key, or with none, goes when the event is seen to be bound to the wanted one, and not before. */
int guardian_compare(
    struct guardian_plan *ret, const struct guardian_wish *wish, struct str have, struct err *err) MUST_CHECK;

/* Up to CALLS_MAX of the lines from `from` on as calls; keys and parameters are in `room`, which the caller
 * inits and frees. How many. */
int guardian_calls(
    const struct guardian_plan *p, int from, struct call ret[static CALLS_MAX], struct buf *room);

enum guardian_said {
    GUARDIAN_SAID_DONE,    /* it is so now, or was so already */
    GUARDIAN_SAID_UNKNOWN, /* the portal has no such event */
    GUARDIAN_SAID_REFUSED, /* no rights: nothing changes by asking again soon */
    GUARDIAN_SAID_LATER,
    GUARDIAN_SAID_LOST, /* whether it was done nobody knows */
};
/* NULL: the portal said nothing to it. */
enum guardian_said guardian_judge(const struct call_answer *a);

/* By which ways events come: what was configured, what the portal has, what there is an address for. */
struct guardian_ways {
    bool online, offline;
    bool no_queue; /* offline was wanted, and cannot be: no events are to be lost by reading them */
};
struct guardian_ways guardian_ways(bool online, bool offline, bool has_queue, bool has_url);

/* Events stay away though records change: none for so long, and what was looked for by date was found since.
 */
#define GUARDIAN_SILENCE_MS 600000
bool guardian_suspects(uint64_t event_ms, uint64_t looked_ms, uint64_t found, uint64_t now_ms);

/* What the scheduler remembers of a portal's subscriptions; times in ms, monotonic but for those that say
 * wall. */
enum guardian_state {
    GUARDIAN_NONE,    /* a webhook, or nothing to be bound */
    GUARDIAN_LOOKING, /* not looked yet */
    GUARDIAN_WELL,
    GUARDIAN_PARTLY,  /* something could not be bound; it is tried again soon */
    GUARDIAN_REFUSED, /* no rights */
};
const char *guardian_state_name(enum guardian_state s);

struct guardian {
    enum guardian_state state;
    struct bitrix_write write; /* the lines under way, or whose outcome is unknown */
    struct guardian_plan plan; /* of the look under way; owned */
    int from;                  /* its line that is asked next */
    int failed;                /* lines of this look */
    bool refused;
    bool lost;                          /* of at least one nobody knows what became of it */
    bool again;                         /* this look follows one that bound something */
    int made;                           /* subscriptions of these looks */
    bool tried;                         /* the wanted address was bound once, and the portal took it */
    bool bare;                          /* the portal does not show its query */
    uint64_t at_ms;                     /* the next look */
    uint64_t looked_ms, looked_wall_ms; /* the last one; 0: none */
    int wanted, bound, strays;          /* as of the last look */
    bool was_well;                      /* all of it was bound once since our start */
    bool offline_sure;
    bool has_queue, queue_known; /* feature.get rest_offline_extended */
    bool has_connector;          /* feature.get rest_auth_connector: not every plan with a queue has it */
    bool told_queue;
    struct guardian_ways ways;
    char unknown[BITRIX_EVENTS_MAX][BITRIX_EVENT_NAME_SIZE];
    int unknown_count;
    char error[200];                  /* why not all of it is bound */
    uint64_t heard_ms, heard_wall_ms; /* the last event of any kind; 0: none since our start */
    uint64_t found;                   /* records that only a look by date found since */
    uint64_t found_wall_ms;
};
void guardian_fini(struct guardian *g);

/* Lines are sent; they were answered, lost: at least one of them with an unknown outcome. */
void guardian_sends(struct guardian *g);
void guardian_heard(struct guardian *g, const struct write_pace *pace, bool lost, uint64_t now_ms);
/* When there may be a look, by which lines are sent: what was lost is looked for when nothing of it can take
 * effect any more (bitrix_write.h), and never repeated blindly. */
uint64_t guardian_looks_at(const struct guardian *g, uint64_t now_ms);
