/* job_kind.h - what a JOB asks for (field `kind` of JOB, RECORDS, ROWS).
 * probe: fields, id bounds and counts of some entities        range: every record of an id range, chained pages
 * ids:   these ids by filtered lists (50 a page)              get:   these ids one by one; only this says "gone"
 * changed: the records of an id range that changed since a time of the portal's, chained pages like a range's; it says
 *          nothing of the others
 * sweep:   which ids of a range there are: chained pages of ids alone, no values
 * call:    methods that read no records, of the portal itself (calls.h) */
#pragma once

#include "base/str.h"

#include <stdbool.h>

enum job_kind { JOB_PROBE, JOB_RANGE, JOB_IDS, JOB_GET, JOB_CHANGED, JOB_SWEEP, JOB_CALL, JOB_KINDS };

/* It goes through an id range page by page, and what one call did not reach is a job of its own. */
static inline bool job_kind_walks(enum job_kind kind)
{
    return kind == JOB_RANGE || kind == JOB_CHANGED || kind == JOB_SWEEP;
}

/* It says of every id of its range whether it is there. */
static inline bool job_kind_whole(enum job_kind kind)
{
    return kind == JOB_RANGE || kind == JOB_SWEEP;
}

/* What it finds goes to the scheduler in the REPORT: there are no records, and it is no entity's. */
static inline bool job_kind_learns(enum job_kind kind)
{
    return kind == JOB_PROBE || kind == JOB_CALL;
}

const char *job_kind_name(enum job_kind kind);
int job_kind_of(struct str name, enum job_kind *ret);   /* -1 = unknown */

#define PAGE_SIZE_RECORDS 50    /* facts/bitrix24.md section 3.3 */
#define BATCH_COMMANDS 50
