/* postgres.h - the parts of the PostgreSQL driver among themselves. Only the postgres*.c files and their tests include
 * it. Every call blocks, so a connection belongs to a database thread. */
#pragma once

#include "base/buf.h"
#include "db/driver.h"

#include <libpq-fe.h>

#define PG_STATEMENTS_KEPT 64

enum pg_oid { PG_BOOL = 16, PG_BYTEA = 17, PG_INT8 = 20, PG_INT2 = 21, PG_INT4 = 23, PG_TEXT = 25, PG_OID = 26, PG_JSON = 114,
    PG_FLOAT4 = 700, PG_FLOAT8 = 701, PG_DATE = 1082, PG_TIMESTAMPTZ = 1184, PG_NUMERIC = 1700 };

struct pg_statement {
    char *sql;                  /* NULL: the place is free */
    uint64_t hash;              /* of the text and the types of its arguments */
    uint64_t used;              /* tick of the last use: the oldest goes */
    unsigned number;            /* prepared under the name "p<number>" */
    int arguments;              /* the greatest $n */
};

struct pg {
    struct db db;
    PGconn *c;
    char *where;                /* "postgresql://host:port/database", never the password */
    char *user, *schema;        /* the schema new tables are made in */
    bool may_create;            /* tables in that schema */
    bool loaded;                /* this transaction filled a temporary table */
    int patience_ms;            /* of struct db_opening; 0: no end */
    uint64_t left_ms;           /* of it */
    const atomic_bool *stop;    /* of struct db_opening; NULL: never */
    enum pg_given_up { PG_WAITS, PG_LATE, PG_STOPPED } given_up;    /* why the connection is no longer waited for */
    uint64_t tick;
    unsigned numbers;
    struct pg_statement kept[PG_STATEMENTS_KEPT];
};

/* postgres_connect.c */
int pg_connect(struct pg *pg, struct str where, const struct db_opening *how, struct err *err) MUST_CHECK;

/* postgres_wait.c: libpq's calls of like names, with the patience of the connection. The answer's owner is the caller; NULL:
 * pg_fail() says why. */
PGresult *pg_ask(struct pg *pg, const char *sql) MUST_CHECK;
PGresult *pg_ask_prepare(struct pg *pg, const char *name, const char *sql, int count, const Oid *types) MUST_CHECK;
PGresult *pg_ask_prepared(struct pg *pg, const char *name, int count, const char *const *values, const int *lengths,
    const int *formats) MUST_CHECK;
void pg_spend(struct pg *pg, uint64_t spent_ms);    /* of the patience */

/* postgres_error.c: what an SQLSTATE means, once for all; NULL: not listed. */
struct pg_cure {
    const char *state;          /* five characters, or two for the rest of the class */
    enum err_kind kind;
    bool lost;                  /* the connection is of no use any more */
    enum pg_forget { PG_KEEP, PG_FORGET_TABLES, PG_FORGET_STATEMENTS } forget;
    const char *cure;           /* what a person can do; NULL: the server's words are enough */
};
const struct pg_cure *pg_cures(size_t *ret_count);
const struct pg_cure *pg_cure_of(const char *state);
/* -1, and *err says what to do. result NULL: what the connection itself says. Takes nothing over. */
int pg_fail(struct pg *pg, const PGresult *result, const char *doing, struct err *err);
int pg_fail_state(struct pg *pg, const char *state, const char *text, const char *doing, struct err *err);

/* postgres_statement.c: prepared statements by text. types: of the `count` arguments, NULL = the server finds out. */
struct pg_statement *pg_take(struct pg *pg, const char *sql, const Oid *types, int count, struct err *err);
void pg_forget_statements(struct pg *pg);

/* postgres_value.c: rows as the server prints them (the text is turned in place), and values in its binary form:
 * a length of four bytes and as many bytes, -1 for NULL. */
struct db_val pg_read(Oid type, char *text, int length);
int pg_put(struct buf *out, enum col_kind kind, const struct db_val *value, struct err *err) MUST_CHECK;
void pg_put_i16(struct buf *out, int16_t i);
void pg_put_i32(struct buf *out, int32_t i);
void pg_put_i64(struct buf *out, int64_t i);            /* with its length */
void pg_put_bytes(struct buf *out, struct str bytes);   /* with their length */
void pg_put_instant(struct buf *out, int64_t wall_ms);  /* with its length */
extern const Oid PG_OIDS[COL_KINDS];

/* postgres_room.c */
int pg_leave_out(const struct db_column *columns, const struct db_val *values, int count, bool *ret_out);

/* postgres_widen.c */
int pg_widen(struct db *db, const struct db_widening *w, struct err *err);
/* Runs statements of a widening. What the server refuses is ERR_CONF, with what it was about; what passes is as ever. */
int pg_widen_step(struct pg *pg, const struct db_widening *w, const char *sql, const char *about, struct err *err) MUST_CHECK;

/* postgres_views.c: the views over a column, over those, and so on: taken away and made again as they were. */
struct pg_views;
int pg_views_read(struct pg *pg, const struct db_widening *w, struct pg_views **ret, struct err *err) MUST_CHECK;
int pg_views_drop(struct pg *pg, const struct db_widening *w, const struct pg_views *views, struct err *err) MUST_CHECK;
int pg_views_make(struct pg *pg, const struct db_widening *w, const struct pg_views *views, struct err *err) MUST_CHECK;
void pg_views_free(struct pg_views *views);     /* NULL-safe */

/* postgres_upsert.c; its parts are in postgres_bulk.h */
int pg_put_ids(struct db *db, const uint64_t *ids, size_t n, struct err *err);
int pg_upsert(struct db *db, const struct db_upsert *u, int64_t *ret_changes, struct err *err);

/* postgres.c: several statements, no result. */
int pg_exec(struct pg *pg, const char *sql, const char *doing, struct err *err) MUST_CHECK;
