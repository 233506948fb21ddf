/* verdict.h - what a reading of one record means for its row: the rules of the synchronisation model, pure.
 * A reading was dispatched with the number `d`; the row it would replace was written at tick `hi`, and readings of whole
 * ranges that rewrote nothing left witnesses. No clock, no hash function, no SQL in here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_BYTES 16

enum verdict {
    VERDICT_SAME,       /* the row looks as read: nothing is rewritten */
    VERDICT_LATE,       /* it differs, and a reading that may be newer is there already: refused */
    VERDICT_NEW,        /* written */
};

enum mark_step {
    MARK_CLEAR,         /* the mark goes where k < d */
    MARK_KEEP,
    MARK_SET,           /* a mark is set, k = c */
};

struct reading {
    uint64_t d;
    bool there;                 /* false: the portal says that the record does not exist */
    const uint8_t *hash;        /* HASH_BYTES; NULL when it is not there */
};

struct stored {
    bool present;               /* there is a row */
    bool ghost;                 /* it says "not there" */
    bool witnessed;             /* a witness with c >= d covers the id, row or no row */
    uint64_t hi;                /* the row's tick */
    uint8_t hash[HASH_BYTES];   /* of a live row */
};

struct witness {
    uint64_t first, last, c;
};

enum verdict verdict_of(const struct reading *reading, const struct stored *stored);
/* Of an id that was listed without its values: SAME when a live row says so too, else LATE: there is nothing that could be
 * written. */
enum verdict verdict_of_id(const struct stored *stored);
/* walks: the reading was a list that went through a range, not of ids asked for. */
enum mark_step verdict_mark(enum verdict verdict, bool walks);
/* The reading changed nothing that anybody sees: perhaps it lagged behind the event that it was made for. A record never
 * seen that is not there is one of these, though its ghost is new. */
bool verdict_changes_nothing(enum verdict verdict, bool there, const struct stored *stored);
bool witness_covers(const struct witness *list, size_t count, uint64_t d, uint64_t id);
