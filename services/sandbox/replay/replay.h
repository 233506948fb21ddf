/* replay.h - a recording of `potok record` (recording.md) that answers in place of the made-up portal:
 * recorded requests with their recorded answers, lists by id from the recorded records, anything else with a
 * clear no. Loop thread. */
#pragma once

#include "portal.h"

#include "base/err.h"

struct replay;

/* ERR_CONF: no whole recording there, or one of another format. */
struct replay *replay_open(const char *folder, struct err *err) MUST_CHECK;
void replay_close(struct replay **r);
/* "63 answers; deals 500 of 3000, ..." */
const char *replay_about(const struct replay *r);
/* The answer to a request with the right secret; params as params.h makes them. */
void replay_answer(struct replay *r, struct str method, const json_t *params, struct portal_answer *ret);
/* What the portal answered to a wrong secret; false: that was not recorded. */
bool replay_refuse(struct replay *r, struct portal_answer *ret);
