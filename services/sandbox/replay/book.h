/* book.h - a recording read into memory: whole exchanges, what each command was answered, and the
 * records by entity. Read-only once loaded; views point into the bodies, which the book owns. Pure but for
 * replay_book_load(). */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct replay_exchange {
    char *key;
    int status;
    char content_type[128], headers[256]; /* "K: v\n" */
    char *body;
    size_t n;
    bool wrong_secret;
};

struct replay_piece { /* one method's part of an answer, alone or in a batch */
    char *key;
    bool failed; /* text is {error, error_description} */
    int status;
    struct str text, total, next; /* n = 0: not there */
};

struct replay_record {
    uint64_t id;
    struct str text;
};

struct replay_shelf { /* the records of one list method, by id */
    char *method;     /* crm.deal.list */
    struct replay_record *records;
    int count;
    struct str uncounted; /* total of a list with start=-1; n = 0: there is none */
};

struct replay_book {
    struct replay_exchange *exchanges;
    int exchange_count;
    struct replay_piece *pieces;
    int piece_count;
    struct replay_shelf *shelves;
    int shelf_count;
    struct str time; /* a `time` object, as a pattern; n = 0: none was seen */
};

/* folder.c */
int replay_book_load(struct replay_book *b, const char *folder, struct err *err) MUST_CHECK;
void replay_book_free(struct replay_book *b);
const struct replay_exchange *replay_book_exchange(const struct replay_book *b, const char *key);
const struct replay_piece *replay_book_piece(const struct replay_book *b, const char *key);
const struct replay_shelf *replay_book_shelf(const struct replay_book *b, struct str list_method);
const struct replay_record *replay_shelf_record(const struct replay_shelf *s, uint64_t id);
/* After the last exchange was added: lists want records in order, each once. */
void replay_book_sort(struct replay_book *b);
/* Reads in one exchange: `about` is its description, body (taken over) its answer. For folder.c
 * and tests. */
int replay_book_add(
    struct replay_book *b, const json_t *about, char *body, size_t n, struct err *err) MUST_CHECK;
