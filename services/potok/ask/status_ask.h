/* status_ask.h - what runs here, asked: the services' own STATUS messages and the scheduler's answer. Waits for a second or two
 * on a loop of its own. */
#pragma once

#include "control.h"
#include "home.h"

#include <jansson.h>

#define SERVICES_MAX 256

struct service_view {
    char service[33], instance[65], state[17], metrics[129];
    uint64_t pid, uptime_ms, rss_bytes, lag_ms;
    json_t *detail;
};

struct ask {                    /* zeroed before */
    uv_loop_t loop;
    uv_timer_t timer;
    struct bus *bus;
    struct bus_plug *statuses;
    struct control control;
    bool answered;
    char *body; /* the scheduler's answer; NULL: none came */
    struct err err;
    struct service_view services[SERVICES_MAX];
    int count, expected;
};

/* ERR_CONF: it may not be looked at. a->body NULL: the scheduler gave none, a->err says why. Services by instance. */
int ask_all(struct ask *a, const struct home *home, struct err *err) MUST_CHECK;
void ask_fini(struct ask *a);
