/* table.h - what a mirror table really is, as one connection knows it: its columns, and of each the kind it holds.
 * Somebody else may have changed the table: what the database has is compared with what Potok made (potok_column).
 * Only the files of this folder include it. */
#pragma once

#include "db/driver.h"

enum column_state {
    COLUMN_KNOWN,       /* of the kind Potok made it with */
    COLUMN_UNLISTED,    /* of a type of ours, and potok_column does not know it: an older Potok's, or the user's own */
    COLUMN_ALTERED,     /* somebody gave it another type, one of ours: it is of that kind from now on */
    COLUMN_STRANGE,     /* of a type that is none of ours: nothing can be written into it and be exact */
    COLUMN_DROPPED      /* Potok made it and it is gone */
};

struct table_column {
    char *name;
    char *type;                 /* as declared; NULL: dropped */
    enum column_state state;
    enum col_kind kind;         /* what it holds; of a strange or dropped one what Potok made it for */
    bool listed;                /* potok_column has a line */
};

struct table {
    struct table *next;
    char *name;
    int64_t shape;              /* potok_entity.shape when it was read; -1: no entity is kept in it */
    int64_t version;            /* the database's own, when it was read */
    struct table_column *list;  /* by name */
    int count, room;
    int present;                /* columns that the database has; 0: no such table */
};

/* Reads the table and what potok_column says of it. The system tables must be there. */
int table_read(struct db *db, struct str name, struct table **ret, struct err *err) MUST_CHECK;
void table_free(struct table *t);                           /* NULL-safe */
/* NULL: neither there nor dropped. */
const struct table_column *table_find(const struct table *t, struct str column);

/* Inside a transaction that changes the table, first of all: in the order of the writers, who take the entity's row before
 * the table. */
int table_lock_entity(struct db *db, struct str table, struct err *err) MUST_CHECK;
/* Inside it: the column is of this kind now. */
int table_list_column(struct db *db, struct str table, struct str column, enum col_kind kind, struct err *err) MUST_CHECK;

/* What the connection remembers. */
struct table *table_known(const struct db *db, struct str name);
void table_forget_all(struct db *db);                       /* without a statement that failed for it */
void table_remember(struct db *db, struct table *t);        /* takes it over; in place of an older one */

/* The kind of a declared type; false: none of ours. Pure. */
bool table_kind_of(const struct db_driver *driver, struct str type, enum col_kind *ret);

/* Appends the name in quotes to SQL. */
struct buf;
void table_quote(struct buf *sql, const struct db *db, struct str name);
