/* bitrix_write_answer.h - what an answer says about a write (bitrix_write.h): done, certainly not, refused,
 * unknown; and what a look found. By the table of errors (bitrix_rule.h) and one rule beside it: an answer
 * that no rule explains, or none at all once a byte was sent, leaves the outcome unknown. A row that goes by
 * the status alone explains nothing, 401 and 429 apart: a robot may fail after the commit under any. Pure;
 * any thread. */
#pragma once

#include "connectors/bitrix_write_ask.h"

#include <jansson.h>

/* One method's answer, alone or in a batch. Init by one of the functions; the JSON is the caller's and lives
 * as long. */
struct bitrix_said {
    int status;           /* 0: the call ended without an answer */
    bool sent;            /* a byte of the request may have left; with an answer always */
    bool skipped;         /* a command behind one that failed, of a batch that halts */
    const json_t *result; /* NULL: none */
    bool is_error;        /* the portal's own word, in JSON */
    bool whole;           /* that of the request, not of a command in an answered batch */
    char code[64], text[200];
    uint64_t retry_ms; /* of a Retry-After header */
};

/* The body of an answer; a bad letter of some field is repaired. NULL: no JSON. text has JSON_PADDING
 * writable bytes behind it; a new reference. */
json_t *bitrix_said_json(char *text, size_t n);
/* err: why there was no answer. */
struct bitrix_said bitrix_said_nothing(bool sent, const struct err *err);
/* body: the whole answer; NULL when it is no JSON (a page, cut short). key: of a command; NULL: the call was
 * this method alone. halt: of the batch. */
struct bitrix_said bitrix_said(int status, const json_t *body, const char *key, bool halt);

void bitrix_write_hear(const struct write_task *t, const struct bitrix_said *said, struct write_heard *ret);
void bitrix_write_find(const struct write_task *t, const struct bitrix_said *said, struct write_found *ret);

/* Of the method `profile`: its user is an administrator, from whom no record is hidden (write_task.sees_all).
 * Without an answer to rely on: no. */
bool bitrix_profile_sees_all(const struct bitrix_said *said);

/* An id, as a number or as text; 0: none. */
uint64_t bitrix_said_id(const json_t *value);
/* 1, "1", true, "Y" */
bool bitrix_said_flag(const json_t *value);
