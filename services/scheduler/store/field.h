/* field.h - potok_field and what becomes of it: read, written, its changes recorded. Inside a transaction that
 * holds the entity's turn; on a database thread. */
#pragma once

#include "rules/drift.h"
#include "store.h"

struct store_fields {
    struct known_field *list;   /* sorted by name */
    int count, room;
    char **owned;               /* what the views point to */
    size_t owned_count, owned_room;
};

/* table: of the mirror, for the kinds that its columns were made with. */
int store_fields_read(struct db *db, const struct store_who *who, struct str entity, struct str table,
    struct store_fields *ret, struct err *err) MUST_CHECK;
void store_fields_fini(struct store_fields *f);
/* The fields as they are now, those that are gone, and a line for each change. */
int store_fields_write(struct db *db, const struct store_who *who, struct str entity, const struct drift *d,
    struct err *err) MUST_CHECK;
/* Columns that begin to be filled and hold what an earlier field left in them: live rows lose the value and their
 * hash, so that the next reading writes them again; ghosts keep their last values. */
int store_columns_empty(struct db *db, const struct store_who *who, struct str table, const struct drift *d,
    int64_t *ret_rows, struct err *err) MUST_CHECK;
