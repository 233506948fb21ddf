/* app_option.c - app.option.{get,set} and user.option.{get,set}: what an application keeps on the portal, for
 * all its users or for one (facts section 2.3, the vendor's pages). Kept in the data file. */
#include "call.h"

#include <stdlib.h>

#include "base/mem.h"
#include "json_out.h"
#include "params.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS option (user INTEGER, name TEXT, value TEXT, PRIMARY KEY (user, name))"
    " WITHOUT ROWID";

static enum api_error broken(struct sqlite3 *db)
{
    struct err err;

    err_code(&err, ERR_CONF, sqlite3_errcode(db), "data file: %s", sqlite3_errmsg(db));
    return call_broken(&err);
}

/* By a webhook: 403 as the vendor's tests say, or what his pages say. */
static enum api_error outside(const struct call *c)
{
    if (c->portal->app)
        return API_OK;
    return portal_has(c->portal, QUIRK_OPTION_EXCEPTION) ? API_OPTION_CONTEXT : API_OPTION_DENIED;
}

static sqlite3_stmt *prepare(const struct call *c, const char *sql, int user)
{
    struct sqlite3 *db = c->portal->store.db;
    sqlite3_stmt *st;

    if (sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_int(st, 1, user);
    return st;
}

/* ---- get ---- */

static void out_value(struct call *c, const char *text)
{
    json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);

    json_out_value(c->out, v, portal_has(c->portal, QUIRK_ASCII));
    json_decref(v);
}

static int out_one(struct call *c, sqlite3_stmt *st)
{
    const int code = sqlite3_step(st);

    if (code == SQLITE_ROW)
        out_value(c, (const char *)sqlite3_column_text(st, 1));
    else
        buf_str(c->out, "null");
    return code == SQLITE_ROW ? SQLITE_DONE : code;
}

/* None at all is PHP's empty map. */
static int out_all(struct call *c, sqlite3_stmt *st)
{
    int code, count = 0;

    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        buf_char(c->out, count++ == 0 ? '{' : ',');
        json_out_cstr(c->out, (const char *)sqlite3_column_text(st, 0));
        buf_char(c->out, ':');
        out_value(c, (const char *)sqlite3_column_text(st, 1));
    }
    buf_str(c->out, count > 0 ? "}" : "[]");
    return code;
}

static enum api_error get(struct call *c, int user)
{
    const enum api_error e = outside(c);

    if (e != API_OK)
        return e;
    char *name = call_text(c, "option");
    sqlite3_stmt *st = prepare(c,
        name[0] != '\0' ? "SELECT name, value FROM option WHERE user = ?1 AND name = ?2"
                        : "SELECT name, value FROM option WHERE user = ?1 ORDER BY name",
        user);
    int code = SQLITE_ERROR;
    if (st != NULL && name[0] != '\0') {
        sqlite3_bind_text(st, 2, name, -1, SQLITE_STATIC);
        code = out_one(c, st);
    } else if (st != NULL) {
        code = out_all(c, st);
    }
    sqlite3_finalize(st);
    free(name);
    c->cost_s = COST_CALL_S;
    return code == SQLITE_DONE ? API_OK : broken(c->portal->store.db);
}

/* ---- set ---- */

static int put(sqlite3_stmt *st, const char *name, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    sqlite3_bind_text(st, 2, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, text != NULL ? text : "null", -1, SQLITE_STATIC); /* no UTF-8: nothing is kept */
    const int code = sqlite3_step(st);
    sqlite3_reset(st);
    free(text);
    return code;
}

static enum api_error set(struct call *c, int user)
{
    json_t *given = params_get(c->params, "options"), *value;
    struct params_walk walk = { .of = given };
    const enum api_error e = outside(c);
    const char *name;
    int code = SQLITE_DONE;

    if (e != API_OK)
        return e;
    if (user == 0 && portal_has(c->portal, QUIRK_NO_ADMIN))
        return API_OPTION_ADMIN;
    if (!params_next(&walk, &name, &value))
        return API_OPTIONS_EMPTY;
    sqlite3_stmt *st =
        prepare(c, "INSERT OR REPLACE INTO option (user, name, value) VALUES (?1, ?2, ?3)", user);
    if (st == NULL)
        return broken(c->portal->store.db);
    do
        code = put(st, name, value);
    while (code == SQLITE_DONE && params_next(&walk, &name, &value));
    sqlite3_finalize(st);
    buf_str(c->out, "true");
    c->cost_s = COST_CALL_S;
    return code == SQLITE_DONE ? API_OK : broken(c->portal->store.db);
}

/* ---- the methods: user 0 is everybody, 1 whoever calls ---- */

enum api_error run_app_option_get(struct call *c)
{
    return get(c, 0);
}

enum api_error run_app_option_set(struct call *c)
{
    return set(c, 0);
}

enum api_error run_user_option_get(struct call *c)
{
    return get(c, 1);
}

enum api_error run_user_option_set(struct call *c)
{
    return set(c, 1);
}
