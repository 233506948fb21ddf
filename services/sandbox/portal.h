/* portal.h - the sandbox as one whole: data, limits, faults, counters. Answers requests without knowing the server that
 * carries them (serve.c), so tests ask it directly. Loop thread. */
#pragma once

#include "arena.h"
#include "bucket.h"
#include "change.h"
#include "events.h"
#include "fault.h"
#include "operating.h"
#include "store.h"

#include "base/buf.h"
#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum quirk {
#define QUIRK(id, name, about) QUIRK_##id,
#include "quirks.def"
#undef QUIRK
    QUIRKS
};
/* Bit of a quirk by its name; 0: unknown. */
unsigned quirk_bit(const char *name);

enum { SCOPE_NONE = 0, SCOPE_CRM = 1, SCOPE_USER = 2, SCOPE_APP = 4 };     /* app: with its token alone */

struct portal_options {
    struct store_options store;
    const char *tariff;
    double operating_limit_s;       /* 0 = none */
    uint64_t operating_window_ms;
    double operating_cost;          /* factor of the cost model in cost.h */
    unsigned quirks;
    uint64_t latency_ms;
    uint64_t keep_rows;             /* 0 = no */
    const char *replay;             /* folder of a recording that answers instead; NULL: none */
    struct events_options events;
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
    struct changes changes;
    struct events events;
    bool app;                       /* the request under way came with the application's token */
    struct portal_stats stats;
    unsigned scopes;                /* bit set of SCOPE_ */
    char secret[17];
    uint64_t serial;                /* of the request; chance of the day */
    struct arena arena;             /* of the command being run */
    struct replay *replay;          /* NULL: answers are made up */
    struct kept *kept;              /* NULL: rows are printed anew each time */
};

struct portal_request {
    const char *method, *path;
    struct str query, body;
    const char *content_type, *remote;
};

enum portal_how { HOW_REPLY, HOW_CUT };

struct portal_answer {
    int status;
    const char *content_type;
    struct buf body;
    char headers[512];              /* "K: v\n" */
    enum portal_how how;
    uint64_t delay_ms;
};

int portal_open(struct portal *ret, const struct portal_options *options, struct err *err) MUST_CHECK;
void portal_close(struct portal *p);
/* People at work in the background: what is due of their changes. Also between the commands of a batch. */
void portal_tick(struct portal *p);
/* Fills *ret; the body is the caller's. */
void portal_answer(struct portal *p, const struct portal_request *in, struct portal_answer *ret);
#define PORTAL_ANSWER_BYTES (1u << 30)
static inline bool portal_has(const struct portal *p, enum quirk q)
{
    return p->options.quirks >> q & 1;
}
