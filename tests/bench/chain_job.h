/* chain_job.h - what the scheduler does in the database for a run of one range: lease, run, job, numbers. */
#pragma once

#include "base/err.h"
#include "db/db.h"

#include <stdint.h>

struct chain_job {
    uint64_t run, id;       /* id: the job that comes next; 0 = the run has ended */
    uint64_t d;             /* number of its attempt */
    uint64_t first;         /* of its range, which is open above */
};

int chain_job_begin(struct db *db, struct chain_job *ret, struct err *err) MUST_CHECK;
int chain_job_dispatch(struct db *db, struct chain_job *job, struct err *err) MUST_CHECK;
