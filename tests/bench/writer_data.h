/* writer_data.h - the deals that the writer's bench writes: made from their number, the same in every run, never from
 * what a writer did. 61 columns (id, 30 texts, 8 decimals, 8 integers, 8 instants, 6 booleans), about 1.6 KB as text.
 * Version 1 is version 0 with a tenth of the rows changed, two or three columns each. One thread. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "db/db.h"
#include "proto/job_kind.h"
#include "proto/msg.h"
#include "services/mapper/map.h"

#define DATA_COLUMNS 60         /* beside the id */
#define DATA_MESSAGE_ROWS ((uint64_t)BATCH_COMMANDS * PAGE_SIZE_RECORDS)

struct data_value {
    enum col_kind kind;
    struct str text;            /* as people write it: "12.5", "2024-08-30T12:29:00Z", "t" */
    int64_t number;             /* of an integer, a boolean */
    double real;                /* of a decimal */
};

struct data_row {
    uint64_t id;
    struct data_value values[DATA_COLUMNS];
    char bytes[6000];           /* the texts lie here: a row does not move */
    size_t used;
};

struct data_column {
    char field[16], column[16]; /* the portal's name and the table's */
    enum col_kind kind;
};

struct data {
    struct data_column columns[DATA_COLUMNS];
    struct buf schema;          /* as a probe would tell it */
    struct map map;             /* the mapper's own */
    uint64_t text_bytes, rows;  /* made so far */
};

void data_init(struct data *d);
void data_fini(struct data *d);

uint64_t data_id(uint64_t number);                      /* ascending, with gaps */
void data_row(struct data *d, uint64_t number, int version, struct data_row *ret);
/* A ROWS message of the rows first..first+count-1, through the mapper's own code. Job, d and range are the caller's to
 * fill in; its columns are the mapper's memory, valid until the next call. NULL: *err. */
struct msg *data_message(struct data *d, uint64_t first, uint64_t count, int version, struct err *err);
/* The mirror table of such messages. */
int data_ensure(struct data *d, struct db *db, struct err *err) MUST_CHECK;
