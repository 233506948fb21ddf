#include "reading.h"

#include "home.h"

#include <stdio.h>
#include <unistd.h>

void reading_init(struct reading *r, const struct home *home)
{
    *r = (struct reading){ .home = home };
}

static int open_once(struct reading *r)
{
    const struct db_opening how = { .reading = true, .patience_ms = READING_PATIENCE_MS };

    if (r->db != NULL || r->none)
        return 0;
    if (r->home->database_file != NULL && access(r->home->database_file, F_OK) < 0) {
        r->none = true;
        return 0;
    }
    return db_open_as(&r->db, r->home->database_url, &how, &r->err);
}

int reading_run(struct reading *r, const char *sql, const struct db_val *args, int arg_count,
    db_on_row *on_row, void *ctx)
{
    if (r->err.kind != ERR_NONE || open_once(r) < 0)
        return -1;
    return r->none ? 0 : db_run(r->db, sql, args, arg_count, on_row, ctx, NULL, &r->err);
}

void reading_tell(struct reading *r)
{
    if (r->err.kind != ERR_NONE && !r->told)
        fprintf(stderr, "potok: %s\n", r->err.text);
    r->told = true;
}

void reading_fini(struct reading *r)
{
    db_close(&r->db);
}
