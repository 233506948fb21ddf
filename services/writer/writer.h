/* writer.h - the writer service: ROWS in, one transaction each, DONE out. It keeps nothing between messages: what
 * was lost, the scheduler sends again. Loop thread; apply.h runs on the pool's threads. */
#pragma once

#include "base/err.h"
#include "db/db_pool.h"
#include "run/app.h"
#include "run/bus.h"

#include <stdbool.h>
#include <stdint.h>

#define UNSENT_MAX 16           /* DONE kept while the scheduler is away; it looks into the database then */

struct lane {                   /* one plug; paused while as many messages are in hand as there are threads */
    struct writer *writer;
    struct bus_plug *plug;
    enum db_lane db_lane;
    int in_hand;
    bool paused;
};

struct writer {
    char *database_url;         /* settings */
    int64_t database_threads;
    char *bus_writer, *bus_scheduler;

    struct app *app;
    struct db_pool *pool;
    struct lane urgent, bulk;
    struct bus_plug *done;
    struct msg *unsent[UNSENT_MAX];     /* oldest first */
    int unsent_count;
    uv_timer_t *retry;          /* of the migration; freed in its close callback */
    bool migrated;              /* the tables are there: rows are taken from now on */
    bool stopping;
    bool quit_when_idle;
    char trouble[ERR_TEXT_SIZE]; /* why the last transaction failed, until one goes well; "" = it did not */
    uint64_t moved_ms;          /* when a database thread last took up or ended a message */
    uint64_t messages, dropped; /* since start, for STATUS */
};

int writer_start(struct app *app, void *state, struct err *err);
void writer_stop_soon(void *state);
void writer_stop(void *state);
bool writer_ready(void *state, struct buf *why_not);
bool writer_busy(void *state);
void writer_detail(void *state, json_t *into);
