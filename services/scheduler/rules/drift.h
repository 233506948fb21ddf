/* drift.h - what a new description of an entity says about its fields, beside what was known: the fields as they are
 * from now on, what changed, which columns are to be emptied. Pure: no database, no clock.
 * Memory: struct drift owns its arrays and texts (drift_fini); views point into what was given. */
#pragma once

#include "base/config_drift.h"
#include "proto/field_columns.h"
#include "proto/labels.h"
#include "proto/schema.h"

#define CHANGE_TEXT_MAX 1000

struct known_field {                /* a row of potok_field */
    struct field field;             /* hold: `held` */
    struct str title;               /* p NULL: never learnt */
    struct str items;               /* p NULL: none */
    enum col_kind column;           /* what its column holds */
    bool gone;
};

enum change_what { CHANGE_ADDED, CHANGE_GONE, CHANGE_BACK, CHANGE_RETYPED, CHANGE_RENAMED, CHANGE_ITEMS, CHANGE_WHATS };

struct field_change {
    enum change_what what;
    char *name, *title;             /* title "": none */
    char *was, *now;                /* short texts for people, or [["id","value"],…] of items that differ; NULL: none */
    enum field_hold hold;
    bool act;                       /* somebody has to decide something, or values will be missing */
};

struct drift_field {
    struct field field;
    struct str title, items;        /* p NULL: not told, what was known stays */
    bool is_enumeration;
    bool changed;
};

struct drift {
    struct drift_field *fields;     /* sorted by name */
    struct field_column *columns;   /* of each */
    int count;
    bool first;                     /* nothing was known: nothing changed either */
    struct field_change *changes;
    int change_count, change_room;
    struct str *empty;              /* columns that begin to be filled: what an earlier field left there is not theirs */
    int empty_count;
    int counts[CHANGE_WHATS];
};

struct drift_said {
    const struct field *fields;     /* as the portal describes them */
    int count;
    const struct labels *labels;
    struct str unknown;             /* names that only records showed, separated by blanks */
};

/* known: sorted by name. Fields that only records show stay as long as they were not gone. */
void drift_see(struct drift *ret, const struct drift_said *said, const struct known_field *known, int known_count,
    enum drift_policy policy);
void drift_fini(struct drift *d);
const char *change_name(enum change_what what);                 /* "retyped": potok_field_change.what */
void changes_free(struct field_change *list, int count);
