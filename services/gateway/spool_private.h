/* spool_private.h - for the files of the spool only. */
#pragma once

#include "spool.h"

#include <sqlite3.h>

enum spool_statement {
    SPOOL_BEGIN,
    SPOOL_COMMIT,
    SPOOL_ADD,
    SPOOL_ADD_ODD,
    SPOOL_CUT_ODD,
    SPOOL_TAKE,
    SPOOL_FORGET,
    SPOOL_KEEP_LAST,
    SPOOL_ADD_SEALED,
    SPOOL_FORGET_SEALED,
    SPOOL_SET_ASIDE,
    SPOOL_DROP,
    SPOOL_KEEP_KNOWN,
    SPOOL_STATEMENTS
};

#define SPOOL_WAITING_MOST 65536 /* keys remembered for telling duplicates; beyond them a duplicate is one more row */

struct spool_waiting { /* a row that was not handed on, when its number is above `handed` */
    uint64_t key, seq;
};

struct spool {
    sqlite3 *db;
    char *path;
    uint64_t id;
    uint64_t last;        /* greatest number given */
    uint64_t last_before; /* this transaction */
    uint64_t handed;
    struct spool_waiting *waiting; /* hash table, open addressing */
    size_t waiting_count;
    uint8_t hash_key[16];
    sqlite3_stmt *statements[SPOOL_STATEMENTS];
};

int spool_fail(struct spool *s, const char *what, struct err *err);
sqlite3_stmt *spool_statement(struct spool *s, enum spool_statement which);
int spool_run(struct spool *s, enum spool_statement which, const char *what, struct err *err) MUST_CHECK;
/* Of CHANGE_KIND_ACCESS: what was given, from the same file. */
void spool_read_sealed(sqlite3 *db, struct spool_row *r);
bool spool_has_sealed(struct spool *s, const struct spool_row *r);      /* the very same bytes: no two are sealed alike */
bool spool_read_row(sqlite3_stmt *q, struct spool_row *r);
void spool_forget_waiting(struct spool *s);
int spool_open_fresh(struct spool **ret, const char *path, uint64_t now_ms, struct err *err) MUST_CHECK;
