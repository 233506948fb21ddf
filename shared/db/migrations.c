/* The system tables, version by version (tables.md explains the columns). A version that was released is
 * never edited: a change is a new line. */
#include "db/driver.h"

static const char FIRST_TABLES[] =
    "CREATE TABLE potok_lease ("
    " portal TEXT PRIMARY KEY, tick INTEGER NOT NULL, epoch INTEGER NOT NULL, holder TEXT,"
    " bucket REAL NOT NULL, bucket_ms INTEGER NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE potok_entity ("
    " portal TEXT NOT NULL, entity TEXT NOT NULL, tbl TEXT, floor INTEGER NOT NULL DEFAULT 0, schema BLOB,"
    " schema_ms INTEGER, total INTEGER, full_ms INTEGER, PRIMARY KEY (portal, entity));"

    "CREATE TABLE potok_mark ("
    " portal TEXT NOT NULL, entity TEXT NOT NULL, id INTEGER NOT NULL, k INTEGER NOT NULL,"
    " ask INTEGER NOT NULL DEFAULT 0, set_ms INTEGER, tries INTEGER NOT NULL DEFAULT 0,"
    " not_before_ms INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (portal, entity, id)) WITHOUT ROWID;"

    "CREATE TABLE potok_witness ("
    " portal TEXT NOT NULL, entity TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " c INTEGER NOT NULL);"
    "CREATE INDEX potok_witness_c ON potok_witness (portal, entity, c);"

    "CREATE TABLE potok_job ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER, portal TEXT NOT NULL, entity TEXT, kind TEXT NOT "
    "NULL,"
    " first INTEGER, last INTEGER, state TEXT NOT NULL CHECK (state IN ('open', 'done', 'aside')),"
    " d INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0, not_before_ms INTEGER NOT NULL DEFAULT "
    "0,"
    " records INTEGER, error TEXT, created_ms INTEGER, done_ms INTEGER);"
    "CREATE INDEX potok_job_run ON potok_job (run, state);"
    "CREATE INDEX potok_job_left ON potok_job (portal, id) WHERE state <> 'done';"

    "CREATE TABLE potok_run ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, portal TEXT NOT NULL, entity TEXT NOT NULL, kind TEXT,"
    " state TEXT NOT NULL CHECK (state IN ('probing', 'open', 'done', 'partial', 'failed')),"
    " started_ms INTEGER, finished_ms INTEGER, expected INTEGER,"
    " read INTEGER NOT NULL DEFAULT 0, written INTEGER NOT NULL DEFAULT 0, same INTEGER NOT NULL DEFAULT 0,"
    " gone INTEGER NOT NULL DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0, requests INTEGER NOT NULL "
    "DEFAULT 0,"
    " error TEXT);"
    "CREATE INDEX potok_run_entity ON potok_run (portal, entity, id);"

    "CREATE TABLE potok_field ("
    " portal TEXT NOT NULL, entity TEXT NOT NULL, name TEXT NOT NULL, type TEXT, multiple INTEGER, col TEXT,"
    " kind TEXT, first_ms INTEGER, last_ms INTEGER, gone_ms INTEGER, PRIMARY KEY (portal, entity, name))"
    " WITHOUT ROWID;"

    "CREATE TABLE potok_reject ("
    " portal TEXT NOT NULL, entity TEXT NOT NULL, id INTEGER NOT NULL, field TEXT NOT NULL, value TEXT, "
    "reason TEXT,"
    " at_ms INTEGER, PRIMARY KEY (portal, entity, id, field));";

const struct migration DB_SQLITE_MIGRATIONS[] = {
    { 1, "the first tables", FIRST_TABLES },
    { 0, NULL, NULL },
};
