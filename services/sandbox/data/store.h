/* store.h - the portal's data: a base made from the seed, and what changed since.
 * Record n of an entity is a pure function of (seed, entity, n); in memory are only its id, a flag byte and a pointer
 * to its changes. The SQLite file keeps the changes alone, so start-up costs nothing but the ids.
 * Loop thread. Changes are written inside store_begin()/store_commit(), and into the journal when it is on; never
 * while its veils are drawn. */
#pragma once

#include "crm.h"
#include "journal.h"
#include "veil.h"

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct store {
    uint64_t seed;
    bool bare_bindings;             /* store_options */
    struct crm crm[KINDS];
    uint64_t changes;               /* made so far: chance of the next one */
    struct sqlite3 *db;
    struct sqlite3_stmt *statements[9];
    struct journal journal;
    struct veils veils;
    json_t *links;                  /* links.h */
};

struct store_options {
    uint64_t seed;
    bool bare_bindings;             /* a field bound to one type holds a number without the type's letter */
    uint32_t counts[KINDS];       /* in the order of enum which */
    const char *path;               /* NULL: in memory only */
};

/* ERR_CONF: the file was made with another seed or other counts, or cannot be opened. */
int store_open(struct store *ret, const struct store_options *options, struct err *err) MUST_CHECK;
void store_close(struct store *s);

int store_begin(struct store *s, struct err *err) MUST_CHECK;
int store_commit(struct store *s, struct err *err) MUST_CHECK;
/* facets: bit set; each gets a new version. DATE_MODIFY becomes now_s, MOVED_TIME too when the stage changes. */
int store_update(struct store *s, enum which w, uint32_t n, unsigned facets, int64_t now_s, struct err *err) MUST_CHECK;
/* raw: JSON text as the portal will print it. */
int store_set(struct store *s, enum which w, uint32_t n, const struct attr *a, struct str raw, int64_t now_s,
    struct err *err) MUST_CHECK;
/* bare: with nothing in it (PATCH_BARE). */
int store_make(struct store *s, enum which w, bool bare, int64_t now_s, uint32_t *ret_n, struct err *err) MUST_CHECK;
static inline int store_create(struct store *s, enum which w, int64_t now_s, uint32_t *ret_n, struct err *err)
{
    return store_make(s, w, false, now_s, ret_n, err);
}
/* The stage changed with the values just set. */
int store_moved(struct store *s, enum which w, uint32_t n, int64_t now_s, struct err *err) MUST_CHECK;
/* As a record that was imported says of itself. */
int store_date(struct store *s, enum which w, uint32_t n, int64_t created_s, int64_t modified_s, int64_t moved_s,
    struct err *err) MUST_CHECK;
int store_flag(struct store *s, enum which w, uint32_t n, uint8_t flags, struct err *err) MUST_CHECK;
int store_add_attr(struct store *s, enum which w, const char *name, struct str type, bool multiple,
    const struct attr **ret, struct err *err) MUST_CHECK;
/* field_edit.h; what it does to the values that were set by hand is kept, too. */
int store_edit_field(struct store *s, enum which w, struct str what, const char *name, struct str json, struct err *err)
    MUST_CHECK;
int store_keep_counter(struct store *s, struct err *err) MUST_CHECK;    /* makes `changes` durable */
