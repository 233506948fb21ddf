/* writer_limit.h - what the engines can take at most, in the way their documents recommend: PostgreSQL by binary COPY into a
 * bare table (no key, no index), SQLite by a prepared plain INSERT. Data is made beforehand; only the writing is the
 * limit's. Errors: ERR_BUG and the engine's words. One thread. */
#pragma once

#include "bench/writer_data.h"

#define LIMIT_ROWS 1000         /* of a transaction */

struct limit;

/* url: "postgresql://…", or the path of an SQLite file that is made anew. NULL: *err. */
struct limit *limit_open(const char *url, struct data *d, struct err *err);
void limit_close(struct limit **l);
int limit_empty(struct limit *l, struct err *err) MUST_CHECK;       /* its table; then a checkpoint (PostgreSQL) */
/* Rows that limit_write() will write. */
int limit_prepare(struct limit *l, struct data *d, uint64_t first, uint64_t count, int version, struct err *err) MUST_CHECK;
int limit_write(struct limit *l, struct err *err) MUST_CHECK;
int limit_script(const char *url, const char *sql, struct err *err) MUST_CHECK;     /* PostgreSQL, by itself */
int limit_pid(const struct limit *l);           /* of its server process; 0: none */
