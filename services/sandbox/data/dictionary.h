/* dictionary.h - what crm.status.list and crm.category.list know: stages, sources, types (facts sections 4.5, 6.2). */
#pragma once

#include "base/str.h"

#include <stdint.h>

struct status {
    const char *id, *name;
    const char *semantics;          /* NULL = in process, "S" won, "F" lost */
};

struct dictionary {
    const char *entity;             /* ENTITY_ID: "SOURCE" */
    const struct status *list;
    int count;
    int type_id;                    /* entityTypeId in stage dictionaries, else 0 */
    int category;                   /* funnel of a DEAL_STAGE_n dictionary */
};

/* n counts from 0; NULL past the end. The stages of funnel c > 0 are listed with ids "Cc:NEW" by the caller. */
const struct dictionary *dictionary_at(int n);
const struct dictionary *dictionary_of(const char *entity);
const struct status *dictionary_pick(const char *entity, uint64_t h);

#define FUNNELS 4
extern const char *const FUNNEL_NAMES[FUNNELS];
/* Most records stand in the first stages; about a third is closed. */
const struct status *stage_pick(uint64_t h);
const struct status *lead_status_pick(uint64_t h);
