/* column_names.h - which columns a table has, as the database says now: nothing is remembered. Any thread, one
 * connection. */
#pragma once

#include "db/db.h"

/* One row a column, its name the only value; no row: there is no such table. */
int db_column_names(struct db *db, struct str table, db_on_row *on_row, void *ctx, struct err *err) MUST_CHECK;
