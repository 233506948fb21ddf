/* recording.h - one recording being made: what record.c (the command), rows.c (the questions) and
 * client.c (the client's own requests) share. One thread. */
#pragma once

#include "base/anonymise.h"
#include "home.h"
#include "proto/msg.h"
#include "ask.h"
#include "dir.h"
#include "plan.h"

#define RECORD_ENTITIES_MAX 16

struct entity_record {
    struct record_of of;
    uint64_t least, total;
    char *schema; /* encoded; NULL: the portal does not show this entity */
    size_t schema_n;
    uint64_t records; /* recorded */
    bool whole;       /* all there are */
};

struct recording {
    struct home home;
    const struct config_portal *portal;
    struct entity_record entities[RECORD_ENTITIES_MAX];
    int entity_count;
    int records; /* asked for */
    bool json, progress;
    struct record_portal ask;
    struct record_dir dir;
    struct anonymise anon;
    char no_scope[64];
    struct buf left_out;       /* JSON objects, separated by commas */
    struct buf left_out_rows;  /* the same without words, for others' eyes */
    struct buf left_out_words; /* lines */
    bool stopped;
};

/* What could not be asked, in the words of an error. */
void recording_leave_out(struct recording *r, const char *row, const char *method, const char *why);
struct record_exchange recording_exchange(
    const struct record_row *row, const char *method, struct str params);
/* Writes down an answer without what is personal. */
int recording_keep(struct recording *r, const struct record_exchange *asked, enum anon_rule rule,
    const struct http_answer *answer, struct err *err) MUST_CHECK;
/* Every row of rows.def. -1: the portal is not to be asked further. */
int recording_ask_rows(struct recording *r, struct err *err) MUST_CHECK;
/* The client's probe: learns entities, bounds, and which user fields may stay. */
int recording_probe(struct recording *r, const struct record_row *row, struct err *err) MUST_CHECK;
/* Pages of records, as the client reads them. */
void recording_read(struct recording *r, struct entity_record *e);
