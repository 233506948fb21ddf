#include "db/column_names.h"

#include "db/driver.h"

int db_column_names(struct db *db, struct str table, db_on_row *on_row, void *ctx, struct err *err)
{
    return db_run(db, db->driver->column_names_sql, DB_ARGS(dbv_s(table)), on_row, ctx, NULL, err);
}
