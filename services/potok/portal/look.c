#include "cmd.h"

#include "ask/control.h"
#include "ask/snapshot.h"
#include "base/mem.h"
#include "db/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSAL_ASK_MS 1000

static int on_lease(void *ctx, const struct db_val *row, int columns)
{
    struct portal_look *x = ctx;

    dbv_copy(x->host, sizeof(x->host), row[0]);
    dbv_copy(x->member, sizeof(x->member), row[1]);
    return 1;
}

static int on_token(void *ctx, const struct db_val *row, int columns)
{
    struct portal_look *x = ctx;

    x->number = row[0].i;
    x->sealed = row[1].i > 0;
    dbv_copy(x->scope, sizeof(x->scope), row[2]);
    dbv_copy(x->status, sizeof(x->status), row[3]);
    x->expires_ms = row[4].type == DB_INT ? row[4].i : 0;
    x->at_ms = row[5].i;
    dbv_copy(x->error, sizeof(x->error), row[6]);
    return 1;
}

int portal_look(const struct home *h, const char *portal, struct portal_look *ret, struct err *err)
{
    struct portal_look x = { .number = 0 };
    struct db *db = NULL;
    int result;

    if (db_open_read(&db, h->database_url, err) < 0)
        return -1;
    result = db_run(db, "SELECT host, member FROM potok_lease WHERE portal = $1", DB_ARGS(dbv_c(portal)),
        on_lease, &x, NULL, err);
    if (result == 0)
        result = db_run(db,
            "SELECT number, length(sealed), scope, status, expires_ms, at_ms, error FROM potok_token WHERE "
            "portal = $1",
            DB_ARGS(dbv_c(portal)), on_token, &x, NULL, err);
    db_close(&db);
    if (result == 0)
        *ret = x;
    return result;
}

bool portal_refusal(const struct home *h, const char *portal, struct portal_refusal *ret)
{
    struct snapshot *s;
    struct err err;
    char *body;
    bool found = false;

    if (control_call_within(h->run_dir, h->bus_scheduler, "status", "", REFUSAL_ASK_MS, &body, &err) < 0)
        return false;
    s = xcalloc(1, sizeof(*s));
    if (snapshot_read(s, str_of(body), &err) == 0)
        for (int i = 0; i < s->portal_count; i++) {
            const struct portal_view *p = &s->portals[i];

            if (strcmp(p->name, portal) != 0 || p->access_error[0] == '\0')
                continue;
            ret->number = p->access_failed;
            snprintf(ret->error, sizeof(ret->error), "%s", p->access_error);
            found = true;
        }
    free(s);
    free(body);
    return found;
}
