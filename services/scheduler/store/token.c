#include "token.h"

#include <stdio.h>

static int on_lease(void *ctx, const struct db_val *row, int columns)
{
    struct store_access *x = ctx;

    dbv_copy(x->host, sizeof(x->host), row[0]);
    dbv_copy(x->member, sizeof(x->member), row[1]);
    return 1;
}

static int on_token(void *ctx, const struct db_val *row, int columns)
{
    struct store_access *x = ctx;

    x->number = (uint64_t)row[0].i;
    if (row[1].type == DB_BLOB)
        buf_add(&x->sealed, row[1].s.p, row[1].s.n);
    dbv_copy(x->error, sizeof(x->error), row[2]);
    x->at_ms = (uint64_t)row[3].i;
    return 1;
}

int store_access(struct db *db, struct store_access *x, struct err *err)
{
    buf_init(&x->sealed, 1 << 16);
    if (db_run(db, "SELECT host, member FROM potok_lease WHERE portal = $1", DB_ARGS(dbv_s(x->portal)),
            on_lease, x, NULL, err) < 0)
        return -1;
    return db_run(db, "SELECT number, sealed, error, at_ms FROM potok_token WHERE portal = $1",
        DB_ARGS(dbv_s(x->portal)), on_token, x, NULL, err);
}

void store_access_fini(struct store_access *x)
{
    buf_fini(&x->sealed);
}

/* ---- a new pair ---- */

static struct db_val text_or_null(struct str s)
{
    return s.n > 0 ? dbv_s(s) : DBV_NULL;
}

/* Who the portal is, whatever it is called: learnt once. */
static int check_member(struct db *db, const struct store_pair *x, struct err *err)
{
    struct store_access known = { .host = "" };

    if (x->member.n == 0)
        return 0;
    if (db_run(db, "SELECT host, member FROM potok_lease WHERE portal = $1", DB_ARGS(dbv_s(x->who.portal)),
            on_lease, &known, NULL, err) < 0)
        return -1;
    if (known.member[0] == '\0')
        return db_run(db, "UPDATE potok_lease SET member = $2 WHERE portal = $1",
            DB_ARGS(dbv_s(x->who.portal), dbv_s(x->member)), NULL, NULL, NULL, err);
    if (str_is(x->member, known.member))
        return 0;
    return err_set(err, ERR_AUTH,
        "the tokens are of another portal (member_id %.8s…, the tables are a copy of %.8s…); nothing was "
        "changed: "
        "another portal wants another DATABASE_URL, or another name and prefix",
        x->member.p, known.member);
}

static int on_number(void *ctx, const struct db_val *row, int columns)
{
    *(uint64_t *)ctx = (uint64_t)row[0].i;
    return 1;
}

static int put_pair(struct db *db, struct store_pair *x, struct err *err)
{
    if (check_member(db, x, err) < 0)
        return -1;
    return db_run(db,
        "INSERT INTO potok_token (portal, number, sealed, host, server, member, scope, status, expires_ms, "
        "at_ms) "
        "VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (portal) DO UPDATE SET "
        "number = potok_token.number + 1, sealed = excluded.sealed, host = excluded.host, "
        "server = excluded.server, member = excluded.member, scope = excluded.scope, status = "
        "excluded.status, "
        "expires_ms = excluded.expires_ms, at_ms = excluded.at_ms, error = NULL RETURNING number",
        DB_ARGS(dbv_s(x->who.portal), dbv_b(x->sealed), text_or_null(x->host), text_or_null(x->server),
            text_or_null(x->member), text_or_null(x->scope), text_or_null(x->status),
            x->expires_ms > 0 ? dbv_i(x->expires_ms) : DBV_NULL, dbv_i((int64_t)x->who.now_ms)),
        on_number, &x->number, NULL, err);
}

static int number_of(struct db *db, const struct store_pair *x, uint64_t *ret, struct err *err)
{
    char sql[80];

    *ret = 0;
    snprintf(sql, sizeof(sql), "SELECT epoch FROM potok_lease WHERE portal = $1%s", db_for_update(db));
    if (db_run(db, sql, DB_ARGS(dbv_s(x->who.portal)), NULL, NULL, NULL, err) < 0)
        return -1;
    return db_run(db, "SELECT number FROM potok_token WHERE portal = $1", DB_ARGS(dbv_s(x->who.portal)),
        on_number, ret, NULL, err);
}

/* Who lost the lease may still bring the successor of the pair that is there: nobody else can. */
static int begin_pair(struct db *db, const struct store_pair *x, struct err *err)
{
    struct err lost;
    uint64_t number;
    int failed;

    if (store_begin(db, &x->who, err) == 0)
        return 0;
    if (err->kind != ERR_PERM || err->code != STORE_LEASE_LOST)
        return -1;
    lost = *err;
    if (db_begin(db, err) < 0)
        return -1;
    failed = number_of(db, x, &number, err);
    if (failed == 0 && number == x->from)
        return 0;
    db_rollback(db);
    if (failed == 0)
        *err = lost;
    return -1;
}

int store_pair(struct db *db, struct store_pair *x, struct err *err)
{
    if (begin_pair(db, x, err) < 0)
        return -1;
    return store_end(db, put_pair(db, x, err), err);
}

int store_pair_error(
    struct db *db, const struct store_who *who, struct str error, bool forget, struct err *err)
{
    if (store_begin(db, who, err) < 0)
        return -1;

    int failed = db_run(db, "UPDATE potok_token SET error = $2, at_ms = $3 WHERE portal = $1",
        DB_ARGS(dbv_s(who->portal), dbv_s(error), dbv_i((int64_t)who->now_ms)), NULL, NULL, NULL, err);
    if (failed == 0 && forget)
        failed = db_run(db, "UPDATE potok_token SET sealed = $2, number = number + 1 WHERE portal = $1",
            DB_ARGS(dbv_s(who->portal), dbv_b(STR(""))), NULL, NULL, NULL, err);
    return store_end(db, failed, err);
}

int store_host(struct db *db, const struct store_who *who, struct str host, struct err *err)
{
    if (store_begin(db, who, err) < 0)
        return -1;
    return store_end(db,
        db_run(db, "UPDATE potok_lease SET host = $2 WHERE portal = $1",
            DB_ARGS(dbv_s(who->portal), text_or_null(host)), NULL, NULL, NULL, err),
        err);
}
