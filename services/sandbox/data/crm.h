/* crm.h - the records of one entity in memory: ids, who is still seen, what changed. Knows no file. Loop thread. */
#pragma once

#include "attr.h"

#include <stdbool.h>
#include <stdint.h>

enum { RECORD_DELETED = 1, RECORD_HIDDEN = 2 };     /* hidden: the webhook's user has no right to it */

struct patch_value {
    const struct attr *attr;
    char *raw;                      /* JSON as the portal will print it, or by its type when `typed` ("": nothing) */
    bool typed;
};

#define PATCH_BARE 255              /* made through the API: nothing but what was sent, until people edit a facet */
struct patch {
    uint8_t version[FACETS];        /* of FACET_FIXED: PATCH_BARE or 0 */
    int64_t created_s, modified_s, moved_s;     /* 0 = as generated */
    struct patch_value *values;
    int value_count;
};

struct crm {
    enum which which;
    struct attr_list attrs;
    uint32_t *ids;                  /* ascending, with gaps; record n has ids[n] */
    uint8_t *flags;
    struct patch **patches;
    uint32_t count, cap;
    uint32_t base_count;            /* generated at start; the rest was created since */
    uint32_t visible;               /* neither deleted nor hidden */
};

void crm_init(struct crm *ret, enum which w, uint64_t seed, uint32_t count);
void crm_fini(struct crm *c);
uint32_t crm_append(struct crm *c, uint32_t id);        /* id above all others; its n */
void crm_flag(struct crm *c, uint32_t n, uint8_t flags);
struct patch *crm_patch(struct crm *c, uint32_t n);     /* made when missing */
/* raw: JSON as it will be printed, or "=" and JSON that is printed as a value of the field's type is. */
void patch_set(struct patch *p, const struct attr *a, struct str raw);
void patch_forget(struct patch *p, const struct attr *a);       /* as if it had not been set */
struct patch *patch_copy(const struct patch *p);                /* NULL of NULL */
void patch_free(struct patch *p);
/* First record with an id >= id; count when there is none. */
uint32_t crm_lower_bound(const struct crm *c, uint64_t id);
bool crm_find(const struct crm *c, uint64_t id, uint32_t *ret_n);       /* also deleted and hidden ones */
