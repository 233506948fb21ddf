/* lease.h - the scheduler's hold on the leases of all its portals: looked at and waited for as a standby,
 * which binds nothing and touches no portal; taken, all or none; kept by a beat; given up in good order, or
 * lost. The shell around standby.h. Loop thread. */
#pragma once

#include "base/err.h"
#include "db/db_pool.h"
#include "held.h"
#include "rules/standby.h"

#include <stdbool.h>
#include <uv.h>

struct scheduler;

struct lease {
    struct standby standby;
    struct holder me;
    char holder[HOLDER_TEXT_SIZE];              /* the same as text; never changes */
    struct lease_seen seen[CONFIG_PORTALS_MAX]; /* at the last look */
    char other[HOLDER_NAME_SIZE];               /* who holds them while we stand by */
    struct db_pool *pool;                       /* a thread of its own: no step keeps a beat waiting */
    uv_timer_t *timer;                          /* freed in its close callback */
    struct held held;                           /* who keeps everybody from the database */
    bool active;                                /* ours: the rest of the scheduler works */
    bool lost;                                  /* no longer ours: nothing is sent or written any more */
    bool busy;                                  /* a look, a taking or a beat is under way */
    bool late;                                  /* told already that the beat fails */
    uint64_t beaten_ms;                         /* monotonic */
    uint64_t stood_by_ms;                       /* monotonic: since when; 0 = never */
};

/* Looks, on the calling thread, and takes what may be taken: then the scheduler is active when this returns.
 * Else it stands by and goes on looking. */
int lease_start(struct scheduler *s, struct err *err) MUST_CHECK;
/* Another scheduler has them: the program begins anew, as its standby. */
void lease_lost(struct scheduler *s, const struct err *err);
void lease_stop(struct scheduler *s);               /* no more looks and beats; what is held stays held */
bool lease_ready(void *state, struct buf *why_not); /* of struct app_def */
bool lease_stands_by(void *state);

/* take.c: reads all that the work is taken up from. On a database thread while the loop touches no portal. */
int take_check(
    struct scheduler *s, struct db *db, struct err *err) MUST_CHECK; /* changes nothing of any portal */
int take_all(
    struct scheduler *s, struct db *db, uint64_t patience_ms, bool *ret_taken, struct err *err) MUST_CHECK;
