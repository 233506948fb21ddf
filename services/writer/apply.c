#include "apply.h"

#include "base/clock.h"
#include "run/crash.h"

#include <inttypes.h>
#include <stdlib.h>

#define LOOKS_MAX 3

static int prepare(struct apply *a, const struct msg *m, struct err *err)
{
    if (m->rows.table.n > 64)
        return err_set(err, ERR_PERM, "the name of the table is too long");
    if (batch_read(&a->batch, m, err) < 0)
        return -1;
    if (!db_takes_nul(a->db))
        batch_without_nul(&a->batch);
    db_quote(a->db, a->rows->table, a->table);
    a->counts.read = a->rows->count;
    if (a->batch.count > 0) {
        a->least = (int64_t)a->batch.entries[0].id;
        a->most = (int64_t)a->batch.entries[a->batch.count - 1].id;
    }
    return 0;
}

/* Tables change apart from the data: a new column is there for all, whatever becomes of this message. */
static int ensure_table(struct apply *a, struct err *err)
{
    if (db_ensure_table(a->db, a->rows->table, wanted_columns(a), a->batch.columns.count, NULL, err) < 0)
        return -1;
    learn_columns(a);
    crash_point(WRITER_AFTER_COLUMNS);
    return 0;
}

static void count_verdicts(struct apply *a)
{
    for (size_t i = 0; i < a->batch.count; i++) {
        a->counts.same += a->batch.entries[i].verdict == VERDICT_SAME;
        a->counts.late += a->batch.entries[i].verdict == VERDICT_LATE;
    }
}

static int judge(struct apply *a, struct err *err)
{
    if (a->refused)
        return 0;
    if (look(a, err) < 0)
        return -1;
    count_verdicts(a);
    return 0;
}

/* What a table is was looked at before its turn was taken: mostly it still is that. */
static int take_turn(struct apply *a, struct err *err)
{
    for (int looks = 0; looks < LOOKS_MAX; looks++) {
        a->stale = false;
        if (ensure_table(a, err) < 0 || db_begin(a->db, err) < 0 || check_job(a, err) < 0)
            return -1;
        if (!a->stale)
            return 0;
        db_rollback(a->db);
    }
    return err_set(
        err, ERR_TEMP, "table " STR_FMT ": its columns are being changed", STR_ARG(a->rows->table));
}

static int begin(struct apply *a, const struct msg *m, struct err *err)
{
    crash_point(WRITER_BEFORE_WORK);
    if (prepare(a, m, err) < 0 || take_turn(a, err) < 0)
        return -1;
    return judge(a, err);
}

int apply_begin(struct apply *a, struct db *db, const struct msg *m, struct err *err)
{
    *a = (struct apply){ .db = db, .rows = &m->rows, .now_ms = (int64_t)clock_wall_ms() };
    a->fetched_ms = m->rows.fetched_ms > 0 ? m->rows.fetched_ms : a->now_ms;
    if (begin(a, m, err) == 0)
        return 0;
    apply_abandon(a);
    return err_wrap(err, "job %" PRIu64 " (" STR_FMT ")", m->rows.job, STR_ARG(m->rows.entity));
}

static int write_all(struct apply *a, struct err *err)
{
    static int (*const steps[])(struct apply *, struct err *) = {
        reject_unfit,
        write_rows,
        write_ghosts,
        move_hi,
        leave_witness,
        accuse,
        settle_marks,
        ask_again,
        write_rejects,
        finish_job,
    };

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (steps[i](a, err) < 0)
            return -1;
    return 0;
}

static int end(struct apply *a, struct err *err)
{
    if (a->refused)
        return 0;
    if (write_all(a, err) < 0)
        return -1;
    crash_point(WRITER_BEFORE_COMMIT);
    if (db_commit(a->db, err) < 0)
        return -1;
    crash_point(WRITER_AFTER_COMMIT);
    return 0;
}

int apply_end(struct apply *a, struct err *err)
{
    int result = end(a, err);

    if (result < 0)
        err_wrap(err, "job %" PRIu64 " (" STR_FMT ")", a->rows->job, STR_ARG(a->rows->entity));
    apply_abandon(a);
    return result;
}

void apply_abandon(struct apply *a)
{
    db_rollback(a->db); /* harmless after a commit */
    for (int i = 0; a->fields != NULL && i < a->batch.columns.count; i++)
        free(a->fields[i]);
    free(a->fields);
    free(a->columns);
    a->fields = NULL;
    a->columns = NULL;
    batch_fini(&a->batch);
    buf_fini(&a->made);
}
