/* overload.h - the shell of the breaker: what answers of a portal say of its block, and what is kept of it. Loop thread. */
#pragma once

#include "scheduler.h"

/* Every REPORT passes here before anything else is made of it. */
void overload_report(struct scheduler *s, const struct flight *f, const struct msg_report *r);
void overload_told(struct scheduler *s, int portal, struct str code);    /* by another sender */
void overload_force(struct scheduler *s, int portal);   /* the operator wants one try */
int overload_read(struct scheduler *s, struct portal *p, struct db *db, struct err *err) MUST_CHECK;   /* at start */
/* Wall clock of the next try; 0: the portal is not blocked. */
uint64_t overload_try_at(const struct portal *p, uint64_t now_ms);
