#include "support/database.h"

#include "support/check.h"

#include <ctype.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

static char url[400];

bool check_is_postgres(void)
{
    const char *engine = getenv("TEST_ENGINE");

    return engine != NULL && strcmp(engine, "postgresql") == 0;
}

/* "values.db" is the schema "values_db". */
static void schema_name(const char *name, char ret[64])
{
    snprintf(ret, 64, "t_%s", name);
    for (char *p = ret; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p))
            *p = '_';
}

void check_psql(const char *name, const char *sql)
{
    char schema[64], first[256];
    PGconn *c = PQconnectdb(getenv("TEST_POSTGRES_URL"));
    PGresult *result;

    schema_name(name, schema);
    snprintf(first, sizeof(first),
        "SET client_min_messages = error; CREATE SCHEMA IF NOT EXISTS %s; SET search_path = %s", schema,
        schema);
    PQclear(PQexec(c, first));
    result = PQexec(c, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
        print_error("%s: %s\n", sql, PQerrorMessage(c));
        fail();
    }
    PQclear(result);
    PQfinish(c);
}

const char *check_server(const char *user, const char *database, const char *query)
{
    const char *base = getenv("TEST_POSTGRES_URL"), *host = strchr(base, '@') + 1;

    snprintf(
        url, sizeof(url), "postgresql://%s@%.*s/%s%s", user, (int)strcspn(host, "/"), host, database, query);
    return url;
}

const char *check_database(const char *name)
{
    char schema[64], query[160];

    if (!check_is_postgres()) {
        snprintf(url, sizeof(url), "sqlite:///%s/%s", check_folder(), name);
        return url;
    }
    schema_name(name, schema);
    check_psql(name, "SELECT 1");
    snprintf(query, sizeof(query), "?options=-csearch_path%%3D%s", schema);
    return check_server("postgres", "postgres", query);
}
