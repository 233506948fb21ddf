/* deliver.h - sends what is due in the outbox: a few POSTs at a time, each once (facts sections 9.3, 9.4). Each has a
 * client, and so a connection, of its own: on a kept connection that turns out dead, curl would send the request a
 * second time. Loop thread. */
#pragma once

#include "events.h"

#include "run/http_client.h"

struct deliver {
    struct events *events;
    uv_async_t again;               /* some calls are over: their clients go, others may begin */
    struct deliver_call *calls;
};

void deliver_start(struct deliver *d, uv_loop_t *loop, struct events *e);
void deliver_pump(struct deliver *d);   /* after everything that may have made events, and now and then */
void deliver_stop(struct deliver *d);   /* the loop must turn once more afterwards */
