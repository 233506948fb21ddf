/* What the scheduler told of the portals, beside the events. */
#include "spool_private.h"

int spool_keep_known(struct spool *s, struct str hosts, struct str sealed, struct err *err)
{
    sqlite3_stmt *q = spool_statement(s, SPOOL_KEEP_KNOWN);

    sqlite3_bind_text(q, 1, hosts.n > 0 ? hosts.p : "", (int)hosts.n, SQLITE_STATIC);
    sqlite3_bind_blob(q, 2, sealed.n > 0 ? sealed.p : "", (int)sealed.n, SQLITE_STATIC);
    return spool_run(s, SPOOL_KEEP_KNOWN, "keeping what is known of portals", err);
}

static void add_column(struct buf *to, sqlite3_stmt *q, int column)
{
    const void *bytes = sqlite3_column_blob(q, column);

    if (bytes != NULL)
        buf_add(to, bytes, (size_t)sqlite3_column_bytes(q, column));
}

int spool_known(struct spool *s, struct buf *hosts, struct buf *sealed, struct err *err)
{
    sqlite3_stmt *q = NULL;
    int code = sqlite3_prepare_v2(s->db, "SELECT hosts, sealed FROM known", -1, &q, NULL);

    if (code == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_ROW) {
        add_column(hosts, q, 0);
        add_column(sealed, q, 1);
    }
    sqlite3_finalize(q);
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0
                                                     : spool_fail(s, "reading what is known of portals", err);
}
