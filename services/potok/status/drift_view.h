/* drift_view.h - what became of the portals' fields lately, and which of them wait for somebody: a part of `potok status`.
 * Reading waits for the database; showing is pure. Owned by the struct. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "reading.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define DRIFT_VIEW_DAYS   7
#define DRIFT_VIEW_NEWEST 10    /* changes shown; all are counted */
#define DRIFT_VIEW_FIELDS 50    /* fields that wait, shown */

struct drift_entity {
    char *portal, *entity;
    int64_t changes, left_out, set_aside, retyped;
};

struct drift_change {           /* a line of potok_field_change */
    char *portal, *entity, *field, *title, *what, *was, *now;   /* title, was, now: "" = none */
    int64_t at_ms;
};

struct drift_field {            /* waits for a decision */
    char *portal, *entity, *field, *title;
    int64_t held;               /* potok_field.held; 0: its column is of another kind than the field */
    char *kind, *column_kind;
};

struct drift_view {
    struct drift_entity *entities;
    int entity_count;
    struct drift_change *changes;   /* newest first */
    int change_count;
    struct drift_field *fields;
    int field_count;
    int portal_count;           /* of the configuration: commands name the portal where there are several */
};

/* Nothing where there is no database yet. -1: r->err says why, and there is nothing. */
int drift_view_read(struct reading *r, uint64_t now_ms, struct drift_view *ret) MUST_CHECK;
void drift_view_fini(struct drift_view *v);
void drift_view_show(const struct drift_view *v, bool colour, struct buf *out);     /* nothing where nothing happened */
json_t *drift_view_json(const struct drift_view *v);                                /* the caller's */

/* Read and shown on standard output; nothing where it cannot be read. */
void drift_show(struct reading *r);
json_t *drift_json(struct reading *r);
