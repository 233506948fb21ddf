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
    uint64_t number;            /* out */
};
/* Fenced by the epoch or, where the lease is lost, by `from`. Another member_id than the one that is known: ERR_AUTH,
 * nothing is written. */
int store_pair(struct db *db, struct store_pair *x, struct err *err) MUST_CHECK;
/* They are of no use any more; `forget`: and are taken away. */
int store_pair_error(struct db *db, const struct store_who *who, struct str error, bool forget, struct err *err) MUST_CHECK;
int store_host(struct db *db, const struct store_who *who, struct str host, struct err *err) MUST_CHECK;
