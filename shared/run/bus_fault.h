/* bus_fault.h - what befalls messages while a test wants a bad bus: POTOK_BUS_FAULTS="lose=2,double=2,late=5,late_ms=3000,
 * shuffle=5,seed=7", per cent of the messages a plug receives. Pure: the generator has a seed, the clock is an argument, and
 * what is held is the caller's; bus_hold.c does it to the messages of a plug. No threads. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    BUS_FAULT_HELD_MOST = 256,          /* held at a time; more arrive as if nothing were wrong */
    BUS_FAULT_SHUFFLE_MOST = 4,         /* a shuffled message lets so many of its plug pass at most... */
    BUS_FAULT_SHUFFLE_MS = 300,         /* ...and waits no longer for them than this */
};

enum bus_fate {
    BUS_ARRIVES,
    BUS_LOST,
    BUS_DOUBLED,        /* arrives, and a copy of it some time later */
    BUS_LATE,           /* arrives some time later */
    BUS_SHUFFLED,       /* arrives behind some that were sent after it */
    BUS_FATES
};

struct bus_fault_set {          /* how much of it */
    int64_t lose, twice, late, shuffle;         /* per cent; together 100 at most */
    int64_t late_ms;            /* at most; default 1000 */
    int64_t seed;
};

struct bus_fault_held {
    void *what;
    uint64_t due_ms;
    int passes;                 /* goes as well when so many have passed it; 0: only when it is due */
};

struct bus_fault {
    struct bus_fault_set set;
    uint64_t random;
    struct bus_fault_held held[BUS_FAULT_HELD_MOST];
    int held_count;             /* the longest held first */
    uint64_t count[BUS_FATES];
};

/* ERR_CONF with what is wrong; *ret untouched then. */
int bus_fault_read(struct bus_fault_set *ret, const char *text, struct err *err) MUST_CHECK;
/* `own`: of this plug and process, so that not all suffer the same. */
void bus_fault_init(struct bus_fault *f, const struct bus_fault_set *set, uint64_t own);
/* What becomes of the next message; counts it, and as one that passes those that are shuffled. No more than BUS_ARRIVES and
 * BUS_LOST when there is no room to hold one. */
enum bus_fate bus_fault_strike(struct bus_fault *f);
/* Holds a message whose fate wants it. */
void bus_fault_hold(struct bus_fault *f, enum bus_fate fate, void *what, uint64_t now_ms);
/* One whose time has come, no longer held; NULL: none. */
void *bus_fault_due(struct bus_fault *f, uint64_t now_ms);
/* Whatever its time, for the end; NULL: none is left. */
void *bus_fault_any(struct bus_fault *f);
/* When the next one is due; UINT64_MAX: none is held. */
uint64_t bus_fault_next_ms(const struct bus_fault *f);
