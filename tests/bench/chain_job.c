#include "bench/chain_job.h"

#include "proto/msg.h"

#include <inttypes.h>
#include <stdio.h>

static int say(struct db *db, uint64_t *ret, struct err *err, const char *sql, int64_t a, int64_t b)
{
    int64_t number = 0;

    if (db_begin(db, err) < 0)
        return -1;
    if (db_get_i64(db, sql, DB_ARGS(dbv_i(a), dbv_i(b)), 0, &number, err) < 0) {
        db_rollback(db);
        return -1;
    }
    *ret = (uint64_t)number;
    return db_commit(db, err);
}

int chain_job_begin(struct db *db, struct chain_job *ret, struct err *err)
{
    uint64_t none;

    *ret = (struct chain_job){ .id = 0 };
    if (say(db, &none, err,
            "INSERT INTO potok_lease (portal, tick, epoch, bucket, bucket_ms) VALUES ('main', $1, $2, 0, 0) "
            "RETURNING 1",
            1, 1) < 0 ||
        say(db, &none, err,
            "INSERT INTO potok_entity (portal, entity, tbl, floor) VALUES ('main', 'deals', 'crm_deals', $1) "
            "RETURNING $2",
            0, 1) < 0 ||
        say(db, &ret->run, err,
            "INSERT INTO potok_run (portal, entity, kind, state, started_ms, finished_ms) "
            "VALUES ('main', 'deals', 'full', 'open', $1, NULLIF($2, 0)) RETURNING id",
            0, 0) < 0)
        return -1;
    return say(db, &ret->id, err,
        "INSERT INTO potok_job (run, portal, entity, kind, first, last, state) "
        "VALUES ($1, 'main', 'deals', 'range', 1, $2, 'open') RETURNING id",
        (int64_t)ret->run, (int64_t)RANGE_OPEN);
}

int chain_job_dispatch(struct db *db, struct chain_job *job, struct err *err)
{
    uint64_t none;

    if (say(db, &job->d, err,
            "UPDATE potok_lease SET tick = tick + $1 WHERE portal = 'main' AND epoch = $2 RETURNING tick", 1,
            1) < 0)
        return -1;
    return say(db, &none, err, "UPDATE potok_job SET d = $1 WHERE id = $2 RETURNING d", (int64_t)job->d,
        (int64_t)job->id);
}
