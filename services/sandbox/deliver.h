/* deliver.h - sends what is due in the outbox: a few POSTs at a time, each once (facts sections 9.3, 9.4). Loop thread. */
#pragma once

#include "events.h"

#include "run/http_client.h"

struct deliver {
    struct events *events;
    struct http_client *client;
};

void deliver_start(struct deliver *d, uv_loop_t *loop, struct events *e);
void deliver_pump(struct deliver *d);   /* after everything that may have made events, and now and then */
void deliver_stop(struct deliver *d);   /* the loop must turn once more afterwards */
