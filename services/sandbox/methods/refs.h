/* refs.h - $result[key][path] in the parameters of a batch's commands (facts section 5). */
#pragma once

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct ref_source {             /* a command that has succeeded */
    const char *key;            /* of the batch's parameters, which outlive it */
    size_t at, n;               /* its result in `results` */
    uint32_t *ids;              /* of a list of records, so that the usual [49][ID] needs no JSON; owned */
    int id_count;
    json_t *tree;               /* the result read back, on the first other reference; owned */
};

struct refs {
    const struct buf *results;
    struct ref_source *list;
    int count;
    bool empty;                 /* option: what leads nowhere becomes "" instead of staying as written */
    bool literal;               /* option: false and null lead nowhere */
};

void refs_fini(struct refs *r);
void refs_add(struct refs *r, const char *key, size_t at, const uint32_t *ids, int id_count);
/* Replaces references in every string value below `params`, which must be the caller's alone. */
void refs_apply(struct refs *r, json_t *params);
