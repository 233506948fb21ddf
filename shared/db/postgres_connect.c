/* From an address to a session: the address is libpq's (several hosts, sslmode and the rest after '?', PG*
 * variables,
 * ~/.pgpass), the texts of errors are ours and never hold the password. */
#include "db/postgres.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define CONNECT_MS  10000
#define LOOK_MS     50 /* whether to go on waiting */
#define OPTIONS_MAX 80

/* Statements that run once a session. A stopped writer must not hold its turn for ever: the idle limit ends
 * it. */
/* Who stands still inside a transaction (stopped, a frozen machine) loses it, and its locks, soon: a standby
 * that takes over, and marks of other entities, wait no longer than that. */
static const char SESSION[] =
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET bytea_output = 'hex'; SET extra_float_digits = 1;"
    "SET standard_conforming_strings = on; SET client_min_messages = error;"
    "SET idle_in_transaction_session_timeout = '3s'; SET potok.ids = ''";

/* The ids stand in a setting of the session: no table is written, and nothing is left to be vacuumed. */
static const char IDS_VIEW[] =
    "CREATE TEMP VIEW potok_ids AS SELECT id FROM"
    " unnest(string_to_array(current_setting('potok.ids'), ',')::bigint[]) AS ids (id)";

struct options { /* NULL-terminated, as libpq wants them */
    const char *names[OPTIONS_MAX], *values[OPTIONS_MAX];
    int count;
};

static void add(struct options *o, const char *name, const char *value)
{
    if (o->count == OPTIONS_MAX - 1)
        return;
    o->names[o->count] = name;
    o->values[o->count++] = value;
    o->names[o->count] = o->values[o->count] = NULL;
}

static const char *find(const PQconninfoOption *list, const char *name)
{
    for (; list->keyword != NULL; list++)
        if (strcmp(list->keyword, name) == 0)
            return list->val;
    return NULL;
}

static bool is_port(const char *text)
{
    for (; *text != '\0'; text++)
        if (!isdigit((unsigned char)*text) && *text != ',')
            return false;
    return true;
}

/* A password with a bare '@', '/' or '#' is cut in two by the rules of addresses, and its end would be shown.
 */
static bool is_cut(const PQconninfoOption *list)
{
    const char *host = find(list, "host"), *port = find(list, "port"), *name = find(list, "dbname");

    return (host != NULL && strchr(host, '@') != NULL) || (port != NULL && !is_port(port)) ||
           (name != NULL && strchr(name, '@') != NULL);
}

/* libpq's own words may hold any part of the address. */
static int read_address(struct str where, PQconninfoOption **ret, struct err *err)
{
    char *url = xasprintf("postgresql://" STR_FMT, STR_ARG(where)), *words = NULL;
    PQconninfoOption *list = PQconninfoParse(url, &words);

    free(url);
    PQfreemem(words);
    if (list != NULL && !is_cut(list)) {
        *ret = list;
        return 0;
    }
    PQconninfoFree(list);
    return err_set(err, ERR_CONF,
        "DATABASE_URL is not an address of PostgreSQL: write postgresql://user:password@host:5432/database "
        "(in user and password @ is %%40, / is %%2F, : is %%3A, # is %%23; behind '?' stand libpq's "
        "parameters, "
        "for instance sslmode=require)");
}

static void add_all(struct options *o, const PQconninfoOption *list)
{
    add(o, "fallback_application_name", "potok");
    add(o, "keepalives_idle", "30"); /* what follows later wins: these four are defaults */
    add(o, "keepalives_interval", "10");
    add(o, "keepalives_count", "3");
    add(o, "tcp_user_timeout", "60000");
    for (; list != NULL && list->keyword != NULL; list++)
        if (list->val != NULL)
            add(o, list->keyword, list->val);
    add(o, "client_encoding", "UTF8");
}

static const char *or_default(const char *value, const char *fallback)
{
    return value != NULL && value[0] != '\0' ? value : fallback;
}

static char *shown(PGconn *c)
{
    return xasprintf("postgresql://%s:%s/%s", or_default(PQhost(c), "localhost"),
        or_default(PQport(c), "5432"), or_default(PQdb(c), "?"));
}

struct waiting {
    uint64_t patience_ms;
    const atomic_bool *stop; /* NULL: never */
    bool late, stopped;      /* it was in vain */
};

static bool is_stopped(const struct waiting *w)
{
    return w->stop != NULL && atomic_load(w->stop);
}

static bool wait_socket(
    PGconn *c, PostgresPollingStatusType want, uint64_t deadline_ms, const struct waiting *w)
{
    struct pollfd fd = { .fd = PQsocket(c), .events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT };

    for (uint64_t now; (now = clock_mono_ms()) < deadline_ms && !is_stopped(w);) {
        uint64_t left = deadline_ms - now;

        if (poll(&fd, 1, w->stop != NULL && left > LOOK_MS ? LOOK_MS : (int)left) != 0)
            return true;
    }
    return false;
}

/* 0, or -1 when the time is over or libpq says why. */
static int wait_connected(PGconn *c, struct waiting *w)
{
    uint64_t deadline_ms = clock_mono_ms() + w->patience_ms;
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;

    while (want != PGRES_POLLING_OK && want != PGRES_POLLING_FAILED) {
        if (!wait_socket(c, want, deadline_ms, w)) {
            w->stopped = is_stopped(w);
            w->late = !w->stopped;
            return -1;
        }
        want = PQconnectPoll(c);
    }
    return want == PGRES_POLLING_OK ? 0 : -1;
}

/* "...: FATAL:  28P01: password authentication failed": the state, and the text behind it; both NULL: none.
 */
static const char *find_state(const char *message, char ret_state[6])
{
    for (const char *p = strstr(message, ":  "); p != NULL; p = strstr(p + 1, ":  ")) {
        const char *s = p + 3;
        size_t n = strspn(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (n == 5 && s[5] == ':') {
            memcpy(ret_state, s, 5);
            ret_state[5] = '\0';
            return s + (s[6] == ' ' ? 7 : 6);
        }
    }
    return NULL;
}

static int fail_connecting(struct pg *pg, const struct waiting *w, struct err *err)
{
    const char *message = PQerrorMessage(pg->c), *text;
    char state[6], line[160];

    pg->db.lost = true;
    if (w->stopped)
        return err_set(err, ERR_TEMP, "stopping");
    if (w->late)
        return err_set(err, ERR_TEMP,
            "%s: connecting: no answer within %d s: is the address right, does a firewall "
            "stand between?",
            pg->where, (int)(w->patience_ms / 1000));
    text = find_state(message, state);
    snprintf(line, sizeof(line), "%.*s", (int)strcspn(text != NULL ? text : message, "\r\n"),
        text != NULL ? text : message);
    if (text != NULL)
        return pg_fail_state(pg, state, line, "connecting", err);
    return err_set(err, ERR_TEMP, "%s: connecting: %s: is the server running, and is the address right?",
        pg->where, line);
}

static void silent(void *ctx, const PGresult *result)
{
    (void)ctx;
    (void)result;
}

/* What the address says, unless the caller has less time. */
static uint64_t patience_of(const PQconninfoOption *list, int caller_ms)
{
    const char *given = find(list, "connect_timeout");
    int64_t seconds;
    uint64_t ms = CONNECT_MS;

    if (given != NULL && str_i64(str_of(given), &seconds) && seconds > 0 && seconds <= 3600)
        ms = (uint64_t)seconds * 1000;
    return caller_ms > 0 && (uint64_t)caller_ms < ms ? (uint64_t)caller_ms : ms;
}

static int connect_with(
    struct pg *pg, const PQconninfoOption *list, const struct db_opening *how, struct err *err)
{
    struct waiting w = { .patience_ms = patience_of(list, how->patience_ms), .stop = how->stop };
    struct options o = { .count = 0 };
    int result;

    add_all(&o, list);
    pg->c = PQconnectStartParams(o.names, o.values, 0);
    if (pg->c == NULL)
        return err_set(err, ERR_TEMP, "out of memory");
    pg->where = shown(pg->c);
    pg->user = xstrdup(or_default(PQuser(pg->c), "?"));
    PQsetErrorVerbosity(pg->c, PQERRORS_VERBOSE); /* with its SQLSTATE: words may be in any language */
    PQsetNoticeReceiver(pg->c, silent, NULL);
    result = PQstatus(pg->c) == CONNECTION_BAD ? -1 : wait_connected(pg->c, &w);
    if (result < 0)
        return fail_connecting(pg, &w, err);
    PQsetErrorVerbosity(pg->c, PQERRORS_DEFAULT);
    free(pg->where); /* of several hosts, the one that took us */
    pg->where = shown(pg->c);
    return 0;
}

static bool is_true(const PGresult *r, int column)
{
    return PQgetvalue(r, 0, column)[0] == 't';
}

static int check_rights(struct pg *pg, const PGresult *r, struct err *err)
{
    if (is_true(r, 4) && !pg->db.reading)
        return pg_fail_state(pg, "25006", "it is a standby", "opening", err);
    free(pg->user);
    pg->user = xstrdup(PQgetvalue(r, 0, 3));
    if (PQgetisnull(r, 0, 0))
        return err_set(err, ERR_CONF,
            "%s: user \"%s\" may use no schema: as the owner run: GRANT USAGE, CREATE ON SCHEMA public TO "
            "\"%s\"",
            pg->where, pg->user, pg->user);
    pg->schema = xstrdup(PQgetvalue(r, 0, 0));
    pg->may_create = is_true(r, 1);
    if (!is_true(r, 2) && !pg->db.reading)
        return err_set(err, ERR_CONF,
            "%s: user \"%s\" may make no temporary tables: as the owner run: GRANT TEMPORARY ON DATABASE "
            "\"%s\" TO "
            "\"%s\"",
            pg->where, pg->user, PQdb(pg->c), pg->user);
    return 0;
}

static int look_at_rights(struct pg *pg, struct err *err)
{
    PGresult *r = PQexec(pg->c,
        "SELECT current_schema(), coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),"
        " has_database_privilege(current_database(), 'TEMPORARY'), current_user, pg_is_in_recovery()");
    int result =
        PQresultStatus(r) == PGRES_TUPLES_OK ? check_rights(pg, r, err) : pg_fail(pg, r, "opening", err);

    PQclear(r);
    return result;
}

static int check_server(struct pg *pg, struct err *err)
{
    const char *encoding = PQparameterStatus(pg->c, "server_encoding");

    if (PQserverVersion(pg->c) < 130000)
        return err_set(err, ERR_CONF, "%s: the server is older than PostgreSQL 13: upgrade it", pg->where);
    if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
        return err_set(err, ERR_CONF,
            "%s: the database keeps text in %s, not every character fits: make one with createdb -E UTF8 -T "
            "template0",
            pg->where, encoding != NULL ? encoding : "?");
    return look_at_rights(pg, err);
}

/* Whoever has little time does not stand behind those who change tables either. */
static int be_patient(struct pg *pg, const struct db_opening *how, struct err *err)
{
    char sql[64];

    if (!how->reading || how->patience_ms <= 0)
        return 0;
    snprintf(sql, sizeof(sql), "SET lock_timeout = %d", how->patience_ms);
    return pg_exec(pg, sql, "opening", err);
}

int pg_connect(struct pg *pg, struct str where, const struct db_opening *how, struct err *err)
{
    PQconninfoOption *list = NULL;
    int result;

    if (read_address(where, &list, err) < 0)
        return -1;
    result = connect_with(pg, list, how, err);
    PQconninfoFree(list);
    if (result < 0 || check_server(pg, err) < 0 || pg_exec(pg, SESSION, "opening", err) < 0 ||
        be_patient(pg, how, err) < 0)
        return -1;
    if (pg->db.reading)
        return pg_exec(pg, "SET default_transaction_read_only = on", "opening", err);
    return pg_exec(pg, IDS_VIEW, "opening", err);
}
