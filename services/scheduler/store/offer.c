#include "offer.h"

void store_offer_fini(struct store_offer *o)
{
    buf_fini(&o->sealed);
    *o = (struct store_offer){ 0 };
}

int store_offer(struct db *db, const struct store_who *who, const struct store_offer *o, struct err *err)
{
    struct str sealed = o->sealed.n > 0 ? buf_view(&o->sealed) : STR("");

    if (store_begin(db, who, err) < 0)
        return -1;
    return store_end(db,
        db_run(db,
            "INSERT INTO potok_offer (portal, spool, seq, at_ms, sealed) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT (portal, spool, seq) DO NOTHING",
            DB_ARGS(dbv_s(who->portal), dbv_i((int64_t)o->spool), dbv_i((int64_t)o->seq),
                dbv_i((int64_t)o->at_ms), dbv_b(sealed)),
            NULL, NULL, NULL, err),
        err);
}

int store_offer_goes_on(struct db *db, const struct store_who *who, uint64_t spool, uint64_t seq,
    struct str sealed, struct err *err)
{
    if (store_begin(db, who, err) < 0)
        return -1;
    return store_end(db,
        db_run(db, "UPDATE potok_offer SET sealed = $4 WHERE portal = $1 AND spool = $2 AND seq = $3",
            DB_ARGS(dbv_s(who->portal), dbv_i((int64_t)spool), dbv_i((int64_t)seq), dbv_b(sealed)), NULL,
            NULL, NULL, err),
        err);
}

int store_offer_end(struct db *db, const struct store_who *who, uint64_t spool, uint64_t seq, struct err *err)
{
    if (store_begin(db, who, err) < 0)
        return -1;
    return store_end(db,
        db_run(db, "DELETE FROM potok_offer WHERE portal = $1 AND spool = $2 AND seq = $3",
            DB_ARGS(dbv_s(who->portal), dbv_i((int64_t)spool), dbv_i((int64_t)seq)), NULL, NULL, NULL, err),
        err);
}

struct offers {
    struct store_offer *list;
    int count, most;
};

static int on_offer(void *ctx, const struct db_val *row, int columns)
{
    struct offers *x = ctx;
    struct store_offer *o = &x->list[x->count++];

    *o = (struct store_offer){
        .spool = (uint64_t)row[0].i, .seq = (uint64_t)row[1].i, .at_ms = (uint64_t)row[2].i
    };
    buf_init(&o->sealed, 1 << 16);
    if (row[3].type == DB_BLOB)
        buf_add(&o->sealed, row[3].s.p, row[3].s.n);
    return x->count == x->most;
}

int store_offers(
    struct db *db, struct str portal, struct store_offer *ret, int most, int *ret_count, struct err *err)
{
    struct offers x = { .list = ret, .most = most };
    int failed = db_run(db,
        "SELECT spool, seq, at_ms, sealed FROM potok_offer WHERE portal = $1 ORDER BY at_ms DESC, seq DESC",
        DB_ARGS(dbv_s(portal)), on_offer, &x, NULL, err);

    for (int i = 0; i < x.count / 2; i++) {
        struct store_offer o = ret[i];

        ret[i] = ret[x.count - 1 - i];
        ret[x.count - 1 - i] = o;
    }
    *ret_count = x.count;
    return failed;
}
