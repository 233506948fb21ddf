/* record.h - one record, open for reading: its values as generated, changed and set by hand. */
#pragma once

#include "data/arena.h"
#include "data/store.h"
#include "data/value.h"

struct record {
    const struct store *store;
    const struct crm *crm;
    struct arena *arena;            /* values point into it */
    const struct patch *patch;      /* NULL: as generated */
    uint32_t n, id;
    uint64_t hash;                  /* of seed, entity and n */
    uint64_t facet[FACETS];         /* chance of each facet in its version */
};

void record_open(struct record *ret, const struct store *s, enum which w, uint32_t n, struct arena *arena);
void record_value(const struct record *r, const struct attr *a, struct value *ret);
int64_t record_created_s(const struct record *r);
int64_t record_modified_s(const struct record *r);
int64_t record_moved_s(const struct record *r);
int64_t record_funnel(const struct store *s, uint32_t n);    /* CATEGORY_ID of a deal */
