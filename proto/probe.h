/* probe.h - what a probe learns of a portal in one call: the body of REPORT.learnt.
 * Memory: strings are views into the bytes that were decoded; probe_free() frees the array. Any thread. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

struct probe_entity {
    struct str entity;          /* plural */
    struct str schema;          /* encoded schema.h */
    struct str labels;          /* encoded labels.h; empty: not told */
    uint64_t least_id, most_id; /* 0,0: no records */
    uint64_t total;             /* as the portal counts: an estimate for cutting and for the progress bar only */
    struct str error;           /* empty = fine; else why this entity cannot be read (scope, rights) */
    struct str error_kind;      /* err_kind_name() */
};

struct probe {
    struct probe_entity *entities;  /* views into the bytes given to probe_decode */
    int count;
    int64_t server_ms;          /* portal time */
};

void probe_encode(const struct probe *p, struct buf *out);
int probe_decode(struct probe *ret, struct str bytes, struct err *err) MUST_CHECK;
void probe_free(struct probe *p);
