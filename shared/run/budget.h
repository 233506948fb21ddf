/* budget.h - leave to call a portal, asked of the scheduler: a sender that is no fetcher (potok verify, record, doctor; the
 * outbox) asks before each call and tells when it is over, so that all senders together stay below the portal's limits.
 * proto/flows/budget.md.
 *
 * Where no scheduler answers the sender goes at half the speed that the portal's tariff allows, and tells the next scheduler
 * how much fuller than it can know the portal's bucket may be. A portal that is reached as an application cannot be asked
 * then: its token is the scheduler's.
 *
 * One sender, one portal, one call at a time. Loop thread; budget_wait() and budget_end() run the loop themselves. */
#pragma once

#include "base/str.h"
#include "run/bus.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define BUDGET_PATIENCE_MS 2000     /* no answer for so long: no scheduler */

struct budget;

struct budget_def {                 /* copied */
    uv_loop_t *loop;
    struct bus *bus;
    const char *where;              /* value of BUS_SCHEDULER */
    const char *kind;               /* "verify": the sender is called so, with the number of this process */
    const char *portal;
    const char *source;             /* as FETCHER_SOURCE; NULL: where most fetchers call from */
    uint32_t burst, drain_per_s;    /* of its tariff */
    bool needs_token;               /* an application's portal */
    bool few;                       /* a handful of calls in all: no pace of their own where no scheduler answers */
    uint64_t most_wait_ms;          /* then it goes all the same, as if no scheduler were there; 0: as long as it takes */
};

struct budget_go {                  /* views live until the callback returns */
    struct err err;                 /* kind other than ERR_NONE: it may not go */
    bool alone;                     /* nobody was asked */
    struct str host;                /* where the portal answers now; empty: as configured */
    uint64_t token;                 /* number of the access token; 0: none */
    struct str sealed;              /* purpose "job:<portal>" */
};
typedef void budget_on_go(void *ctx, const struct budget_go *go);

struct budget_told {                /* what the answer told; as REPORT's fields */
    struct str operating;           /* map method -> [ms, reset s] */
    struct str blocked, code;
    uint64_t refused, retry_ms;
};

/* NULL: ERR_CONF or ERR_TEMP of the bus. */
struct budget *budget_new(const struct budget_def *def, struct err *err) MUST_CHECK;
/* The memory goes on a later turn of the loop. A question that waits is dropped without a call. */
void budget_free(struct budget **b);

/* method: whose operating seconds the call will cost; "" = nobody's. on_go is called once, later, maybe much later: a
 * portal may pause for minutes. One at a time, and not before the last one was told to be over. */
void budget_ask(struct budget *b, const char *method, budget_on_go *on_go, void *ctx);
/* The call was answered or given up; told NULL: nothing is known of it. Reported with the next question. */
void budget_arrived(struct budget *b, const struct budget_told *told);
/* More of the same call, known only when its answer was read; before the next question. */
void budget_more(struct budget *b, const struct budget_told *told);
void budget_unsent(struct budget *b);       /* it will not be made */

/* For commands that wait: asks, and runs the loop until it may go. Fills *ret; its views live until the next question. */
int budget_wait(struct budget *b, const char *method, struct budget_go *ret, struct err *err) MUST_CHECK;
/* Tells what was not told yet; runs the loop, a fraction of a second at most. */
void budget_end(struct budget *b);
