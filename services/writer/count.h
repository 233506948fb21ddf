/* count.h - the writer's metrics. Loop thread. */
#pragma once

#include "apply.h"

enum outcome { OUTCOME_OK, OUTCOME_REFUSED, OUTCOME_FAILED, OUTCOMES };

void count_init(void);
const char *outcome_name(enum outcome outcome);
void count_message(enum outcome outcome, double seconds);
void count_rows(struct str entity, const struct apply_counts *counts);
void count_queue(int messages);
