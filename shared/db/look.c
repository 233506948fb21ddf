#include "db/look.h"

#include "db/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void put(char *ret, size_t size, struct db_val v)
{
    if (v.type == DB_TEXT)
        snprintf(ret, size, STR_FMT, STR_ARG(v.s));
    else if (v.type == DB_INT)
        snprintf(ret, size, "%lld", (long long)v.i);
    else
        ret[0] = '\0';
}

/* ---- what every engine has ---- */

static int on_lease(void *ctx, const struct db_val *row, int columns)
{
    struct db_look *look = ctx;

    (void)columns;
    if (look->lease_count == DB_LOOK_PORTALS_MAX)
        return 1;
    struct db_lease *lease = &look->leases[look->lease_count++];
    put(lease->portal, sizeof(lease->portal), row[0]);
    put(lease->identity, sizeof(lease->identity), row[1]);
    return 0;
}

static int look_tables(struct db *db, struct db_look *look, struct err *err)
{
    bool found = false;

    for (const struct migration *m = db->driver->migrations; m->version != 0; m++)
        look->tables_known = m->version;
    if (db_has_table(db, STR("potok_migration"), &found, err) < 0)
        return -1;
    if (!found)
        return 0;
    if (db_get_i64(db, "SELECT max(version) FROM potok_migration", DB_NOARGS, 0, &look->tables, err) < 0)
        return -1;
    if (look->tables < 2) /* whose copy it is stands there since the second */
        return 0;
    return db_run(
        db, "SELECT portal, identity FROM potok_lease ORDER BY portal", DB_NOARGS, on_lease, look, NULL, err);
}

/* ---- SQLite ---- */

/* Byte 18 of the file says how it is written: asking by PRAGMA counts as writing. */
static bool is_wal(const char *path)
{
    unsigned char head[19] = { 0 };
    FILE *f = fopen(path, "rbe");

    if (f == NULL)
        return false;
    bool read = fread(head, 1, sizeof(head), f) == sizeof(head);
    fclose(f);
    return read && head[18] == 2;
}

static int on_check(void *ctx, const struct db_val *row, int columns)
{
    struct db_look *look = ctx;

    (void)columns;
    put(look->damage, sizeof(look->damage), row[0]);
    return 1;
}

static int on_version(void *ctx, const struct db_val *row, int columns)
{
    struct db_look *look = ctx;

    (void)columns;
    put(look->version, sizeof(look->version), row[0]);
    return 1;
}

static int look_sqlite(struct db *db, struct db_look *look, const char *path, bool deep, struct err *err)
{
    look->wal = is_wal(path);
    if (db_run(db, "SELECT sqlite_version()", DB_NOARGS, on_version, look, NULL, err) < 0 ||
        db_get_i64(db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", DB_NOARGS, 0,
            &look->bytes, err) < 0)
        return -1;
    if (!deep)
        return 0;
    if (db_run(db, "SELECT * FROM pragma_quick_check(1)", DB_NOARGS, on_check, look, NULL, err) < 0)
        return -1;
    if (strcmp(look->damage, "ok") == 0)
        look->damage[0] = '\0';
    return 0;
}

/* ---- PostgreSQL ---- */

static int on_server(void *ctx, const struct db_val *row, int columns)
{
    struct db_look *look = ctx;
    bool *const flags[] = { &look->may_create, &look->may_temporary, &look->standby, &look->read_only };

    (void)columns;
    put(look->version, sizeof(look->version), row[0]);
    put(look->user, sizeof(look->user), row[1]);
    put(look->schema, sizeof(look->schema), row[2]);
    put(look->name, sizeof(look->name), row[3]);
    look->bytes = row[4].type == DB_INT ? row[4].i : 0;
    for (int i = 0; i < 4; i++)
        *flags[i] = row[5 + i].type == DB_INT && row[5 + i].i != 0;
    return 1;
}

/* The session itself was made read-only: what the server would give others is its role's or database's
 * setting. */
static int look_postgres(struct db *db, struct db_look *look, struct err *err)
{
    struct err why = { 0 };

    if (db_run(db,
            "SELECT current_setting('server_version'), current_user::text, current_schema()::text,"
            " current_database()::text, pg_database_size(current_database()),"
            " coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)::int,"
            " has_database_privilege(current_database(), 'TEMPORARY')::int, pg_is_in_recovery()::int,"
            " (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only')::int",
            DB_NOARGS, on_server, look, NULL, err) < 0)
        return -1;
    if (db->driver->check_rights != NULL && db->driver->check_rights(db, &why) < 0)
        snprintf(look->denied, sizeof(look->denied), "%s", why.text);
    return 0;
}

/* ---- */

static int look_at(struct db *db, struct db_look *look, const char *path, bool deep, struct err *err)
{
    look->there = true;
    snprintf(look->engine, sizeof(look->engine), "%s", db_engine(db));
    if ((path != NULL ? look_sqlite(db, look, path, deep, err) : look_postgres(db, look, err)) < 0)
        return -1;
    return look_tables(db, look, err);
}

int db_look(struct db_look *ret, const char *url, bool deep, struct err *err)
{
    struct db *db = NULL;
    char *path = NULL;
    int result = db_file(url, &path, err);

    *ret = (struct db_look){ .engine = "sqlite" };
    if (result == 0 && (path == NULL || access(path, F_OK) == 0)) {
        result = db_open_any(&db, url, err);
        if (result == 0)
            result = look_at(db, ret, path, deep, err);
        db_close(&db);
    }
    free(path);
    return result;
}
