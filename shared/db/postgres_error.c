/* PostgreSQL's SQLSTATEs, classified once: what to do, and what a person can do about it. */
#include "db/postgres.h"

#include "base/mem.h"

#include <stdio.h>

#define POOLER "prepared statements got lost: a pooler between must keep sessions (pool_mode = session)"

#define ADDED_RULE \
    "a rule that somebody added to the table refuses a row: remove the constraint, index or trigger"

static const struct pg_cure CURES[] = {
    { "40001", ERR_TEMP, false, PG_KEEP, NULL }, /* serialization failure */
    { "40P01", ERR_TEMP, false, PG_KEEP, NULL }, /* deadlock */
    { "40", ERR_TEMP, false, PG_KEEP, NULL },
    { "55P03", ERR_TEMP, false, PG_KEEP,
        "another session holds the table locked: look into pg_stat_activity and end its transaction" },
    { "55", ERR_TEMP, false, PG_KEEP, NULL },
    { "57014", ERR_TEMP, false, PG_KEEP,
        "the statement was cancelled: if it ran into statement_timeout, raise that for this user (ALTER "
        "ROLE)" },
    { "57P04", ERR_CONF, true, PG_KEEP, "the database was dropped: give another DATABASE_URL" },
    { "57", ERR_TEMP, true, PG_KEEP, "the server stops or starts: Potok connects again by itself" },
    { "25P03", ERR_TEMP, true, PG_KEEP, "the transaction stood idle too long" },
    { "25P04", ERR_TEMP, true, PG_KEEP, "the transaction took longer than transaction_timeout" },
    { "25006", ERR_TEMP, true, PG_KEEP,
        "the server is read-only (a standby, or default_transaction_read_only is on): give the address of "
        "the primary, or make it writable: `potok doctor` tells how" },
    { "25", ERR_BUG, false, PG_KEEP, NULL },
    { "53100", ERR_TEMP, false, PG_KEEP,
        "the server's disk is full: free some space; the work goes on by itself then" },
    { "53200", ERR_TEMP, false, PG_KEEP, "the server is out of memory" },
    { "53300", ERR_TEMP, true, PG_KEEP,
        "the server has no connection left: raise max_connections, or lower DATABASE_POOL_SIZE" },
    { "53", ERR_TEMP, false, PG_KEEP, "the server is out of resources" },
    { "54", ERR_LIMIT, false, PG_KEEP, "too big for PostgreSQL: remove unused user fields in the portal" },
    { "42501", ERR_CONF, false, PG_KEEP, "" }, /* the GRANT is written where the names are known */
    { "42P01", ERR_TEMP, false, PG_FORGET_TABLES, "somebody removed the table: it is made again" },
    { "42703", ERR_TEMP, false, PG_FORGET_TABLES, "somebody removed the column: it is made again" },
    { "42P07", ERR_TEMP, false, PG_FORGET_TABLES, NULL }, /* made by another at the same time */
    { "42701", ERR_TEMP, false, PG_FORGET_TABLES, NULL },
    { "42804", ERR_TEMP, false, PG_FORGET_TABLES,
        "a column is of another type than it was: the table is looked at anew" },
    { "42P05", ERR_TEMP, true, PG_KEEP, POOLER },
    { "26000", ERR_TEMP, true, PG_FORGET_STATEMENTS, POOLER },
    { "0A000", ERR_TEMP, false, PG_FORGET_STATEMENTS, NULL }, /* a cached plan after ALTER TABLE */
    { "42", ERR_PERM, false, PG_KEEP, NULL },
    { "28P01", ERR_CONF, true, PG_KEEP,
        "the server refuses the password: correct it in DATABASE_URL (write @ as %40, / as %2F, : as %3A)" },
    { "28", ERR_CONF, true, PG_KEEP,
        "the server does not let this user in: correct the user in DATABASE_URL, or allow it in "
        "pg_hba.conf" },
    { "3D000", ERR_CONF, true, PG_KEEP,
        "there is no such database: make it (createdb -E UTF8), or correct its name in DATABASE_URL" },
    { "3F000", ERR_CONF, false, PG_KEEP, "there is no such schema: make it, or correct search_path" },
    { "08P01", ERR_BUG, false, PG_KEEP, NULL },
    { "08", ERR_TEMP, true, PG_KEEP, "the connection broke" },
    { "22001", ERR_PERM, false, PG_FORGET_TABLES, NULL }, /* of a type that somebody gave the column */
    { "22003", ERR_PERM, false, PG_FORGET_TABLES, NULL },
    { "22P02", ERR_PERM, false, PG_FORGET_TABLES, NULL },
    { "22P03", ERR_PERM, false, PG_FORGET_TABLES, NULL },
    { "22", ERR_PERM, false, PG_KEEP, NULL },
    { "23", ERR_CONF, false, PG_KEEP, ADDED_RULE },
    { "P0001", ERR_CONF, false, PG_KEEP, ADDED_RULE },
    { "58", ERR_TEMP, true, PG_KEEP, "the server's disk failed: look into its log" },
    { "F0", ERR_TEMP, true, PG_KEEP, "the server's configuration file is wrong: look into its log" },
    { "XX001", ERR_CONF, true, PG_KEEP, "the database is damaged: stop Potok and restore a backup" },
    { "XX002", ERR_CONF, true, PG_KEEP, "an index is damaged: REINDEX it" },
    { "XX", ERR_TEMP, false, PG_KEEP, NULL },
};

const struct pg_cure *pg_cures(size_t *ret_count)
{
    *ret_count = ARRAY_SIZE(CURES);
    return CURES;
}

const struct pg_cure *pg_cure_of(const char *state)
{
    const struct pg_cure *of_class = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(CURES); i++) {
        if (strcmp(CURES[i].state, state) == 0)
            return &CURES[i];
        if (strlen(CURES[i].state) == 2 && strncmp(CURES[i].state, state, 2) == 0)
            of_class = &CURES[i];
    }
    return of_class;
}

#define OWNER_OF "must be owner of "

/* "must be owner of view v3": only its owner, or who is a member of that role, may. */
static int fail_owner(const struct pg *pg, const char *text, struct err *err)
{
    static const char *const kinds[][2] = { { "view ", "VIEW" },
        { "materialized view ", "MATERIALIZED VIEW" }, { "table ", "TABLE" }, { "relation ", "TABLE" } };
    const char *user = pg->user != NULL ? pg->user : "?", *what = text + strlen(OWNER_OF);

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t n = strlen(kinds[i][0]);

        if (strncmp(what, kinds[i][0], n) == 0)
            return err_set(err, ERR_CONF, "%s: %s: as its owner run: ALTER %s \"%s\" OWNER TO \"%s\"",
                pg->where, text, kinds[i][1], what + n, user);
    }
    return err_set(err, ERR_CONF, "%s: %s: as its owner make \"%s\" the owner", pg->where, text, user);
}

/* The rights of tables that another role made are not ours even in a schema where we may make some. */
static int fail_rights(const struct pg *pg, const char *text, struct err *err)
{
    const char *user = pg->user != NULL ? pg->user : "?",
               *schema = pg->schema != NULL ? pg->schema : "public";

    if (!pg->may_create)
        return err_set(err, ERR_CONF,
            "%s: %s: as the owner run: GRANT USAGE, CREATE ON SCHEMA \"%s\" TO \"%s\"; GRANT SELECT, INSERT, "
            "UPDATE, "
            "DELETE ON ALL TABLES IN SCHEMA \"%s\" TO \"%s\"",
            pg->where, text, schema, user, schema, user);
    return err_set(err, ERR_CONF,
        "%s: %s: another user made the table; as that user run: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL "
        "TABLES IN "
        "SCHEMA \"%s\" TO \"%s\" (new columns: ALTER TABLE ... OWNER TO \"%s\")",
        pg->where, text, schema, user, user);
}

int pg_fail_state(struct pg *pg, const char *state, const char *text, const char *doing, struct err *err)
{
    const struct pg_cure *cure = pg_cure_of(state);

    if (cure == NULL)
        return err_set(err, ERR_PERM, "%s: %s: %.120s (%s)", pg->where, err_tr(doing), text, state);
    pg->db.lost = pg->db.lost || cure->lost;
    if (cure->forget == PG_FORGET_TABLES)
        db_forget_tables(&pg->db);
    if (cure->forget == PG_FORGET_STATEMENTS)
        pg_forget_statements(pg);
    if (strcmp(state, "42501") == 0 && strncmp(text, OWNER_OF, strlen(OWNER_OF)) == 0)
        return fail_owner(pg, text, err);
    if (strcmp(state, "42501") == 0)
        return fail_rights(pg, text, err);
    if (cure->cure == NULL)
        return err_set(err, cure->kind, "%s: %s: %.120s (%s)", pg->where, err_tr(doing), text, state);
    return err_set(err, cure->kind, "%s: %s: %s (%.100s, %s)", pg->where, err_tr(doing), err_tr(cure->cure),
        text, state);
}

static const char *field_of(const PGresult *result, int field)
{
    const char *text = PQresultErrorField(result, field);

    return text != NULL ? text : "";
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Rules of the system tables are ours: nobody added them. Of others the SQL that takes the rule away. */
static int fail_rule(const struct pg *pg, const PGresult *result, const char *text, struct err *err)
{
    const char *table = field_of(result, PG_DIAG_TABLE_NAME), *column = field_of(result, PG_DIAG_COLUMN_NAME),
               *rule = field_of(result, PG_DIAG_CONSTRAINT_NAME), *state = field_of(result, PG_DIAG_SQLSTATE);

    if (strncmp(table, "potok_", 6) == 0)
        return err_set(err, ERR_BUG, "%s: %.120s (%s)", pg->where, text, state);
    if (ends_with(rule, "_pkey")) /* somebody put a row there since we looked */
        return err_set(err, ERR_TEMP, "%s: table %s: %.120s (%s)", pg->where, table, text, state);
    if (strcmp(state, "23502") == 0)
        return err_set(err, ERR_CONF,
            "%s: table %s: somebody added a rule that refuses a row: run ALTER TABLE \"%s\" ALTER COLUMN "
            "\"%s\" "
            "DROP NOT NULL (%s)",
            pg->where, table, table, column, state);
    return err_set(err, ERR_CONF,
        "%s: table %s: somebody added a rule that refuses a row: run ALTER TABLE \"%s\" DROP CONSTRAINT "
        "\"%s\", "
        "or DROP INDEX \"%s\" (%s)",
        pg->where, table, table, rule, rule, state);
}

/* The first line, without the white space that ends it. */
static void first_line(const char *text, char ret[200])
{
    size_t n = strcspn(text, "\r\n");

    snprintf(ret, 200, "%.*s", (int)(n < 199 ? n : 199), text);
}

static int fail_waiting(struct pg *pg, const char *doing, struct err *err)
{
    pg->db.lost = true;
    if (pg->given_up == PG_STOPPED)
        return err_set(err, ERR_TEMP, "stopping");
    return err_set(err, ERR_TEMP, "%s: %s: no answer within %d s: does the server stand still?", pg->where,
        err_tr(doing), (pg->patience_ms + 999) / 1000);
}

int pg_fail(struct pg *pg, const PGresult *result, const char *doing, struct err *err)
{
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    char line[200];

    if (pg->given_up != PG_WAITS)
        return fail_waiting(pg, doing, err);
    pg->db.lost = pg->db.lost || PQstatus(pg->c) == CONNECTION_BAD;
    first_line(text != NULL ? text : PQerrorMessage(pg->c), line);
    if (state != NULL && strncmp(state, "23", 2) == 0 && field_of(result, PG_DIAG_TABLE_NAME)[0] != '\0')
        return fail_rule(pg, result, line, err);
    if (state != NULL)
        return pg_fail_state(pg, state, line, doing, err);
    if (pg->db.lost)
        return err_set(err, ERR_TEMP, "%s: %s: the connection broke: %s", pg->where, err_tr(doing), line);
    return err_set(err, ERR_TEMP, "%s: %s: %s", pg->where, err_tr(doing), line);
}
