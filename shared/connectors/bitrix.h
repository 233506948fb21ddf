/* bitrix.h - Bitrix24 REST, pure: what to ask for a job and what an answer means. Knows no socket and no
 * clock. Facts: facts/bitrix24.md, sections 1-6 (numbers given at each function). Any thread. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "proto/job_kind.h"
#include "proto/msg.h"
#include "proto/schema.h"

#include <stdbool.h>
#include <stdint.h>

/* The JSON body of the one `batch` call a job is (section 5): chained keyset pages for a range (and for what changed in
 * it), filtered lists of 50 for ids, gets for get, fields + userfield.list + first/last id + count of each entity for a
 * probe, and for a call the methods it names. Commands are keyed p00…p49 (never numeric), halt = 1 for chains, 0 otherwise. */
int bitrix_build(const struct msg_job *job, struct buf *body, struct err *err) MUST_CHECK;
#define BITRIX_BATCH "batch.json" /* appended to the portal's URL */

struct bitrix_operating {
    char method[64];
    uint64_t used_ms; /* in the last ten minutes, as the portal says (section 3.2) */
    uint64_t reset_s; /* Unix; 0 = not told */
};

/* What an answer holds. Init to zero, bitrix_answer_fini() frees. */
struct bitrix_answer {
    struct buf records; /* msgpack maps one after another */
    uint64_t count;
    uint64_t repaired;
    struct ids absent, unlisted, denied;
    struct ids left;       /* ids, get: commands that the portal did not answer; the others are here */
    struct err partial;    /* why only a part was answered; kind ERR_NONE: all was */
    uint64_t covered_last; /* range, changed: ids first..covered_last were read */
    uint64_t next_first;   /* range: 0 = complete */
    int64_t started_ms;    /* portal time at which its first command started, 0 = not told */
    int64_t fetched_ms;    /* at which the call finished, 0 = not told */
    struct bitrix_operating operating[16];
    int operating_count;
    struct buf learnt;  /* probe: probe.h encoded */
    struct buf answers; /* call: calls.h encoded */
    struct buf unknown; /* field names the schema lacks, separated by blanks */
    uint64_t retry_ms;  /* with ERR_WAIT */
    char code[64];      /* the portal's own word for its last error: "expired_token"; "" = it has none */
    char blocked[64];   /* method that hit its operating limit (429 or OPERATION_TIME_LIMIT in a batch) */
    bool whole;         /* the last error was the request's, none of a command's */
    bool nonsense;      /* the failure is one that no error of a portal explains: somebody should look */
};
void bitrix_answer_fini(struct bitrix_answer *a);

/* Reads an HTTP answer (text has JSON_PADDING writable bytes after n; location without scheme and host where
 * they are those that were asked). 0, or -1 with the kind that says what to do; a->retry_ms/blocked/operating
 * may be set then too. What was answered in part is read in part, and a->partial says why (retry_ms and
 * blocked may be set): only the rest is to be asked for again. Checks that prevent harm: ids strictly
 * ascending inside the range, a page after a short page is not read, a short page ends the range only where
 * nothing is known above it, an id outside what was asked, page over 50, a record without id: ERR_TEMP
 * "portal answered nonsense". Records of a list with fields that the schema lacks: ERR_TEMP and their names
 * in a->unknown; of a get, the fields are dropped. */
int bitrix_read(const struct msg_job *job, int status, const char *content_type, const char *location,
    char *text, size_t n, struct bitrix_answer *a, struct err *err) MUST_CHECK;

/* Section 2: HTTP status and error code to what to do. One table, walked by a test. Empty texts are allowed.
 */
enum err_kind bitrix_classify(int status, struct str code, struct str description);
