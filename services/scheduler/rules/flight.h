/* flight.h - the attempts under way: one JOB sent, neither finished nor given up. Which are awaited decides the floor
 * (model rule 6), which are late decides what is dispatched again. Pure: the clock is an argument. Loop thread. */
#pragma once

#include "base/uuid.h"
#include "job.h"

#include <stdbool.h>
#include <stdint.h>

#define FLIGHT_HELD_GRACE_MS 3000       /* a JOB sent this long ago must be in its fetcher's READY.holding */
#define FLIGHT_DONE_MOST_MS 160000

enum flight_phase {
    FLIGHT_SENT,            /* JOB sent, REPORT awaited */
    FLIGHT_REPORTED,        /* records went on their way, DONE awaited */
};

struct flight {
    uint64_t d;
    int portal;             /* index; d is unique per portal only */
    struct job *job;        /* busy while this attempt lasts; NULL once the job is finished */
    uint64_t job_id, run;
    uint64_t pays;          /* the run its call was counted to at the dispatch; 0 = none */
    int entity;
    enum job_kind kind;
    unsigned tries;         /* dispatches of the job, this one included */
    char fetcher[64];
    int bucket;             /* from which its call was taken */
    uint64_t boot;
    char correlation[UUID_SIZE];
    unsigned host_no;       /* which of the portal's hosts was asked: access_host_no() */
    char method[64];        /* whose operating time it costs; "" = nobody's */
    uint64_t sent_ms, deadline_ms;
    enum flight_phase phase;
    bool done;              /* DONE overtook REPORT: no longer awaited, only its call is still counted */
    bool left_out;          /* REPORT said that the portal did not answer for all its ids, by no limit */
    bool refused;           /* DONE said so: the row tells whether there is work left */
    unsigned checking;      /* number of the scan that will read its job's row before it is given up; 0 = none */
};

struct flights {
    struct flight *list;
    int count, cap;
};

void flights_fini(struct flights *f);
struct flight *flights_add(struct flights *f);          /* zeroed; valid until the next add or remove */
struct flight *flights_find(struct flights *f, int portal, uint64_t d);
void flights_remove(struct flights *f, struct flight *one);

/* Smallest awaited d of a portal; UINT64_MAX = none. */
uint64_t flights_awaited(const struct flights *f, int portal);
/* The floor that may be set now: below everything awaited; all that was dispatched when nothing is. */
uint64_t flights_floor(const struct flights *f, int portal, uint64_t tick);
int flights_unfinished(const struct flights *f);        /* awaited, all portals */
int flights_calls(const struct flights *f, int portal); /* calls that may be at the portal; -1 = all */
int flights_at(const struct flights *f, const char *fetcher);   /* calls at that fetcher */

/* When DONE is due after a REPORT: done_ms, doubled per dispatch of the job. */
uint64_t flight_done_deadline(uint64_t now_ms, uint64_t done_ms, unsigned tries);
bool flight_expired(const struct flight *f, uint64_t now_ms);
uint64_t flights_next_deadline(const struct flights *f);    /* UINT64_MAX = none */
/* Does a READY of this fetcher prove the attempt lost? */
bool flight_lost(const struct flight *f, const char *fetcher, uint64_t boot, const uint64_t *holding, size_t n,
    uint64_t now_ms);
