/* Prepared statements, kept by their text: the sixty-four used last. */
#include "db/postgres.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

/* Of the text and the types: the same text for a column of another kind is another statement. */
static uint64_t hash_of(const char *sql, const Oid *types, int count)
{
    uint64_t h = 14695981039346656037u;

    for (int i = 0; types != NULL && i < count; i++)
        h = (h ^ types[i]) * 1099511628211u;
    for (; *sql != '\0'; sql++)
        h = (h ^ (uint8_t)*sql) * 1099511628211u;
    return h;
}

static struct pg_statement *find(struct pg *pg, const char *sql, uint64_t hash)
{
    for (int i = 0; i < PG_STATEMENTS_KEPT; i++) {
        struct pg_statement *st = &pg->kept[i];
        if (st->sql != NULL && st->hash == hash && strcmp(sql, st->sql) == 0)
            return st;
    }
    return NULL;
}

static void drop(struct pg *pg, struct pg_statement *st)
{
    char sql[40];

    snprintf(sql, sizeof(sql), "DEALLOCATE p%u", st->number);
    PQclear(pg_ask(pg, sql)); /* where it fails the name is simply not used again */
    free(st->sql);
    *st = (struct pg_statement){ 0 };
}

static struct pg_statement *place(struct pg *pg)
{
    struct pg_statement *oldest = &pg->kept[0];

    for (int i = 0; i < PG_STATEMENTS_KEPT; i++) {
        if (pg->kept[i].sql == NULL)
            return &pg->kept[i];
        if (pg->kept[i].used < oldest->used)
            oldest = &pg->kept[i];
    }
    drop(pg, oldest);
    return oldest;
}

/* The greatest $n outside of quotes. */
static int count_arguments(const char *sql)
{
    int most = 0;
    char quote = '\0';

    for (const char *p = sql; *p != '\0'; p++) {
        if (quote != '\0')
            quote = *p == quote ? '\0' : quote;
        else if (*p == '\'' || *p == '"')
            quote = *p;
        else if (*p == '$' && atoi(p + 1) > most)
            most = atoi(p + 1);
    }
    return most;
}

struct pg_statement *pg_take(struct pg *pg, const char *sql, const Oid *types, int count, struct err *err)
{
    uint64_t hash = hash_of(sql, types, count);
    struct pg_statement *st = find(pg, sql, hash);
    char name[24];
    PGresult *result;

    if (st == NULL) {
        int arguments = count_arguments(sql);
        if (arguments > count) {
            err_set(err, ERR_BUG, "no argument for $%d in: %.200s", arguments, sql);
            return NULL;
        }
        st = place(pg);
        snprintf(name, sizeof(name), "p%u", ++pg->numbers);
        result = pg_ask_prepare(pg, name, sql, types != NULL ? count : 0, types);
        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            pg_fail(pg, result, "preparing a statement", err);
            PQclear(result);
            return NULL;
        }
        PQclear(result);
        *st = (struct pg_statement){
            .sql = xstrdup(sql), .hash = hash, .number = pg->numbers, .arguments = arguments
        };
    }
    st->used = ++pg->tick;
    return st;
}

void pg_forget_statements(struct pg *pg)
{
    for (int i = 0; i < PG_STATEMENTS_KEPT; i++) {
        free(pg->kept[i].sql);
        pg->kept[i] = (struct pg_statement){ 0 };
    }
}
