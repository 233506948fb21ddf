/* batch.h - a ROWS message, read and checked: what it says of each id, ascending. Nothing in it is trusted: a message
 * that contradicts itself is refused whole (ERR_PERM) before anything is written.
 * Memory: views into the message, which outlives the batch; the arrays are the batch's. Any thread. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "proto/job_kind.h"
#include "proto/msg.h"
#include "proto/schema.h"
#include "verdict.h"

#include <stdbool.h>

#define BATCH_IDS_MAX (PAGE_SIZE_RECORDS * BATCH_COMMANDS)

struct entry {                  /* one id the reading says something certain of */
    uint64_t id;
    bool there;                 /* false: absent, the portal's own word */
    struct str hash;
    struct str values;          /* msgpack, one after another, as many as there are columns */
    struct stored stored;       /* look.c */
    enum verdict verdict;
};

struct reject {                 /* a value that did not fit its column */
    uint64_t id;
    struct str field, value, reason;
};

struct batch {
    const struct msg_rows *rows;
    enum job_kind kind;         /* range, changed, sweep, ids or get */
    bool whole_range;           /* it says of every id of a range whether it is there */
    bool walks;                 /* a list through a range, of all records in it or of those that changed */
    struct columns columns;
    struct entry *entries;      /* ascending by id, none twice */
    size_t count;
    struct reject *rejects;     /* ascending by id and field */
    size_t reject_count;
    char **copies;              /* texts of rejects that are not the message's */
    size_t copy_count;
};

int batch_read(struct batch *ret, const struct msg *m, struct err *err) MUST_CHECK;
/* Where text cannot hold U+0000: the texts of the message's rejects show it as U+2400. */
void batch_without_nul(struct batch *b);
/* One more, its value and reason copied (a value over 64 KiB is cut); batch_sort_rejects() when all are there. */
void batch_reject(struct batch *b, uint64_t id, struct str field, struct str value, struct str reason);
void batch_sort_rejects(struct batch *b);
void batch_fini(struct batch *b);
struct entry *batch_find(const struct batch *b, uint64_t id);   /* NULL = not in it */
bool batch_rejects(const struct batch *b, uint64_t id, struct str field);
