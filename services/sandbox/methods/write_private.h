/* write_private.h - between write.c (what was sent) and write_follow.c (what the portal adds to it). */
#pragma once

#include "data/dictionary.h"
#include "write.h"

/* One record being written, inside a transaction. */
struct write {
    struct call *call;
    struct store *store;
    enum which w;
    uint32_t n;
    const json_t *fields;
    enum write_manner how;
    bool adding;
    bool changed; /* a value that is stored became another */
    bool staged;  /* the stage did */
    bool refunnelled;     /* the funnel did */
    const char *previous; /* the stage before; NULL: none */
    int64_t now_s;
    struct arena arena;
    struct err err;
    bool broken; /* err says how */
};

const struct attr *write_attr(const struct write *x, const char *name);
const json_t *write_sent_value(const struct write *x, const char *name);        /* NULL: was not */
void write_read(struct write *x, const struct attr *a, struct value *ret);
void write_store(struct write *x, const struct attr *a, struct str text);       /* "=" and JSON */
/* Of the portal's own making; fields that the entity does not have are left out. */
void write_put(struct write *x, const char *name, const char *json);
void write_put_code(struct write *x, const char *name, const char *code);
const struct status *write_status(const char *entity, const char *id);          /* NULL: no such code */
void write_first_stage(const struct write *x, char stage[static 24]);           /* of the deal's funnel as sent */
void write_follow_stage(struct write *x);
enum api_error write_judge_history(const struct write *x);       /* write_import.c; of an import alone */
void write_history(struct write *x);
void write_put_defaults(struct write *x);
void write_put_title(struct write *x);          /* unless one was sent */
