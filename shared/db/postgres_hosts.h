/* postgres_hosts.h - the servers that an address of PostgreSQL names, and which of them libpq is at. Pure but for reading
 * libpq's state. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>

/* NULL: there is none. */
const char *pg_option(const PQconninfoOption *list, const char *name);
const char *pg_or(const char *value, const char *fallback);     /* the fallback for NULL and "" */
/* Of lists as libpq takes them, host1,host2: what begins with item n. A single one counts for all. */
const char *pg_items_from(const char *list, int n);

struct pg_hosts {   /* of one attempt; views of `used` */
    PQconninfoOption *used;     /* owned: PQconninfoFree() */
    const char *names, *addresses, *ports;
    int count, now;             /* it is at the host of this number; -1: it did not begin */
};
void pg_hosts_read(struct pg_hosts *h, PGconn *c);
/* libpq went on to another one, or has just begun. */
bool pg_hosts_moved(struct pg_hosts *h, PGconn *c);
