/* SQLite's codes, classified once: what to do, and what a person can do about it. */
#include "db/sqlite.h"

#include "base/mem.h"

static const struct cure {
    int code;
    enum err_kind kind;
    bool lost; /* the connection is of no use any more */
    const char *cure;
} CURES[] = {
    { SQLITE_NOTADB, ERR_CONF, true,
        "the file is not an SQLite database: give another path in DATABASE_URL, or move the file away" },
    { SQLITE_CORRUPT, ERR_CONF, true,
        "the database file is damaged: stop Potok and restore a backup, or save what is left with "
        "`sqlite3 FILE .recover`" },
    { SQLITE_READONLY_DBMOVED, ERR_TEMP, true, "the file was moved or removed while it was open" },
    { SQLITE_READONLY, ERR_CONF, true,
        "the database cannot be written: make the file and its folder writable for this user" },
    { SQLITE_PERM, ERR_CONF, true, "no right to use the file: make it writable for this user" },
    { SQLITE_AUTH, ERR_CONF, true, "not allowed" },
    { SQLITE_CANTOPEN, ERR_CONF, true,
        "the file cannot be opened: check the path in DATABASE_URL and the rights of the folder" },
    { SQLITE_BUSY, ERR_TEMP, false,
        "another program holds the database locked: close it (a database browser, an sqlite3 shell, a copy "
        "under way)" },
    { SQLITE_LOCKED, ERR_TEMP, false, "a table is locked by another statement" },
    { SQLITE_FULL, ERR_TEMP, false, "the disk is full: free some space; the work goes on by itself then" },
    { SQLITE_IOERR, ERR_TEMP, true,
        "the disk or its file system failed: look into the system's log (dmesg)" },
    { SQLITE_PROTOCOL, ERR_TEMP, true,
        "the locks of the file do not work: an SQLite database must be on a local disk" },
    { SQLITE_NOMEM, ERR_TEMP, true, "out of memory" },
    { SQLITE_INTERRUPT, ERR_TEMP, false, "interrupted" },
    { SQLITE_SCHEMA, ERR_TEMP, false, "the tables changed meanwhile" },
    { SQLITE_TOOBIG, ERR_LIMIT, false, "a value is too big for SQLite" },
    { SQLITE_CONSTRAINT, ERR_CONF, false,
        "a constraint, index or trigger that somebody added to the table refuses a row: remove it" },
    { SQLITE_MISMATCH, ERR_PERM, false, NULL },
    { SQLITE_RANGE, ERR_BUG, false, NULL },
    { SQLITE_MISUSE, ERR_BUG, false, NULL },
};

static const struct cure *find(int code)
{
    for (size_t i = 0; i < ARRAY_SIZE(CURES); i++)
        if (CURES[i].code == code)
            return &CURES[i];
    return NULL;
}

/* A table or column that a statement names is not there: somebody removed it behind our back. Made again by
 * the next db_ensure_table() when it is a mirror's. */
static bool is_missing(const char *text)
{
    return strncmp(text, "no such table", 13) == 0 || strncmp(text, "no such column", 14) == 0 ||
           strstr(text, "has no column named") != NULL;
}

/* What the connection says of its last call, unless the failure was not its: then it would say "not an
 * error". */
static const char *words_of(const struct sqlite *s, int code)
{
    return s->h != NULL && (sqlite3_errcode(s->h) & 0xff) == (code & 0xff) ? sqlite3_errmsg(s->h)
                                                                           : sqlite3_errstr(code);
}

/* Their rules are ours: nobody added them. */
static bool is_of_system_table(int code, const char *text)
{
    return (code & 0xff) == SQLITE_CONSTRAINT && strstr(text, "potok_") != NULL;
}

int sqlite_fail(struct sqlite *s, int code, const char *doing, struct err *err)
{
    const char *text = words_of(s, code);
    const struct cure *cure = find(code);
    enum err_kind kind = ERR_PERM;

    if (cure == NULL)
        cure = find(code & 0xff);
    if (cure != NULL) {
        kind = cure->kind;
        s->db.lost = s->db.lost || cure->lost;
        if (is_of_system_table(code, text))
            kind = ERR_BUG;
        else if (cure->cure != NULL)
            return err_code(
                err, kind, code, "%s: %s: %s (%s)", s->path, err_tr(doing), err_tr(cure->cure), text);
    } else if (is_missing(text)) {
        db_forget_tables(&s->db);
        kind = ERR_TEMP;
    }
    return err_code(err, kind, code, "%s: %s: %s", s->path, err_tr(doing), text);
}
