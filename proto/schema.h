/* schema.h - the portal's own description of an entity's fields, and the columns that follow from it.
 * It travels with JOB, RECORDS (as `schema`) and ROWS (as `columns`), so mapper and fetcher need no database.
 * Encoded: array of [name, type, multiple] or, of a field that is held, [name, type, multiple, hold], and array of
 * [column, kind]. A schema is sorted by name, so bytes compare; columns keep the order given, which is that of the
 * values in a row. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* What a column holds. The text form is the one in ROWS and the same for every engine. */
enum col_kind {
    COL_TEXT,       /* str */
    COL_INT,        /* int64 */
    COL_DECIMAL,    /* str: canonical decimal "-12.5" (no exponent, no trailing zeros, no "-0") */
    COL_BOOL,       /* bool */
    COL_DATE,       /* str: "2024-08-30" */
    COL_TIME,       /* str: instant, "2024-08-30T12:29:00Z" (UTC) */
    COL_JSON,       /* str: compact JSON */
    COL_KINDS
};

/* Whether a field's values are copied: a new field is held where the portal's policy (base/config.h) says so, until
 * the operator accepts it. The numbers are those of the wire and of potok_field.held. */
enum field_hold {
    HOLD_NOT,               /* copied into its column */
    HOLD_OUT,               /* left out: known, without a column */
    HOLD_ASIDE,             /* without a column; every value goes to the rejects, so that it is seen */
    HOLDS
};

struct field {
    struct str name;        /* as the portal says: UF_CRM_1 */
    struct str type;        /* as the portal says: crm_status; "unknown": shown, but not described */
    bool multiple;
    enum field_hold hold;
};

struct schema {
    struct field *fields;   /* sorted by name; views into `bytes` */
    int count;
    char *bytes;            /* owned */
};

#define SCHEMA_FIELDS_MAX 5000

/* Any order; of equal names the first counts. */
void schema_encode(const struct field *fields, int count, struct buf *out);
int schema_decode(struct schema *ret, struct str bytes, struct err *err) MUST_CHECK;  /* copies; ERR_PERM */
void schema_free(struct schema *s);
const struct field *schema_find(const struct schema *s, struct str name);   /* binary search; NULL */

/* Portal type and multiplicity to column kind; unknown types are text, multiple ones JSON. Table in schema.c,
 * from facts/bitrix24.md section 6. `type` of the id field gives COL_INT. */
enum col_kind col_kind_of(struct str type, bool multiple);
const char *col_kind_name(enum col_kind kind);      /* "text", "int", "decimal", ... on the wire */
int col_kind_parse(struct str name, enum col_kind *ret);
/* Field name to column name: lower case; ret needs 129 bytes; other characters than [a-z0-9_] become '_'; one
 * that would begin with '_' gets an 'f' before it, because those names are our own columns'. */
void col_name(struct str field, char ret[129]);

struct column {
    struct str name;        /* column name; the id and columns beginning with '_' are not among them */
    enum col_kind kind;
};
struct columns {
    struct column *list;
    int count;
    char *bytes;
};
void columns_encode(const struct column *list, int count, struct buf *out);
int columns_decode(struct columns *ret, struct str bytes, struct err *err) MUST_CHECK;
void columns_free(struct columns *c);
