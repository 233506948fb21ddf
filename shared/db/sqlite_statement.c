/* Prepared statements, kept by their text: the sixty-four used last. One that is in use (a callback that runs
 * the same text) is prepared a second time. */
#include "db/sqlite.h"

static uint64_t hash_of(struct str sql)
{
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < sql.n; i++)
        h = (h ^ (uint8_t)sql.p[i]) * 1099511628211u;
    return h;
}

static struct statement *find(struct sqlite *s, struct str sql, uint64_t hash)
{
    for (int i = 0; i < STATEMENTS_KEPT; i++) {
        struct statement *st = &s->kept[i];
        if (st->stmt != NULL && st->hash == hash && str_is(sql, sqlite3_sql(st->stmt)))
            return st;
    }
    return NULL;
}

/* An empty place, else the one used longest ago; NULL when all are in use. */
static struct statement *place(struct sqlite *s)
{
    struct statement *oldest = NULL;

    for (int i = 0; i < STATEMENTS_KEPT; i++) {
        struct statement *st = &s->kept[i];
        if (st->stmt == NULL)
            return st;
        if (!st->busy && (oldest == NULL || st->used < oldest->used))
            oldest = st;
    }
    if (oldest != NULL) {
        sqlite3_finalize(oldest->stmt);
        *oldest = (struct statement){ 0 };
    }
    return oldest;
}

struct statement *sqlite_take(struct sqlite *s, struct str sql, struct statement *loose, struct err *err)
{
    uint64_t hash = hash_of(sql);
    struct statement *st = find(s, sql, hash);
    const char *tail = NULL;

    if (st == NULL || st->busy) {
        st = st == NULL ? place(s) : NULL;
        if (st == NULL) {
            st = loose;
            *st = (struct statement){ .loose = true };
        }
        int code = sqlite3_prepare_v3(
            s->h, sql.p, (int)sql.n, st->loose ? 0 : SQLITE_PREPARE_PERSISTENT, &st->stmt, &tail);
        if (code != SQLITE_OK) {
            sqlite_fail(s, code, "preparing a statement", err);
            return NULL;
        }
        if (st->stmt == NULL) {
            err_set(err, ERR_BUG, "an empty SQL statement");
            return NULL;
        }
        st->hash = hash;
    }
    st->used = ++s->tick;
    st->busy = true;
    return st;
}

void sqlite_give(struct sqlite *s, struct statement *st)
{
    (void)s;
    sqlite3_reset(st->stmt);
    sqlite3_clear_bindings(st->stmt);
    st->busy = false;
    if (st->loose)
        sqlite3_finalize(st->stmt);
}

void sqlite_forget_statements(struct sqlite *s)
{
    for (int i = 0; i < STATEMENTS_KEPT; i++) {
        sqlite3_finalize(s->kept[i].stmt);
        s->kept[i] = (struct statement){ 0 };
    }
}
