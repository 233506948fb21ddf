/* portal.h - what the scheduler remembers of one portal: its state, its limits, its entities and their open jobs.
 * Everything here can be read again from the database. Pure. Loop thread. */
#pragma once

#include "base/config.h"
#include "bucket.h"
#include "breaker.h"
#include "cut.h"
#include "gather.h"
#include "guardian.h"
#include "job.h"
#include "offline.h"
#include "operate.h"
#include "proto/entity.h"
#include "when.h"

#include <stdbool.h>
#include <stdint.h>

#define PORTAL_ENTITIES_MAX CONFIG_ENTITIES_MAX
#define MIRROR_PROBE_TRIES 8        /* so many errors in a row that the portal has for one entity: its run fails */
#define PORTAL_STRAYS_MAX 32        /* looked after at a time; more wait for the next scan */
#define PORTAL_BY_ID_MOST 4         /* by-id jobs of one entity and kind at a time */
#define MIRROR_LIST_FAILS 12        /* so many one-page ranges in a row, not all around one record: the list fails */
#define PORTAL_UNWELL 3             /* so many failed calls in a row: it is tried with one call at a time */
#define PORTAL_UNWELL_PAUSE_MS 15000    /* longest pause between them */

enum portal_state {
    PORTAL_OK,
    PORTAL_WAITING,         /* it asked for a pause, or is out of order */
    PORTAL_STOPPED,         /* credentials or configuration: only a new sync command tries again */
    PORTAL_BLOCKED,         /* for overload: one call tries now and then (breaker.h) */
    PORTAL_UNCONNECTED,     /* an application that never had access: it waits for one, and nothing is wrong */
};

enum run_state { RUN_NONE, RUN_PROBING, RUN_OPEN };

struct mirror {                     /* one entity of a portal */
    const struct entity *entity;
    char table[64];
    char *schema;                   /* encoded schema.h; NULL = never probed */
    size_t schema_bytes;
    struct cut_bounds bounds;
    uint64_t record_bytes;          /* usual size of a record in answers; 0 = unknown */
    uint64_t seen_bytes, seen_records;  /* what it is the mean of; both halved now and then */
    uint64_t run;                   /* row of the run under way; 0 = none */
    enum run_state run_state;
    uint64_t run_started_ms;        /* wall; of the last run */
    bool ever_full;                 /* a full sync was completed once */
    struct when when;               /* the next one is due by itself */
    bool probe_wanted;              /* fields or bounds must be learnt, run or not */
    bool probe_first;               /* and nothing else may be asked before */
    bool probe_flying;
    uint64_t probe_not_before_ms;   /* monotonic */
    unsigned probe_fails;
    char probe_error[320];          /* why the last of them failed; "" = none did */
    char *unknown;                  /* names of fields a record showed and the schema lacks, separated by blanks */
    bool paused;                    /* by the operator: nothing is asked, marks gather */
    bool refused;                   /* no rights: nothing is asked until the next sync */
    unsigned one_page_fails;        /* ranges of one page that failed for good, in a row */
    uint64_t fail_first, fail_last; /* the ids that all of them had in common; first > last: none */
    uint64_t changed_at_ms;         /* monotonic; what changed is not looked for before */
    uint64_t changed_last, changed_read;    /* records that the last look found; that this one found so far */
    unsigned changed_fails;         /* looks in a row that failed for good */
    uint64_t sweep_at_ms;           /* likewise of its ids */
    unsigned sweep_fails;
    bool sweep_wanted;              /* by the operator, or an event that does not say which record: now */
    bool changed_wanted;            /* likewise what changed; either stays until it is a job in the database */
    uint64_t changed_wait_ms, sweep_wait_ms;    /* what is wanted is not tried before */
    bool marks_due[2];              /* by ask: perhaps there are marks to read */
    struct gather gather[2];        /* by ask */
    unsigned chosen[2];             /* by ask: how often marks were chosen */
    int64_t shape;                  /* potok_entity.shape as last seen */
    bool accepting;                 /* a step looks what was changed */
    bool ghosts;                    /* perhaps there are new empty ghosts to remove */
    uint64_t ghosts_until;          /* they are looked for until the floor is here; 0 = not */
};

struct run_calls {                  /* what is still to be added to a run's row; it may have ended meanwhile */
    uint64_t run;
    int64_t calls;                  /* -1: one was counted at its dispatch and not made */
};

struct portal {
    const struct config_portal *config;
    struct str name;
    char url[128];                  /* masked */
    uint64_t epoch, tick;           /* tick: as of our last dispatch */
    char bucket_host[BUCKET_HOST_SIZE];     /* whose request bucket its calls fill */
    struct operate operate;
    enum portal_state state;        /* never BLOCKED: portal_state_at() */
    struct breaker breaker;
    char error[ERR_TEXT_SIZE];
    uint64_t pause_ms;              /* monotonic: no call before */
    uint64_t ok_count;              /* good answers */
    unsigned fails;                 /* calls in a row that the portal did not answer properly */
    uint64_t refusals, requests;
    struct zone zone;               /* whose clocks schedules mean; owned */
    struct mirror *mirrors;         /* fixed after start: steps point into it */
    int mirror_count;
    struct job *jobs;               /* open: waiting and busy ones */
    uint64_t next_order;
    struct run_calls run_calls[2 * PORTAL_ENTITIES_MAX];
    int run_calls_count;
    uint64_t floor;                 /* last one set */
    uint64_t floor_at_ms, scan_at_ms, requests_at_ms;
    uint64_t history_at_ms;         /* monotonic; old runs are not looked for before */
    bool scan_wanted;
    uint64_t strays[PORTAL_STRAYS_MAX]; /* rows of jobs by id and probes that the last scan found and nobody knows */
    int stray_count;
    struct guardian guardian;       /* of an application's events */
    struct offline offline;
};

void portal_init(struct portal *p, const struct config_portal *config, uint64_t limit_ms);
void portal_fini(struct portal *p);
/* Entities configured, or all known ones. Returns how many mirrors there are. */
int portal_add_mirrors(struct portal *p);
int portal_mirror(const struct portal *p, struct str entity);      /* index; -1 = not mirrored */
uint64_t portal_entities(const struct portal *p);                   /* those mirrored: bit set of ENTITIES */

void portal_good(struct portal *p);                     /* an answer came */
/* A call failed for no fault of the question: no connection, 5xx. True when the portal has just become unwell. */
bool portal_bad(struct portal *p, const char *why, uint64_t now_ms);
bool portal_is_unwell(const struct portal *p);
void portal_pause(struct portal *p, uint64_t for_ms, const char *why, uint64_t now_ms);
void portal_stop(struct portal *p, const char *why);
void portal_wait_access(struct portal *p, const char *what);    /* until portal_resume(); `what` is to be done */
void portal_resume(struct portal *p);                   /* the operator wants it tried again */
bool portal_is_shut(const struct portal *p);            /* nothing may be asked: stopped, or without access so far */
enum portal_state portal_state_at(const struct portal *p, uint64_t now_ms);
const char *portal_state_name(enum portal_state state);

/* Whose operating seconds a job costs; NULL = nobody's (a probe). ret needs 64 bytes. */
const char *portal_method(const struct mirror *m, enum job_kind kind, char ret[static 64]);
void portal_count_calls(struct portal *p, uint64_t run, int64_t calls);
int64_t portal_calls_of(const struct portal *p, uint64_t run);
/* A schema, owned by the mirror from here on. */
void mirror_set_schema(struct mirror *m, struct str schema);
void mirror_saw(struct mirror *m, uint64_t records, uint64_t bytes);
/* A range of one page failed for good. True when no single record can be the reason: the list itself fails. */
bool mirror_range_failed(struct mirror *m, uint64_t first, uint64_t last);
void mirror_range_done(struct mirror *m);
void mirror_probe_failed(struct mirror *m, const char *why);
void mirror_probe_anew(struct mirror *m);               /* it was answered, or is tried anew */
/* Adds names to `unknown`, each once. */
void mirror_unknown(struct mirror *m, struct str names);
