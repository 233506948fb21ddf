/* identity.h - whose copy the database is: looked at before a start, and told by the operator when a portal has a new
 * address. Waits for the database. */
#pragma once

#include "base/err.h"
#include "home.h"

struct db;

/* ERR_CONF: one of the portals configured would write to tables that are a copy of another one. */
int identity_check(const struct home *h, struct db *db, struct err *err) MUST_CHECK;
/* `potok config moved PORTAL`: the portal is the same, its address is new. Exit code. */
int identity_moved(const char *portal);
