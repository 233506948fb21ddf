/* postgres_bulk.h - rows on their way into a mirror table: among the files that bring them there. A row is written down
 * once, in the server's binary form; by which statement it travels is decided when it is known how many there are. */
#pragma once

#include "db/postgres.h"

#define PG_OWN_FIELDS 5         /* id, _hash, _hi, _fetched_at, _written_at; the data columns follow */
#define PG_SQL_MAX    (16 << 20)

struct pg_bulk {
    struct pg *pg;
    const struct db_upsert *u;
    struct buf stamps;          /* the last three of the own fields: the same in every row */
    struct buf rows;            /* as COPY wants them, those not yet sent */
    int count;                  /* all so far */
};

/* postgres_bulk.c: what the statements have in common. */
void pg_add_quoted(struct buf *sql, const struct pg *pg, struct str name);
void pg_add_columns(struct buf *sql, const struct pg_bulk *b);      /* "id, _hash, …" */
void pg_add_insert(struct buf *sql, const struct pg_bulk *b);       /* "INSERT INTO t (…) " */
void pg_add_conflict(struct buf *sql, const struct pg_bulk *b);     /* " ON CONFLICT … WHERE t._hi < $1" */
Oid pg_field_type(const struct pg_bulk *b, int field);

/* Arguments in binary: views of fields as they lie in a buffer. */
struct pg_arguments {
    const char **values;
    int *lengths, *formats;
    Oid *types;
    int count;
};
void pg_arguments_init(struct pg_arguments *a, int room);
void pg_arguments_fini(struct pg_arguments *a);
const char *pg_arguments_add(struct pg_arguments *a, const char *field, Oid type);  /* where the next field begins */
/* Runs a statement that writes rows; adds to *changes. */
int pg_execute(struct pg *pg, const char *sql, const struct pg_arguments *a, int64_t *changes, struct err *err) MUST_CHECK;

/* postgres_few.c: all rows, by INSERT … VALUES. */
int pg_write_few(struct pg_bulk *b, int64_t *changes, struct err *err) MUST_CHECK;

/* postgres_load.c: by COPY. Begin, send whenever there are rows, end (also after a failure: then failed is why). */
struct pg_load {
    bool copying;
    bool straight;              /* into the mirror table itself */
    char name[40];              /* else into a temporary table */
};
int pg_load_begin(struct pg_load *l, struct pg_bulk *b, struct err *err) MUST_CHECK;
int pg_load_send(struct pg_load *l, struct pg_bulk *b, struct err *err) MUST_CHECK;
int pg_load_end(struct pg_load *l, struct pg_bulk *b, bool failed, int64_t *changes, struct err *err) MUST_CHECK;
