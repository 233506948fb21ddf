/* job_kind.h - what a JOB asks for (field `kind` of JOB, RECORDS, ROWS).
 * probe: fields, id bounds and counts of some entities        range: every record of an id range, chained pages
 * ids:   these ids by filtered lists (50 a page)              get:   these ids one by one; only this says "gone" */
#pragma once

#include "base/str.h"

enum job_kind { JOB_PROBE, JOB_RANGE, JOB_IDS, JOB_GET, JOB_KINDS };

const char *job_kind_name(enum job_kind kind);
int job_kind_of(struct str name, enum job_kind *ret);   /* -1 = unknown */

#define PAGE_SIZE_RECORDS 50    /* facts/bitrix24.md section 3.3 */
#define BATCH_COMMANDS 50
