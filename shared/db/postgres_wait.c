/* Questions to the server, as libpq's PQexec() and its like ask them; but who has little time, or may be told
 * to stop, waits no longer than that. The connection is lost then: what became of the question nobody hears.
 */
#include "db/postgres.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>

static bool is_patient(const struct pg *pg)
{
    return pg->patience_ms == 0 && pg->stop == NULL;
}

void pg_spend(struct pg *pg, uint64_t spent_ms)
{
    pg->left_ms -= spent_ms < pg->left_ms ? spent_ms : pg->left_ms;
}

/* True: there is something to read. A pool that stops interrupts those who wait (db_pool.c). */
static bool wait_readable(struct pg *pg)
{
    struct pollfd fd = { .fd = PQsocket(pg->c), .events = POLLIN };

    for (;;) {
        uint64_t began_ms = clock_mono_ms();
        int n = poll(&fd, 1, pg->patience_ms > 0 ? (int)pg->left_ms : -1);
        bool interrupted = n < 0 && errno == EINTR;

        pg_spend(pg, clock_mono_ms() - began_ms);
        if (n > 0 || (n < 0 && !interrupted)) /* libpq will say what is wrong */
            return true;
        if (interrupted && pg->stop != NULL && atomic_load(pg->stop))
            pg->given_up = PG_STOPPED;
        else if (pg->patience_ms > 0 && pg->left_ms == 0)
            pg->given_up = PG_LATE;
        if (pg->given_up != PG_WAITS)
            return false;
    }
}

/* The last of the results, as PQexec() gives it; NULL: there is none. */
static PGresult *answer(struct pg *pg, int sent)
{
    PGresult *last = NULL, *next;

    while (sent) {
        while (PQisBusy(pg->c)) {
            if (!wait_readable(pg) || !PQconsumeInput(pg->c)) {
                PQclear(last);
                pg->db.lost = true;
                return NULL;
            }
        }
        next = PQgetResult(pg->c);
        if (next == NULL)
            break;
        PQclear(last);
        last = next;
    }
    return last;
}

PGresult *pg_ask(struct pg *pg, const char *sql)
{
    if (is_patient(pg))
        return PQexec(pg->c, sql);
    return pg->given_up != PG_WAITS ? NULL : answer(pg, PQsendQuery(pg->c, sql));
}

PGresult *pg_ask_prepare(struct pg *pg, const char *name, const char *sql, int count, const Oid *types)
{
    if (is_patient(pg))
        return PQprepare(pg->c, name, sql, count, types);
    return pg->given_up != PG_WAITS ? NULL : answer(pg, PQsendPrepare(pg->c, name, sql, count, types));
}

PGresult *pg_ask_prepared(struct pg *pg, const char *name, int count, const char *const *values,
    const int *lengths, const int *formats)
{
    if (is_patient(pg))
        return PQexecPrepared(pg->c, name, count, values, lengths, formats, 0);
    return pg->given_up != PG_WAITS
               ? NULL
               : answer(pg, PQsendQueryPrepared(pg->c, name, count, values, lengths, formats, 0));
}
