/* store.h - the portal's data: a base made from the seed, and what changed since.
 * Record n of an entity is a pure function of (seed, entity, n); in memory are only its id, a flag byte and a pointer
 * to its changes. The SQLite file keeps the changes alone, so start-up costs nothing but the ids.
 * Loop thread. Changes are written inside store_begin()/store_commit(). */
#pragma once

#include "attr.h"

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { RECORD_DELETED = 1, RECORD_HIDDEN = 2 };     /* hidden: the webhook's user has no right to it */

struct patch_value {
    const struct attr *attr;
    char *raw;                      /* JSON as the portal will print it */
};

struct patch {
    uint8_t version[FACETS];
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

struct store {
    uint64_t seed;
    struct crm crm[WHICHES];
    uint64_t changes;               /* made so far: chance of the next one */
    struct sqlite3 *db;
    struct sqlite3_stmt *statements[8];
};

struct store_options {
    uint64_t seed;
    uint32_t counts[WHICHES];       /* in the order of enum which */
    const char *path;               /* NULL: in memory only */
};

/* ERR_CONF: the file was made with another seed or other counts, or cannot be opened. */
int store_open(struct store *ret, const struct store_options *options, struct err *err) MUST_CHECK;
void store_close(struct store *s);

/* First record with an id >= id; count when there is none. */
uint32_t crm_lower_bound(const struct crm *c, uint64_t id);
bool crm_find(const struct crm *c, uint64_t id, uint32_t *ret_n);       /* also deleted and hidden ones */

int store_begin(struct store *s, struct err *err) MUST_CHECK;
int store_commit(struct store *s, struct err *err) MUST_CHECK;
/* facets: bit set; each gets a new version. DATE_MODIFY becomes now_s, MOVED_TIME too when the stage changes. */
int store_update(struct store *s, enum which w, uint32_t n, unsigned facets, int64_t now_s, struct err *err) MUST_CHECK;
/* raw: JSON text as the portal will print it. */
int store_set(struct store *s, enum which w, uint32_t n, const struct attr *a, struct str raw, int64_t now_s,
    struct err *err) MUST_CHECK;
int store_create(struct store *s, enum which w, int64_t now_s, uint32_t *ret_n, struct err *err) MUST_CHECK;
int store_flag(struct store *s, enum which w, uint32_t n, uint8_t flags, struct err *err) MUST_CHECK;
int store_add_attr(struct store *s, enum which w, const char *name, struct str type, bool multiple,
    const struct attr **ret, struct err *err) MUST_CHECK;
int store_keep_counter(struct store *s, struct err *err) MUST_CHECK;    /* makes `changes` durable */
