/* bitrix_batch.h - the envelope of a batch answer (facts sections 2.1, 2.2, 5), taken apart into what each
 * command got. Everything is a view into the transcoded answer. Knows no job. Any thread. */
#pragma once

#include "base/err.h"
#include "proto/job_kind.h"
#include "proto/wire.h"

#include <stdbool.h>
#include <stdint.h>

enum bitrix_part { PART_RESULT, PART_ERROR, PART_TOTAL, PART_NEXT, PART_TIME, PARTS };

struct bitrix_error {
    char code[64];  /* "" for the portal's "", 0 and "0" */
    char text[160]; /* printable, no secret */
};

struct bitrix_time {
    int64_t start_ms, finish_ms; /* Unix; 0 = not told */
    bool operating_known;
    uint64_t operating_ms; /* used in the last ten minutes */
    uint64_t reset_s;      /* Unix; 0 = not told */
};

/* All views are msgpack values; n = 0: the answer has no such thing. */
struct bitrix_batch {
    struct str error, description; /* of the whole request */
    struct str time;               /* of the whole request */
    bool has_result;
    bool odd; /* a part is neither a map nor an empty list, or tells of a command twice */
    struct str part[PARTS][BATCH_COMMANDS];
};

/* bytes: one transcoded value; ends: transcode()'s. ERR_TEMP: not a map. */
int bitrix_batch_read(struct bitrix_batch *b, struct str bytes, const struct wire_ends *ends, struct err *err)
    MUST_CHECK;

/* `raw` is {error, error_description}, or v3's {code, message}. */
void bitrix_error_read(struct bitrix_error *ret, struct str raw);
/* The same, from the two members. */
void bitrix_error_of(struct bitrix_error *ret, struct str error, struct str description);
void bitrix_time_read(struct bitrix_time *ret, struct str raw);

/* A list, also one whose keys are no longer 0, 1, 2 …: PHP writes that as an object, and its values are the
 * list. */
struct bitrix_list {
    struct wire w; /* at the next value, once bitrix_list_next() said so */
    uint32_t n;
    bool keyed;
};
bool bitrix_list_open(struct bitrix_list *ret, struct str raw); /* false: neither */
bool bitrix_list_next(struct bitrix_list *l);                   /* false: an object after all */

/* Ids and counts come as numbers or as strings (facts section 16). False: neither; the value is skipped. */
bool bitrix_u64(struct wire *w, uint64_t *ret);
/* true, "Y", "1", 1 */
bool bitrix_flag(struct wire *w);
