/* record_ask.h - one call after another to a portal, well below its limit. Blocks: for a command, not for a
 * service. One thread. */
#pragma once

#include "base/str.h"
#include "run/http_client.h"

#include <stdbool.h>

struct record_portal {
    uv_loop_t loop;
    struct http_client *http;
    const char *url;   /* secret; the caller's */
    uint64_t pause_ms; /* between the beginnings of two calls */
    uint64_t next_ms;
    int calls; /* made, repetitions too */
};

/* drain_per_s: what the portal's tariff lets through in the long run; half of it is used. */
void record_portal_open(struct record_portal *p, const char *url, uint32_t drain_per_s);
void record_portal_close(struct record_portal *p);
/* POSTs JSON. What passes (network, the request limit) is tried again, three times in all. 0: an answer,
 * whatever it says, whose body is the caller's (buf_fini); -1: none. */
int record_ask(struct record_portal *p, const char *method, struct str params, bool wrong_secret,
    struct http_answer *ret, struct err *err) MUST_CHECK;
/* The `error` at the top of a JSON answer: "" when it is empty or a number, NULL-like false when there is
 * none. */
bool record_error(struct str body, char ret[static 64]);
