/* schema.h - the parts of `potok schema` among themselves. */
#pragma once

#include "args.h"
#include "base/err.h"
#include "home.h"
#include "describe.h"

struct db;

enum { SCHEMA_FORMAT, SCHEMA_AS_JSON, SCHEMA_HISTORY, SCHEMA_PORTAL, SCHEMA_DRY_RUN, SCHEMA_ALL };  /* places of its options */

/* What one of them does with the database; 0, or an exit code, or -1 with err. */
typedef int schema_work(const struct home *home, const struct args *args, struct err *err);

/* Opens it for writing; only one that is there, with tables of this version. */
int schema_open(const struct home *home, struct db **ret, struct err *err) MUST_CHECK;
/* accept.c: `potok schema accept ENTITY FIELD… | --all` */
int schema_accept(const struct home *home, const struct args *args, struct err *err);
/* widen.c: `potok schema widen [ENTITY [FIELD…]]` */
int schema_widen(const struct home *home, const struct args *args, struct err *err);
