#include "db/identity.h"

#include <stdio.h>

struct found {
    bool any;
    char portal[40], host[80];
};

static void copy(char *to, size_t size, struct db_val v)
{
    snprintf(to, size, STR_FMT, v.type == DB_TEXT ? (int)v.s.n : 0, v.type == DB_TEXT ? v.s.p : "");
}

static int on_found(void *ctx, const struct db_val *row, int columns)
{
    struct found *f = ctx;

    (void)columns;
    f->any = true;
    copy(f->portal, sizeof(f->portal), row[0]);
    copy(f->host, sizeof(f->host), row[1]);
    return 1;
}

static int check_host(struct db *db, const struct db_identity *who, struct err *err)
{
    struct found f = { .any = false };

    if (db_run(db,
            "SELECT portal, identity FROM potok_lease WHERE portal = $1 AND identity <> $2 AND "
            "coalesce(host, '') <> $2",
            DB_ARGS(dbv_s(who->portal), dbv_s(who->host)), on_found, &f, NULL, err) < 0)
        return -1;
    if (!f.any)
        return 0;
    return err_set(err, ERR_CONF,
        "portal %s: its tables are a copy of %s, and the address is of " STR_FMT
        "; nothing was changed. The same "
        "portal, moved: `potok config moved %s`. Another one: another DATABASE_URL, or another name and "
        "prefix",
        f.portal, f.host, (int)(who->host.n < 79 ? who->host.n : 79), who->host.p, f.portal);
}

/* Two names for one table: each would mark the other's records as deleted, and their counters differ. */
static int check_table(struct db *db, const struct db_identity *who, struct str table, struct err *err)
{
    struct found f = { .any = false };

    if (db_run(db,
            "SELECT e.portal, l.identity FROM potok_entity e LEFT JOIN potok_lease l ON l.portal = e.portal "
            "WHERE e.tbl = $1 AND e.portal <> $2",
            DB_ARGS(dbv_s(table), dbv_s(who->portal)), on_found, &f, NULL, err) < 0)
        return -1;
    if (!f.any)
        return 0;
    return err_set(err, ERR_CONF,
        "table " STR_FMT " is the copy of portal %s%s%s%s, portal " STR_FMT
        " must not write to it; nothing was "
        "changed. Give it another prefix in potok.yaml, or its name %s back",
        STR_ARG(table), f.portal, f.host[0] != '\0' ? " (" : "", f.host, f.host[0] != '\0' ? ")" : "",
        STR_ARG(who->portal), f.portal);
}

int db_identity_check(struct db *db, const struct db_identity *who, struct err *err)
{
    if (check_host(db, who, err) < 0)
        return -1;
    for (int i = 0; i < who->count; i++)
        if (check_table(db, who, who->tables[i], err) < 0)
            return -1;
    return 0;
}
