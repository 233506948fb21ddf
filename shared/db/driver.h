/* driver.h - what an engine brings: one file (sqlite.c and its parts) gives one struct db_driver, db.c lists them.
 * Only the files of this folder include it. A driver knows its SQL dialect, its way of taking turns and of bulk
 * writing; the rest (mirror tables, migrations, the pool) is written once on top of these calls. */
#pragma once

#include "db/db.h"

struct migration {
    int version;                /* 1, 2, 3 … without a gap */
    const char *name;
    const char *sql;            /* statements separated by ';' */
};

struct table;

struct db {                     /* the driver's own struct begins with it */
    const struct db_driver *driver;
    struct table *tables;       /* table.c: mirror tables and their columns as this connection knows them */
    unsigned forgotten;         /* how often they had to be forgotten */
    bool in_transaction;
    bool reading;               /* opened by db_open_read(): nothing may be written */
    bool lost;                  /* of no use any more: the pool closes it and opens another */
};

struct db_widening {            /* one column to a kind that holds all its values */
    struct str table, column;
    enum col_kind from, to;
};

struct db_driver {
    const char *engine;         /* "sqlite": also the scheme of its URLs */
    const char *scheme;         /* another scheme; NULL: none */
    int columns_max;            /* of a table */
    size_t name_max_bytes;      /* of a table or column; 0: NAME_MAX_BYTES of ensure.c */
    const char *bytes_type;     /* what a column of bytes is declared as */
    const char *for_update;     /* "": a transaction is alone anyway */
    bool no_nul;                /* text cannot hold U+0000 */
    const char *types[COL_KINDS];   /* what a mirror column is declared as */
    const char *key_type;       /* of `id` */
    const struct migration *migrations;     /* ends with version 0 */
    /* Of a type as the server shows it that is none of `types`, but holds the same; NULL: there is none. */
    bool (*kind_of)(struct str type, enum col_kind *ret);
    /* Whether a value of a column reads as it would if `want` had been written there; NULL: a value has one form. */
    bool (*is_as_written)(enum col_kind kind, const struct db_val *want, const struct db_val *have);
    int columns_sure;           /* so many values have room in a row whatever they are; 0: as many as there are columns */
    int (*leave_out)(const struct db_column *columns, const struct db_val *values, int count, bool *ret_out);
    bool alters_types;          /* ALTER TABLE … ALTER COLUMN … TYPE … */
    /* SQL giving name and declared type of the columns of table $1 (no row: no such table). */
    const char *column_names_sql;
    /* SQL expression, a number that is another one whenever somebody changed the columns of table $1. */
    const char *version_sql;

    /* `where` is the URL without "scheme://"; empty: the default place. */
    int (*open)(struct db **ret, struct str where, const struct db_opening *how, struct err *err);
    int (*file)(struct str where, char **ret, struct err *err);     /* NULL: databases are no files */
    void (*close)(struct db *db);
    int (*begin)(struct db *db, struct err *err);       /* the three are called by db.c, which keeps in_transaction */
    int (*begin_ddl)(struct db *db, struct err *err);   /* of a transaction that changes tables; NULL: begin */
    int (*check_rights)(struct db *db, struct err *err);    /* may we write the system tables? NULL: always */
    int (*commit)(struct db *db, struct err *err);      /* failure: rolled back */
    void (*rollback)(struct db *db);
    int (*run)(struct db *db, const char *sql, const struct db_val *args, int arg_count, db_on_row *on_row, void *ctx,
        int64_t *ret_changes, struct err *err);
    int (*script)(struct db *db, const char *sql, struct err *err);     /* several statements, no arguments */
    int (*put_ids)(struct db *db, const uint64_t *ids, size_t n, struct err *err);
    int (*upsert)(struct db *db, const struct db_upsert *u, int64_t *ret_changes, struct err *err);
    int (*widen)(struct db *db, const struct db_widening *w, struct err *err);  /* inside a transaction for DDL */
};

extern const struct db_driver db_sqlite, db_postgres;
extern const struct migration DB_SQLITE_MIGRATIONS[], DB_POSTGRES_MIGRATIONS[];

/* As db_open_read(), whatever the version of the tables. */
int db_open_any(struct db **ret, const char *url, struct err *err) MUST_CHECK;
/* Of a bulk statement: each row of it, one after another, until one cannot be written. */
typedef int db_row_writer(void *ctx, int64_t id, struct str hash, const struct db_val *values, struct err *err);
int db_each_row(const struct db_upsert *u, db_row_writer *write, void *ctx, struct err *err) MUST_CHECK;

/* As db_begin(), for DDL: one at a time, apart from the data. */
int db_begin_ddl(struct db *db, struct err *err) MUST_CHECK;

/* migrate.c: are the system tables of the version this program knows? ERR_CONF when they are not. Reads only. */
int db_check_version(struct db *db, struct err *err) MUST_CHECK;

/* table.c: forgets what is known of mirror tables (a statement said that one is not as it was). */
void db_forget_tables(struct db *db);
