/* bus_hold.h - does to the messages of a plug what bus_fault.h decides. Inner part of bus.c; NULL everywhere but in tests that
 * set POTOK_BUS_FAULTS. Loop thread only. */
#pragma once

#include "run/bus.h"

struct bus_hold;

struct bus_held {               /* a message on its way */
    struct bus_peer from;
    struct msg *m;
};

/* For a plug of that name; NULL without the setting, and (told by an ERROR line) with one that cannot be read. */
struct bus_hold *bus_hold_new(const char *plug);
void bus_hold_free(struct bus_hold **hold);
/* false: the message was lost or is held, *m is NULL. */
bool bus_hold_passes(struct bus_hold *hold, struct bus_peer from, struct msg **m);
/* The next one whose time has come; the caller frees its message. */
bool bus_hold_due(struct bus_hold *hold, struct bus_held *ret);
uint64_t bus_hold_wait_ms(const struct bus_hold *hold);         /* until the next; UINT64_MAX: none is held */
