/* call.h - jobs that call methods of a portal (proto/calls.h): no entity's, no row, no run. One takes one
 * request of the portal's budget and goes before what reads records. What passes by itself is asked again
 * with back-off; a restart forgets all of them: whoever wants an answer decides anew from what the portal is.
 * Loop thread. */
#pragma once

#include "scheduler.h"

#include "proto/calls.h"

/* One batch of 1 to CALLS_MAX methods, copied. `done` (job.h) is called once, on the loop. urgent: before
 * other calls. */
void call_job(struct scheduler *s, int portal, const struct call *calls, int n, call_done *done, bool urgent);
/* The same, of methods that write: it is asked again only when the portal certainly did nothing (a limit). Any other failure
 * goes to `done` at once: ERR_TEMP when the outcome is unknown. */
void call_once(struct scheduler *s, int portal, const struct call *calls, int n, call_done *done);
/* Whether one that ends in `done` waits or is under way. */
bool call_waits(const struct portal *p, call_done *done);

/* The next one that may go; NULL: none. */
struct job *call_next(const struct portal *p, uint64_t now_ms);
/* It is over: both take the job over. */
void call_answered(struct scheduler *s, int portal, struct job *job, struct str answers);
void call_failed(struct scheduler *s, int portal, struct job *job, enum err_kind kind, const char *text);
