/* look.h - what can be told of a database without changing it, for `potok doctor`: nothing is made, no turn is taken, a file
 * that is not there stays so. Blocks for some seconds at most (`deep` reads the whole database). */
#pragma once

#include "db/db.h"

#define DB_LOOK_PORTALS_MAX 32

struct db_lease {
    char portal[40], identity[280];     /* whose copy it is: webhook_identity(); "" = not known */
};

struct db_look {
    bool there;                 /* false: an SQLite file that is not made yet, and nothing below is told */
    char engine[16], version[64];
    int64_t bytes;
    int64_t tables, tables_known;   /* version of the system tables, 0 = none yet; the newest this program knows */
    bool wal;                   /* SQLite: readers do not stop the writer */
    char damage[300];           /* with `deep`, SQLite: the first thing wrong; "" = nothing */
    bool may_create, may_temporary, standby, read_only;     /* PostgreSQL */
    char user[70], schema[70], name[70];                    /* PostgreSQL: of the GRANT that helps */
    char denied[ERR_TEXT_SIZE];           /* PostgreSQL: a table of ours that may not be written, and the cure; "" = none */
    struct db_lease leases[DB_LOOK_PORTALS_MAX];
    int lease_count;
};

/* ERR_CONF, ERR_TEMP: it cannot be looked at; the text says what to do. */
int db_look(struct db_look *ret, const char *url, bool deep, struct err *err) MUST_CHECK;
