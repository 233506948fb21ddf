/* token.h - what the database keeps of the access to a portal: tokens (sealed), its host of today, its member_id.
 * Like store.h: on a database thread, plain data, fenced by the epoch. */
#pragma once

#include "base/webhook.h"
#include "store.h"

#define STORE_MEMBER_SIZE 80

struct store_access {
    struct str portal;          /* in */
    char host[WEBHOOK_HOST_SIZE];       /* out: "" = as configured */
    char member[STORE_MEMBER_SIZE];     /* "" = not known */
    uint64_t number;            /* of the tokens; 0 = there never were any */
    struct buf sealed;          /* owned; empty: none */
    uint64_t at_ms;             /* when they were committed */
    char error[ERR_TEXT_SIZE];  /* why they are of no use any more; "" = they are */
};
int store_access(struct db *db, struct store_access *x, struct err *err) MUST_CHECK;
void store_access_fini(struct store_access *x);

struct store_pair {
    struct store_who who;
    struct str sealed, host, server, member, scope, status; /* empty: not told */
    int64_t expires_ms;         /* 0 = not told */
    uint64_t from;              /* number of the pair it replaces; 0 = there was none */
    bool renewal;               /* it was asked for by that pair, and follows no other */
    uint64_t spool, seq;        /* row of potok_offer that brought it: deleted with the commit; seq 0 = none */
    uint64_t number;            /* out */
};
/* Fenced by the epoch or, where the lease is lost, by `from`; a renewal by `from` whoever brings it: ERR_PERM with
 * STORE_PAIR_PASSED where a login or a removal was faster. One that is there already (its commit was not heard of) is
 * there. Another member_id than the one that is known: ERR_AUTH. Nothing is written then. */
int store_pair(struct db *db, struct store_pair *x, struct err *err) MUST_CHECK;
/* The pair of this number is of no use any more; a newer one stays as it is. */
int store_pair_bad(
    struct db *db, const struct store_who *who, uint64_t number, struct str error, struct err *err) MUST_CHECK;
/* Whatever is there is taken away. *ret_number: of what is there now; 0 = there never were any. */
int store_pair_forget(
    struct db *db, const struct store_who *who, struct str why, uint64_t *ret_number, struct err *err) MUST_CHECK;
int store_host(struct db *db, const struct store_who *who, struct str host, struct err *err) MUST_CHECK;
