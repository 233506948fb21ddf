/* db_pool.h - database work on threads of its own: the loop never waits. Each thread has its own connection, opened
 * in the background and opened again after it was lost. Work is done in order per lane: urgent before bulk.
 * Called from the loop thread only. */
#pragma once

#include "db/db.h"

#include <uv.h>

struct db_pool;

/* On the worker thread, with the connection. Returns 0 or -1 with *err. Must leave no transaction open (one left
 * open is rolled back). */
typedef int db_work(void *ctx, struct db *db, struct err *err);
/* On the loop thread: status 0 or -1. Exactly once for each accepted work. */
typedef void db_done(void *ctx, int status, const struct err *err);

enum db_lane { DB_URGENT, DB_BULK };

struct db_pool *db_pool_new(uv_loop_t *loop, const char *url, int threads);
/* Waits for the work under way; what then waits for somebody else (a lock, a server's answer) is interrupted after
 * DB_POOL_GRACE_MS by SIGURG, again and again, and ends with ERR_TEMP "stopping", as work not begun does. Callbacks come before
 * it returns. */
#define DB_POOL_GRACE_MS 800    /* less than a stop has at least (run/stopwatch.h) */
void db_pool_free(struct db_pool **pool);
void db_pool_do(struct db_pool *pool, enum db_lane lane, db_work *work, db_done *done, void *ctx);
int db_pool_queued(const struct db_pool *pool);     /* accepted, not yet done */
