/* budget.h - calls granted to senders that are no fetchers: BUDGET_ASK in, BUDGET_GRANT out, from the same buckets and
 * operating tables as jobs. proto/flows/budget.md. Loop thread. */
#pragma once

#include "scheduler.h"

void budget_on_ask(struct scheduler *s, struct bus_peer from, const struct msg *m);
/* Answers what can be answered now; gives up calls whose sender died. */
void budget_turn(struct scheduler *s, uint64_t now_ms);
uint64_t budget_wait(const struct scheduler *s, uint64_t now_ms);  /* ms until it has something to do; UINT64_MAX = nothing */
/* Somebody may be granted calls soon: a level that is saved holds some. */
bool budget_is_asked(const struct scheduler *s, uint64_t now_ms);
