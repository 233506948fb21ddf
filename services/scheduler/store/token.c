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

struct today {
    uint64_t number;
    struct str ours;
    bool is_ours;
};

static int on_today(void *ctx, const struct db_val *row, int columns)
{
    struct today *x = ctx;

    x->number = (uint64_t)row[0].i;
    x->is_ours = row[1].type == DB_BLOB && str_eq(row[1].s, x->ours);
    return 1;
}

static int read_today(struct db *db, const struct store_pair *x, struct today *ret, struct err *err)
{
    char sql[80];

    *ret = (struct today){ .ours = x->sealed };
    snprintf(sql, sizeof(sql), "SELECT epoch FROM potok_lease WHERE portal = $1%s", db_for_update(db));
    if (db_run(db, sql, DB_ARGS(dbv_s(x->who.portal)), NULL, NULL, NULL, err) < 0)
        return -1;
    return db_run(db, "SELECT number, sealed FROM potok_token WHERE portal = $1",
        DB_ARGS(dbv_s(x->who.portal)), on_today, ret, NULL, err);
}

/* Of the transaction that has begun. Sealed twice the same pair differs: what is equal is this very commit.
 */
static int check_place(
    struct db *db, struct store_pair *x, const struct err *lost, bool *ret_there, struct err *err)
{
    struct today today;

    if (read_today(db, x, &today, err) < 0)
        return -1;
    *ret_there = today.is_ours;
    if (today.is_ours)
        x->number = today.number;
    if (today.is_ours || today.number == x->from)
        return 0;
    if (lost != NULL) {
        *err = *lost;
        return -1;
    }
    return err_code(err, ERR_PERM, STORE_PAIR_PASSED,
        "the tokens follow number %llu, and number %llu is there by now", (unsigned long long)x->from,
        (unsigned long long)today.number);
}

/* Who lost the lease may still bring the successor of the pair that is there: nobody else can. That somebody
 * called it lost meanwhile changes nothing: its number is the same. */
static int begin_pair(struct db *db, struct store_pair *x, bool *ret_there, struct err *err)
{
    struct err lost;
    bool held = store_begin(db, &x->who, &lost) == 0;

    *ret_there = false;
    if (held && !x->renewal)
        return 0;
    if (!held && (lost.kind != ERR_PERM || lost.code != STORE_LEASE_LOST)) {
        *err = lost;
        return -1;
    }
    if (!held && db_begin(db, err) < 0)
        return -1;
    if (check_place(db, x, held ? NULL : &lost, ret_there, err) == 0)
        return 0;
    db_rollback(db);
    return -1;
}

/* What brought it goes with it: looked at once more it would spend the pair that is kept. */
static int end_offer(struct db *db, const struct store_pair *x, struct err *err)
{
    if (x->seq == 0)
        return 0;
    return db_run(db, "DELETE FROM potok_offer WHERE portal = $1 AND spool = $2 AND seq = $3",
        DB_ARGS(dbv_s(x->who.portal), dbv_i((int64_t)x->spool), dbv_i((int64_t)x->seq)), NULL, NULL, NULL,
        err);
}

int store_pair(struct db *db, struct store_pair *x, struct err *err)
{
    bool there;

    if (begin_pair(db, x, &there, err) < 0)
        return -1;

    int failed = there ? 0 : put_pair(db, x, err);
    if (failed == 0)
        failed = end_offer(db, x, err);
    return store_end(db, failed, err);
}

/* ---- the end of one ---- */

int store_pair_bad(
    struct db *db, const struct store_who *who, uint64_t number, struct str error, struct err *err)
{
    if (store_begin(db, who, err) < 0)
        return -1;
    return store_end(db,
        db_run(db, "UPDATE potok_token SET error = $2, at_ms = $3 WHERE portal = $1 AND number = $4",
            DB_ARGS(dbv_s(who->portal), dbv_s(error), dbv_i((int64_t)who->now_ms), dbv_i((int64_t)number)),
            NULL, NULL, NULL, err),
        err);
}

int store_pair_forget(
    struct db *db, const struct store_who *who, struct str why, uint64_t *ret_number, struct err *err)
{
    *ret_number = 0;
    if (store_begin(db, who, err) < 0)
        return -1;
    return store_end(db,
        db_run(db,
            "UPDATE potok_token SET error = $2, at_ms = $3, sealed = $4, number = number + 1 "
            "WHERE portal = $1 RETURNING number",
            DB_ARGS(dbv_s(who->portal), dbv_s(why), dbv_i((int64_t)who->now_ms), dbv_b(STR(""))), on_number,
            ret_number, NULL, err),
        err);
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
