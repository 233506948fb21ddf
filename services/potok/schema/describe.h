/* describe.h - what the database holds of the portals' fields, read for people: tables, columns, what became of
 * fields and when. Waits for the database. Owned by the struct; texts are never NULL unless said so. */
#pragma once

#include "base/err.h"
#include "proto/schema.h"

#include <stdbool.h>
#include <stdint.h>

struct db;

struct described_field {
    char *name, *title, *type;  /* as the portal says */
    bool multiple;
    char *column;               /* "" = it has none */
    char *kind;                 /* what it wants to be: col_kind_name() of its type */
    char *column_kind;          /* what its column holds; "" = not known, then as `kind` */
    char *items;                /* JSON [[id, value], …] of an enumeration; NULL = it is none */
    enum field_hold held;
    int64_t first_ms, gone_ms, changed_ms;  /* 0 = not (known) */
    int64_t rejected;           /* its values in potok_reject */
};

struct described {              /* one mirror */
    char *portal, *host, *entity, *table;
    int64_t full_ms, schema_ms; /* 0 = never */
    int64_t records, deleted;   /* rows; -1 = there is no table yet */
    struct described_field *fields;     /* by name */
    int count;
};

struct described_change {       /* a line of potok_field_change */
    char *portal, *entity, *name, *what, *was, *now;    /* was, now: "" = nothing */
    int64_t at_ms;
};

struct description {
    struct described *list;     /* by portal and entity */
    int count;
    struct described_change *changes;   /* newest first */
    int change_count;
};

struct describe_ask {
    const char *portal;         /* NULL = all */
    const char *const *entities;    /* plural */
    int count;                  /* 0 = all */
};

/* ERR_CONF: the portal or one of the entities is not in this database. */
int describe(struct db *db, const struct describe_ask *ask, struct description *ret, struct err *err) MUST_CHECK;
/* Adds the changes to what describe() found. */
int describe_changes(struct db *db, struct description *d, struct err *err) MUST_CHECK;
void description_fini(struct description *d);
/* The portal calls it something else than its column is: `potok schema widen` may help. */
bool described_retyped(const struct described_field *f);
/* An amount of money has its currency in a column of its own: `<column>_currency`. */
bool described_has_currency(const struct described_field *f);
