/* sqlite.h - the parts of the SQLite driver among themselves. Only the sqlite*.c files include it. */
#pragma once

#include "db/driver.h"

#include <sqlite3.h>
#include <sys/types.h>

#define STATEMENTS_KEPT 64

struct statement {
    sqlite3_stmt *stmt;
    uint64_t hash;              /* of the text */
    uint64_t used;              /* tick of the last use: the oldest goes */
    bool busy;                  /* between its first step and its reset */
    bool loose;                 /* not in the cache: finalized after use */
};

struct sqlite {
    struct db db;
    sqlite3 *h;
    char *path;
    int turn_fd;                /* the lock file "<path>.turn"; -1 = not open */
    int busy_ms;                /* how long somebody else's lock is waited for … */
    const atomic_bool *stop;    /* … unless it is true; NULL: never */
    int patience_ms;            /* for the turn; 0: as long as it takes */
    uint64_t tick;
    struct statement kept[STATEMENTS_KEPT];
};

/* sqlite_file.c: where the file is. */
int sqlite_path(struct str where, char **ret, struct err *err) MUST_CHECK;      /* allocated */
int sqlite_make_folder(const char *path, struct err *err) MUST_CHECK;
/* sqlite_turn.c: the turn of its writers. */
int sqlite_turn_open(struct sqlite *s, struct err *err) MUST_CHECK;
int sqlite_turn_take(struct sqlite *s, struct err *err) MUST_CHECK;
void sqlite_turn_give(struct sqlite *s);

/* sqlite_error.c: -1, and *err says what to do about it. `doing` is what was being done. */
int sqlite_fail(struct sqlite *s, int code, const char *doing, struct err *err);

/* sqlite_value.c: values in and out, exactly. */
int sqlite_bind(sqlite3_stmt *stmt, int index, const struct db_val *value);     /* a code of SQLite's */
#define SQLITE_FLOAT_TEXT 48
void sqlite_float_text(double d, char ret[SQLITE_FLOAT_TEXT]);
bool sqlite_decimal_is_float(struct str decimal, double *ret);
bool sqlite_is_as_written(enum col_kind kind, const struct db_val *want, const struct db_val *have);

/* sqlite_statement.c: prepared statements by text. NULL: *err is filled. */
struct statement *sqlite_take(struct sqlite *s, struct str sql, struct statement *loose, struct err *err);
void sqlite_give(struct sqlite *s, struct statement *st);
void sqlite_forget_statements(struct sqlite *s);

/* sqlite_widen.c */
int sqlite_widen(struct db *db, const struct db_widening *w, struct err *err);

/* sqlite_upsert.c */
int sqlite_put_ids(struct db *db, const uint64_t *ids, size_t n, struct err *err);
int sqlite_upsert(struct db *db, const struct db_upsert *u, int64_t *ret_changes, struct err *err);
