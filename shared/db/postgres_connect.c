/* From an address to a session: the address is libpq's (several hosts, sslmode and the rest after '?', PG*
 * variables,
 * ~/.pgpass), the texts of errors are ours and never hold the password. */
#include "db/postgres.h"
#include "db/postgres_hosts.h"

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
    const char *host = pg_option(list, "host"), *port = pg_option(list, "port"),
               *name = pg_option(list, "dbname");

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

static char *shown(PGconn *c)
{
    return xasprintf("postgresql://%s:%s/%s", pg_or(PQhost(c), "localhost"), pg_or(PQport(c), "5432"),
        pg_or(PQdb(c), "?"));
}

/* ---- waiting ---- */

struct waiting {
    uint64_t host_ms;        /* for each host */
    uint64_t waited_ms;      /* for all of them */
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

        if (poll(&fd, 1, w->stop != NULL && left > LOOK_MS ? LOOK_MS : (int)left) > 0)
            return true;
    }
    return false;
}

/* Who has little time gives each host its part of it. */
static uint64_t deadline_of(const struct pg *pg, const struct pg_hosts *h, const struct waiting *w)
{
    uint64_t ms = w->host_ms, part_ms = pg->left_ms / (uint64_t)(h->count - h->now);

    if (pg->patience_ms > 0 && part_ms < ms)
        ms = part_ms;
    return clock_mono_ms() + ms;
}

/* 0, or -1 when the time of this host is over or libpq says why. */
static int wait_connected(struct pg *pg, struct pg_hosts *h, struct waiting *w)
{
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    uint64_t deadline_ms = 0;

    w->late = false;
    while (want != PGRES_POLLING_OK && want != PGRES_POLLING_FAILED) {
        if (pg_hosts_moved(h, pg->c))
            deadline_ms = deadline_of(pg, h, w);
        uint64_t began_ms = clock_mono_ms();
        bool came = wait_socket(pg->c, want, deadline_ms, w);
        w->waited_ms += clock_mono_ms() - began_ms;
        pg_spend(pg, clock_mono_ms() - began_ms);
        if (!came) {
            w->stopped = is_stopped(w);
            w->late = !w->stopped;
            return -1;
        }
        want = PQconnectPoll(pg->c);
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
            pg->where, (int)((w->waited_ms + 500) / 1000));
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

/* As libpq has it: for each host, and two seconds at least. */
static uint64_t host_ms_of(const PQconninfoOption *used)
{
    const char *given = used != NULL ? pg_option(used, "connect_timeout") : NULL;
    int64_t seconds;

    if (given == NULL || !str_i64(str_of(given), &seconds) || seconds <= 0 || seconds > 3600)
        return CONNECT_MS;
    return (uint64_t)(seconds < 2 ? 2 : seconds) * 1000;
}

static int start(struct pg *pg, const PQconninfoOption *list, const struct pg_hosts *before, struct err *err)
{
    struct options o = { .count = 0 };

    add_all(&o, list);
    if (before != NULL && before->names != NULL)
        add(&o, "host", pg_items_from(before->names, before->now + 1));
    if (before != NULL && before->addresses != NULL)
        add(&o, "hostaddr", pg_items_from(before->addresses, before->now + 1));
    if (before != NULL && before->ports != NULL)
        add(&o, "port", pg_items_from(before->ports, before->now + 1));
    PQfinish(pg->c);
    pg->c = PQconnectStartParams(o.names, o.values, 0);
    if (pg->c == NULL)
        return err_set(err, ERR_TEMP, "out of memory");
    PQsetErrorVerbosity(pg->c, PQERRORS_VERBOSE); /* with its SQLSTATE: words may be in any language */
    PQsetNoticeReceiver(pg->c, silent, NULL);
    return 0;
}

/* libpq's own clock, which would go on to the next host, ticks only where one waits for nothing else: so
 * whoever was too late for one host begins anew with those behind it. */
static int try_hosts(struct pg *pg, const PQconninfoOption *list, struct waiting *w, struct err *err)
{
    struct pg_hosts h = { .used = NULL }, before;
    int result = start(pg, list, NULL, err);

    for (bool more = result == 0; more;) {
        before = h;
        pg_hosts_read(&h, pg->c);
        PQconninfoFree(before.used);
        w->host_ms = host_ms_of(h.used);
        result = PQstatus(pg->c) == CONNECTION_BAD ? -1 : wait_connected(pg, &h, w);
        more = result < 0 && w->late && h.now < h.count - 1 && start(pg, list, &h, err) == 0;
    }
    PQconninfoFree(h.used);
    return result;
}

static int connect_with(
    struct pg *pg, const PQconninfoOption *list, const struct db_opening *how, struct err *err)
{
    struct waiting w = { .stop = how->stop };
    int result;

    pg->patience_ms = how->patience_ms;
    pg->left_ms = (uint64_t)(how->patience_ms > 0 ? how->patience_ms : 0);
    pg->stop = how->stop;
    result = try_hosts(pg, list, &w, err);
    if (pg->c == NULL)
        return -1;
    pg->where = shown(pg->c); /* of several hosts, the one that took us */
    pg->user = xstrdup(pg_or(PQuser(pg->c), "?"));
    if (result < 0)
        return fail_connecting(pg, &w, err);
    PQsetErrorVerbosity(pg->c, PQERRORS_DEFAULT);
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
    PGresult *r = pg_ask(pg,
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

/* Whoever has little time does not stand behind those who change tables either; the server says so before the
 * time is over, and stands there no longer itself. */
static int be_patient(struct pg *pg, const struct db_opening *how, struct err *err)
{
    char sql[64];

    if (!how->reading || how->patience_ms <= 0)
        return 0;
    snprintf(sql, sizeof(sql), "SET lock_timeout = %d", how->patience_ms - how->patience_ms / 4);
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
