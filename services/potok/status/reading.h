/* reading.h - the database as commands read it that show several things: opened when it is first asked, once, and not waited
 * for long. The first thing that goes wrong ends all reading, and is told once. Waits for the database: not on a loop. */
#pragma once

#include "db/db.h"

struct home;

#define READING_PATIENCE_MS 3000    /* for a server that does not answer, or a table that somebody locks */

struct reading {
    const struct home *home;
    struct db *db;
    bool none;                  /* asked, and there is no database yet */
    bool told;
    struct err err;             /* why nothing more can be read; ERR_NONE: it can */
};

void reading_init(struct reading *r, const struct home *home);
/* As db_run(). 0, with no row where there is no database yet; -1: r->err says why. */
int reading_run(struct reading *r, const char *sql, const struct db_val *args, int arg_count, db_on_row *on_row, void *ctx) MUST_CHECK;
/* What went wrong, on standard error, the first time it is asked. */
void reading_tell(struct reading *r);
void reading_fini(struct reading *r);
