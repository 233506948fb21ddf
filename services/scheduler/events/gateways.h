/* gateways.h - what gateways are told beside their acknowledgements (proto/news.h): where portals answer now, and the
 * application tokens that came with installations. Who said hello hears at once when something changed. Loop thread. */
#pragma once

#include "base/buf.h"
#include "run/bus.h"

#include <stdbool.h>
#include <stdint.h>

struct scheduler;

#define GATEWAYS_MAX 16

struct gateways {               /* zeroed: nobody was heard */
    struct {
        struct bus_peer peer;
        char name[65];
        uint64_t spool;
    } list[GATEWAYS_MAX];       /* the last ones heard */
    int count, next;
    bool made;                  /* the two below are of today */
    struct buf hosts, sealed;   /* owned; the same bytes until something changes */
};

void gateways_heard(struct scheduler *s, struct bus_peer from, const struct msg_event *m);
void gateways_hello(struct scheduler *s, struct bus_peer from, const struct msg_event *m);  /* answers it */
void gateways_put(struct scheduler *s, struct msg_event_ack *ack);     /* views, until something changes */
void gateways_changed(struct scheduler *s);                            /* tells all of them */
void gateways_free(struct gateways *g);
