/* Brings the system tables to the version this program knows. */
#include "db/driver.h"

#include "base/clock.h"

#include <inttypes.h>

static int newest(const struct migration *list)
{
    int version = 0;

    for (; list->version != 0; list++)
        version = list->version;
    return version;
}

static int apply_missing(struct db *db, int64_t have, struct err *err)
{
    for (const struct migration *m = db->driver->migrations; m->version != 0; m++) {
        if (m->version <= have)
            continue;
        if (db->driver->script(db, m->sql, err) < 0)
            return err_wrap(err, "migration %d (%s)", m->version, m->name);
        if (db_run(db, "INSERT INTO potok_migration (version, name, applied_ms) VALUES ($1, $2, $3)",
                DB_ARGS(dbv_i(m->version), dbv_c(m->name), dbv_i((int64_t)clock_wall_ms())), NULL, NULL, NULL,
                err) < 0)
            return err_wrap(err, "migration %d (%s)", m->version, m->name);
    }
    return 0;
}

/* Asked first: CREATE TABLE IF NOT EXISTS wants the right to make tables also where there is nothing to make.
 */
static int make_list(struct db *db, struct err *err)
{
    bool found = false;

    if (db_has_table(db, STR("potok_migration"), &found, err) < 0)
        return -1;
    if (found)
        return 0;
    return db->driver->script(
        db, "CREATE TABLE potok_migration (version INTEGER PRIMARY KEY, name TEXT, applied_ms BIGINT)", err);
}

static int newer_database(int64_t have, int known, struct err *err)
{
    return err_set(err, ERR_CONF,
        "the database is of a newer Potok (tables of version %" PRId64 ", this program knows %d): "
        "run the newer program, or give another DATABASE_URL",
        have, known);
}

static int migrate(struct db *db, struct err *err)
{
    int64_t have;

    if (make_list(db, err) < 0)
        return -1;
    if (db_get_i64(db, "SELECT max(version) FROM potok_migration", DB_NOARGS, 0, &have, err) < 0)
        return -1;
    if (have > newest(db->driver->migrations))
        return newer_database(have, newest(db->driver->migrations), err);
    return apply_missing(db, have, err);
}

int db_check_version(struct db *db, struct err *err)
{
    int known = newest(db->driver->migrations);
    bool found = false;
    int64_t have = 0;

    if (db_has_table(db, STR("potok_migration"), &found, err) < 0)
        return -1;
    if (!found)
        return err_set(err, ERR_CONF, "the database holds no tables of Potok: `potok up` makes them");
    if (db_get_i64(db, "SELECT max(version) FROM potok_migration", DB_NOARGS, 0, &have, err) < 0)
        return -1;
    if (have > known)
        return newer_database(have, known, err);
    if (have < known)
        return err_set(err, ERR_CONF,
            "the database is of an older Potok (tables of version %" PRId64 ", this program wants %d): "
            "`potok up` brings it up to date",
            have, known);
    return 0;
}

int db_migrate(struct db *db, struct err *err)
{
    if (db_begin_ddl(db, err) < 0)
        return -1;
    if (migrate(db, err) < 0) {
        db_rollback(db);
        return -1;
    }
    if (db_commit(db, err) < 0)
        return -1;
    return db->driver->check_rights != NULL ? db->driver->check_rights(db, err) : 0;
}
