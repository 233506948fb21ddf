/* database.h - a database of the test's own, in the engine the test runs on: an SQLite file in check_folder(), or, with
 * TEST_ENGINE=postgresql, a schema of the server that support/postgres.py started. */
#pragma once

#include <stdbool.h>

bool check_is_postgres(void);
/* The address of the database of this name, made when it is new; valid until the next call. */
const char *check_database(const char *name);
/* Runs statements as the server's superuser, in the schema of that name. PostgreSQL only. */
void check_psql(const char *name, const char *sql);
/* The server's address with another user, password, database or what stands behind '?'. Valid until the next call. */
const char *check_server(const char *user, const char *database, const char *query);

/* A story that only one engine can tell. */
#define ONLY_SQLITE() \
    do { \
        if (check_is_postgres()) \
            skip(); \
    } while (0)
