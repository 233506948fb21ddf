/* ask.h - one call after another to a portal, each with the scheduler's leave where one runs (run/budget.h), else
 * well below the portal's limit. Blocks: for a command, not for a service. One thread. */
#pragma once

#include "base/seal.h"
#include "base/str.h"
#include "connectors/bitrix.h"
#include "home.h"
#include "run/budget.h"
#include "run/http_client.h"

#include <stdbool.h>

struct record_portal {
    uv_loop_t loop;
    struct http_client *http;
    struct bus *bus;
    struct budget *budget;
    const struct config_portal *portal;
    struct seal_keys keys;
    uint64_t next_ms; /* not before this */
    int calls; /* made, repetitions too */
    struct buf operating;
};

/* kind: who asks, "verify". What it borrows from `home` lives longer than it. */
int record_portal_open(struct record_portal *p, const struct home *home, const struct config_portal *portal, const char *kind,
    struct err *err) MUST_CHECK;
void record_portal_close(struct record_portal *p); /* one that was not opened too, if it is zeroed */
/* POSTs JSON. What passes (network, the request limit, a token that is over) is tried again, three times in all. 0: an
 * answer, whatever it says, whose body is the caller's (buf_fini); -1: none. */
int record_ask(struct record_portal *p, const char *method, struct str params, bool wrong_secret,
    struct http_answer *ret, struct err *err) MUST_CHECK;
/* The same; `costs`: the method whose operating seconds the call costs. */
int record_ask_costly(struct record_portal *p, const char *method, struct str params, const char *costs,
    struct http_answer *ret, struct err *err) MUST_CHECK;
/* What the answer read from it told of operating time, and the limits that its parts met: for the scheduler. */
void record_told(struct record_portal *p, const struct bitrix_answer *a);
/* The `error` at the top of a JSON answer: "" when it is empty or a number, NULL-like false when there is
 * none. */
bool record_error(struct str body, char ret[static 64]);
