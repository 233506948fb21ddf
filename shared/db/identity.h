/* identity.h - whose copy the tables are: a database filled from one portal must not be given another's records, because
 * every record the other does not have would be marked as deleted. Kept in potok_lease.identity. */
#pragma once

#include "db/db.h"

struct db_identity {
    struct str portal;          /* its name in the configuration */
    struct str host;            /* webhook_identity() of its address */
    const struct str *tables;   /* it would write to these */
    int count;
};

/* ERR_CONF: the portal's tables are a copy of another one, or a table of its is kept by a portal of another name; the text
 * says what to do. Reads only. A database that does not know whose copy it is fits everyone. */
int db_identity_check(struct db *db, const struct db_identity *who, struct err *err) MUST_CHECK;
