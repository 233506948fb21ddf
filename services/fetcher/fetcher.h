/* fetcher.h - the fetcher's shell: JOB in, one HTTP call, RECORDS and REPORT out. It decides nothing: which
 * job is due and when is the scheduler's, what an answer means is the connector's (connectors/bitrix.h). Loop
 * thread only. */
#pragma once

#include "base/seal.h"
#include "run/app.h"
#include "run/bus.h"
#include "run/http_client.h"

#define FETCHER_JOBS_MAX 64

struct work;

struct fetcher {
    char *bus_scheduler, *bus_mapper, *source, *secret_key; /* settings */
    int64_t jobs;
    int64_t answer_max_bytes;
    int64_t call_deadline_ms;

    struct app *app;
    struct seal_keys keys; /* of POTOK_SECRET_KEY: opens access tokens */
    struct bus_plug *scheduler, *bulk, *urgent;
    struct http_client *http;
    uv_timer_t tick;
    bool tick_open;
    bool closing; /* stop() is under way: calls that end now are thrown away */
    uint64_t boot;
    struct work *first, **last; /* in hand, in the order they came */
    int in_hand;
    uint64_t done, failed; /* since start */
};

extern const struct app_def FETCHER;

/* A job's way through is work.c; it tells when it is over (the work is freed right after). */
void fetcher_work_done(struct fetcher *f, struct work *w, bool ok);
