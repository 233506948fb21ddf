/* shape.h - what a schema makes of the rows: which columns there are, in which order, and by which rule each field
 * fills them. Pure; constant after shape_init(); any thread. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "convert.h"
#include "proto/schema.h"

#define SHAPE_NONE (-1)

struct shape_field {            /* same index as in schema.fields */
    enum rule rule;
    int column;                 /* SHAPE_NONE: the id itself, or a field that is held (schema.h) */
    int currency;               /* second column of money, else SHAPE_NONE */
};

struct shape_column {
    struct str name;
    enum col_kind kind;
    struct str prefix;          /* row_hash_prefix() */
};

struct shape {
    struct buf source;          /* the schema's bytes, to know it again */
    struct schema schema;
    struct shape_field *fields;
    struct shape_column *columns;   /* sorted by name */
    int column_count;
    int id_field;               /* SHAPE_NONE: the schema describes no ID; records have one all the same */
    struct buf text;            /* names and prefixes */
    struct buf encoded;         /* columns_encode() */
};

/* ERR_PERM: the bytes are no schema. Zeroed before; shape_fini() also after a failure. */
int shape_init(struct shape *s, struct str schema, struct err *err) MUST_CHECK;
void shape_fini(struct shape *s);
bool shape_is(const struct shape *s, struct str schema);    /* made from these very bytes */
