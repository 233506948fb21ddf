/* portal.h - the sandbox as one whole: data, limits, faults, counters. Answers requests without knowing the server that
 * carries them (serve.c), so tests ask it directly. Loop thread. */
#pragma once

#include "access/application.h"
#include "data/arena.h"
#include "limits/bucket.h"
#include "data/change.h"
#include "events/events.h"
#include "limits/fault.h"
#include "limits/operating.h"
#include "access/scope.h"
#include "data/store.h"
#include "quirks.h"

#include "base/buf.h"
#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Where a request came in: the portal's address, the one it has after a rename (facts section 1.4), the OAuth server. */
enum portal_door { DOOR_PORTAL, DOOR_RENAMED, DOOR_OAUTH, DOORS };

struct portal_options {
    struct store_options store;
    const char *tariff;
    double operating_limit_s;       /* 0 = none */
    uint64_t operating_window_ms;
    double operating_cost;          /* factor of what calls cost */
    quirk_set quirks;
    uint64_t latency_ms;
    double slowness;                /* answers are late by what they cost, times this */
    unsigned scopes;                /* of the webhook and the application; 0 = crm and user */
    uint64_t keep_rows;             /* 0 = no */
    const char *replay;             /* folder of a recording that answers instead; NULL: none */
    struct events_options events;
    struct application_options application;
};

/* Requests whose effect comes after their answer (landing.h). */
struct landings {
    struct landing *first;          /* by their time */
    int count;
};

struct portal_stats {
    uint64_t requests, refused_503, refused_429, bytes, records_served;
};

struct portal {
    struct portal_options options;
    struct store store;
    struct bucket bucket;
    struct operating operating;
    struct faults faults;
    struct landings landings;
    bool landing;                   /* the request under way was answered before */
    struct changes changes;
    struct events events;
    struct application application;
    char doors[DOORS][128];         /* addresses, "127.0.0.1:8080" */
    bool renamed;                   /* the first door leads to the second */
    bool overload;                  /* every method is OVERLOAD_LIMIT */
    bool app;                       /* the request under way came with the application's token */
    bool at_oauth;                  /* it is asked of the OAuth server */
    uint64_t commands_left;         /* of batches, until access tokens end; 0: no such order */
    uint64_t token_until_ms;        /* which ends then, a batch or not; wall clock */
    struct portal_stats stats;
    unsigned scopes;                /* bit set of scope.h */
    char secret[17];
    char detail[320];               /* of the refusal under way, where the table's text does not say it all */
    uint64_t serial;                /* of the request; chance of the day */
    struct arena arena;             /* of the command being run */
    struct replay *replay;          /* NULL: answers are made up */
    struct kept *kept;              /* NULL: rows are printed anew each time */
};

struct portal_request {
    const char *method, *path;
    struct str query, body;
    const char *content_type, *remote, *authorization; /* of the header; NULL: none */
    enum portal_door door;
};

enum portal_how { HOW_REPLY, HOW_CUT };

struct portal_answer {
    int status;
    const char *content_type;
    struct buf body;
    char headers[2048];              /* "K: v\n" */
    enum portal_how how;
    uint64_t delay_ms;
};

int portal_open(struct portal *ret, const struct portal_options *options, struct err *err) MUST_CHECK;
void portal_close(struct portal *p);
/* People at work in the background: what is due of their changes. Also between the commands of a batch. */
void portal_tick(struct portal *p);
/* The queue of these parameters' auth_connector is not told of what is changed from now on (facts section 9.5). */
void portal_note_connector(struct portal *p, const json_t *params);
/* Requests that were answered before and are due are done. */
void portal_land(struct portal *p);
/* Rights of the webhook and of the application. */
void portal_set_scopes(struct portal *p, unsigned set);
/* A door is open; before the first request. Tests that have no socket leave it out. */
void portal_open_door(struct portal *p, enum portal_door door, const char *address);
void portal_rename(struct portal *p, bool renamed);
/* Fills *ret; the body is the caller's. */
void portal_answer(struct portal *p, const struct portal_request *in, struct portal_answer *ret);
#define PORTAL_ANSWER_BYTES (1u << 30)
static inline bool portal_has(const struct portal *p, enum quirk q)
{
    return p->options.quirks >> q & 1;
}
