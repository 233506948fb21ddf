/* db.h - one interface to the databases, a driver per engine. A struct db is one connection, used by one thread at
 * a time (db_pool.h gives it a thread of its own). Statements are cached by text per connection.
 * Parameters are written $1, $2, … and bound by number in every engine. Values travel as text or int64: exact.
 * Errors: ERR_TEMP (locked, disk full, connection lost: try again), ERR_CONF (not a database, read-only, missing
 * rights: what to do is in the text), ERR_PERM (constraint, syntax), ERR_LIMIT (value too big); too many columns is ERR_CONF. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "proto/schema.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct db;

enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BLOB, DB_DECIMAL /* text of a canonical decimal; bound exactly */ };

struct db_val {
    enum db_type type;
    int64_t i;
    struct str s;
};
#define DBV_NULL ((struct db_val){ DB_NULL, 0, { NULL, 0 } })
static inline struct db_val dbv_i(int64_t i) { return (struct db_val){ DB_INT, i, { NULL, 0 } }; }
static inline struct db_val dbv_s(struct str s) { return (struct db_val){ DB_TEXT, 0, s }; }
static inline struct db_val dbv_c(const char *s) { return (struct db_val){ DB_TEXT, 0, str_of(s) }; }
static inline struct db_val dbv_b(struct str s) { return (struct db_val){ DB_BLOB, 0, s }; }
/* A text, cut to fit; "" of anything else. */
void dbv_copy(char *ret, size_t size, struct db_val v);

/* A row of a result; views valid until the callback returns. Return non-zero to stop early. */
typedef int db_on_row(void *ctx, const struct db_val *row, int columns);

/* url: "sqlite:///relative/path", "sqlite:////absolute/path", "postgresql://…"; a "+driver" suffix of the scheme is ignored.
 * NULL or empty: potok.db in POTOK_HOME. Other schemes: ERR_CONF naming what this build can do. Creates the file
 * and its folder. */
int db_open(struct db **ret, const char *url, struct err *err) MUST_CHECK;
/* The same for reading alone, where one may not write: nothing is made or changed, transactions and id sets are ERR_BUG. No
 * such file, or tables of an older Potok that `potok up` did not bring up to date yet: ERR_CONF. */
int db_open_read(struct db **ret, const char *url, struct err *err) MUST_CHECK;
/* Either, by whoever cannot wait. patience_ms: how long a server is waited for in all, from connecting to the last answer, and
 * an SQLite file's turn each time; then ERR_TEMP, and a server's connection is lost. 0: connecting has connect_timeout of the
 * address (libpq's: for each host, 2 s at least), else 10 s for each host, and an answer all the time. *stop (NULL: never), once
 * true: connecting ends at once, other waiting when the thread is interrupted by a signal (db_pool.h does so). */
struct db_opening {
    bool reading;
    int patience_ms;
    const atomic_bool *stop;
};
int db_open_as(struct db **ret, const char *url, const struct db_opening *how, struct err *err) MUST_CHECK;
/* The file that db_open() would open, allocated; NULL where databases are no files. Opens and creates nothing. */
int db_file(const char *url, char **ret, struct err *err) MUST_CHECK;
void db_close(struct db **db);
const char *db_engine(const struct db *db);         /* "sqlite", "postgresql" */
bool db_is_lost(const struct db *db);               /* after an error: open another connection */

/* Transactions. SQLite: db_begin takes the turn, writers of several processes wait in line (a lock file beside the
 * database, then BEGIN IMMEDIATE). PostgreSQL: READ COMMITTED; who needs the turn of an entity locks its row first, by a
 * SELECT that ends in db_for_update(), and who changes a job locks its row; a deadlock ends in ERR_TEMP. Every statement that writes is inside one (ERR_BUG otherwise). A failed commit has
 * rolled back. */
int db_begin(struct db *db, struct err *err) MUST_CHECK;
int db_commit(struct db *db, struct err *err) MUST_CHECK;
void db_rollback(struct db *db);                    /* harmless when there is none */
const char *db_for_update(const struct db *db);     /* " FOR UPDATE", or "" where a transaction is alone anyway */
bool db_takes_nul(const struct db *db);             /* may a text hold U+0000? */
/* Of a value equal to `want`: is it also kept in the form in which the engine would have written that one? A number kept as
 * text is neither added nor sorted like a number. */
bool db_is_as_written(const struct db *db, enum col_kind kind, const struct db_val *want, const struct db_val *have);
/* Runs one statement. on_row may be NULL. ret_changes (NULL allowed): rows changed. */
int db_run(struct db *db, const char *sql, const struct db_val *args, int arg_count, db_on_row *on_row, void *ctx,
    int64_t *ret_changes, struct err *err) MUST_CHECK;
#define DB_ARGS(...) (const struct db_val[]){ __VA_ARGS__ }, (int)(sizeof((const struct db_val[]){ __VA_ARGS__ }) / sizeof(struct db_val))
#define DB_NOARGS NULL, 0
/* First column of the first row as an integer; `missing` when there is no row or it is NULL. */
int db_get_i64(struct db *db, const char *sql, const struct db_val *args, int arg_count, int64_t missing,
    int64_t *ret, struct err *err) MUST_CHECK;

/* Identifier quoting: "crm_deals" -> "\"crm_deals\""; ret needs 2n+3 bytes. */
void db_quote(const struct db *db, struct str name, char *ret);

/* Is there a table of this name, a mirror's or another? */
int db_has_table(struct db *db, struct str table, bool *ret, struct err *err) MUST_CHECK;

/* DDL: idempotent, outside the data transaction (takes the turn itself). */
struct db_column {
    struct str name;
    enum col_kind kind;
};
/* Creates the mirror table (id, system columns, columns) or adds what is missing. An existing column keeps its type, and
 * what it holds is told by db_column_kinds(). A column or table that Potok made and somebody dropped is made again, and the
 * hashes of its rows are cleared, so that every reading from now on fills it; potok_entity.full_ms is cleared and its shape
 * raised. A column that somebody gave a type of which Potok has none: ERR_CONF with the SQL that mends it.
 * Columns called "id" or beginning with '_' are refused (ERR_PERM), as are tables that are not mirrors (ERR_CONF).
 * ret_added (NULL allowed): how many columns were added. Remembered per connection: no query when nothing is new.
 * The system tables must be there (db_migrate). */
int db_ensure_table(struct db *db, struct str table, const struct db_column *columns, int count, int *ret_added,
    struct err *err) MUST_CHECK;
/* After db_ensure_table(): what the columns really hold, which may be another kind than is wanted; ret has room for count. */
void db_column_kinds(const struct db *db, struct str table, const struct db_column *columns, int count, enum col_kind *ret);
/* Where one row cannot hold all of its values: how many have to be left out, and which (ret_out, one for each). Always the same
 * for the same values: the last of the columns. db_row_is_sure(): none of a row of so many columns ever is. */
bool db_row_is_sure(const struct db *db, int columns);
int db_leave_out(const struct db *db, const struct db_column *columns, const struct db_val *values, int count, bool *ret_out);
/* Is the connection's knowledge of the table of this potok_entity.shape, and of this version? False: it is forgotten,
 * ensure again. The version is SQL to be put into a statement, of the table whose name is its $1. */
bool db_table_is(struct db *db, struct str table, int64_t shape, int64_t version);
const char *db_version_sql(const struct db *db);
/* Counts how often a statement said that a table is not as it was known: tried again, it looks at the table anew. */
unsigned db_tables_forgotten(const struct db *db);
int db_migrate(struct db *db, struct err *err) MUST_CHECK;  /* system tables, migrations.c; idempotent, several processes at once */

/* A set of ids for IN: they are the connection's relation `potok_ids (id)`, ascending, none twice. */
int db_put_ids(struct db *db, const uint64_t *ids, size_t n, struct err *err) MUST_CHECK;

/* Upserts mirror rows by the engine's best way. columns: the data columns in the order of `values`; every row also
 * gives id and hash. On conflict the row is replaced only where its _hi < d. System columns are set from `stamp`. */
struct db_stamp {
    uint64_t d, c;              /* guard and new _hi */
    int64_t fetched_ms, written_ms;
};
struct db_upsert {
    struct str table;
    const struct db_column *columns;
    int count;
    bool absent;                /* the caller looked, in its turn: none of these ids has a row */
    struct db_stamp stamp;
    /* Fills id, hash (16 bytes) and values[count]; 1 = a row, 0 = end. */
    int (*next)(void *ctx, int64_t *ret_id, struct str *ret_hash, struct db_val *values);
    void *ctx;
};
int db_upsert(struct db *db, const struct db_upsert *u, int64_t *ret_changes, struct err *err) MUST_CHECK;
