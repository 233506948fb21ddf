/* run_set.h - which runs someone waits for. Pure. */
#pragma once

#include "base/str.h"
#include "ask/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

struct run_set {
    uint64_t ids[SNAPSHOT_RUNS_MAX];
    int count;
};

void run_set_add(struct run_set *s, uint64_t id);
/* Those of the scheduler's answer to `sync`: {"runs":[{"id":…}]}. */
void run_set_take(struct run_set *s, struct str answer);
bool run_set_has(const struct run_set *s, uint64_t id);
/* The `since` of a question that shows them all. */
uint64_t run_set_since(const struct run_set *s);
