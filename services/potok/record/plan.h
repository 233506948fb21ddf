/* plan.h - the calls of a recording: rows of rows.def and what they become for one portal.
 * Pure. */
#pragma once

#include "base/anonymise_rules.h"
#include "base/buf.h"
#include "proto/entity.h"

#include <stdbool.h>

enum record_flags {
    RECORD_EACH = 1,     /* of every entity, others of the first only */
    RECORD_NEEDS_ID = 2, /* left out where there is no record */
    RECORD_WRONG_SECRET = 4,
    RECORD_BY_CLIENT = 8, /* the request is made by the client's own code */
    RECORD_51 = 16,       /* a batch of 51 commands */
    RECORD_NO_SCOPE = 32, /* of a method whose scope the webhook lacks */
    RECORD_CODES = 64,    /* a plain result is codes: may stay */
    RECORD_TIME = 128     /* a plain result is an instant: may stay */
};

struct record_row {
    const char *name;
    unsigned flags;
    const char *method, *params, *facts, *why, *ru;
};

extern const struct record_row RECORD_ROWS[];
extern const int RECORD_ROW_COUNT;

struct record_of { /* what a row is about */
    const struct entity *entity;
    char id[24]; /* least id; "" none */
};

/* How many requests at most: rows, and pages of `records` records of each entity. */
int record_requests(int entities, int records);
/* Batches of the client that read so many records. */
int record_batches(int records);
/* False: the row has nothing to ask here. `method` has room for 64 bytes. */
bool record_call(
    const struct record_row *row, const struct record_of *of, char method[static 64], struct buf *params);
/* A reading method of a scope that the answer to `scope` lacks, or NULL. */
const char *record_no_scope(struct str scopes);
enum anon_rule record_rule(const struct record_row *row);
