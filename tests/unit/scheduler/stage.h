/* stage.h - the scheduler on a loop with a real database; its neighbours are played by the test. */
#pragma once

#include "services/scheduler/scheduler.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "run/app_private.h"
#include "support/check.h"
#include "support/database.h"

#define WAIT_MS 20000

struct stage {                  /* part of a test's rig */
    uv_loop_t loop;
    struct app app;
    struct app_private inside;
    struct config config;
    struct scheduler *s;
    char run_dir[128], url[256];
};

/* Turns the loop until the condition holds. */
#define WAIT_FOR(stage, condition) \
    do { \
        uint64_t until_ms = clock_mono_ms() + WAIT_MS; \
        bool held = (condition); \
        while (!held && clock_mono_ms() < until_ms) { \
            uv_run(&(stage)->loop, UV_RUN_ONCE); \
            held = (condition); \
        } \
        CHECK(held); \
    } while (0)

/* Nothing happens by itself: no sync, no look for changes. */
static inline void stage_init(struct stage *g)
{
    static int number;
    char name[24];

    uv_loop_init(&g->loop);
    snprintf(g->run_dir, sizeof(g->run_dir), "%s/run%d", check_folder(), number);
    mkdir(g->run_dir, 0700);
    snprintf(name, sizeof(name), "rig%d.db", number++);
    snprintf(g->url, sizeof(g->url), "%s", check_database(name));
    setenv("DATABASE_URL", g->url, 1);
    setenv("SYNC_DEFAULT_INTERVAL_MINUTES", "0", 1);
    setenv("SYNC_INCREMENTAL_SECONDS", "0", 1);
    setenv("SYNC_SWEEP_MINUTES", "0", 1);
    g->app = (struct app){ .loop = &g->loop,
        .def = &SCHEDULER,
        .config = &g->config,
        .instance = "scheduler.1",
        .private_ = &g->inside };
}

/* A portal of which deals are copied, five requests a second. */
static inline void stage_add_portal(
    struct stage *g, const char *name, const char *url, const char *prefix, uint32_t burst)
{
    g->config.portals[g->config.portal_count++] = (struct config_portal){ .name = (char *)name,
        .url = (char *)url,
        .prefix = (char *)prefix,
        .burst = burst,
        .drain_per_s = 5,
        .entity_count = 1,
        .entities = { (char *)"deals" } };
}

static inline void stage_start(struct stage *g)
{
    struct err err = { 0 };

    g->app.stopping = false;
    g->app.bus = bus_new(&g->loop, g->run_dir, "scheduler.1");
    g->s = xcalloc(1, sizeof(*g->s));
    CHECK_OK(settings_load(SCHEDULER.settings, g->s, NULL, NULL, &err), err);
    CHECK_OK(SCHEDULER.start(&g->app, g->s, &err), err);
}

static inline void stage_stop(struct stage *g)
{
    SCHEDULER.stop(g->s);
    settings_free(SCHEDULER.settings, g->s);
    bus_free(&g->app.bus);
    uv_run(&g->loop, UV_RUN_NOWAIT);
    free(g->s);
}

/* When all that the test opened is closing. */
static inline void stage_fini(struct stage *g)
{
    while (uv_run(&g->loop, UV_RUN_ONCE) != 0)
        ;
    CHECK_EQ(uv_loop_close(&g->loop), 0);
}
