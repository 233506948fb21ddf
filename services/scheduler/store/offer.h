/* offer.h - what gateways brought to a portal's access and nobody looked at yet, sealed as it came: acknowledged to
 * them, and not lost with the scheduler. Like store.h: on a database thread, plain data, fenced by the epoch. */
#pragma once

#include "base/buf.h"
#include "store.h"

struct store_offer {
    uint64_t spool, seq;        /* of the gateway's row */
    uint64_t at_ms;             /* wall; when the gateway took it */
    struct buf sealed;          /* owned */
};
void store_offer_fini(struct store_offer *o);

/* One that is there already stays as it is. */
int store_offer(struct db *db, const struct store_who *who, const struct store_offer *o, struct err *err) MUST_CHECK;
/* Its refresh token is spent: `sealed` holds the one the OAuth server gave for it, and takes its place. */
int store_offer_goes_on(struct db *db, const struct store_who *who, uint64_t spool, uint64_t seq, struct str sealed,
    struct err *err) MUST_CHECK;
/* It is dealt with. */
int store_offer_end(
    struct db *db, const struct store_who *who, uint64_t spool, uint64_t seq, struct err *err) MUST_CHECK;
/* The newest ones, oldest first: at most `most`. The caller's to free. */
int store_offers(struct db *db, struct str portal, struct store_offer *ret, int most, int *ret_count, struct err *err)
    MUST_CHECK;
