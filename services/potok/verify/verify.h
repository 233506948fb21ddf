/* verify.h - `potok verify`: what its parts share. The portal is read again and each value compared with the table; what
 * differs is looked at again until it is settled. One thread; waits for portal and database. */
#pragma once

#include "base/err.h"
#include "connectors/bitrix.h"
#include "home.h"
#include "proto/entity.h"
#include "record/ask.h"
#include "services/mapper/map.h"
#include "compare.h"

#include <jansson.h>

#define VERIFY_LISTED 1000 /* differences told with their values, of one entity */

enum verify_what { VERIFY_EQUAL, VERIFY_MISSING, VERIFY_EXTRA, VERIFY_DIFFERENT };
enum verify_state { DOUBT_OPEN, DOUBT_NONE, DOUBT_CONFIRMED, DOUBT_DENIED };

struct doubt { /* an id that was not equal when it was looked at */
    int64_t id;
    enum verify_what what;
    enum verify_state state;
    bool looked; /* by its id, so that the next look can tell whether anything changed */
    uint8_t record[ROW_HASH_BYTES]; /* zero: the portal has none */
    uint64_t row;                   /* verify_fingerprint(); 0: no row */
};

struct verify_record { /* as mapped */
    int64_t id;
    const uint8_t *hash;
    struct str values; /* views into the map's rows */
};

struct verify_entity {
    const struct entity *entity;
    char table[131]; /* quoted */
    char method[64]; /* of the latest question */
    struct buf schema;
    struct map map;
    struct verify_record *records; /* of the latest answer, ascending */
    size_t record_count;
    struct verify_column *columns;
    struct db_column *kinds; /* of them, what the table holds */
    struct db_val *wants;   /* of the row being compared */
    bool *out;              /* the row has no room for it */
    int column_count;
    struct buf select; /* "SELECT id, _hash, …" up to WHERE */
    struct buf unknown; /* fields the portal showed and the copy does not know */

    uint64_t read, rows; /* records of the portal, live rows */
    struct doubt *doubts;
    size_t doubt_count, doubt_room;
    uint64_t missing, extra, different, moving, denied;
    uint64_t marked, healed, left; /* with --heal: marks set; equal since; different still */
    json_t *list; /* of confirmed ones, at most VERIFY_LISTED */
    struct err err; /* kind: it could not be compared */
};

struct verify {
    struct home home;
    const struct config_portal *portal;
    struct record_portal ask;
    struct db *db; /* for reading alone */
    bool takes_nul, heal, json, progress;
    bool running; /* services serve marks now */
    uint64_t pages;
    struct buf made;
    json_t *detail; /* of the row being compared; NULL: not wanted */
};

/* fetch.c: one answer to a job of one entity, its records in e->records. Patient: refusals that pass are waited for,
 * what is too big is asked for in smaller parts. */
int verify_fetch(struct verify *v, struct verify_entity *e, struct msg_job *job, struct bitrix_answer *ret, struct err *err)
    MUST_CHECK;

/* walk.c: e->columns and e->select, what the table has now; then all records and rows once. */
int verify_prepare(struct verify *v, struct verify_entity *e, struct err *err) MUST_CHECK;
int verify_walk(struct verify *v, struct verify_entity *e, struct err *err) MUST_CHECK;
/* Compares rows of `where` (ascending, with the records of the same ids): on_result for each id, equal ones too. `hash_same`:
 * the row's hash is the record's, so that whoever made them differ did it here. */
struct verify_result {
    int64_t id;
    enum verify_what what;
    const struct verify_record *record; /* NULL: none */
    uint64_t row;
    bool live, hash_same;
};
typedef void verify_on_result(void *ctx, const struct verify_result *r);
int verify_rows(struct verify *v, struct verify_entity *e, const char *where, const struct db_val *args, int arg_count,
    verify_on_result *on_result, void *ctx, struct err *err) MUST_CHECK;

/* doubt.c: looks at the open doubts again, until each is none, confirmed, or `rounds` are over (it moves). */
int verify_settle(struct verify *v, struct verify_entity *e, int rounds, struct err *err) MUST_CHECK;
void verify_where_ids(struct doubt *const *list, size_t from, size_t to, struct buf *out);  /* "id IN (…)" */

/* heal.c: marks for what is confirmed, waits until they are served where services run, and looks again. */
int verify_heal(struct verify *v, struct verify_entity *e, struct err *err) MUST_CHECK;
int verify_note_agreement(struct verify *v, struct verify_entity *e, struct err *err) MUST_CHECK;

/* tell.c */
bool verify_is_equal(const struct verify_entity *e);
void verify_tell_progress(const struct verify *v, const struct verify_entity *e);
void verify_tell(const struct verify *v, const struct verify_entity *e);
json_t *verify_json(const struct verify *v, const struct verify_entity *e);
