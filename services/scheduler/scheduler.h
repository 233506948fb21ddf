/* scheduler.h - the shell around the pure parts: bus messages and timers come in, database steps and JOBs go out.
 * All of it runs on the loop thread but the `work` of a step, which runs on a database thread and touches only its step.
 * The one rule of order: database steps that write run one after another, and in-memory state follows when a step is
 * done. So a floor is never computed while a dispatch is on its way to the database. */
#pragma once

#include "rules/choose.h"
#include "rules/crew.h"
#include "db/db_pool.h"
#include "rules/flight.h"
#include "lead/lease.h"
#include "rules/portal.h"
#include "rules/questions.h"
#include "run/alarm.h"
#include "run/app.h"
#include "run/bus.h"
#include "rules/sender.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct scheduler;
struct http_client;
struct access_book;

/* One piece of database work with what becomes of it on the loop. The first member of every kind of step. */
struct step {
    struct step *next;
    struct scheduler *s;
    const char *name;
    int (*work)(struct step *step, struct db *db, struct err *err);     /* database thread */
    void (*done)(struct step *step);
    /* After a failure that repeating cannot cure, or any failure when `once`. NULL: the service ends. */
    void (*failed)(struct step *step, const struct err *err);
    void (*free)(struct step *step);
    bool once;                      /* not repeated: it is made anew from what is there then */
    unsigned fails;
};

struct scheduler_portal {
    struct portal portal;
    struct chooser chooser;
    unsigned scan_no;               /* scans begun */
    uint64_t born_at_scan;          /* p->next_order when the last one began */
    uint64_t ok_when_stopped;       /* p->ok_count then */
};

struct scheduler {
    char *database_url, *bus_where, *secret_key;        /* settings */
    int64_t job_deadline_ms, done_deadline_ms, floor_interval_ms;
    int64_t jobs_unfinished, portal_parallel, operating_limit_s, sync_interval_min, incremental_s, sweep_min, takeover_ms;
    int64_t history_days;
    char *public_url;
    int64_t guardian_min, offline_s, portal_limit_ms;
    struct alarm_settings alarm;
    int64_t overload_pause_ms;
    struct app *app;
    struct public_urls urls;        /* of public_url */
    uint64_t begun_wall_ms;
    struct alarms *alarms;
    struct lease lease;             /* all below is used while it is active alone */
    struct db_pool *pool;
    struct bus_plug *router, *dones;
    uv_timer_t *timer;              /* freed in its close callback */
    struct scheduler_portal *portals;
    int portal_count, portal_turn;
    struct http_client *http;       /* its own calls: tokens, alarms; never portals' data */
    struct access_book *access;     /* access/access.h */
    struct flights flights;
    struct crew crew;
    struct buckets buckets;
    struct senders senders;
    struct questions questions;     /* of operators, not answered yet */
    bool covering;                  /* a level is being saved for them */
    struct step *steps, **steps_end;
    struct step *running;
    uint64_t step_not_before_ms;    /* after a failed step */
    uint64_t figures_at_ms, fresh_at_ms;
    bool step_lost;                 /* told already that the database fails */
    char step_error[ERR_TEXT_SIZE]; /* why */
    struct store_alarms alarms_kept;    /* as read, until they hold */
    uint64_t unwritten_ms;          /* since when records are under way and no DONE came; 0 = none are */
    uint64_t drift_at_ms;           /* when fields are looked at next */
    uint64_t newer_told_ms;         /* when it was told last that a gateway is newer */
    int64_t clocks_apart_ms;        /* wall minus monotonic, at the last look */
    bool clocks_seen;
    bool stopping;
    uint64_t stop_until_ms;         /* monotonic; all that a stop waits for together */
};

extern const struct app_def SCHEDULER;  /* service.c */

/* scheduler.c */
int scheduler_start(struct app *app, void *state, struct err *err);
void scheduler_stop_soon(void *state);
void scheduler_stop(void *state);
bool scheduler_busy(void *state);
/* Tells what is waited for now. Returns for how long: most_ms, unless the stop's time ends before; 0 = it is over. */
uint64_t scheduler_closing(struct scheduler *s, const char *doing, uint64_t most_ms);
int scheduler_bind(struct scheduler *s, struct err *err) MUST_CHECK;    /* the bus; -1: nothing is bound */
void scheduler_begin(struct scheduler *s);              /* the leases are ours, the bus is bound */
int scheduler_portals_anew(struct scheduler *s, struct err *err) MUST_CHECK;    /* as before anything was read */
void scheduler_wake(struct scheduler *s);               /* look for work on the next turn of the loop */
struct store_who scheduler_who(const struct portal *p);
int scheduler_portal_of(const struct scheduler *s, struct str name);    /* -1 = none */
static inline struct portal *scheduler_portal(const struct scheduler *s, int portal)
{
    return &s->portals[portal].portal;
}

/* step.c */
void scheduler_step(struct scheduler *s, struct step *step);    /* after those waiting; takes it over */
struct step *step_take(struct scheduler *s);                    /* the first that waits, now the caller's; NULL = none */
void step_run(struct scheduler *s, uint64_t now_ms);            /* the next one, when none is running */

struct step *dispatch_step(struct scheduler *s, int portal);    /* work/dispatch.c; NULL = nothing to send now */

struct failure {
    enum job_end end;
    enum err_kind kind;
    bool whole_portal;              /* of AUTH and CONF: not this entity alone */
    const char *text;
};

/* work/report.c */
void report_on_message(struct scheduler *s, struct msg *m);

/* work/attempt.c: what becomes of attempts */
void attempt_on_done(struct scheduler *s, struct msg *m);
void attempt_sweep(struct scheduler *s, uint64_t now_ms);       /* deadlines, silent fetchers */
void attempt_on_ready(struct scheduler *s, struct bus_peer from, struct msg *m);
/* An attempt that a scan found still open (or not): see flight.checking. */
void attempt_checked(struct scheduler *s, struct flight *f, bool still_open);
void attempt_lost(struct scheduler *s, struct flight *f, enum job_end end);
/* Its call no longer counts: made, or never made. */
void attempt_call_over(struct scheduler *s, struct flight *f, bool was_made);
/* The attempt is over: its job, no longer busy, is the caller's. NULL when DONE had come before. */
struct job *attempt_end(struct scheduler *s, struct flight *f);
void attempt_failed(struct scheduler *s, struct flight *f, const struct failure *why);

/* work/mend.c: what becomes of jobs and runs that failed */
void mend_job(struct scheduler *s, int portal, struct job *job, unsigned tries, const struct failure *why);
/* Forgets a job by id or a probe, its row too; what it was for will be asked anew. */
void mend_drop(struct scheduler *s, int portal, struct job *job);
void mend_stray(struct scheduler *s, int portal, uint64_t id);          /* the row of such a job that nobody remembers goes */
void mend_finished(struct scheduler *s, int portal, struct job *job);   /* the job is done */
/* So it is, but for ids that the answer left out; takes its ids. d: of the attempt. */
void mend_left_out(struct scheduler *s, int portal, struct job *job, uint64_t d);
void mend_fail_mirror(struct scheduler *s, int portal, int mirror, const char *text);
void mend_stop_portal(struct scheduler *s, int portal, const char *text);

/* work/learn.c */
void learn_step(struct scheduler *s, int portal, struct job *job, struct str learnt);

/* work/accept.c: what the operator accepted */
void accept_step(struct scheduler *s, int portal, int mirror);      /* looks at potok_entity.shape */
/* The run reads the entity from its beginning, with fields that it did not have. */
void accept_again(struct scheduler *s, int portal, int mirror, uint64_t run);

/* work/scan.c, floor.c, sync.c: NULL = not due */
struct step *scan_step(struct scheduler *s, int portal, uint64_t now_ms);
struct step *floor_step(struct scheduler *s, int portal, uint64_t now_ms);
struct step *sync_due(struct scheduler *s, int portal);
struct step *requests_step(struct scheduler *s, int portal, bool now);
int requests_flush(struct portal *p, struct db *db, struct err *err) MUST_CHECK;    /* at the stop */
/* At the stop: runs that ended and were not told yet. */
int scan_last(struct scheduler *s, int portal, struct db *db, struct err *err) MUST_CHECK;
struct sync_wish {
    int portal;
    uint64_t mirrors;               /* bit set of mirrors */
};
/* work/history.c */
struct step *history_due(struct scheduler *s, int portal, uint64_t now_ms);
/* work/changed.c: what changed, and what is gone, is looked for by intervals of their own */
struct step *changed_due(struct scheduler *s, int portal, uint64_t now_ms);
void changed_done(struct portal *p, struct mirror *m, const struct msg_done *done);
void changed_failed(struct scheduler *s, int portal, int mirror, enum job_kind kind, const char *text);
void changed_sweep_now(struct scheduler *s, int portal, uint64_t mirrors);
void changed_look_now(struct scheduler *s, int portal, uint64_t mirrors);

/* peer.n 0: nobody waits for a reply. */
struct step *sync_step(struct scheduler *s, const struct sync_wish *wishes, int count, struct bus_peer peer,
    const char *correlation);

/* wish.c: "portal" and "entities" of a command's arguments. How many wishes; -1 with a text. */
int wish_read(const struct scheduler *s, const json_t *args, struct sync_wish ret[CONFIG_PORTALS_MAX], char *why,
    size_t size);
/* Leaves out what is paused; how many are left. -1 with a text when that was `named`, or nothing is left. */
int wish_unpaused(const struct scheduler *s, bool named, struct sync_wish *wishes, int count, char *why, size_t size);

/* work/order.c: replies when it is done. Each wish of marks is for one entity; ids: integers above 0. */
struct step *order_marks(struct scheduler *s, const struct sync_wish *wishes, int count, const json_t *ids,
    struct bus_peer peer, const char *correlation);
struct step *order_sweep(struct scheduler *s, const struct sync_wish *wishes, int count, struct bus_peer peer,
    const char *correlation);
struct step *order_pause(struct scheduler *s, const struct sync_wish *wishes, int count, bool paused,
    struct bus_peer peer, const char *correlation);

/* events/events.c */
void events_on_event(struct scheduler *s, struct bus_peer from, const struct msg *m);
void events_kept(struct mirror *m, const struct store_marks *group);    /* it is committed */

/* control.c */
void control_on_command(struct scheduler *s, struct bus_peer from, struct msg *m);
void control_reply(struct scheduler *s, struct bus_peer to, const char *correlation, const char *error, json_t *body);
void control_detail(void *state, json_t *into);
/* status.c */
void status_on_command(struct scheduler *s, struct bus_peer from, const struct msg *m, json_t *args);

/* figures.c: metrics */
void figures_refresh(struct scheduler *s);
void fresh_refresh(struct scheduler *s, uint64_t now_ms);   /* fresh.c: ages, when they are due */
void figures_count(const char *name, const char *help, const char *portal, double by);
void figures_refused(const struct portal *p, unsigned status);
